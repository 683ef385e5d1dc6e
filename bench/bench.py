#!/usr/bin/env python3
"""./dev bench: throughput against its floor, and latency, on private servers.

Ends with a non-zero code only when the run itself failed, as when regions differ; a missed aim is a
finding."""
import argparse
import json
import os
import platform
import shutil
import sys
import tempfile
from pathlib import Path

import drain
import latency
import report
from accounting import Gone
from rig import REPOSITORY, Failed, Rig
from sandbox import SandboxError


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    parser.add_argument("--rows", type=int, default=500_000, help="rows to drain (%(default)s)")
    parser.add_argument("--rate", type=int, default=1000, help="transactions/s (%(default)s)")
    parser.add_argument("--seconds", type=int, default=30, help="of latency (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="50,000 rows and 5 s")
    parser.add_argument("--only", choices=("drain", "latency"), help="one of the two parts")
    parser.add_argument("--json", type=Path, metavar="FILE", help="all figures go there, too")
    parser.add_argument("--profile", type=Path, metavar="DIR",
                        help="record every process with perf into DIR (what runs last is kept)")
    parser.add_argument("--settings", type=Path, metavar="FILE",
                        help="YAML to add to the topology, such as a relay: section")
    parser.add_argument("--build", type=Path, default=REPOSITORY / "build" / "release",
                        help="what to measure (default: build/release)")
    options = parser.parse_args()
    if options.quick:
        options.rows, options.seconds = 50_000, 5
    if options.rows < 1000 or options.rate < 1 or options.seconds < 1:
        parser.error("--rows must be 1000 or more, --rate and --seconds 1 or more")
    if options.profile and not shutil.which("perf"):
        parser.error("--profile needs perf: apt-get install linux-perf")
    if options.settings and not options.settings.is_file():
        parser.error(f"there is no file {options.settings}")
    return options


def machine() -> dict:
    return {"cores": os.cpu_count(), "load_before": os.getloadavg()[0],
            "kernel": platform.release(), "machine": platform.machine()}


def run(options, folder: Path) -> None:
    def say(line: str) -> None:
        print(f"▸ {line}", flush=True)

    figures: dict = {"machine": machine(), "drain": None, "latency": None}
    if figures["machine"]["load_before"] > 0.5:
        say(f"this machine is busy (load {figures['machine']['load_before']:.1f}): "
            "the figures will be low")
    with Rig(folder, options.build.absolute(), options.profile) as rig:
        if options.settings:
            with open(rig.sandbox.topology, "a") as topology:
                topology.write(options.settings.read_text())
        if options.only != "latency":
            figures["drain"] = drain.measure(rig, options.rows, say)
        if options.only != "drain":
            figures["latency"] = latency.measure(rig, options.rate, options.seconds, say)
    figures["aims"] = report.aims(figures["drain"], figures["latency"])
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")
    for part in ("drain", "latency"):
        if figures[part]:
            print("\n" + getattr(report, part)(figures[part]))
    print("\n" + report.aims_table(figures["aims"]))


def main() -> int:
    options = arguments()
    folder = Path(tempfile.mkdtemp(prefix="tributary-bench-"))
    os.chmod(folder, 0o755)  # PostgreSQL runs as another user in there
    try:
        run(options, folder)
    except (Failed, Gone, SandboxError) as error:
        print(f"bench: {error}\nbench: logs are kept in {folder}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        shutil.rmtree(folder, ignore_errors=True)
        return 130
    shutil.rmtree(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
