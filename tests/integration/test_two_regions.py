"""Two regions on real servers: what crosses, what a cut link holds back, what a crash leaves."""
import unittest

from harness import SandboxTest


class TwoRegions(SandboxTest):
    def test_changes_of_every_type_are_read_in_both_regions(self):
        self.write("shop_eu", [
            [{"key": "stock:1", "type": "counter", "add": 10},
             {"key": "price:1", "type": "register", "set": "9.99"}],
            {"key": "tags:1", "type": "set", "add": ["red", "small"]},
        ])
        self.write("till_eu", [{"key": "stock:1", "type": "counter", "add": -4}])
        self.wait_until_converged()
        for region in self.regions:
            redis = self.redis(region)
            self.assertEqual(redis("GET", "stock:1"), "6")
            self.assertEqual(redis("GET", "price:1"), "9.99")
            self.assertEqual(sorted(redis("SMEMBERS", "tags:1")), ["red", "small"])

    def test_a_cut_link_holds_changes_back_until_it_heals(self):
        for silent in (False, True):
            with self.subTest(silent=silent):
                key = f"counter:cut-{silent}"
                self.sandbox.cut("eu", "us", silent=silent)
                self.addCleanup(self.sandbox.heal)
                self.write("shop_eu", [{"key": key, "type": "counter", "add": 1}])
                self.write("shop_us", [{"key": key, "type": "counter", "add": 2}])
                self.eventually(lambda: self.redis("eu")("GET", key), "1")
                self.eventually(lambda: self.redis("us")("GET", key), "2")
                self.assertFalse(self.status()["converged"])
                self.sandbox.heal("eu", "us")
                self.wait_until_converged()
                self.assertEqual([self.redis(each)("GET", key) for each in self.regions],
                                 ["3", "3"])

    def test_daemons_killed_with_9_are_started_again_and_lose_nothing(self):
        for _ in range(3):
            self.write("shop_eu", [{"key": "counter:killed", "type": "counter", "add": 1}] * 200)
            for name in ("relay-shop_eu", "consumer-us"):
                killed = self.kill9(name)
                self.assertNotEqual(self.sandbox.pid(name), killed)
        self.wait_until_converged()
        for region in self.regions:
            self.assertEqual(self.redis(region)("GET", "counter:killed"), "600")

    def test_two_sandboxes_do_not_share_a_folder(self):
        from sandbox import Sandbox, SandboxError
        with self.assertRaises(SandboxError):
            Sandbox(self.sandbox.folder).start()


if __name__ == "__main__":
    unittest.main()
