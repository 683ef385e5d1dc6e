"""A PostgreSQL that speaks German: what it means is told by codes, never by its words."""
import json
import os
import shutil
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from harness import require, tributary_program

from postgres_server import PostgresServer

LOCALE = "de_DE.UTF-8"
ABSENT = "127.0.0.1:1"  # where nothing listens
ENVIRONMENT = {**os.environ, "SECRET": "wrong"}
NEEDED = ("/usr/bin/localedef", "/usr/share/i18n/locales/de_DE",
          "/usr/share/locale/de/LC_MESSAGES")


class AGermanDatabase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        require(NEEDED)
        cls.folder = Path(tempfile.mkdtemp(prefix="tributary-integration-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.folder.chmod(0o755)
        locales = cls.folder / "locales"
        locales.mkdir()
        made = subprocess.run(["localedef", "-i", "de_DE", "-f", "UTF-8", locales / LOCALE],
                              capture_output=True, text=True)
        assert (locales / LOCALE).exists(), made.stderr
        cls.server = PostgresServer("postgres", cls.folder / "postgres", fsync=False)
        cls.server.process.env = {**os.environ, "LOCPATH": str(locales), "LC_ALL": LOCALE}
        cls.server.process.env.pop("LANGUAGE", None)
        cls.server.process.command += ["-c", f"lc_messages={LOCALE}"]
        cls.addClassCleanup(lambda: cls.server.process.wait_stopped(time.monotonic() + 10))
        cls.addClassCleanup(cls.server.process.ask_to_stop)
        cls.server.start()
        cls.server.wait_ready()
        cls.sql("postgres", "CREATE DATABASE bare", "CREATE DATABASE closed",
                "REVOKE CONNECT ON DATABASE closed FROM PUBLIC", "CREATE DATABASE made",
                "CREATE ROLE locked LOGIN PASSWORD 'right'", "CREATE ROLE guest LOGIN")
        rules = Path(cls.sql("postgres", "SHOW hba_file"))
        rules.write_text("host all locked 127.0.0.1/32 scram-sha-256\n" + rules.read_text())
        cls.sql("postgres", "SELECT pg_reload_conf()")
        cls.run_tributary("topology", "apply", url=cls.url("postgres", "made"))

    # Inside

    @classmethod
    def url(cls, user: str, database: str) -> str:
        return f"postgresql://{user}@127.0.0.1:{cls.server.port}/{database}"

    @classmethod
    def sql(cls, database: str, *statements: str) -> str:
        words = [word for each in statements for word in ("-c", each)]
        done = subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", *words,
                               cls.url("postgres", database)], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    @classmethod
    def topology(cls, url: str) -> Path:
        path = cls.folder / "topology.yaml"
        path.write_text(
            "version: 1\nregions:\n"
            f'  eu:\n    broker: {{url: "amqp://{ABSENT}"}}\n'
            f'    replica: {{url: "redis://{ABSENT}/0"}}\n'
            f'origins:\n  shop: {{region: eu, database: "{url}", password_env: SECRET}}\n'
            'keyspaces:\n  - {pattern: "stock:*", type: counter}\n')
        return path

    @classmethod
    def run_tributary(cls, *words, url: str):
        return subprocess.run([tributary_program(), *words, "-c", cls.topology(url)],
                              capture_output=True, text=True, timeout=120, env=ENVIRONMENT)

    def problem(self, url: str) -> str:
        """Why status could not look at the database."""
        done = self.run_tributary("status", "--json", url=url)
        reasons = json.loads(done.stdout)["reasons"]
        return next(each for each in reasons if "origin shop: its database" in each)

    # What must hold

    def test_what_needs_a_person_is_told_from_what_passes(self):
        exists_not, no_right = "existiert nicht", "keine Berechtigung"
        cases = {
            "no such database": (self.url("postgres", "absent"), "createdb", exists_not),
            "no such role": (self.url("stranger", "made"), "create the role", exists_not),
            "wrong password": (self.url("locked", "made"), "correct the password", "Passwort-"),
            "no right to connect": (self.url("guest", "closed"), "GRANT CONNECT", no_right),
            "no tables": (self.url("postgres", "bare"), "topology apply", exists_not),
            "no right to read": (self.url("guest", "made"), "docs/sql.md", no_right)}
        for name, (url, advice, words) in cases.items():
            with self.subTest(name):
                problem = self.problem(url)
                self.assertIn("does not let us look", problem)
                self.assertIn(advice, problem)
                self.assertIn(words, problem)  # it does speak German
        away = self.problem(f"postgresql://postgres@{ABSENT}/made")
        self.assertIn("was not reached", away)

    def test_a_relay_says_once_that_a_database_is_missing_and_tries_again(self):
        path = self.topology(self.url("postgres", "later"))
        log = self.folder / "relay.log"
        with open(log, "wb") as out:
            relay = subprocess.Popen([tributary_program(), "relay", "-c", path],
                                     stdin=subprocess.DEVNULL, stdout=out, stderr=out,
                                     env=ENVIRONMENT)
        self.addCleanup(relay.wait)
        self.addCleanup(relay.kill)
        time.sleep(5)
        self.assertIsNone(relay.poll())
        self.assertEqual(log.read_text().count("until somebody helps"), 1, log.read_text())
        self.assertEqual(log.read_text().count("3D000"), 1, log.read_text())
        self.assertNotIn("cannot lead yet", log.read_text())


if __name__ == "__main__":
    unittest.main()
