"""How fast a full outbox reaches two regions, and the floor beside it."""
import time

from accounting import cpu_seconds, peak_mib, used
from rig import HERE, REGIONS, Failed, Rig

KEYS = 20_000
_LOADS = 10  # transactions that load the rows
_CHUNK = 1000


def measure(rig: Rig, rows: int, say) -> dict:
    say(f"loading {rows:,} rows on up to {KEYS:,} keys into the outbox")
    rig.psql("-v", f"rows={rows}", "-v", f"keys={KEYS}", "-v", f"batches={_LOADS}",
             "-f", HERE / "rows.sql")
    expected = _expected(rig)
    say("measuring the floor")
    floors = [_floor(rig, rows, 1)]
    say("draining")
    pipeline = _pipeline(rig, rows)
    say("comparing every key of both regions with what SQL computes from the rows")
    _verify(rig, expected)
    say("measuring the floor again")
    floors.append(_floor(rig, rows, 2))
    floor = max(floors, key=lambda each: each["changes_per_second"])
    return {"rows": rows, "keys": len(expected), "pipeline": pipeline, "floor": floor,
            "floor_runs": [each["changes_per_second"] for each in floors],
            "ratio": round(pipeline["changes_per_second"] / floor["changes_per_second"], 3),
            "cpu_ratio": round(_all_cpu(floor) / _all_cpu(pipeline), 3)}


def _all_cpu(figures: dict) -> float:
    return sum(figures["cpu_seconds_per_million"].values())


def _floor(rig: Rig, rows: int, number: int) -> dict:
    pids = rig.pids()
    before = cpu_seconds(pids)
    done = rig.program("bench_floor", "--database", rig.database, "--broker", rig.broker,
                       "--stream", f"bench_floor_{number}", "--rows", rows,
                       *(word for url in rig.replica_urls(1) for word in ("--replica", url)))
    servers = used(before, cpu_seconds(pids))
    for redis in rig.redises().values():
        redis.pipeline([("SELECT", 1), ("FLUSHDB",)])
    own = {"publisher": done["publisher"]["cpu_seconds"]}
    for region, each in zip(REGIONS, done["consumers"].values()):
        own[f"consumer-{region}"] = each["cpu_seconds"]
    return {"seconds": done["seconds"], "changes_per_second": round(rows / done["seconds"]),
            "bytes_per_change": round(done["publisher"]["bytes"] / rows, 1),
            "messages": done["publisher"]["messages"],
            "cpu_seconds_per_million": _per_million({**own, **servers}, rows)}


def _pipeline(rig: Rig, rows: int) -> dict:
    servers = cpu_seconds(rig.pids())
    began = time.monotonic()
    rig.start_daemons()
    sealed = _Sealed(rig, rows, began)
    regions = rig.wait_watermark(rows, 60 + rows / 1000, sealed.look)
    left = int(rig.psql("-c", "SELECT count(*) FROM tributary_outbox"))
    seconds = time.monotonic() - began
    after = cpu_seconds(rig.pids())
    if left:
        raise Failed(f"{left} rows are still in the outbox though the watermarks are at the head")
    parked = sum(redis("HLEN", "tributary:parked") for redis in rig.redises().values())
    if parked:
        raise Failed(f"{parked} changes were parked; see the logs in {rig.logs}")
    relay = rig.daemons["relay"]
    batches = relay.metric("tributary_relay_sealed_batches_total")
    found = {
        "seconds": round(seconds, 3), "changes_per_second": round(rows / seconds),
        "sealed_seconds": sealed.seconds,
        "region_seconds": {region: round(each, 3) for region, each in regions.items()},
        "bytes_per_change": round(relay.metric("tributary_relay_published_bytes_total") / rows, 1),
        "batches": int(batches),
        # A daemon was started within the measured time: all it ever used counts.
        "cpu_seconds_per_million": _per_million(used({name: 0 for name in after} | servers, after),
                                                rows),
        "peak_mib": {name: peak_mib(each.pid) for name, each in rig.daemons.items()}}
    rig.stop_daemons()
    return found


class _Sealed:
    """Notes when the relay had sealed everything: it or the consumers may take the time."""

    def __init__(self, rig: Rig, rows: int, began: float):
        self._rig, self._rows, self._began = rig, rows, began
        self._next = began + 0.5  # its metrics port is open by then
        self.seconds: float | None = None

    def look(self) -> None:
        if self.seconds is not None or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + 0.05
        relay = self._rig.daemons["relay"]
        if relay.metric("tributary_relay_sealed_changes_total") >= self._rows:
            self.seconds = round(time.monotonic() - self._began, 2)


def _per_million(seconds: dict[str, float], rows: int) -> dict[str, float]:
    return {name: round(each * 1e6 / rows, 2) for name, each in seconds.items()}


def _expected(rig: Rig) -> dict[str, tuple[str, str]]:
    lines = rig.psql("-F", "\t", "-f", HERE / "expected.sql").splitlines()
    return {key: (kind, value) for key, kind, value in (line.split("\t") for line in lines)}


def _verify(rig: Rig, expected: dict[str, tuple[str, str]]) -> None:
    keys = list(expected)
    for region, redis in rig.redises().items():
        for start in range(0, len(keys), _CHUNK):
            chunk = keys[start:start + _CHUNK]
            replies = redis.pipeline([
                ("SMEMBERS" if expected[key][0] == "set" else "GET", key) for key in chunk])
            for key, reply in zip(chunk, replies):
                found = " ".join(sorted(reply)) if isinstance(reply, list) else reply
                if found != expected[key][1]:
                    raise Failed(f"region {region} holds {found!r} at {key} "
                                 f"instead of {expected[key][1]!r}")
