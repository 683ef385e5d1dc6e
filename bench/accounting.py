"""What processes have used so far, read from /proc."""
import os

_TICK = os.sysconf("SC_CLK_TCK")


class Gone(Exception):
    """A process that should run has ended."""


def _table() -> dict[int, tuple[int, int, int]]:
    """pid -> (parent, own ticks, ticks of its children that have ended)."""
    table = {}
    for name in os.listdir("/proc"):
        if not name.isdigit():
            continue
        try:
            with open(f"/proc/{name}/stat", "rb") as file:
                fields = file.read().rpartition(b")")[2].split()
        except OSError:
            continue  # it has just ended
        table[int(name)] = (int(fields[1]), int(fields[11]) + int(fields[12]),
                            int(fields[13]) + int(fields[14]))
    return table


def cpu_seconds(pids: dict[str, int]) -> dict[str, float]:
    """Of each process with everything it has started, also what has ended since."""
    table = _table()
    children: dict[int, list[int]] = {}
    for pid, (parent, _, _) in table.items():
        children.setdefault(parent, []).append(pid)

    def ticks(pid: int) -> int:
        _, own, ended = table[pid]
        return own + ended + sum(ticks(child) for child in children.get(pid, []))

    for name, pid in pids.items():
        if pid not in table:
            raise Gone(f"{name} (pid {pid}) has ended")
    return {name: ticks(pid) / _TICK for name, pid in pids.items()}


def used(before: dict[str, float], after: dict[str, float]) -> dict[str, float]:
    return {name: round(after[name] - before[name], 2) for name in after}


def peak_mib(pid: int) -> float:
    """The most memory the process has ever held (VmHWM)."""
    with open(f"/proc/{pid}/status") as file:
        for line in file:
            if line.startswith("VmHWM:"):
                return round(int(line.split()[1]) / 1024, 1)
    raise Gone(f"pid {pid} has ended")
