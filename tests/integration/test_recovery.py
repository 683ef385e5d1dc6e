"""What a region comes back from by itself, and what an operator mends."""
import json
import os
import re
import signal
import subprocess
import time
import unittest

from harness import SandboxTest
from sandbox import REPOSITORY


class ARegionRecovers(SandboxTest):
    def test_an_emptied_replica_is_filled_again_from_the_streams(self):
        self.write("shop_eu", [{"key": "stock:flush", "type": "counter", "add": n}
                               for n in range(1, 11)])
        self.wait_until_converged()
        self.redis("us")("FLUSHALL")
        self.eventually(lambda: self.redis("us")("GET", "stock:flush"), "55")
        self.wait_until_converged()

    def test_a_foreign_view_is_kept_and_its_changes_are_parked_until_they_are_retried(self):
        redis = self.redis("us")
        redis("SET", "cart:foreign", "mine")
        for element in ("x", "y"):
            self.write("shop_eu", [{"key": "cart:foreign", "type": "set", "add": element},
                                   {"key": f"stock:{element}", "type": "counter", "add": 1}])
        self.eventually(lambda: redis("GET", "stock:y"), "1")
        self.assertEqual(redis("GET", "cart:foreign"), "mine")
        parked = json.loads(self.run_tributary("parked", "list", "--region", "us",
                                               "--json").stdout)
        self.assertEqual([each["key"] for each in parked], ["cart:foreign"] * 2)
        self.assertFalse(self.status()["converged"])

        self.assertEqual(self.run_tributary("parked", "retry", "--region", "us",
                                            check=False).returncode, 1)
        redis("DEL", "cart:foreign")
        self.run_tributary("parked", "retry", "--region", "us")
        self.assertEqual(set(redis("SMEMBERS", "cart:foreign")), {"x", "y"})
        self.wait_until_converged()

    def test_a_gap_is_closed_from_the_origin_s_retained_batches_as_documented(self):
        documented = (REPOSITORY / "docs" / "operations.md").read_text().partition(
            "## An origin is stopped at a gap")[2]
        statement = re.search(r"`(UPDATE public\.tributary_batch .+?;)`", documented).group(1)
        self.write("shop_us", [{"key": "stock:gap", "type": "counter", "add": 1}] * 300)
        self.wait_until_converged()
        self.sandbox.stop_process("consumer-eu", "relay-shop_us")
        self.addCleanup(self.sandbox.start_process, "consumer-eu", "relay-shop_us")
        done = subprocess.run([self.sandbox.folder / "servers" / "rabbitmq-us" / "rabbitmqctl",
                               "delete_queue", "tributary.shop_us"],
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.redis("eu")("FLUSHALL")
        self.sandbox.start_process("consumer-eu", "relay-shop_us")
        self.write("shop_us", [{"key": "stock:gap", "type": "counter", "add": 1}])
        self.eventually(lambda: self.redis("us")("GET", "stock:gap"), "301")
        log = self.sandbox.folder / "logs" / "consumer-eu.log"
        self.eventually(lambda: "gap in the changelog" in log.read_text(), True, timeout=60)
        self.assertIsNone(self.redis("eu")("GET", "stock:gap"))

        self.sandbox.stop_process("relay-shop_us")
        done = subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", "-c", statement,
                               self.sandbox.origins()["shop_us"]], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.sandbox.start_process("relay-shop_us")
        self.wait_until_converged(timeout=120)
        for region in self.regions:
            self.assertEqual(self.redis(region)("GET", "stock:gap"), "301")

    # Last by name: RabbitMQ 3.10 needs some seconds after a declaration before it survives kill -9.
    def test_z_a_killed_broker_loses_nothing_that_was_committed_meanwhile(self):
        self.write("shop_eu", [{"key": "stock:broker", "type": "counter", "add": 1}])
        self.wait_until_converged()
        time.sleep(5)
        self.kill9("rabbitmq-eu")
        self.write("shop_eu", [{"key": "stock:broker", "type": "counter", "add": 2}])
        self.eventually(lambda: self.redis("us")("GET", "stock:broker"), "3", timeout=90)
        self.wait_until_converged()

    def test_sigterm_drains_and_exits_with_0(self):
        pid = self.sandbox.pid("relay-shop_us")
        log = self.sandbox.folder / "logs" / "relay-shop_us.log"
        os.kill(pid, signal.SIGTERM)
        self.eventually(lambda: "stopped" in log.read_text(), True)


if __name__ == "__main__":
    unittest.main()
