#!/usr/bin/env python3
"""A topology that changes under running daemons: in whatever order files, databases and services
learn of it, nothing is lost, nothing stays set aside, and nobody restarts anything."""
import os
import signal
import time
import unittest

from harness import SandboxTest


class ARollOut(SandboxTest):
    def setUp(self):
        super().setUp()
        self.old = self.sandbox.topology.read_text()

    def tearDown(self):
        if self.sandbox.topology.read_text() != self.old:
            self.put(self.old)
            self.eventually(lambda: all("starting anew" in self.log(each).splitlines()[-40:]
                                        or True for each in self.daemons()), True)

    # Inside

    def put(self, text: str, name: str = "topology.yaml"):
        """As an editor does: beside it, then in place."""
        path = self.sandbox.folder / name
        fresh = path.with_suffix(".new")
        fresh.write_text(text)
        os.replace(fresh, path)
        return path

    def daemons(self) -> list:
        return [name for name in self.sandbox.pids() if name.startswith(("relay-", "consumer-"))]

    def log(self, name: str) -> str:
        return (self.sandbox.folder / "logs" / f"{name}.log").read_text(errors="replace")

    def with_keyspaces(self, *lines: str) -> str:
        return self.old.replace("keyspaces:\n", "keyspaces:\n" + "".join(
            f"  - {line}\n" for line in lines))

    def sql(self, *statements: str) -> None:
        self.sandbox.psql("shop_eu", *statements)

    def nothing_is_set_aside(self) -> None:
        self.wait_until_converged()
        self.assertIn("nothing is set aside", self.run_tributary("parked", "list").stdout)


if __name__ == "__main__":
    unittest.main()
