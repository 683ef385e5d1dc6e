"""A private system to measure: servers, the daemons of one origin, and psql."""
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPOSITORY = HERE.parent
sys.path.insert(0, str(REPOSITORY / "tests" / "sandbox"))

from ports import free_port  # noqa: E402
from process import Process  # noqa: E402
from resp import Redis  # noqa: E402
from sandbox import Sandbox  # noqa: E402

REGIONS = ["eu", "us"]
ORIGIN = "shop_eu"
WATERMARK = "tributary:watermark"


class Failed(Exception):
    """The run is no measurement; the message says why."""


class Daemon:
    def __init__(self, rig, name: str, words: list):
        self.name = name
        self._metrics_port = free_port()
        command = [rig.tributary, *words, "-c", rig.sandbox.topology, "--metrics",
                   f"127.0.0.1:{self._metrics_port}"]
        self.process = Process(name, command, rig.logs / f"{name}.log")

    @property
    def pid(self) -> int:
        if not self.process.running():
            raise Failed(f"{self.name} ended with {self.process.exit_code()}; "
                         f"{self.process.log} ends:\n{self.process.log_tail()}")
        return self.process.pid

    def metric(self, name: str) -> float:
        """The sum over its labels; 0 when there is none yet."""
        url = f"http://127.0.0.1:{self._metrics_port}/metrics"
        with urllib.request.urlopen(url, timeout=10) as answer:
            lines = answer.read().decode().splitlines()
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines
                   if line.startswith((name + "{", name + " ")))


class Rig:
    """Use it as a context, from the main thread: all of it ends with this program."""

    def __init__(self, folder: Path, build: Path, profile: Path | None = None):
        self.tributary = str(build / "cli" / "tributary")
        self.programs = build / "bench"
        self.sandbox = Sandbox(folder / "sandbox", REGIONS, direct=True, daemons=False,
                               tributary=self.tributary)
        self.logs = folder
        self._profile = profile
        self._profilers: list[subprocess.Popen] = []
        self.daemons: dict[str, Daemon] = {}

    def __enter__(self):
        self.sandbox.start(progress=lambda line: print(f"▸ {line}", flush=True), tied=True)
        state = self.sandbox.state()
        self.database = state["origins"][ORIGIN]["database"]
        self.broker = f"amqp://127.0.0.1:{state['regions']['eu']['amqp_port']}"
        self.redis_ports = {each: state["regions"][each]["redis_port"] for each in REGIONS}
        self._servers = {name: each["pid"] for name, each in state["processes"].items()
                         if each["pid"] and name != "epmd"}
        for redis in self.redises().values():
            # A rewrite of the append-only file would fall into one measurement and not the other.
            redis("CONFIG", "SET", "auto-aof-rewrite-percentage", 0)
        return self

    def __exit__(self, *_):
        self.stop_daemons()
        self.sandbox.stop()

    def redises(self) -> dict[str, Redis]:
        return {region: Redis(port, timeout=60) for region, port in self.redis_ports.items()}

    def replica_urls(self, database: int) -> list[str]:
        return [f"redis://127.0.0.1:{port}/{database}" for port in self.redis_ports.values()]

    # Daemons

    def start_daemons(self) -> None:
        self.daemons = {"relay": Daemon(self, "relay", ["relay", "--origin", ORIGIN])}
        for region in REGIONS:
            name = f"consumer-{region}"
            self.daemons[name] = Daemon(self, name, ["consumer", "--region", region])
        if self._profile:  # servers first, so that the processes they fork later are seen, too
            self._profilers = [self._perf(name, pid) for name, pid in self._servers.items()]
            time.sleep(1)
        for daemon in self.daemons.values():
            daemon.process.start()
        if self._profile:
            self._profilers += [self._perf(name, each.pid) for name, each in self.daemons.items()]

    def stop_daemons(self) -> None:
        for daemon in self.daemons.values():
            daemon.process.ask_to_stop()
        deadline = time.monotonic() + 15
        for daemon in self.daemons.values():
            daemon.process.wait_stopped(deadline)
        for profiler in self._profilers:
            profiler.send_signal(signal.SIGINT)
            profiler.wait()
        self._profilers = []
        self.daemons = {}

    def _perf(self, name: str, pid: int) -> subprocess.Popen:
        self._profile.mkdir(parents=True, exist_ok=True)
        return subprocess.Popen(["perf", "record", "-q", "-F", "1999", "-p", str(pid), "-o",
                                 self._profile / f"{name}.perf"], start_new_session=True)

    def pids(self) -> dict[str, int]:
        return {**{name: each.pid for name, each in self.daemons.items()}, **self._servers}

    def wait_watermark(self, seq: int, seconds: float, watch=lambda: None) -> dict[str, float]:
        """Until every region has applied `seq` changes; region -> seconds it took."""
        began = time.monotonic()
        redises, done = self.redises(), {}
        while len(done) < len(redises):
            for region, redis in redises.items():
                if region not in done and sum(map(int, redis("HVALS", WATERMARK))) >= seq:
                    done[region] = time.monotonic() - began
            for daemon in self.daemons.values():
                daemon.pid  # raises when it has ended
            watch()
            if time.monotonic() - began > seconds:
                raise Failed(f"the regions have not applied {seq} changes after {seconds:.0f} s; "
                             f"see the logs in {self.logs}")
            time.sleep(0.01)
        return done

    # Programs

    def program(self, name: str, *words) -> dict:
        done = subprocess.run([self.programs / name, *map(str, words)], capture_output=True,
                              text=True)
        if done.returncode != 0:
            raise Failed(f"{name} ended with {done.returncode}: {done.stderr.strip()}")
        return json.loads(done.stdout)

    def psql(self, *words) -> str:
        done = subprocess.run(["psql", "-XqAt", "-v", "ON_ERROR_STOP=1", *map(str, words),
                               self.database], capture_output=True, text=True,
                              env={**os.environ, "PGOPTIONS": "-c jit=off"})
        if done.returncode != 0:
            raise Failed(f"psql failed: {done.stderr.strip()}")
        return done.stdout
