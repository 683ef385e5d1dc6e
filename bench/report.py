"""The figures as tables, and the aims beside them."""

_FLOOR_DOES = """\
The floor moves the same rows through the same servers and does nothing else: one thread reads them
from PostgreSQL by one binary COPY and publishes these bytes as 64 KiB messages to one stream, with
confirms; two threads read that stream and send one HSET and one SET per row, pipelined, to their
region's Redis. It seals, joins, checks and deletes nothing and survives no crash. It runs before
and after the drain; the faster run counts. The pipeline's time includes starting its processes."""

_LATENCY_IS = """\
Open loop: transaction i is due at start + i/rate, whatever came before, on the next free of 16
connections. "commit" counts from when the writer knew its commit was durable, "due" from when the
transaction was due, with the commit and any queueing. Visible is when Redis tells a client that
tracks the keys (client-side caching, broadcast mode) that the key has changed, without polling."""

_AIMS = {"ratio": (0.5, "pipeline / floor, at least"), "p50": (5, "p50 commit to visible, ms"),
         "p99": (25, "p99 commit to visible, ms"), "peak": (256, "peak memory of a daemon, MiB")}


def _row(cells, widths) -> str:
    first, *rest = (str(cell) for cell in cells)
    return f"  {first:<{widths[0]}}" + "".join(f"{c:>{w}}" for c, w in zip(rest, widths[1:]))


def drain(figures: dict) -> str:
    pipeline, floor = figures["pipeline"], figures["floor"]
    widths = (34, 12, 12)
    lines = [f"Drain of {figures['rows']:,} changes on {figures['keys']:,} keys to two regions", "",
             _row(("", "pipeline", "floor"), widths)]
    for title, key, form in (("changes/s", "changes_per_second", ",d"),
                             ("seconds", "seconds", ".2f"),
                             ("bytes/change through the broker", "bytes_per_change", ".1f")):
        lines.append(_row((title, format(pipeline[key], form), format(floor[key], form)), widths))
    if pipeline["sealed_seconds"]:
        lines.append(_row(("seconds until all was sealed", pipeline["sealed_seconds"], "-"),
                          widths))
    lines.append("  CPU seconds per million changes")
    mine, theirs = pipeline["cpu_seconds_per_million"], floor["cpu_seconds_per_million"]
    theirs = {"relay" if name == "publisher" else name: each for name, each in theirs.items()}
    for name in [*mine]:
        title = f"    {name}" + (" | publisher" if name == "relay" else "")
        lines.append(_row((title, f"{mine[name]:.2f}", f"{theirs.get(name, 0):.2f}"), widths))
    lines.append(_row(("    all", f"{sum(mine.values()):.2f}", f"{sum(theirs.values()):.2f}"),
                      widths))
    lines.append("  peak memory, MiB")
    for name, each in pipeline["peak_mib"].items():
        lines.append(_row((f"    {name}", f"{each:.0f}", "-"), widths))
    runs = " and ".join(f"{each:,}" for each in figures["floor_runs"])
    lines += ["", f"  ratio pipeline/floor {figures['ratio']:.2f}   (floor runs: {runs} changes/s)",
              f"  ratio by CPU time    {figures['cpu_ratio']:.2f}   (steadier on a busy machine)",
              "", _FLOOR_DOES]
    return "\n".join(lines)


def latency(figures: dict) -> str:
    widths = (34, 9, 9, 9, 9)
    lines = [f"Latency at {figures['rate']:,} transactions/s for {figures['seconds']} s "
             f"({figures['committed_per_second']:,.0f}/s committed), milliseconds", "",
             _row(("", "p50", "p99", "p99.9", "max"), widths)]

    def add(title: str, ms: dict) -> None:
        values = (f"{ms[each]:.2f}" for each in ("p50", "p99", "p999", "max"))
        lines.append(_row((title, *values), widths))

    for region, each in figures["regions"].items():
        add(f"commit -> visible in {region}", each["from_commit_ms"])
    for region, each in figures["regions"].items():
        add(f"due -> visible in {region}", each["from_due_ms"])
    add("due -> committed", figures["commit_ms"])
    spent = ", ".join(f"{name} {each:.0f}" for name, each in figures["cpu_percent"].items())
    lines += ["", f"  {figures['batches_per_second']:.0f} batches sealed a second",
              f"  % of one core meanwhile: {spent}", "", _LATENCY_IS]
    return "\n".join(lines)


def aims(drained: dict | None, latencies: dict | None) -> list[dict]:
    """Each aim with what was found, for the parts that were run."""
    found = {}
    peaks = []
    if drained:
        found["ratio"] = drained["ratio"]
        peaks += drained["pipeline"]["peak_mib"].values()
    if latencies:
        regions = [each["from_commit_ms"] for each in latencies["regions"].values()]
        found["p50"] = max(each["p50"] for each in regions)
        found["p99"] = max(each["p99"] for each in regions)
        peaks += latencies["peak_mib"].values()
    found["peak"] = max(peaks)
    return [{"aim": name, "what": what, "limit": limit, "found": found[name],
             "pass": found[name] >= limit if name == "ratio" else found[name] <= limit}
            for name, (limit, what) in _AIMS.items() if name in found]


def aims_table(rows: list[dict]) -> str:
    widths = (34, 10, 10, 8)
    lines = ["Aims", "", _row(("", "aim", "found", ""), widths)]
    lines += [_row((each["what"], each["limit"], f"{each['found']:.2f}",
                    "pass" if each["pass"] else "MISS"), widths) for each in rows]
    return "\n".join(lines)
