"""A private RabbitMQ node and the private epmd it needs, both on loopback only.

epmd, Erlang's port mapper, is the trap: an Erlang node starts one in the background if none
answers, and that one outlives the node. So our nodes use an epmd of our own, on a port of its
own, which is a plain child process; and they are told never to start one (-start_epmd false).
"""
import os
import shlex
import signal
import socket
from pathlib import Path

from ports import free_port
from process import Process
from server import Server, connect, private_env

_SERVER = "/usr/lib/rabbitmq/bin/rabbitmq-server"
_PROTOCOL_HEADER = b"AMQP\x00\x00\x09\x01"

_CONFIG = """\
listeners.tcp.1 = 127.0.0.1:{port}
listeners.ssl = none
disk_free_limit.absolute = 64MB
vm_memory_high_watermark.absolute = 1GiB
log.console = false
log.file = rabbit.log
log.file.level = info
"""


class Epmd(Server):
    def __init__(self, folder: Path):
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        command = ["epmd", "-port", self.port, "-address", "127.0.0.1"]
        self.process = Process("epmd", command, folder / "epmd.log",
                               env=private_env(folder), cwd=folder)

    def answers(self) -> bool:
        connect(self.port).close()
        return True


class RabbitmqServer(Server):
    """start() only after the epmd is ready."""

    def __init__(self, name: str, folder: Path, epmd: Epmd):
        folder = folder.absolute()
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        _write_cookie(folder / ".erlang.cookie")
        (folder / "rabbitmq.conf").write_text(_CONFIG.format(port=self.port))
        (folder / "enabled_plugins").write_text("[].\n")
        env = private_env(
            folder,
            ERL_EPMD_PORT=str(epmd.port), ERL_EPMD_ADDRESS="127.0.0.1",
            ERL_AFLAGS="-start_epmd false -kernel inet_dist_use_interface {127,0,0,1}",
            RABBITMQ_NODENAME=f"tributary_{epmd.port}_{self.port}@localhost",
            RABBITMQ_DIST_PORT=str(free_port()),
            RABBITMQ_MNESIA_BASE=str(folder / "mnesia"), RABBITMQ_LOG_BASE=str(folder / "log"),
            RABBITMQ_CONFIG_FILE=str(folder / "rabbitmq.conf"),
            RABBITMQ_ADVANCED_CONFIG_FILE=str(folder / "advanced.config"),
            RABBITMQ_CONF_ENV_FILE=str(folder / "rabbitmq-env.conf"),
            RABBITMQ_ENABLED_PLUGINS_FILE=str(folder / "enabled_plugins"),
            RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="+S 2:2 +A 16 +sbwt none +sbwtdcpu none "
                                                "+sbwtdio none",
            RUNNING_UNDER_SYSTEMD="true")  # the script then becomes the node, by exec
        env.pop("NOTIFY_SOCKET", None)
        _write_rabbitmqctl(folder / "rabbitmqctl", env)
        self.process = Process(name, [_SERVER], folder / "rabbitmq.log", env=env, cwd=folder,
                               death_signal=signal.SIGKILL)

    def answers(self) -> bool:
        """Whether an AMQP handshake gets its Start frame (class 10, method 10)."""
        with connect(self.port) as sock:
            sock.sendall(_PROTOCOL_HEADER)
            frame = _read(sock, 11)
        return frame[:1] == b"\x01" and frame[7:11] == b"\x00\x0a\x00\x0a"


def _write_rabbitmqctl(path: Path, env: dict) -> None:
    """A rabbitmqctl for this node."""
    names = [name for name in env if name.startswith(("RABBITMQ_", "ERL_")) or name == "HOME"]
    names.remove("RABBITMQ_DIST_PORT")
    lines = [f"export {name}={shlex.quote(env[name])}" for name in names]
    lines.append('exec /usr/lib/rabbitmq/bin/rabbitmqctl "$@"')
    path.write_text("#!/bin/sh\n" + "\n".join(lines) + "\n")
    path.chmod(0o700)


def _read(sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = sock.recv(size - len(data))
        if not more:
            raise OSError("closed during the handshake")
        data += more
    return data


def _write_cookie(path: Path) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT, 0o400)
    os.write(descriptor, os.urandom(16).hex().encode())
    os.close(descriptor)
