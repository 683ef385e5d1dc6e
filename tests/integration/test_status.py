"""What `tributary status` and `tributary parked` say, on real servers, and with which exit code."""
import json
import subprocess
import time
import unittest

from harness import SandboxTest

OVERSIZED = """SET session_replication_role = replica; BEGIN;
INSERT INTO tributary_outbox (key, type, operation, amount, hlc)
SELECT key, 'counter', 'add', 1, (extract(epoch FROM clock_timestamp()) * 1000000)::bigint * 4096
FROM unnest(ARRAY['stock:whole', 'stock:' || repeat('x', 5000)]) key; COMMIT;"""


class StatusTellsTheTruth(SandboxTest):
    def setUp(self):
        super().setUp()
        self.write("shop_eu", [{"key": "stock:1", "type": "counter", "add": 1}])
        self.wait_until_converged()

    def exit_code(self, *words) -> int:
        return self.run_tributary("status", *words, check=False).returncode

    def reasons(self) -> str:
        return "\n".join(self.status()["reasons"])

    def sql(self, statement: str, origin: str = "shop_eu") -> str:
        done = subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-c", statement,
                               self.sandbox.origins()[origin]], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.strip()

    def test_the_exit_code_tells_whether_every_region_holds_every_change(self):
        self.assertEqual(self.exit_code(), 0)
        self.sandbox.stop_process("consumer-us")
        self.addCleanup(self.sandbox.start_process, "consumer-us")
        self.write("shop_eu", [{"key": "stock:1", "type": "counter", "add": 1}])
        self.eventually(lambda: self.redis("eu")("GET", "stock:1") is not None, True)
        self.assertEqual(self.exit_code(), 1)
        start = time.monotonic()
        done = self.run_tributary("status", "--wait", 1, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertLess(time.monotonic() - start, 10)
        self.assertIn("region us lacks", done.stdout)
        waiting = subprocess.Popen([self.sandbox._settings["tributary"], "status", "--wait", "-c",
                                    str(self.sandbox.topology)], stdout=subprocess.PIPE, text=True)
        self.sandbox.start_process("consumer-us")
        out, _ = waiting.communicate(timeout=60)
        self.assertEqual(waiting.returncode, 0, out)
        self.assertIn("converged: every region holds every change", out)

    def test_changes_wait_with_their_age_while_no_relay_runs(self):
        self.sandbox.stop_process("relay-shop_us")
        self.addCleanup(self.sandbox.start_process, "relay-shop_us")
        self.write("shop_us", [{"key": "stock:2", "type": "counter", "add": 1}] * 3)
        time.sleep(1.5)
        status = self.status()
        shop = next(each for each in status["origins"] if each["name"] == "shop_us")
        self.assertFalse(status["converged"])
        self.assertEqual(shop["outbox_depth"], 3)
        self.assertGreater(shop["oldest_seconds"], 1)
        self.assertIn("origin shop_us: 3 changes wait in the outbox", "\n".join(status["reasons"]))

    def test_a_server_that_is_away_is_exit_code_3(self):
        for name, words in (("redis-us", "region us: its replica was not reached"),
                            ("rabbitmq-us", "origin shop_us: its stream on the broker")):
            with self.subTest(name=name):
                self.sandbox.stop_process(name)
                try:
                    self.assertEqual(self.exit_code(), 3)
                    self.assertIn(words, self.reasons())
                finally:
                    self.sandbox.start_process(name)
                self.wait_until_converged(120)

    def test_changes_of_a_retired_origin_must_be_in_every_region(self):
        self.write("till_eu", [{"key": "stock:till", "type": "counter", "add": 100}])
        self.wait_until_converged()
        self.sandbox.stop_process("relay-till_eu", "consumer-us")
        text = self.sandbox.topology.read_text()
        self.addCleanup(self.sandbox.topology.write_text, text)
        self.sandbox.topology.write_text(text.replace("till_eu: {", "till_eu: {retired: true, "))
        self.assertEqual(self.exit_code(), 0)
        before = self.redis("us")("DUMP", "stock:till")
        self.assertIsNotNone(before)
        self.redis("us")("FLUSHALL")
        self.assertEqual(self.exit_code(), 1)
        self.assertRegex(self.reasons(), "region us lacks .* of the retired origin till_eu")
        self.sandbox.topology.write_text(text)
        self.sandbox.start_process("relay-till_eu", "consumer-us")
        self.wait_until_converged()

    def test_rows_that_a_relay_set_aside_are_told_and_decided_by_command(self):
        self.sql(OVERSIZED)
        listed = lambda *words: json.loads(self.run_tributary(  # noqa: E731
            "parked", "list", "--origin", "shop_eu", "--json", *words).stdout)
        self.eventually(lambda: len(listed()), 2)
        self.assertIn("origin shop_eu: 2 changes are set aside", self.reasons())
        self.assertIsNone(self.redis("eu")("GET", "stock:whole"))  # whole transactions
        self.assertEqual(len(listed("--limit", "1")), 1)
        transaction = listed()[0]["id"]
        shown = self.run_tributary("parked", "show", "--origin", "shop_eu", transaction).stdout
        self.assertIn("stock:whole", shown)

        self.sql("UPDATE tributary_parked SET reason = 'in doubt after a restore: by hand'")
        done = self.run_tributary("parked", "retry", "--origin", "shop_eu", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("2 changes in doubt were left alone", done.stdout)
        done = self.run_tributary("parked", "discard", "--origin", "shop_eu", "--in-doubt",
                                  check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("--yes", done.stderr)
        self.assertEqual(len(listed("--in-doubt")), 2)

        self.sql("DELETE FROM tributary_parked WHERE key <> 'stock:whole'")
        self.run_tributary("parked", "retry", "--origin", "shop_eu", "--in-doubt")
        self.eventually(lambda: self.redis("us")("GET", "stock:whole"), "1")
        self.sql(OVERSIZED)
        self.eventually(lambda: len(listed()), 2)
        self.run_tributary("parked", "discard", listed()[0]["id"], "--origin", "shop_eu", "--yes")
        self.assertEqual(listed(), [])
        self.wait_until_converged()


if __name__ == "__main__":
    unittest.main()
