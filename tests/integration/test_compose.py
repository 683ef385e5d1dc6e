#!/usr/bin/env python3
"""What docker/compose.yaml promises, as far as it can be told without containers."""
import os
import re
import subprocess
import tempfile
import textwrap
import unittest
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
COMPOSE = (REPOSITORY / "docker" / "compose.yaml").read_text()


class TheComposeFile(unittest.TestCase):
    def test_no_password_stands_on_a_command_line(self):
        # Of a list or a shell line; a here-document is no argument.
        for line in COMPOSE.splitlines():
            if re.search(r"\b(command|test|entrypoint):|redis-cli|redis-server|psql", line):
                self.assertNotRegex(line, r"PASSWORD|PASS\b|AUTH|requirepass| -a ")

    def test_redis_gets_its_password_by_its_configuration(self):
        [script] = re.findall(r"- -c\n    - \|\n((?:      .*\n)+)", COMPOSE)
        script = textwrap.dedent(script).replace("$$", "$")
        with tempfile.TemporaryDirectory() as folder:
            server = Path(folder) / "redis-server"
            server.write_text('#!/bin/sh\necho "arguments: $*"\ncat\n')
            server.chmod(0o755)
            said = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True,
                                  env={**os.environ, "REDISCLI_AUTH": "s3cret",
                                       "PATH": f"{folder}:{os.environ['PATH']}"}).stdout
        self.assertEqual(said, "arguments: -\nappendonly yes\nrequirepass s3cret\n")


if __name__ == "__main__":
    unittest.main()
