"""PgBouncer in transaction mode before an origin's database: services write through it, and a relay
does not lead through it, as its lease would be somebody else's."""
import subprocess
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

from harness import SandboxTest

from pgbouncer_server import PROGRAM, PgbouncerServer

# As installed, PgBouncer refuses a session's own settings; its message suggests to ignore them.
KINDS = {"refuses": "", "forgets": "extra_float_digits,options"}


class AnOriginBehindAPooler(SandboxTest):
    programs = (PROGRAM,)

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        direct = cls.sandbox.origins()["shop_eu"]
        port = int(direct.rpartition(":")[2].partition("/")[0])
        cls.poolers = {}
        for kind, ignored in KINDS.items():
            pooler = PgbouncerServer(f"pgbouncer-{kind}",
                                     cls.sandbox.folder / "servers" / f"pgbouncer-{kind}", port,
                                     ignored)
            pooler.start()
            cls.addClassCleanup(pooler.process.kill)
            pooler.wait_ready(20)
            pooled = cls.sandbox.folder / "servers" / f"{kind}.yaml"
            pooled.write_text(cls.sandbox.topology.read_text().replace(
                direct, pooler.url("shop_eu")))
            cls.poolers[kind] = (pooler, str(pooled))

    def sql(self, url: str, *statements: str) -> str:
        words = [word for each in statements for word in ("-c", each)]
        done = subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", *words, url],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.strip()

    def leases(self) -> str:
        return self.sql(self.sandbox.origins()["shop_eu"],
                        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database = "
                        "(SELECT oid FROM pg_database WHERE datname = current_database())")

    def log_of(self, name: str) -> str:
        return (self.sandbox.folder / "logs" / f"{name}.log").read_text(errors="replace")

    def relay_through(self, kind: str):
        """A relay, and the file of its log."""
        log = self.sandbox.folder / "servers" / f"relay-{kind}.log"
        with open(log, "wb") as out:
            relay = subprocess.Popen(
                [self.sandbox._settings["tributary"], "relay", "-c", self.poolers[kind][1],
                 "--origin", "shop_eu"], stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        self.addCleanup(relay.wait)
        self.addCleanup(relay.kill)
        return relay, log

    def test_services_write_through_it_with_sql_and_with_the_program(self):
        for kind, (pooler, pooled) in self.poolers.items():
            with self.subTest(kind=kind):
                key = f"stock:{kind}"
                change = f"SELECT tributary.counter_add('{key}', 1)"

                def by_sql(_):
                    self.sql(pooler.url("shop_eu"), *(["BEGIN", change, change, "COMMIT"] * 5))

                def by_program(_):
                    self.write("shop_eu", [{"key": key, "type": "counter", "add": 1}] * 10, "-c",
                               pooled)

                with ThreadPoolExecutor(6) as services:  # more than there are server processes
                    list(services.map(by_sql, range(6)))
                    list(services.map(by_program, range(6)))
                self.wait_until_converged()
                for region in self.regions:
                    self.assertEqual(self.redis(region)("GET", key), "120")

    def test_a_relay_says_so_and_leaves_the_lease_to_one_that_connects_directly(self):
        for kind in self.poolers:
            with self.subTest(kind=kind):
                self.sandbox.stop_process("relay-shop_eu")
                self.addCleanup(self.sandbox.start_process, "relay-shop_eu")
                self.eventually(self.leases, "0")
                relay, log = self.relay_through(kind)
                self.eventually(lambda: "connection pooler" in log.read_text(), True, timeout=5)
                for _ in range(20):
                    self.assertEqual(self.leases(), "0")
                    time.sleep(0.1)
                before = len(self.log_of("relay-shop_eu"))
                self.sandbox.start_process("relay-shop_eu")
                led = lambda: "leading" in self.log_of("relay-shop_eu")[before:]  # noqa: E731
                self.eventually(led, True, timeout=5)
                self.assertIsNone(relay.poll(), "it goes on trying: the URL may be mended")
                relay.kill()
                relay.wait()
                said = log.read_text()
                self.assertNotIn(": leading", said)
                self.assertEqual(said.count("connection pooler"), 1, said)
                key = f"stock:after-{kind}"
                self.write("shop_eu", [{"key": key, "type": "counter", "add": 1}])
                self.eventually(lambda: self.redis("us")("GET", key), "1")

    def test_status_says_so_too(self):
        done = self.run_tributary("status", "-c", self.poolers["forgets"][1], check=False)
        self.assertIn("connection pooler", done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
