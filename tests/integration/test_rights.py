"""The least privileges that are documented are enough, and messages stay true with them."""
import re
import subprocess
import unittest

from harness import SandboxTest
from sandbox import REPOSITORY


def documented_grants(role: str) -> str:
    """The SQL block of docs/sql.md that grants to this role."""
    blocks = re.findall(r"```sql\n(.*?)```", (REPOSITORY / "docs" / "sql.md").read_text(), re.S)
    return next(each for each in blocks if f"TO {role};" in each)


class RolesOfADatabase(SandboxTest):
    def sql(self, statement: str) -> str:
        done = subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-c", statement,
                               self.sandbox.origins()["shop_eu"]], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.strip()

    def relay(self) -> tuple:
        """One that logs in as `relay`, and its log."""
        folder = self.sandbox.folder / "servers"
        direct = self.sandbox.origins()["shop_eu"]
        topology = folder / "as-relay.yaml"
        topology.write_text(self.sandbox.topology.read_text().replace(
            direct, direct.replace("postgres@", "relay@")))
        log = folder / "as-relay.log"
        with open(log, "wb") as out:
            relay = subprocess.Popen(
                [self.sandbox._settings["tributary"], "relay", "-c", topology, "--origin",
                 "shop_eu"], stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        self.addCleanup(relay.wait)
        self.addCleanup(relay.kill)
        return relay, log

    def test_a_relay_works_with_them_and_does_not_guess_from_where_another_one_leads(self):
        grants = documented_grants("relay")
        required, optional = grants.split("GRANT pg_read_all_stats")
        self.sql("CREATE ROLE relay LOGIN; " + required)
        relay, log = self.relay()
        self.eventually(lambda: "another relay leads" in log.read_text(), True)
        self.assertIn("unknown address (not visible to this role)", log.read_text())
        self.assertNotIn("local socket", log.read_text())
        relay.kill()
        relay.wait()

        self.sql("GRANT pg_read_all_stats" + optional.partition(";")[0])
        _, log = self.relay()
        self.eventually(lambda: "from 127.0.0.1" in log.read_text(), True)

        self.sandbox.stop_process("relay-shop_eu")
        self.addCleanup(self.sandbox.start_process, "relay-shop_eu")
        self.eventually(lambda: ": leading" in log.read_text(), True)
        self.write("shop_eu", [{"key": "stock:rights", "type": "counter", "add": 3}])
        self.wait_until_converged()
        self.assertEqual(self.redis("us")("GET", "stock:rights"), "3")
        self.assertNotIn("error", log.read_text())


if __name__ == "__main__":
    unittest.main()
