"""Keyspaces whose type changes: refused without force, and what force does in every region."""
import os
import signal
import subprocess
import unittest
from pathlib import Path

from harness import SandboxTest

SUBJECT = "views:*"


class AChangeOfType(SandboxTest):
    # Inside

    def setUp(self):
        super().setUp()
        self.path = self.sandbox.topology
        self.original = self.path.read_text()
        self.changed = self.original.replace(f'"{SUBJECT}", type: counter',
                                             f'"{SUBJECT}", type: set')
        self.assertNotEqual(self.original, self.changed)

    def put(self, text: str, path: Path | None = None) -> None:
        path = path or self.path
        fresh = path.with_suffix(".new")
        fresh.write_text(text)
        os.replace(fresh, path)

    def beside(self, name: str, text: str) -> Path:
        path = self.sandbox.folder / "servers" / name
        path.write_text(text)
        return path

    def apply(self, text: str, *words, exit_code: int = 0) -> str:
        done = self.run_tributary("topology", "apply", "-c", self.beside("applied.yaml", text),
                                  *words, check=False)
        self.assertEqual(done.returncode, exit_code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def add(self, origin: str, key: str, *elements: str) -> None:
        self.write(origin, [{"key": key, "type": "set", "add": list(elements)}], "-c",
                   self.beside("changed.yaml", self.changed))

    def count(self, origin: str, key: str, amount: int) -> None:
        self.write(origin, [{"key": key, "type": "counter", "add": amount}], "-c",
                   self.beside("original.yaml", self.original))

    def everywhere(self, *command: str, wanted) -> None:
        for region in self.regions:
            def look(region=region):
                try:
                    answer = self.redis(region)(*command)
                except Exception as error:  # of another type still
                    return str(error)
                return sorted(answer) if isinstance(answer, list) else answer
            self.eventually(look, wanted, timeout=90)

    def late_consumer(self, path: Path):
        self.sandbox.stop_process("consumer-us")
        self.addCleanup(self.sandbox.start_process, "consumer-us")
        log = open(self.sandbox.folder / "servers" / "late-us.log", "wb")
        self.addCleanup(log.close)
        process = subprocess.Popen([self.sandbox._settings["tributary"], "consumer", "-c",
                                    str(path), "--region", "us"], stdin=subprocess.DEVNULL,
                                   stdout=log, stderr=log)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    # What must hold

    def tearDown(self):
        self.put(self.original)
        self.apply(self.original, "--force")

    def test_1_it_is_refused_and_the_keys_are_named(self):
        self.count("shop_eu", "views:refused", 3)
        self.wait_until_converged()
        self.assertIn('key "views:refused" is a counter and would become a set',
                      self.apply(self.changed, exit_code=1))
        line = f'  - {{pattern: "{SUBJECT}", type: counter}}\n'
        without = self.original.replace(line, "")
        self.assertNotEqual(without, self.original)
        self.apply(without)
        self.assertIn('key "views:refused" is a counter',
                      self.apply(without + line.replace("counter", "set"), exit_code=1))
        self.assertIn('key "views:refused" is a counter',
                      self.apply(without + '  - {pattern: "vi*", type: register}\n', exit_code=1))
        # The file alone changes nothing; what is of another type by it is named.
        self.put(self.changed)
        listed = lambda: self.run_tributary("parked", "list").stdout  # noqa: E731
        self.eventually(lambda: listed().count("not of its keyspace's type"), len(self.regions))
        self.assertIn("views:refused", listed())
        self.everywhere("GET", "views:refused", wanted="3")
        self.put(self.original)
        self.apply(self.original)
        self.eventually(lambda: "nothing is set aside" in listed(), True)
        self.count("shop_eu", "views:refused", 4)
        self.everywhere("GET", "views:refused", wanted="7")

    def test_2_it_is_refused_while_a_replica_cannot_be_asked(self):
        self.count("shop_eu", "views:asked", 1)
        self.wait_until_converged()
        here = f"redis://127.0.0.1:{self.sandbox.redis_port('us')}/0"
        away = self.original.replace(here, "redis://127.0.0.1:1/0")
        self.assertNotEqual(away, self.original)
        unused = away.replace('"counter:*", type: counter', '"counter:*", type: set')
        said = self.apply(unused, exit_code=3)
        self.assertIn("its keys cannot be looked through: region us", said)
        self.assertIn("nothing was applied", said)
        # What changes no type is applied all the same, and with all replicas so is the rest.
        self.apply(away + '  - {pattern: "wish:*", type: set}\n')
        self.apply(away)
        self.apply(unused.replace("redis://127.0.0.1:1/0", here))
        self.apply(self.original)

    def test_3_force_makes_the_keys_anew_in_every_region_and_back(self):
        late = self.beside("late.yaml", self.original)
        consumer = self.late_consumer(late)
        for key in ("views:busy", "views:quiet"):
            self.count("shop_eu", key, 5)
            self.count("till_eu", key, 6)
        self.everywhere("GET", "views:quiet", wanted="11")
        self.put(self.changed)
        said = self.apply(self.changed, "--force")
        self.assertIn("keys get another type", said)
        self.add("shop_eu", "views:busy", "a")
        self.add("shop_us", "views:busy", "b")
        self.eventually(lambda: self.redis("eu")("TYPE", "views:busy"), "set", timeout=60)
        self.assertEqual(self.redis("us")("GET", "views:busy"), "11")
        self.put(self.changed, late)
        self.everywhere("SMEMBERS", "views:busy", wanted=["a", "b"])
        self.everywhere("EXISTS", "views:quiet", wanted=0)
        self.add("till_eu", "views:quiet", "c")
        self.everywhere("SMEMBERS", "views:quiet", wanted=["c"])
        self.wait_until_converged(90)
        self.assertIn("nothing is set aside", self.run_tributary("parked", "list").stdout)

        # A replica that is built from the changelogs ends alike.
        self.redis("us")("FLUSHALL")
        self.everywhere("SMEMBERS", "views:busy", wanted=["a", "b"])
        self.everywhere("SMEMBERS", "views:quiet", wanted=["c"])

        # And back.
        self.put(self.original, late)
        self.put(self.original)
        self.apply(self.original, exit_code=1)
        self.apply(self.original, "--force")
        self.count("shop_eu", "views:busy", 1)
        self.everywhere("GET", "views:busy", wanted="12")
        self.everywhere("GET", "views:quiet", wanted="11")
        self.assertIsNone(consumer.poll())
        consumer.send_signal(signal.SIGTERM)
        self.assertEqual(consumer.wait(20), 0)


if __name__ == "__main__":
    unittest.main()
