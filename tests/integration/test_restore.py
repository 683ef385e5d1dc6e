"""A database is put back to a backup under its running relay: nothing is lost or counted twice."""
import json
import shutil
import subprocess
import unittest
from pathlib import Path

from harness import SandboxTest


def succeed(*words, **options) -> str:
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, **options)
    if done.returncode != 0:
        raise AssertionError(f"{words[0]}: {done.stderr}")
    return done.stdout


class ADatabaseIsPutBack(SandboxTest):
    # Backups: what each returns puts the database back.

    def dump(self, origin: str):
        url = self.sandbox.origins()[origin]
        backup = succeed("pg_dump", "--clean", "--if-exists", url)
        return lambda: succeed("psql", "-Xq", "-v", "ON_ERROR_STOP=1", url, input=backup)

    def copy(self, origin: str) -> tuple[Path, Path]:
        path = Path(self.sandbox.origins()[origin].removeprefix("sqlite://"))
        backup = path.with_suffix(".dbbackup")
        succeed("sqlite3", path, f".backup '{backup}'")
        return path, backup

    def dot_restore(self, origin: str):
        path, backup = self.copy(origin)
        return lambda: succeed("sqlite3", "-cmd", ".timeout 5000", path, f".restore '{backup}'")

    def file(self, origin: str):
        path, backup = self.copy(origin)

        def restore():
            fresh = path.with_suffix(".dbnew")
            shutil.copyfile(backup, fresh)
            for beside in ("-wal", "-shm"):
                Path(f"{path}{beside}").unlink(missing_ok=True)
            fresh.replace(path)

        return restore

    # What happens

    def published_beyond_a_backup(self, origin: str, key: str, backup):
        """Ten changes are in the backup, and two more rows, not yet sealed; three come after it."""
        one = [{"key": key, "type": "counter", "add": 1}]
        self.write(origin, one * 10)
        self.wait_until_converged()
        self.sandbox.stop_process(f"relay-{origin}")
        self.write(origin, one * 2)
        restore = backup(origin)
        self.sandbox.start_process(f"relay-{origin}")
        self.write(origin, one * 3)
        self.wait_until_converged()
        self.assertEqual(self.totals(key), ["15", "15"])
        self.actor = self.actor_of(origin)
        return restore

    def four_more(self, origin: str, key: str) -> None:
        self.write(origin, [{"key": key, "type": "counter", "add": 1}] * 4)

    def notices(self, origin: str) -> None:
        self.eventually(lambda: self.actor_of(origin) not in (None, self.actor), True)

    def delete_stream(self, origin: str, region: str) -> None:
        succeed(self.sandbox.folder / "servers" / f"rabbitmq-{region}" / "rabbitmqctl",
                "delete_queue", f"tributary.{origin}")

    def actor_of(self, origin: str) -> str | None:
        return next(each.get("actor") for each in self.status()["origins"]
                    if each["name"] == origin)

    def totals(self, key: str) -> list:
        return [self.redis(region)("GET", key) for region in self.regions]

    def in_doubt(self, origin: str) -> list:
        return json.loads(self.run_tributary("parked", "list", "--origin", origin, "--in-doubt",
                                             "--json").stdout)

    # What must hold

    def keeps_count(self, origin: str, key: str, backup) -> None:
        restore = self.published_beyond_a_backup(origin, key, backup)
        restore()
        self.four_more(origin, key)  # before the relay has noticed, or after
        self.wait_until_converged()
        self.notices(origin)
        self.assertEqual(self.totals(key), ["19", "19"])
        self.assertEqual(self.in_doubt(origin), [])

    def asks_about_what_it_cannot_know(self, origin: str, key: str, backup) -> None:
        restore = self.published_beyond_a_backup(origin, key, backup)
        self.delete_stream(origin, origin.partition("_")[2])
        restore()
        self.notices(origin)  # what is written before is in doubt, too
        self.four_more(origin, key)
        self.eventually(lambda: self.totals(key), ["19", "19"])
        rows = self.in_doubt(origin)
        self.assertEqual([row["key"] for row in rows], [key] * 2)
        status = self.status()
        self.assertFalse(status["converged"])
        self.assertRegex("\n".join(status["reasons"]),
                         f"origin {origin}: 2 changes are set aside.*in doubt after a restore")
        # Both regions have counted them.
        self.run_tributary("parked", "discard", "--origin", origin, "--in-doubt", "--yes")
        self.wait_until_converged()
        self.assertEqual(self.totals(key), ["19", "19"])

    def test_postgresql_by_pg_dump(self):
        self.keeps_count("shop_us", "stock:dump", self.dump)

    def test_postgresql_by_pg_dump_and_the_stream_is_gone(self):
        self.asks_about_what_it_cannot_know("shop_us", "stock:dump_gone", self.dump)

    def test_sqlite_by_dot_restore(self):
        self.keeps_count("till_eu", "stock:dot", self.dot_restore)

    def test_sqlite_by_dot_restore_and_the_stream_is_gone(self):
        self.asks_about_what_it_cannot_know("till_eu", "stock:dot_gone", self.dot_restore)

    def test_sqlite_by_a_file_in_its_place(self):
        self.keeps_count("till_eu", "stock:file", self.file)

    def test_sqlite_by_a_file_in_its_place_and_the_stream_is_gone(self):
        self.asks_about_what_it_cannot_know("till_eu", "stock:file_gone", self.file)


if __name__ == "__main__":
    unittest.main()
