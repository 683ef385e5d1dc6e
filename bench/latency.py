"""How long from a commit until each region's readers see the change, at a steady rate."""
import json

from accounting import cpu_seconds, peak_mib, used
from rig import ORIGIN, REGIONS, WATERMARK, Rig


def measure(rig: Rig, rate: int, seconds: int, say) -> dict:
    rig.start_daemons()
    _wait_ready(rig)
    say(f"measuring latency: {rate:,} transactions a second for {seconds} s")
    sealed = rig.daemons["relay"].metric("tributary_relay_sealed_batches_total")
    before = cpu_seconds(rig.pids())
    found = rig.program("bench_latency", "--database", rig.database, "--rate", rate,
                        "--seconds", seconds,
                        *(word for url in rig.replica_urls(0) for word in ("--replica", url)))
    spent = used(before, cpu_seconds(rig.pids()))
    sealed = rig.daemons["relay"].metric("tributary_relay_sealed_batches_total") - sealed
    found["batches_per_second"] = round(sealed / seconds, 1)
    found["rate"] = rate
    found["seconds"] = seconds
    found["regions"] = dict(zip(REGIONS, found["regions"]))
    found["cpu_percent"] = {name: round(100 * each / seconds, 1) for name, each in spent.items()}
    found["peak_mib"] = {name: peak_mib(each.pid) for name, each in rig.daemons.items()}
    rig.stop_daemons()
    return found


def _wait_ready(rig: Rig) -> None:
    """Until one change, written now, has reached both regions."""
    applied = {sum(map(int, redis("HVALS", WATERMARK))) for redis in rig.redises().values()}
    change = json.dumps({"key": "counter:ready", "type": "counter", "add": 1})
    rig.sandbox.tributary("write", "--origin", ORIGIN, input=change + "\n")
    rig.wait_watermark(max(applied) + 1, 60)
