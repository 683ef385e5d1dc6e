"""The base of integration tests: each test class gets a sandbox of its own.

    class ATwoRegionSystem(SandboxTest):
        def test_a_change_reaches_the_other_region(self):
            self.write("shop_eu", [{"key": "stock:1", "type": "counter", "add": 2}])
            self.wait_until_converged()
            self.assertEqual(self.redis("us")("GET", "stock:1"), "2")

    if __name__ == "__main__":
        unittest.main()

Without the servers or the program a test fails in CI and is skipped, visibly, elsewhere.
"""
import json
import os
import shutil
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "sandbox"))

from resp import Redis  # noqa: E402
from sandbox import REPOSITORY, Sandbox, SandboxError  # noqa: E402

_SERVERS = ("/usr/lib/rabbitmq/bin/rabbitmq-server", "/usr/bin/redis-server",
            "/usr/lib/postgresql")


def tributary_program() -> str | None:
    """TRIBUTARY_BIN, or what the dev or the release preset built."""
    candidates = [os.environ.get("TRIBUTARY_BIN")] + [
        REPOSITORY / "build" / preset / "cli" / "tributary" for preset in ("dev", "release")]
    return next((str(path) for path in candidates if path and Path(path).exists()), None)


def require(programs: tuple = ()) -> None:
    """These, the servers and the program are there, or the test is skipped, and fails in CI."""
    lacking = [path for path in (*_SERVERS, *programs) if not Path(path).exists()]
    if not tributary_program():
        lacking.append("the tributary program (./dev build)")
    if not lacking:
        return
    if os.environ.get("CI"):
        raise AssertionError(f"missing in CI: {', '.join(lacking)}")
    raise unittest.SkipTest(f"missing: {', '.join(lacking)}; ./dev setup installs the servers")


class SandboxTest(unittest.TestCase):
    """Override `regions`, `options` (see Sandbox) and `programs`, needed too, per class."""

    regions: tuple = ("eu", "us")
    options: dict = {}
    programs: tuple = ()
    sandbox: Sandbox

    @classmethod
    def setUpClass(cls):
        require(cls.programs)
        cls.folder = Path(tempfile.mkdtemp(prefix="tributary-integration-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        cls.folder.chmod(0o755)  # PostgreSQL runs as another user when root tests
        cls.sandbox = Sandbox(cls.folder / "sandbox", cls.regions, fsync=False,
                              tributary=tributary_program(), **cls.options)
        cls.addClassCleanup(cls.sandbox.stop)
        cls.sandbox.start(tied=True)

    def setUp(self):
        self._clients: dict[str, Redis] = {}

    def run(self, result=None):
        """As usual; after a failure the daemons' last lines are shown."""
        before = _problems(result)
        super().run(result)
        if _problems(result) > before and type(self).sandbox.running():
            for log in sorted((type(self).sandbox.folder / "logs").glob("*.log")):
                tail = log.read_text(errors="replace").splitlines()[-15:]
                print(f"--- {log.name}", *tail, sep="\n", file=sys.stderr)

    # Acting

    def run_tributary(self, *words, input: str | None = None, check: bool = True,
                      timeout: float = 300):
        """A CompletedProcess with text; check: a non-zero exit fails the test."""
        try:
            return self.sandbox.tributary(*words, input=input, check=check, timeout=timeout)
        except SandboxError as error:
            self.fail(str(error))

    def write(self, origin: str, transactions: list, *words) -> None:
        """Each element is one transaction: a change, or a list of changes."""
        lines = [json.dumps({"tx": each} if isinstance(each, list) else each)
                 for each in transactions]
        self.run_tributary("write", "--origin", origin, *words, input="\n".join(lines) + "\n")

    def kill9(self, name: str) -> int:
        """kill -9 of relay-ORIGIN or consumer-REGION; the supervisor starts it again."""
        return self.sandbox.kill9(name)

    # Looking

    def status(self) -> dict:
        """Whatever it exits with: 0 converged, 1 not converged, 3 a server was not reached."""
        done = self.run_tributary("status", "--json", check=False)
        self.assertIn(done.returncode, (0, 1, 3), done.stderr)
        status = json.loads(done.stdout)
        self.assertEqual(done.returncode == 0, status["converged"])
        return status

    def wait_until_converged(self, timeout: float = 60) -> dict:
        """Until no change waits anywhere and every region holds all; returns that status."""
        done = self.run_tributary("status", "--json", "--wait", timeout, check=False,
                                  timeout=timeout + 120)
        if done.returncode != 0:
            self.fail(f"not converged after {timeout:.0f} s: {done.stdout}{done.stderr}")
        return json.loads(done.stdout)

    def eventually(self, look, wanted, timeout: float = 30) -> None:
        """Until look() == wanted; fails with the last value seen."""
        deadline = time.monotonic() + timeout
        while (seen := look()) != wanted:
            if time.monotonic() > deadline:
                self.fail(f"after {timeout:.0f} s it is {seen!r}, not {wanted!r}")
            time.sleep(0.05)

    def redis(self, region: str) -> Redis:
        """This test's client of that region's replica: redis("GET", "k")."""
        if region not in self._clients:
            self._clients[region] = Redis(self.sandbox.redis_port(region))
            self.addCleanup(self._clients[region].close)
        return self._clients[region]


def _problems(result) -> int:
    return len(result.failures) + len(result.errors) if result is not None else 0
