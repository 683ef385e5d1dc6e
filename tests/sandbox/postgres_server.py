"""A private PostgreSQL cluster: loopback TCP only, trust authentication, time zone UTC.

PostgreSQL refuses to run as root, so root runs it as the user postgres. When that user cannot
reach the wanted folder, the cluster lives in a temporary one outside of it.
"""
import os
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path

from ports import free_port
from process import Process
from server import NotReady, Server


def postgres_bin() -> Path:
    """The folder of the newest PostgreSQL's programs."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"),
                   key=lambda path: int(path.parts[-3]))
    if not found:
        raise NotReady("no PostgreSQL under /usr/lib/postgresql; run ./dev setup")
    return found[-1].parent


class PostgresServer(Server):
    """fsync=False is for tests that never crash the database's host."""

    def __init__(self, name: str, folder: Path, fsync: bool = True):
        self.port = free_port()
        self.bin = postgres_bin()
        self._user = "postgres" if os.geteuid() == 0 else None
        self._folder = folder
        self._temporary: Path | None = None
        self._make_folder()
        data = self._folder / "data"
        options = {
            "listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": "",
            "timezone": "UTC", "log_timezone": "UTC", "fsync": "on" if fsync else "off",
        }
        command = [self.bin / "postgres", "-D", data]
        for key, value in options.items():
            command += ["-c", f"{key}={value}"]
        # SIGINT is "fast", SIGQUIT "immediate": both remove the shared memory.
        self.process = Process(name, command, self._folder / "postgres.log", user=self._user,
                               cwd=self._folder, stop_signal=signal.SIGINT,
                               death_signal=signal.SIGQUIT)
        self._data = data

    def start(self) -> None:
        if not self._data.exists():
            self._initdb()
        super().start()

    def answers(self) -> bool:
        ready = [self.bin / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(self.port)]
        return subprocess.run(ready).returncode == 0

    def create_database(self, name: str) -> None:
        done = subprocess.run(
            [self.bin / "createdb", "-h", "127.0.0.1", "-p", str(self.port), "-U", "postgres",
             name],
            capture_output=True, text=True)
        if done.returncode != 0:
            raise NotReady(f"cannot create database {name}: {done.stderr.strip()}")

    def url(self, database: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def outside_folder(self) -> Path | None:
        return self._temporary

    def _as_user(self) -> dict:
        return {"user": self._user, "group": self._user, "extra_groups": []} if self._user else {}

    def _make_folder(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        if not self._user:
            return
        reachable = subprocess.run(["test", "-x", self._folder], cwd="/", **self._as_user())
        if reachable.returncode != 0:
            self._temporary = Path(tempfile.mkdtemp(prefix="tributary-postgres-"))
            self._folder = self._temporary
        shutil.chown(self._folder, self._user, self._user)

    def _initdb(self) -> None:
        done = subprocess.run(
            [self.bin / "initdb", "-D", self._data, "-U", "postgres", "-A", "trust", "-E", "UTF8",
             "--locale=C", "--no-sync", "--no-instructions"],
            cwd=self._folder, capture_output=True, text=True, **self._as_user())
        if done.returncode != 0:
            raise NotReady(f"initdb failed: {done.stderr.strip()}")
