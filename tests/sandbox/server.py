"""What every private server has in common: one process, a port, and a test for readiness."""
import os
import socket
import time
from pathlib import Path

from process import Process


class NotReady(Exception):
    """A server did not come up; the message ends with its log's tail."""


class Server:
    """Subclasses set `process` and `port`, and say in answers() what ready means."""

    process: Process
    port: int

    def start(self) -> None:
        self.process.start()

    def answers(self) -> bool:
        raise NotImplementedError

    def wait_ready(self, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not self.process.running():
                raise NotReady(f"{self.process.name} ended with {self.process.exit_code()}; "
                               f"{self.process.log} ends:\n{self.process.log_tail()}")
            try:
                if self.answers():
                    return
            except OSError:
                pass
            time.sleep(0.05)
        raise NotReady(f"{self.process.name} does not answer on 127.0.0.1:{self.port} after "
                       f"{seconds:.0f} s; {self.process.log} ends:\n{self.process.log_tail()}")

    def outside_folder(self) -> Path | None:
        """Where the server had to put files outside the folder it was given."""
        return None


def connect(port: int, seconds: float = 2) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=seconds)


def private_env(home: Path, **more: str) -> dict:
    """The caller's environment with a home of its own."""
    return {**os.environ, "HOME": str(home), **more}
