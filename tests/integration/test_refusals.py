"""What refuses a daemon stops only itself: the daemon goes on with all else, says so, and waits."""
import os
import re
import subprocess
import unittest
import urllib.request

from harness import SandboxTest
from ports import free_port


class OneFaultStaysOneFault(SandboxTest):
    def setUp(self):
        super().setUp()
        self.path = self.sandbox.topology
        self.text = self.path.read_text()
        self.addCleanup(self.wait_until_converged, 90)  # last

    def daemon(self, place: tuple, *words, path=None) -> subprocess.Popen:
        """In the place of the sandbox's own daemons of these names, with metrics."""
        self.sandbox.stop_process(*place)
        self.addCleanup(self.sandbox.start_process, *place)
        self.metrics_at = f"127.0.0.1:{free_port()}"
        self.log = self.sandbox.folder / "servers" / f"{place[0]}.log"
        with open(self.log, "wb") as out:
            process = subprocess.Popen([self.sandbox._settings["tributary"], *words, "-c",
                                        str(path or self.path), "--metrics", self.metrics_at],
                                       stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        self.addCleanup(process.wait)
        self.addCleanup(process.terminate)
        return process

    def gauge(self, name: str, origin: str) -> float | None:
        try:
            with urllib.request.urlopen(f"http://{self.metrics_at}/metrics", timeout=5) as page:
                text = page.read().decode()
                found = re.search(rf'^{name}{{origin="{origin}"}} (\S+)', text, re.M)
        except OSError:
            return None
        return found and float(found.group(1))

    def put_topology(self, text: str) -> None:
        fresh = self.path.with_suffix(".new")
        fresh.write_text(text)
        os.replace(fresh, self.path)

    def add(self, origin: str, key: str) -> None:
        self.write(origin, [{"key": key, "type": "counter", "add": 1}])

    def rename_database(self, name: str, to: str) -> None:
        url = self.sandbox.origins()["shop_us"].rpartition("/")[0] + "/postgres"
        words = ["psql", "-Xq", "-v", "ON_ERROR_STOP=1", url]
        for statement in (f"ALTER DATABASE {name} ALLOW_CONNECTIONS false",
                          "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
                          f"WHERE datname = '{name}'",
                          f"ALTER DATABASE {name} RENAME TO {to}",
                          f"ALTER DATABASE {to} ALLOW_CONNECTIONS true"):
            words += ["-c", statement]
        done = subprocess.run(words, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_broker_that_refuses_the_login_stops_only_what_it_holds(self):
        self.addCleanup(self.put_topology, self.text)
        consumer = self.daemon(("consumer-eu",), "consumer", "--region", "eu")
        self.eventually(lambda: self.gauge("tributary_consumer_changelog_connected", "shop_us"), 1)
        us = self.text.index("  us:\n")
        self.put_topology("allow_inline_passwords: true\n" + self.text[:us]
                          + self.text[us:].replace("amqp://", "amqp://guest:no@"))
        self.eventually(lambda: self.gauge("tributary_consumer_failed", "shop_us"), 1)
        self.assertEqual(self.gauge("tributary_consumer_changelog_connected", "shop_us"), 0)
        for origin in ("shop_eu", "till_eu"):
            self.add(origin, "stock:login")
            self.eventually(lambda: self.gauge("tributary_consumer_changelog_connected", origin), 1)
            self.assertEqual(self.gauge("tributary_consumer_failed", origin), 0)
        self.eventually(lambda: self.redis("eu")("GET", "stock:login"), "2")
        self.assertIn("ACCESS_REFUSED", self.log.read_text())
        status = self.status()
        self.assertFalse(status["converged"] or status["all_reached"])
        problems = {each["name"]: each.get("stream_problem") for each in status["origins"]}
        self.assertRegex(problems.pop("shop_us"), "ACCESS_REFUSED")
        self.assertEqual(problems, {"shop_eu": None, "till_eu": None})
        self.assertRegex("\n".join(status["reasons"]),
                         "origin shop_us: its stream on the broker of region us cannot be read")

        self.add("shop_us", "stock:login")  # waits
        self.put_topology(self.text)
        self.eventually(lambda: self.redis("eu")("GET", "stock:login"), "3")
        self.eventually(lambda: self.gauge("tributary_consumer_failed", "shop_us"), 0)
        self.assertIsNone(consumer.poll())

    def test_a_relay_goes_on_with_one_origin_and_waits_for_both(self):
        relay = self.daemon(("relay-shop_us", "relay-till_eu"), "relay", "--origin", "shop_us",
                            "--origin", "till_eu")
        for origin in ("shop_us", "till_eu"):
            self.eventually(lambda: self.gauge("tributary_relay_leading", origin), 1)
        self.rename_database("shop_us", "shop_away")
        self.eventually(lambda: self.gauge("tributary_relay_failed", "shop_us"), 1)
        self.assertEqual(self.gauge("tributary_relay_leading", "shop_us"), 0)
        self.add("till_eu", "stock:both")
        self.eventually(lambda: self.redis("us")("GET", "stock:both"), "1")
        self.assertEqual(self.gauge("tributary_relay_failed", "till_eu"), 0)

        till = self.sandbox.folder / "till_eu.db"
        away = till.with_suffix(".dbaway")
        till.rename(away)
        self.eventually(lambda: self.gauge("tributary_relay_failed", "till_eu"), 1)
        self.assertIsNone(relay.poll())  # both may come back, and do
        away.rename(till)
        self.rename_database("shop_away", "shop_us")
        for origin in ("shop_us", "till_eu"):
            self.eventually(lambda: self.gauge("tributary_relay_leading", origin), 1)
            self.add(origin, "stock:both")
        self.eventually(lambda: self.redis("us")("GET", "stock:both"), "3")
        self.assertIsNone(relay.poll())

    def test_a_relay_ends_when_nothing_that_it_serves_can_ever_work(self):
        path = self.folder / "retired.yaml"
        retire = lambda *names: path.write_text(re.sub(  # noqa: E731
            rf"^  ({'|'.join(names)}): {{", r"  \1: {retired: true, ", self.text, flags=re.M))
        words = ("relay", "-c", str(path))
        retire("shop_eu", "shop_us", "till_eu")
        done = self.run_tributary(*words, check=False, timeout=20)
        self.assertEqual(done.returncode, 2)
        self.assertIn("all origins are retired in the topology: none is left to relay", done.stderr)
        retire("shop_us")
        done = self.run_tributary(*words, "--origin", "shop_us", check=False, timeout=20)
        self.assertEqual(done.returncode, 2)
        self.assertIn("origin shop_us is retired in the topology", done.stderr)
        relay = self.daemon(("relay-shop_eu", "relay-till_eu"), "relay", path=path)
        for origin in ("shop_eu", "till_eu"):
            self.eventually(lambda: self.gauge("tributary_relay_leading", origin), 1)
        self.assertIsNone(self.gauge("tributary_relay_leading", "shop_us"))
        self.assertIsNone(relay.poll())


if __name__ == "__main__":
    unittest.main()
