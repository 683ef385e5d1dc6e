"""One child process: started in its own group, logged to a file, never outliving us.

A child dies with the thread that started it (PR_SET_PDEATHSIG), so start children from a thread
that lives as long as they shall: the main one. A child is only ever signalled by its own pid or
its own process group, and only while we have not reaped it, so the pid cannot be someone else's.
"""
import ctypes
import os
import signal
import subprocess
import time
from pathlib import Path

_libc = ctypes.CDLL(None, use_errno=True)
_PR_SET_PDEATHSIG = 1


def die_with_parent(parent: int, death_signal: int) -> None:
    """Runs in the child between fork and exec, after the change of user."""
    _libc.prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


class Process:
    """A named command that can be started, stopped and started again."""

    def __init__(self, name: str, command: list[str], log: Path, *, env: dict | None = None,
                 user: str | None = None, stop_signal: int = signal.SIGTERM,
                 death_signal: int = signal.SIGKILL, cwd: Path | None = None):
        self.name = name
        self.command = [str(word) for word in command]
        self.log = Path(log)
        self.env = env
        self.user = user
        self.stop_signal = stop_signal
        self.death_signal = death_signal
        self.cwd = cwd
        self._child: subprocess.Popen | None = None

    @property
    def pid(self) -> int | None:
        """The pid while it runs, else None."""
        return self._child.pid if self.running() else None

    def running(self) -> bool:
        return self._child is not None and self._child.poll() is None

    def exit_code(self) -> int | None:
        return None if self._child is None else self._child.poll()

    def start(self) -> None:
        if self.running():
            return
        parent = os.getpid()
        as_user = {"user": self.user, "group": self.user, "extra_groups": []} if self.user else {}
        with open(self.log, "ab") as log:
            self._child = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self.env,
                cwd=self.cwd, start_new_session=True, **as_user,
                preexec_fn=lambda: die_with_parent(parent, self.death_signal))

    def send(self, number: int) -> None:
        if self.running():
            self._child.send_signal(number)

    def ask_to_stop(self) -> None:
        self.send(self.stop_signal)

    def kill(self) -> None:
        """SIGKILL to the whole group."""
        if self.running():
            os.killpg(self._child.pid, signal.SIGKILL)
            self._child.wait()

    def wait_stopped(self, deadline: float) -> None:
        """Waits until `deadline` (time.monotonic()), then kills."""
        while self.running() and time.monotonic() < deadline:
            time.sleep(0.01)
        self.kill()

    def log_tail(self, lines: int = 25) -> str:
        try:
            return "\n".join(self.log.read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return "(no log)"
