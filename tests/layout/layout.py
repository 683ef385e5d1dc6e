"""Checks the source tree's layout: includes point one way only, C libraries stay behind their
connector, files stay small, and with --columns lines too (clang-format leaves long strings be).
`layout.py TREE [--columns]` prints a line per fault and exits 1 if there is any."""
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

# A folder may include itself and those of a lower rank.
RANK = {"base": 0, "crdt": 1, "config": 2, "outbox": 3, "connectors": 4, "relay": 5, "consumer": 5,
        "cli": 6}
FREE = {"tests", "bench", "examples"}  # may include everything
PORTS_ONLY = {"relay", "consumer"}     # know connectors/*.h, never a driver
# A library's headers, and the only folder whose .cc files may include them.
LIBRARIES = [
    (re.compile(r"libpq|libpq-fe\.h|postgres_ext\.h"), "connectors/outbox/postgres"),
    (re.compile(r"sqlite3(ext)?\.h"), "connectors/outbox/sqlite"),
    (re.compile(r"amqp.*\.h|rabbitmq-c/"), "connectors/changelog/rabbitmq"),
    (re.compile(r"hiredis"), "connectors/replica/redis"),
    (re.compile(r"yaml-cpp/"), "config"),
]
COLUMNS = 100
LINES = 400
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]')
CHECKED = {".cc", ".h", ".py"}
SKIPPED = {"build", "__pycache__"}


@dataclass(frozen=True)
class Fault:
    path: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.what}"


def sources(tree: Path):
    """Paths below tree, relative to it, of all files the rules are about."""
    for folder, subfolders, files in os.walk(tree):
        subfolders[:] = sorted(d for d in subfolders if d not in SKIPPED and d[0] != ".")
        for name in sorted(files):
            if Path(name).suffix in CHECKED:
                yield (Path(folder) / name).relative_to(tree)


def wrong_library(path: Path, included: str) -> str | None:
    for header, home in LIBRARIES:
        if not header.match(included):
            continue
        if not path.is_relative_to(home):
            return f"<{included}> belongs to {home}/ alone"
        if path.suffix != ".cc":
            return f"<{included}> may stand in .cc files only, not in a header"
    return None


def wrong_direction(path: Path, included: str) -> str | None:
    mine, target = path.parts[0], Path(included).relative_to("tributary")
    theirs = target.parts[0]
    if theirs not in RANK:
        return f"<{included}> is in no folder of the product"
    if theirs != mine and RANK[theirs] >= RANK[mine]:
        return f"{mine}/ must not include {theirs}/: includes point down"
    if theirs != "connectors" or len(target.parts) == 2:
        return None
    if mine in PORTS_ONLY:
        return f"{mine}/ knows ports, connectors/*.h, not <{included}>"
    if mine == "connectors" and path.parts[:2] != ("connectors", target.parts[1]):
        return f"a connector must not include another one's <{included}>"
    return None


def wrong_include(path: Path, included: str) -> str | None:
    if ".." in Path(included).parts:
        return f"\"{included}\" goes up; write <tributary/folder/file.h>"
    if path.parts[0] not in RANK:
        return None if path.parts[0] in FREE else f"{path.parts[0]}/ has no place in the layout"
    if included.startswith("tributary/"):
        return wrong_direction(path, included)
    return wrong_library(path, included)


def faults_in(tree: Path, path: Path, columns: bool):
    lines = (tree / path).read_text(encoding="utf-8").splitlines()
    for number, line in enumerate(lines, start=1):
        if columns and len(line) > COLUMNS:
            yield Fault(str(path), number, f"{len(line)} columns, more than {COLUMNS}")
        include = INCLUDE.match(line) if path.suffix != ".py" else None
        wrong = wrong_include(path, include[1]) if include else None
        if wrong:
            yield Fault(str(path), number, wrong)
    if len(lines) > LINES:
        yield Fault(str(path), len(lines), f"more than {LINES} lines; split it by concept")


def main() -> int:
    tree, columns = Path(sys.argv[1]), "--columns" in sys.argv[2:]
    paths = list(sources(tree))
    faults = [fault for path in paths for fault in faults_in(tree, path, columns)]
    for fault in faults:
        print(fault)
    print(f"{len(paths)} files, {len(faults)} faults")
    return 1 if faults or not paths else 0


if __name__ == "__main__":
    sys.exit(main())
