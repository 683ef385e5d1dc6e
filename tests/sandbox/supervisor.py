#!/usr/bin/env python3
"""Runs one sandbox: its servers, the links between its regions, and Tributary's daemons.

Whatever ends without having been told to is started again after a short delay, as systemd's
Restart=always would. Started by sandbox.py, which hands over a file of settings and a pipe on
which progress is reported: lines of text, the last one "ready" or "error: …".
"""
import asyncio
import fcntl
import json
import os
import signal
import sys
import time
from pathlib import Path

import control
import topology
from ports import free_port
from process import Process
from proxy import Link
from server import NotReady
from servers import Servers

_LOOK_SECONDS = 0.05
_RESTART_SECONDS = 0.7
_DRAIN_SECONDS = 15


class Failed(Exception):
    """The sandbox cannot come up; the message is for the user."""


class Supervised:
    """A process with the wish that it runs, or not."""

    def __init__(self, process: Process):
        self.process = process
        self.wanted = False
        self.restarts = 0
        self._due: float | None = None

    def start(self) -> None:
        self.wanted = True
        self._due = None
        self.process.start()

    def look(self, now: float) -> None:
        if not self.wanted or self.process.running():
            self._due = None
        elif self._due is None:
            print(f"{self.process.name} ended with {self.process.exit_code()}", flush=True)
            self._due = now + _RESTART_SECONDS
        elif now >= self._due:
            self.restarts += 1
            self.start()

    async def stop(self, seconds: float = _DRAIN_SECONDS) -> None:
        self.wanted = False
        self.process.ask_to_stop()
        deadline = time.monotonic() + seconds
        while self.process.running() and time.monotonic() < deadline:
            await asyncio.sleep(0.01)
        self.process.kill()


class Supervisor:
    def __init__(self, folder: Path, settings: dict, report):
        self.folder = folder
        self.settings = settings
        self.report = report
        self.regions = settings["regions"]
        self.origins = topology.origins_of(self.regions)
        self.topology_file = folder / "topology.yaml"
        shops = [origin.name for origin in self.origins if origin.kind == "postgresql"]
        self.servers = Servers(folder / "servers", self.regions, shops, fsync=settings["fsync"])
        self.links = [] if settings["direct"] else [
            Link(owner, viewer, free_port(), self.servers.rabbitmq[owner].port)
            for owner in self.regions for viewer in self.regions if owner != viewer]
        self.supervised = {server.process.name: Supervised(server.process)
                           for server in self.servers.all()}
        for process in self._daemons():
            self.supervised[process.name] = Supervised(process)
        self._done = asyncio.Event()

    def _daemons(self) -> list[Process]:
        """In the order in which they start."""
        common = [self.settings["tributary"]], ["-c", self.topology_file]
        commands = {}
        for origin in self.origins:
            commands[f"relay-{origin.name}"] = ["relay", *common[1], "--origin", origin.name]
        for region in self.regions:
            commands[f"consumer-{region}"] = ["consumer", *common[1], "--region", region]
        return [Process(name, common[0] + command, self.folder / "logs" / f"{name}.log")
                for name, command in commands.items()]

    # Starting and stopping

    def start_servers(self) -> None:
        self.report(f"starting RabbitMQ and Redis in {', '.join(self.regions)}, and PostgreSQL")
        self.servers.start()
        for server in self.servers.all():
            self.supervised[server.process.name].wanted = True

    async def run(self) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._done.set)
        if self.settings["lifeline"]:
            loop.add_reader(0, self._done.set)  # our starter is gone
        for link in self.links:
            await link.listen()
        self._write_topology()
        await self._apply_topology()
        if self.settings["daemons"]:
            self._start_daemons()
        server = await asyncio.start_unix_server(self._serve, sock=control.bind(self.folder))
        self.report("ready")
        while not self._done.is_set():
            for each in self.supervised.values():
                each.look(time.monotonic())
            await asyncio.sleep(_LOOK_SECONDS)
        server.close()

    async def stop_daemons(self) -> None:
        daemons = [each for name, each in self.supervised.items() if is_daemon(name)]
        await asyncio.gather(*(each.stop() for each in daemons))

    def _start_daemons(self) -> None:
        for name, each in self.supervised.items():
            if is_daemon(name):
                each.start()

    def _write_topology(self) -> None:
        servers = self.servers
        self.topology_file.write_text(topology.render(
            {region: servers.rabbitmq[region].port for region in self.regions},
            {region: servers.redis[region].port for region in self.regions},
            {(link.owner, link.viewer): link.port for link in self.links},
            {origin.name: self.database(origin) for origin in self.origins}, self.origins))

    def database(self, origin: topology.Origin) -> str:
        if origin.kind == "sqlite":
            return f"sqlite://{self.folder / origin.name}.db"
        return self.servers.postgres.url(origin.name)

    async def _apply_topology(self) -> None:
        if not self.settings["tributary"]:
            return
        self.report("declaring streams and tables: tributary topology apply")
        child = await asyncio.create_subprocess_exec(
            self.settings["tributary"], "topology", "apply", "-c", str(self.topology_file),
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT)
        try:
            output, _ = await asyncio.wait_for(child.communicate(), 60)
        except asyncio.TimeoutError:
            child.kill()
            raise Failed("tributary topology apply did not end within 60 s") from None
        if child.returncode != 0:
            raise Failed(f"tributary topology apply ended with {child.returncode}: "
                         + output.decode(errors="replace").strip())

    # Requests

    async def _serve(self, reader, writer) -> None:
        try:
            request = json.loads(await reader.readline())
            reply = await self._answer(request)
        except (ValueError, KeyError, NotReady, Failed) as error:
            reply = {"error": str(error)}
        try:
            writer.write(json.dumps(reply).encode() + b"\n")
            await writer.drain()
        except ConnectionError:
            pass  # the asker is gone; what it asked for is done
        writer.close()

    async def _answer(self, request: dict) -> dict:
        operation = request.pop("operation")
        if operation == "state":
            return self._state()
        if operation == "start":
            for name in self._names(request):
                self.supervised[name].start()
        elif operation == "stop":
            await asyncio.gather(*(self.supervised[n].stop() for n in self._names(request)))
        elif operation in ("cut", "heal"):
            self._set_links(operation, request.get("regions") or self.regions,
                            request.get("silent", False))
        elif operation == "down":
            self._done.set()
        else:
            raise Failed(f"unknown operation {operation}")
        return {}

    def _names(self, request: dict) -> list[str]:
        names = request["names"] or [name for name in self.supervised if is_daemon(name)]
        for name in names:
            if name not in self.supervised:
                raise Failed(f"no process is named {name}; there are {', '.join(self.supervised)}")
        return names

    def _set_links(self, operation: str, regions: list[str], silent: bool) -> None:
        for region in regions:
            if region not in self.regions:
                raise Failed(f"no region is named {region}; there are {', '.join(self.regions)}")
        if not self.links:
            raise Failed("this sandbox was started with --direct: it has no links to cut")
        for link in self.links:
            if link.owner in regions and link.viewer in regions:
                link.cut(silent) if operation == "cut" else link.heal()

    def _state(self) -> dict:
        return {
            "pid": os.getpid(),
            "topology": str(self.topology_file),
            "tributary": self.settings["tributary"],
            "regions": {region: {"redis_port": self.servers.redis[region].port,
                                 "amqp_port": self.servers.rabbitmq[region].port}
                        for region in self.regions},
            "origins": {origin.name: {"region": origin.region, "database": self.database(origin)}
                        for origin in self.origins},
            "processes": {name: {"pid": each.process.pid, "restarts": each.restarts,
                                 "wanted": each.wanted, "log": str(each.process.log)}
                          for name, each in self.supervised.items()},
            "links": [{"owner": link.owner, "viewer": link.viewer, "state": link.state}
                      for link in self.links],
        }


def is_daemon(name: str) -> bool:
    return name.startswith(("relay-", "consumer-"))


async def supervise(folder: Path, settings: dict, report) -> None:
    supervisor = Supervisor(folder, settings, report)
    orderly = settings["orderly"]
    try:
        supervisor.start_servers()
        await supervisor.run()
    except BaseException:
        orderly = False
        raise
    finally:
        await supervisor.stop_daemons()
        supervisor.servers.stop(orderly)


def main() -> int:
    folder, report_to = Path(sys.argv[1]), open(int(sys.argv[2]), "w", buffering=1)

    def report(line: str) -> None:
        try:
            print(line, file=report_to)
        except BrokenPipeError:
            pass  # nobody listens any more

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    lock = open(folder / "lock", "w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        report("error: another sandbox is just starting or stopping here")
        return 1
    try:
        settings = json.loads((folder / "sandbox.json").read_text())
        asyncio.run(supervise(folder, settings, report))
    except (NotReady, Failed, OSError) as error:
        report("error: " + str(error).replace("\n", "\n  "))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
