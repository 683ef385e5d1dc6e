"""A private PgBouncer in transaction mode, before a private PostgreSQL: loopback only, its own
settings and its own list of users.

PgBouncer refuses to run as root, so root runs it as the user postgres.
"""
import os
import shutil
from pathlib import Path

from ports import free_port
from process import Process
from server import Server, connect

PROGRAM = "/usr/sbin/pgbouncer"


class PgbouncerServer(Server):
    """ignored: startup parameters that it takes and forgets, beside what it does by itself."""

    def __init__(self, name: str, folder: Path, postgres_port: int, ignored: str = ""):
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        settings = {
            "listen_addr": "127.0.0.1", "listen_port": self.port, "unix_socket_dir": "",
            "auth_type": "trust", "auth_file": folder / "users.txt", "pool_mode": "transaction",
            "default_pool_size": 2, "ignore_startup_parameters": ignored,
        }
        lines = [f"{key} = {value}" for key, value in settings.items() if value != "" or
                 key == "unix_socket_dir"]
        (folder / "pgbouncer.ini").write_text("\n".join(
            ["[databases]", f"* = host=127.0.0.1 port={postgres_port}", "[pgbouncer]", *lines, ""]))
        (folder / "users.txt").write_text('"postgres" ""\n')
        user = "postgres" if os.geteuid() == 0 else None
        if user:
            shutil.chown(folder, user, user)
        self.process = Process(name, [PROGRAM, folder / "pgbouncer.ini"], folder / f"{name}.log",
                               user=user, cwd=folder)

    def answers(self) -> bool:
        connect(self.port).close()
        return True

    def url(self, database: str) -> str:
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"
