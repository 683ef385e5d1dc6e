"""A private Redis: loopback only, its own folder, append-only file on unless asked otherwise."""
import signal
from pathlib import Path

from ports import free_port
from process import Process
from resp import Redis, RedisError
from server import Server


class RedisServer(Server):
    def __init__(self, name: str, folder: Path, appendonly: bool = True):
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        options = {
            "bind": "127.0.0.1", "port": self.port, "dir": str(folder), "daemonize": "no",
            "save": "", "appendonly": "yes" if appendonly else "no", "appendfsync": "everysec",
        }
        command = ["redis-server"]
        for key, value in options.items():
            command += [f"--{key}", str(value)]
        self.process = Process(name, command, folder / "redis.log", cwd=folder,
                               death_signal=signal.SIGKILL)

    def answers(self) -> bool:
        try:
            with Redis(self.port, timeout=2) as redis:
                return redis("PING") == "PONG"
        except RedisError:  # still loading its file
            return False
