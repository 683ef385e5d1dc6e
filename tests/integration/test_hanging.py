"""Servers that take connections and never answer: what does not need them goes on, and who is told
to end ends."""
import os
import signal
import socket
import subprocess
import time
import unittest
from pathlib import Path

from harness import SandboxTest

PATIENCE = 12  # s; a login gives up after some 30


class AServerHangs(SandboxTest):
    def setUp(self):
        super().setUp()
        self.path = self.sandbox.topology
        text = self.path.read_text()
        self.addCleanup(self.wait_until_converged, 120)  # last, when nothing hangs any more
        self.addCleanup(self.path.write_text, text)

    # Inside

    def hang(self, name: str) -> None:
        """Until the end of the test."""
        pid = self.sandbox.pid(name)
        self.addCleanup(os.kill, pid, signal.SIGCONT)
        os.kill(pid, signal.SIGSTOP)

    def silent_port(self) -> int:
        listening = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.addCleanup(listening.close)
        return listening.getsockname()[1]

    def edit(self, path: Path, keyspace: str, log: Path) -> float:
        """Another keyspace; returns when the daemon has noticed."""
        before = log.read_text().count("starting anew")
        fresh = path.with_suffix(".new")
        fresh.write_text(path.read_text().replace(
            "keyspaces:\n", f'keyspaces:\n  - {{pattern: "{keyspace}:*", type: set}}\n', 1))
        os.replace(fresh, path)
        self.eventually(lambda: log.read_text().count("starting anew"), before + 1)
        return time.monotonic()

    def log_of(self, name: str) -> Path:
        return self.sandbox.folder / "logs" / f"{name}.log"

    def ends(self, process: subprocess.Popen) -> None:
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(timeout=PATIENCE), 0)

    def daemon(self, name: str, *words):
        """In the place of the sandbox's own of that name."""
        log = self.sandbox.folder / "servers" / f"{name}.log"
        with open(log, "wb") as out:
            process = subprocess.Popen([self.sandbox._settings["tributary"], *map(str, words)],
                                       stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process, log

    def in_place_of(self, *names: str) -> None:
        self.sandbox.stop_process(*names)
        self.addCleanup(self.sandbox.start_process, *names)

    def arrives_soon(self, origin: str, key: str, since: float) -> None:
        self.write(origin, [{"key": key, "type": "counter", "add": 1}])
        self.eventually(lambda: self.redis("eu")("GET", key), "1", timeout=PATIENCE)
        self.assertLess(time.monotonic() - since, PATIENCE)

    # What must hold

    def test_a_region_goes_on_when_the_topology_changes_while_a_broker_hangs(self):
        self.in_place_of("consumer-eu")
        consumer, log = self.daemon("consumer", "consumer", "-c", self.path, "--region", "eu")
        self.eventually(lambda: "replica is open" in log.read_text(), True)
        self.hang("rabbitmq-us")
        self.edit(self.path, "one", log)
        self.arrives_soon("shop_eu", "stock:one", time.monotonic())
        time.sleep(1)  # the reader of shop_us is at its login now
        self.arrives_soon("shop_eu", "stock:two", self.edit(self.path, "two", log))
        self.ends(consumer)
        self.assertIn("stopped", log.read_text())

    def test_relays_go_on_when_the_topology_changes_while_a_broker_or_database_hangs(self):
        text = self.path.read_text()
        database = self.sandbox.origins()["shop_us"]
        for name in ("broker", "database"):
            with self.subTest(hangs=name):
                path = self.sandbox.folder / "servers" / f"{name}.yaml"
                silent = f"127.0.0.1:{self.silent_port()}"
                broker = f"127.0.0.1:{self.sandbox.amqp_port('us')}"
                path.write_text(text.replace(broker, silent) if name == "broker" else
                                text.replace(database, f"postgresql://{silent}/shop"))
                self.sandbox.stop_process("relay-shop_eu", "relay-shop_us")
                try:
                    relay, log = self.daemon(f"relay-{name}", "relay", "-c", path, "--origin",
                                             "shop_eu", "--origin", "shop_us")
                    self.eventually(lambda: "leading origin=shop_eu" in log.read_text(), True)
                    self.edit(path, "one", log)
                    time.sleep(1)
                    noticed = self.edit(path, "two", log)
                    self.arrives_soon("shop_eu", f"stock:{name}", noticed)
                    self.ends(relay)
                finally:
                    self.sandbox.start_process("relay-shop_eu", "relay-shop_us")

    def test_a_process_ends_while_its_replica_or_its_own_broker_hangs(self):
        self.in_place_of("consumer-us", "relay-shop_us")
        consumer, log = self.daemon("consumer-us", "consumer", "-c", self.path, "--region", "us")
        self.eventually(lambda: "replica is open" in log.read_text(), True)
        relay, log = self.daemon("relay-us", "relay", "-c", self.path, "--origin", "shop_us")
        self.eventually(lambda: "leading" in log.read_text(), True)
        self.hang("redis-us")
        self.hang("rabbitmq-us")
        self.write("shop_us", [{"key": "stock:end", "type": "counter", "add": 1}])
        time.sleep(1)
        self.ends(consumer)
        self.ends(relay)

    def test_status_says_who_did_not_answer_and_does_not_wait_longer_than_it_was_told(self):
        self.hang("rabbitmq-us")
        self.hang("redis-us")
        start = time.monotonic()
        done = self.run_tributary("status", "--wait", 3, check=False)
        self.assertLess(time.monotonic() - start, PATIENCE)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"region us: its replica was not reached \(it did not answer")
        self.assertRegex(done.stdout, r"stream on the broker of region us .*it did not answer")
        self.assertNotRegex(done.stdout, "region eu: its replica was not reached")


if __name__ == "__main__":
    unittest.main()
