"""How `./dev sandbox` talks to its supervisor: one JSON line each way over a socket in the folder.

The socket is reached through an open descriptor of its folder, since a Unix socket's path may
have 107 characters only and a folder's path may be longer.
"""
import contextlib
import json
import os
import socket
from pathlib import Path

_NAME = "control.sock"


class NotRunning(Exception):
    pass


class Refused(Exception):
    """The supervisor could not do what it was asked; the message says why."""


@contextlib.contextmanager
def _address(folder: Path):
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}/{_NAME}"
    finally:
        os.close(descriptor)


def bind(folder: Path) -> socket.socket:
    (folder / _NAME).unlink(missing_ok=True)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with _address(folder) as address:
        sock.bind(address)
    return sock


def ask(folder: Path, operation: str, timeout: float = 60, **arguments) -> dict:
    """Sends one request and returns its reply; raises NotRunning or Refused."""
    try:
        with _address(folder) as address, socket.socket(socket.AF_UNIX) as sock:
            sock.settimeout(timeout)
            sock.connect(address)
            sock.sendall(json.dumps({"operation": operation, **arguments}).encode() + b"\n")
            line = sock.makefile("rb").readline()
    except (FileNotFoundError, NotADirectoryError, ConnectionError):
        raise NotRunning(f"no sandbox runs in {folder}; start one: ./dev sandbox up") from None
    if not line:
        raise NotRunning(f"the sandbox in {folder} is stopping")
    reply = json.loads(line)
    if "error" in reply:
        raise Refused(reply["error"])
    return reply
