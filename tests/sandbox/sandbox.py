"""A whole Tributary on loopback: servers, topology, relays and consumers, in one private folder.

    with Sandbox(folder, regions=["eu", "us"]) as sandbox:
        sandbox.tributary("write", "--origin", "shop_eu", input='{"key":"stock:1",…}')
        sandbox.cut("eu", "us")
        sandbox.kill9("consumer-eu")          # started again within a second

start() brings it up for good (`./dev sandbox up`); the `with` form ties it to this program: it
stops at the end of the block, and also when the program is killed.
"""
import json
import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import control
from control import NotRunning, Refused  # noqa: F401  (callers catch them from here)
from resp import Redis

REPOSITORY = Path(__file__).resolve().parents[2]
DEFAULT_FOLDER = REPOSITORY / ".sandbox"
_BUILDS = ("release", "dev")
_OURS = ("sandbox.json", "lock", "control.sock", "topology.yaml", "supervisor.log", "logs",
         "servers")


class SandboxError(Exception):
    """The sandbox cannot do what it was asked; the message is for the user."""


def find_tributary() -> str:
    """TRIBUTARY_BIN, or what ./dev built."""
    if os.environ.get("TRIBUTARY_BIN"):
        return os.environ["TRIBUTARY_BIN"]
    for build in _BUILDS:
        path = REPOSITORY / "build" / build / "cli" / "tributary"
        if path.exists():
            return str(path)
    raise SandboxError("there is no tributary program yet; build it: ./dev build")


class Sandbox:
    def __init__(self, folder=DEFAULT_FOLDER, regions=("eu", "us"), *, direct: bool = False,
                 daemons: bool = True, fsync: bool = True, tributary: str | None = None):
        """direct: no proxies between regions. daemons=False: servers and topology only."""
        self.folder = Path(folder).absolute()
        self._settings = {"regions": list(regions), "direct": direct, "daemons": daemons,
                          "fsync": fsync, "tributary": tributary}
        self._supervisor: subprocess.Popen | None = None

    # Life

    def start(self, progress=lambda line: None, tied: bool = False) -> None:
        """Returns when all of it is ready. tied: it stops when this program ends."""
        if self.running():
            raise SandboxError(f"a sandbox is already running in {self.folder}")
        regions = self._settings["regions"]
        for region in regions:
            if not re.fullmatch(r"[a-z][a-z0-9]{0,19}", region) or regions.count(region) > 1:
                raise SandboxError(f'"{region}" is no name for one of the regions: use a-z and 0-9')
        self._settings["tributary"] = self._settings["tributary"] or find_tributary()
        self._prepare_folder()
        self._settings.update(lifeline=tied, orderly=not tied)
        (self.folder / "sandbox.json").write_text(json.dumps(self._settings))
        self._start_supervisor(progress, tied)
        if self._settings["daemons"]:
            progress("waiting for the relays and consumers")
            try:
                self.wait_ready()
            except SandboxError:
                self.stop()
                raise

    def stop(self, keep: bool = False) -> None:
        """Stops all of it and, unless keep, removes its files. Does nothing when nothing runs."""
        try:
            pid = self.state()["pid"]
            with_pid = os.pidfd_open(pid)
            control.ask(self.folder, "down")
            gone, _, _ = select.select([with_pid], [], [], 90)
            os.close(with_pid)
            if not gone:
                raise SandboxError(f"the supervisor (pid {pid}) did not end within 90 s; "
                                   f"see {self.folder / 'supervisor.log'}")
        except NotRunning:
            pass
        if self._supervisor:
            self._supervisor.wait()
            if self._supervisor.stdin:
                self._supervisor.stdin.close()
            self._supervisor = None
        if not keep:
            self._remove_files()

    def __enter__(self):
        self.start(tied=True)
        return self

    def __exit__(self, *_):
        self.stop()

    def running(self) -> bool:
        try:
            self.state()
            return True
        except NotRunning:
            return False

    def wait_ready(self, timeout: float = 60) -> None:
        """Until every region's consumer has heard from every origin's relay."""
        deadline = time.monotonic() + timeout
        state = self.state()
        origins = set(state["origins"])
        for region, each in state["regions"].items():
            with Redis(each["redis_port"]) as redis:
                while missing := origins - set(redis("HKEYS", "tributary:progress")):
                    if time.monotonic() > deadline:
                        raise SandboxError(f"consumer-{region} has not heard from "
                                           f"{', '.join(sorted(missing))} after {timeout:.0f} s; "
                                           f"see {self.folder / 'logs'}")
                    time.sleep(0.05)

    # What there is

    def state(self) -> dict:
        return control.ask(self.folder, "state")

    @property
    def topology(self) -> Path:
        return self.folder / "topology.yaml"

    def regions(self) -> list[str]:
        return list(self.state()["regions"])

    def origins(self) -> dict[str, str]:
        """Origin -> database URL."""
        return {name: each["database"] for name, each in self.state()["origins"].items()}

    def redis_port(self, region: str) -> int:
        return self.state()["regions"][region]["redis_port"]

    def amqp_port(self, region: str) -> int:
        return self.state()["regions"][region]["amqp_port"]

    def pid(self, name: str, timeout: float = 5) -> int:
        """Of relay-ORIGIN, consumer-REGION, or a server; waits while it is being restarted."""
        deadline = time.monotonic() + timeout
        while True:
            processes = self.state()["processes"]
            if name not in processes:
                raise SandboxError(f"no process is named {name}; there are {', '.join(processes)}")
            if processes[name]["pid"]:
                return processes[name]["pid"]
            if time.monotonic() > deadline:
                raise SandboxError(f"{name} is not running; see {processes[name]['log']}")
            time.sleep(0.05)

    # What can be done to it

    def tributary(self, *words, input: str | None = None, check: bool = True,
                  timeout: float = 300) -> subprocess.CompletedProcess:
        """Runs the program on this topology. check: a non-zero exit raises SandboxError."""
        settings = json.loads((self.folder / "sandbox.json").read_text())
        done = subprocess.run([settings["tributary"], *map(str, words)], timeout=timeout,
                              input=input or "", capture_output=True, text=True,
                              env={**os.environ, "TRIBUTARY_TOPOLOGY": str(self.topology)})
        if check and done.returncode != 0:
            raise SandboxError(f"tributary {' '.join(map(str, words))} ended with "
                               f"{done.returncode}: {done.stderr.strip() or done.stdout.strip()}")
        return done

    def cut(self, *regions: str, silent: bool = False) -> None:
        """Stops what flows between these regions (all, if none is named)."""
        control.ask(self.folder, "cut", regions=regions, silent=silent)

    def heal(self, *regions: str) -> None:
        control.ask(self.folder, "heal", regions=regions)

    def start_process(self, *names: str) -> None:
        """These, or all relays and consumers."""
        control.ask(self.folder, "start", names=names)

    def stop_process(self, *names: str) -> None:
        """In good order, and without being started again; these, or all relays and consumers."""
        control.ask(self.folder, "stop", names=names)

    def kill9(self, name: str) -> int:
        """Kills it as a crash would, and returns its pid when it is dead; it is started again."""
        pid = self.pid(name)
        process = os.pidfd_open(pid)
        signal.pidfd_send_signal(process, signal.SIGKILL)
        select.select([process], [], [], 30)
        os.close(process)
        return pid

    # Inside

    def _prepare_folder(self) -> None:
        if self.folder.exists() and any(self.folder.iterdir()):
            if not (self.folder / "sandbox.json").exists():
                raise SandboxError(f"{self.folder} holds something else; choose an empty --dir")
            self._remove_files()
        (self.folder / "logs").mkdir(parents=True, exist_ok=True)

    def _remove_files(self) -> None:
        """Removes what a sandbox made, and the folder if that leaves it empty."""
        if not (self.folder / "sandbox.json").exists():
            return
        for outside in _read_lines(self.folder / "servers" / "outside"):
            shutil.rmtree(outside, ignore_errors=True)
        for name in _OURS:
            path = self.folder / name
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        for path in self.folder.glob("till_*.db*"):
            path.unlink()
        if not any(self.folder.iterdir()):
            self.folder.rmdir()

    def _start_supervisor(self, progress, tied: bool) -> None:
        log_path = self.folder / "supervisor.log"
        reading, writing = os.pipe()
        program = Path(__file__).with_name("supervisor.py")
        with open(log_path, "ab") as log:
            supervisor = subprocess.Popen(
                [sys.executable, program, self.folder, str(writing)], pass_fds=[writing], cwd="/",
                stdin=subprocess.PIPE if tied else subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True)
        os.close(writing)
        self._supervisor = supervisor
        last = []
        try:
            with open(reading) as lines:
                for line in lines:
                    line = line.rstrip("\n")
                    if line == "ready":
                        return
                    if line.startswith("error: "):
                        last = [line.removeprefix("error: ")]
                    elif last:
                        last.append(line)
                    else:
                        progress(line)
        except BaseException:
            supervisor.terminate()
            supervisor.wait()
            raise
        supervisor.wait()
        raise SandboxError("\n".join(last) or f"the supervisor ended; see {log_path}")


def _read_lines(path: Path) -> list[str]:
    return path.read_text().splitlines() if path.exists() else []
