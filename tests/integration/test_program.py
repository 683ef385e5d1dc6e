#!/usr/bin/env python3
"""The `tributary` program as people and supervisors meet it: odd input, odd values, signals, a
taken metrics address, and logs that are to be parsed."""
import json
import os
import signal
import socket
import subprocess
import time
import unittest
import urllib.request
from base64 import b64encode

from harness import SandboxTest


class TheProgram(SandboxTest):
    # Starting

    def test_a_command_that_does_not_exist_is_named(self):
        for arguments in (["stauts"], ["topology", "aply"]):
            done = self.run_tributary(*arguments, check=False)
            self.assertEqual(done.returncode, 2)
            self.assertIn(f'there is no command "{arguments[-1]}"', done.stderr)

    def test_the_topology_is_found_in_the_current_folder(self):
        without = {name: value for name, value in os.environ.items()
                   if name != "TRIBUTARY_TOPOLOGY"}

        def show():
            return subprocess.run([self.program(), "topology", "show"], cwd=self.folder,
                                  capture_output=True, text=True, env=without)

        none = show()
        self.assertEqual(none.returncode, 2)
        self.assertIn("TRIBUTARY_TOPOLOGY", none.stderr)
        (self.folder / "topology.yaml").write_text(self.sandbox.topology.read_text())
        found = show()
        self.assertEqual(found.returncode, 0, found.stderr)
        self.assertIn("shop_eu", found.stdout)

    # Writing

    def test_a_refused_line_is_named_and_the_next_one_is_read(self):
        lines = [
            '{"key":"stock:w1","type":"counter","add":5,"add":7}',
            "[" * 1_000_000,
            '{"key":"stock:w1","type":"counter","add":1e3}',
            '{"key":"stock:w1","type":"counter","add":1}\r',
            "",
            '{"tx":[{"key":"stock:w2","type":"counter","add":1}],"tx":[]}',
            '{"key":"stock:w1","type":"counter","add":2}',
        ]
        done = self.run_tributary("write", "--origin", "shop_eu", "--on-error", "continue",
                                  input="\ufeff" + "\n".join(lines), check=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        for number in (1, 2, 3, 6):
            self.assertIn(f"line {number}: ", done.stderr)
        self.assertIn("2 transactions with 2 changes committed to shop_eu, 4 lines refused",
                      done.stderr)
        self.wait_until_converged()
        self.assertEqual(self.redis("us")("GET", "stock:w1"), "3")
        self.assertIsNone(self.redis("us")("GET", "stock:w2"))

    def test_a_line_beyond_all_limits_is_refused_without_being_kept(self):
        topology = self.sandbox.topology.read_text() + (
            "limits: {value_bytes: 100, transaction_bytes: 1000, transaction_changes: 10}\n")
        path = self.folder / "small.yaml"
        path.write_text(topology)
        long = '{"key":"price:l","type":"register","set":"' + "x" * 10_000_000 + '"}\n'
        done = self.run_tributary("write", "-c", path, "--origin", "shop_eu", "--on-error",
                                  "continue", input=long + long, check=False)
        self.assertIn("line 1: it has more than 74096 bytes", done.stderr)
        self.assertIn("line 2: ", done.stderr)

    def test_a_directory_is_no_input(self):
        done = self.run_tributary("write", "--origin", "shop_eu", self.folder, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("Is a directory", done.stderr)
        folder = os.open(self.folder, os.O_RDONLY)
        self.addCleanup(os.close, folder)
        done = subprocess.run([self.program(), "write", "--origin", "shop_eu"], stdin=folder,
                              capture_output=True, text=True, env=self.environment())
        self.assertEqual(done.returncode, 2)
        self.assertIn("cannot read stdin: Is a directory", done.stderr)

    # Reading

    def test_any_value_is_read_whole(self):
        value = b"a\0b\x1b[31m\xff\n\\"
        self.redis("eu")("SET", "price:raw", value)
        text = self.run_tributary("read", "--region", "eu", "price:raw").stdout
        self.assertIn('value:   "a\\x00b\\x1b[31m\\xff\\n\\\\"\n', text)
        as_json = self.run_tributary("read", "--region", "eu", "--json", "price:raw").stdout
        self.assertEqual(json.loads(as_json)["value"], {"base64": b64encode(value).decode()})
        self.redis("eu")("DEL", "price:raw")

    # Running

    def test_a_taken_metrics_address_is_served_when_it_is_free(self):
        taken = socket.socket()
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        daemon = self.daemon("relay", "--origin", "shop_eu", "--metrics", address)
        self.eventually(lambda: "cannot serve metrics" in self.log(), True)
        self.eventually(lambda: "standing by" in self.log(), True)
        taken.close()
        self.eventually(lambda: self.serves(address), True)
        self.assertIsNone(daemon.poll())
        self.assertEqual(self.log().count("cannot serve metrics"), 1)
        self.assertIn(address, self.log())

    def test_a_malformed_metrics_address_is_refused(self):
        done = self.run_tributary("relay", "--metrics", "http://127.0.0.1:1", check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("host:port", done.stderr)

    def test_signals_drain_or_do_nothing(self):
        for stops in (signal.SIGQUIT, signal.SIGTERM, signal.SIGINT):
            daemon = self.daemon("relay", "--origin", "shop_eu")
            self.eventually(lambda: "standing by" in self.log(), True)
            for ignored in (signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2):
                daemon.send_signal(ignored)
                self.eventually(lambda: f"signal={ignored.name}" in self.log(), True)
            daemon.send_signal(stops)
            self.assertEqual(daemon.wait(20), 0)
            self.assertIn(f"stopping signal={stops.name}", self.log())
            self.assertIn("stopped", self.log().splitlines()[-1])

    def test_json_logs_are_json_from_the_first_line_to_the_last(self):
        path = self.folder / "json.yaml"
        path.write_text(self.sandbox.topology.read_text() + "logging: {format: json}\n")
        for words in (("relay", "--origin", 'nobody\x1b"'), ("consumer", "--region", "nowhere"),
                      ("relay", "--origin", "shop_eu")):
            daemon = self.daemon(*words, "-c", path)
            if words[-1] == "shop_eu":
                self.eventually(lambda: "standing by" in self.log(), True)
                daemon.terminate()
            daemon.wait(20)
            lines = self.log().splitlines()
            self.assertTrue(lines)
            for line in lines:
                self.assertLessEqual({"time", "level", "process", "message"}, set(json.loads(line)))

    # Inside

    def program(self) -> str:
        return json.loads((self.sandbox.folder / "sandbox.json").read_text())["tributary"]

    def environment(self) -> dict:
        return {**os.environ, "TRIBUTARY_TOPOLOGY": str(self.sandbox.topology)}

    def daemon(self, *words) -> subprocess.Popen:
        """Beside the sandbox's own; its log is log()."""
        with open(self.folder / "daemon.log", "wb") as log:
            daemon = subprocess.Popen([self.program(), *map(str, words)], stderr=log,
                                      env=self.environment())
        self.addCleanup(daemon.wait, 20)
        self.addCleanup(daemon.kill)
        return daemon

    def log(self) -> str:
        return (self.folder / "daemon.log").read_text()

    def serves(self, address: str) -> bool:
        try:
            with urllib.request.urlopen(f"http://{address}/metrics", timeout=5) as page:
                return b"tributary_relay_leading" in page.read()
        except OSError:
            time.sleep(0.2)
            return False


if __name__ == "__main__":
    unittest.main()
