#!/usr/bin/env python3
"""Runs a command beside private test servers, and ends with the command's exit code.

    with_servers.py -- ctest --preset dev

The command finds the servers in TRIBUTARY_TEST_AMQP_URL, TRIBUTARY_TEST_REDIS_URL and
TRIBUTARY_TEST_PG_URL. The servers are gone when this program ends, however it ends.
"""
import os
import signal
import shutil
import subprocess
import sys
import tempfile

from process import die_with_parent
from server import NotReady
from servers import Servers


def main() -> int:
    command = sys.argv[1:]
    if command[:1] == ["--"]:
        command = command[1:]
    if not command:
        sys.exit(__doc__)
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, lambda sent, _: sys.exit(128 + sent))
    folder = tempfile.mkdtemp(prefix="tributary-test-")
    try:
        os.chmod(folder, 0o755)
        with Servers(folder, regions=["test"], fsync=False) as servers:
            return run(command, servers)
    except NotReady as error:
        print(f"with_servers: {error}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def run(command: list[str], servers: Servers) -> int:
    env = {
        **os.environ,
        "TRIBUTARY_TEST_AMQP_URL": f"amqp://guest:guest@127.0.0.1:{servers.rabbitmq['test'].port}",
        "TRIBUTARY_TEST_REDIS_URL": f"redis://127.0.0.1:{servers.redis['test'].port}/0",
        "TRIBUTARY_TEST_PG_URL": servers.postgres.url("postgres"),
    }
    parent = os.getpid()
    child = subprocess.Popen(command, env=env, start_new_session=True,
                             preexec_fn=lambda: die_with_parent(parent, signal.SIGTERM))
    try:
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    finally:  # what the command started goes with it; it is not reaped yet: the group is ours
        os.killpg(child.pid, signal.SIGKILL)
        code = child.wait()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main())
