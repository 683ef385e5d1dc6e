"""A topology that changes under running daemons: in whatever order files, databases and services
learn of it, nothing is lost, nothing stays set aside, and nobody restarts anything."""
import os
import signal
import subprocess
import time
import unittest
import urllib.request
from pathlib import Path

from harness import SandboxTest

from ports import free_port


class ARollOut(SandboxTest):
    def setUp(self):
        super().setUp()
        self.path = self.sandbox.topology
        self.pids = {name: self.sandbox.pid(name) for name in self.daemons()}

    def tearDown(self):
        for name, pid in self.pids.items():
            self.assertEqual(self.sandbox.pid(name), pid, f"{name} was restarted")

    # Inside

    def daemons(self) -> list:
        return [each for each in self.sandbox.state()["processes"]
                if each.startswith(("relay-", "consumer-"))]

    def log(self, name: str) -> str:
        return (self.sandbox.folder / "logs" / f"{name}.log").read_text(errors="replace")

    def put(self, text: str, path=None) -> None:
        """As an editor does: beside it, then in place."""
        path = path or self.path
        fresh = path.with_suffix(".new")
        fresh.write_text(text)
        os.replace(fresh, path)

    def with_keyspace(self, line: str) -> str:
        """Above all others, so that it counts for what others would take, too."""
        return self.path.read_text().replace("keyspaces:\n", f"keyspaces:\n  - {line}\n", 1)

    def beside(self, name: str, text: str) -> Path:
        path = self.sandbox.folder / "servers" / name
        path.write_text(text)
        return path

    def sql(self, *statements: str, check: bool = True) -> bool:
        words = [word for each in statements for word in ("-c", each)]
        done = subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", *words,
                               self.sandbox.origins()["shop_eu"]], capture_output=True, text=True)
        if check:
            self.assertEqual(done.returncode, 0, done.stderr)
        return done.returncode == 0

    def one_transaction(self, name: str) -> None:
        """Of a key that was always known, and one of the new keyspace."""
        self.sql("BEGIN", f"SELECT tributary.counter_add('stock:{name}', -1)",
                 f"SELECT tributary.set_add('{name}:1', 'lamp')", "COMMIT")
        self.write("till_eu", [[{"key": f"stock:{name}", "type": "counter", "add": -1},
                                {"key": f"{name}:1", "type": "set", "add": ["rug"]}]])

    def it_arrives(self, name: str, stock: str = "-2") -> None:
        self.wait_until_converged()
        for region in self.regions:
            redis = self.redis(region)
            self.assertEqual(sorted(redis("SMEMBERS", f"{name}:1")), ["lamp", "rug"])
            self.assertEqual(redis("GET", f"stock:{name}"), stock)
        self.assertIn("nothing is set aside", self.run_tributary("parked", "list").stdout)

    def daemon(self, name: str, *words):
        """One of our own, with its own file, and its log."""
        log = self.sandbox.folder / "servers" / f"{name}.log"
        with open(log, "wb") as out:
            process = subprocess.Popen([self.sandbox._settings["tributary"], *map(str, words)],
                                       stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process, log

    # What must hold

    def test_file_apply_and_write_may_come_in_any_order(self):
        orders = {"afw": "apply, file, write", "awf": "apply, write, file",
                  "faw": "file, apply, write"}
        for name, order in orders.items():
            with self.subTest(order=order):
                new = self.with_keyspace(f'{{pattern: "{name}:*", type: set}}')
                steps = {"f": lambda: self.put(new),  # noqa: B023
                         "a": lambda: self.run_tributary(  # noqa: B023
                             "topology", "apply", "-c", self.beside(f"{name}.yaml", new)),
                         "w": lambda: self.one_transaction(name)}  # noqa: B023
                for step in name:
                    steps[step]()
                    time.sleep(2.5 if step == "f" else 0.5)
                self.it_arrives(name)
                for each in self.daemons():
                    self.assertIn("starting anew", self.log(each))

    def test_what_is_written_before_apply_is_refused_as_a_whole_and_lost_nowhere(self):
        new = self.with_keyspace('{pattern: "early:*", type: set}')
        self.put(new)
        self.assertFalse(self.sql("BEGIN", "SELECT tributary.counter_add('stock:early', -5)",
                                  "SELECT tributary.set_add('early:1', 'lamp')", "COMMIT",
                                  check=False))
        self.run_tributary("topology", "apply")
        self.one_transaction("early")
        self.it_arrives("early")

    def test_the_file_of_one_region_comes_last(self):
        old = self.beside("late.yaml", self.path.read_text())
        self.sandbox.stop_process("consumer-us")
        self.pids.pop("consumer-us")
        self.addCleanup(self.sandbox.start_process, "consumer-us")
        consumer, log = self.daemon("late-us", "consumer", "-c", old, "--region", "us")
        # The old file knows nothing of the one, and says that the other is a counter.
        for name in ("late", "stock:late"):
            with self.subTest(name=name):
                new = self.with_keyspace(f'{{pattern: "{name}:*", type: set}}')
                self.put(new)
                self.run_tributary("topology", "apply")
                self.one_transaction(name)
                self.eventually(lambda: self.redis("eu")("SCARD", f"{name}:1"), 2)  # noqa: B023
                time.sleep(2)
                self.put(new, old)
                self.it_arrives(name)
        self.assertIn("starting anew", log.read_text())
        self.assertIsNone(consumer.poll())
        consumer.send_signal(signal.SIGTERM)
        self.assertEqual(consumer.wait(20), 0)

    def test_a_standby_that_has_not_heard_of_it_takes_over(self):
        old = self.beside("standby.yaml", self.path.read_text())
        standby, log = self.daemon("standby", "relay", "-c", old, "--origin", "shop_eu")
        self.eventually(lambda: "another relay leads" in log.read_text(), True)
        self.put(self.with_keyspace('{pattern: "standby:*", type: set}'))
        self.run_tributary("topology", "apply")
        self.sandbox.stop_process("relay-shop_eu")
        self.pids.pop("relay-shop_eu")
        self.addCleanup(self.sandbox.start_process, "relay-shop_eu")
        self.one_transaction("standby")
        self.it_arrives("standby")
        self.assertIsNone(standby.poll())
        standby.send_signal(signal.SIGTERM)
        self.assertEqual(standby.wait(20), 0)

    def test_an_origin_is_added(self):
        everyone, log = self.daemon("relay-all", "relay", "-c", self.path)
        self.eventually(lambda: log.read_text().count("another relay leads"), 3)
        line = f'  till_us: {{region: us, database: "sqlite://{self.sandbox.folder}/till_us.db"}}\n'
        self.put(self.path.read_text().replace("origins:\n", "origins:\n" + line))
        time.sleep(2.5)
        self.run_tributary("topology", "apply")
        self.write("till_us", [{"key": "stock:added", "type": "counter", "add": 7}])
        for region in self.regions:
            self.eventually(lambda: self.redis(region)("GET", "stock:added"),  # noqa: B023
                            "7", timeout=90)
        self.wait_until_converged(120)
        self.assertIsNone(everyone.poll())
        # Its relay ends with this test.
        self.put(self.path.read_text().replace(line, line.replace("}\n", ", retired: true}\n")))

    def test_a_mistake_is_said_once_and_changes_nothing(self):
        good = self.path.read_text()
        before = {name: self.log(name).count("starting anew") for name in self.daemons()}
        self.addCleanup(self.put, good)
        self.put(good.replace("type: counter}", "type: countr}", 1))
        wrong = lambda: [self.log(name).count("countr") for name in self.daemons()]  # noqa: E731
        self.eventually(wrong, [1] * len(before))
        time.sleep(3)
        self.assertEqual(wrong(), [1] * len(before))
        self.write("shop_eu", [{"key": "stock:meanwhile", "type": "counter", "add": 1}], "-c",
                   self.beside("good.yaml", good))
        for region in self.regions:
            self.eventually(lambda: self.redis(region)("GET", "stock:meanwhile"),  # noqa: B023
                            "1")
        self.put(good)
        time.sleep(3)
        self.assertEqual({name: self.log(name).count("starting anew") for name in self.daemons()},
                         before)

    def test_metrics_are_served_again_and_a_signal_makes_it_quick(self):
        path = self.beside("metrics.yaml", self.path.read_text())
        address = f"127.0.0.1:{free_port()}"
        relay, log = self.daemon("metrics", "relay", "-c", path, "--origin", "shop_us",
                                 "--metrics", address)

        def metrics() -> str:
            try:
                with urllib.request.urlopen(f"http://{address}/metrics", timeout=5) as page:
                    return page.read().decode()
            except OSError:
                return ""

        self.eventually(lambda: "tributary_topology_refused 0" in metrics(), True)
        for text, wanted in (("wrong", "tributary_topology_refused 1"),
                             (path.read_text() + "# new\n", "tributary_topology_refused 0")):
            self.put(text, path)
            relay.send_signal(signal.SIGHUP)
            self.eventually(lambda: wanted in metrics(), True, timeout=5)  # noqa: B023
        self.assertIn("starting anew", log.read_text())
        self.assertNotIn("cannot serve metrics", log.read_text())
        # In the midst of starting anew, too, it ends in good order.
        self.put(path.read_text() + "# newer\n", path)
        relay.send_signal(signal.SIGHUP)
        relay.send_signal(signal.SIGTERM)
        self.assertEqual(relay.wait(20), 0)


if __name__ == "__main__":
    unittest.main()
