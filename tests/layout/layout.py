"""Checks the source tree's layout: includes point one way only and are found without a build,
public headers are listed, C libraries stay behind their connector, files stay small, and with
--columns lines too (clang-format leaves long strings be).
`layout.py TREE [--columns]` prints a line per fault and exits 1 if there is any."""
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

# A room may include itself and those of a lower rank; outbox/ without batch/ is the producer's.
RANK = {"base": 0, "crdt": 1, "outbox": 2, "outbox/batch": 3, "connectors": 4, "relay": 5,
        "consumer": 5, "config": 6, "cli": 7}
FREE = {"tests", "bench", "examples"}  # may include every room
OUTSIDE = "examples"                   # a service's own project: it sees what is public
PORTS_ONLY = {"relay", "consumer"}     # know connectors/<role>/*.h, never a driver
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
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:<([^>]+)>|"([^"]+)")')
PUBLIC = re.compile(r"(.+)/include/tributary/(.+)/[^/]+$")
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


def is_public(path: Path) -> bool:
    return "include" in path.parts


def public_name(path: Path) -> str:
    """How a public header is included, without the brackets."""
    return str(Path(*path.parts[path.parts.index("include") + 1:]))


def room_of(path: Path) -> str | None:
    return next((str(folder) for folder in path.parents if str(folder) in RANK), None)


def driver_of(path: Path) -> Path | None:
    """connectors/<role>/<system>; None for a port, which stands in connectors/<role>."""
    return Path(*path.parts[:3]) if path.parts[0] == "connectors" and len(path.parts) > 3 else None


def wrong_library(path: Path, included: str) -> str | None:
    for header, home in LIBRARIES:
        if path.parts[0] in FREE or not header.match(included):
            continue
        if not path.is_relative_to(home):
            return f"<{included}> belongs to {home}/ alone"
        if path.suffix != ".cc":
            return f"<{included}> may stand in .cc files only, not in a header"
    return None


def wrong_connector(path: Path, target: Path) -> str | None:
    mine, theirs = driver_of(path), driver_of(target)
    if theirs and path.parts[0] in PORTS_ONLY:
        return f"{path.parts[0]}/ knows ports, connectors/<role>/*.h, not {theirs}/"
    if theirs and path.parts[0] == "connectors" and mine != theirs:
        return f"a connector must not include another one's \"{target}\""
    if mine and not theirs and target.parts[1] != path.parts[1]:
        return f"{mine}/ implements the port of {mine.parent}/ and knows no other"
    return None


def wrong_direction(path: Path, target: Path) -> str | None:
    mine, theirs = room_of(path), room_of(target)
    if not theirs:
        return f"\"{target}\" is in no folder of the product"
    if theirs != mine and RANK[theirs] >= RANK[mine]:
        return f"{mine}/ must not include {theirs}/: includes point down"
    return wrong_connector(path, target) if theirs == "connectors" else None


class House:
    """The tree, and its headers that services include."""

    def __init__(self, tree: Path, paths: list[Path]):
        self.tree = tree
        self.public = {public_name(path): path for path in paths if is_public(path)}

    def wrong_include(self, path: Path, included: str, quoted: bool) -> str | None:
        if ".." in Path(included).parts:
            return f"\"{included}\" goes up; write the path from the root"
        if not room_of(path) and path.parts[0] not in FREE:
            return f"{path.parts[0]}/ has no place in the layout"
        if included in self.public or included.startswith("tributary/"):
            return self.wrong_public(path, included, quoted)
        if not quoted:
            ours = (self.tree / included).is_file()
            return f"write \"{included}\"" if ours else wrong_library(path, included)
        if path.parts[0] == OUTSIDE:
            beside = (self.tree / path.parent / included).is_file()
            return None if beside else f"\"{included}\" is neither beside it nor public"
        return self.wrong_private(path, Path(included))

    def wrong_public(self, path: Path, included: str, quoted: bool) -> str | None:
        if included not in self.public:
            return f"{included} is no public header; write the path from the root, in quotes"
        if quoted:
            return f"\"{included}\" is public; write <{included}>"
        return None if path.parts[0] in FREE else wrong_direction(path, self.public[included])

    def wrong_private(self, path: Path, target: Path) -> str | None:
        if is_public(target):
            return f"\"{target}\" is public; write <{public_name(target)}>"
        if not (self.tree / target).is_file() and not self.is_made(target):
            return f"\"{target}\" is not there; write the path from the root"
        if is_public(path):
            return f"a public header must not include \"{target}\", which is not"
        return None if path.parts[0] in FREE else wrong_direction(path, target)

    def is_made(self, target: Path) -> bool:
        """By the build, from a file that stands there."""
        source = str(target).removesuffix(".h").replace(".pb", ".proto")
        return (Path(source).suffix in {".proto", ".sql", ".lua"}
                and (self.tree / source).is_file())

    def wrong_header(self, path: Path) -> str | None:
        if not is_public(path):
            return None
        place = PUBLIC.match(str(path))
        if not place or place[1] != place[2]:
            return "a public header of ROOM stands in ROOM/include/tributary/ROOM/"
        build = self.tree / place[1] / "CMakeLists.txt"
        listed = build.read_text(encoding="utf-8").split() if build.is_file() else []
        if str(path.relative_to(place[1])) not in (word.strip("()") for word in listed):
            return f"a public header must be listed in {place[1]}/CMakeLists.txt"
        return None

    def faults_in(self, path: Path, columns: bool):
        lines = (self.tree / path).read_text(encoding="utf-8").splitlines()
        wrong = self.wrong_header(path)
        if wrong:
            yield Fault(str(path), 1, wrong)
        for number, line in enumerate(lines, start=1):
            if columns and len(line) > COLUMNS:
                yield Fault(str(path), number, f"{len(line)} columns, more than {COLUMNS}")
            include = INCLUDE.match(line) if path.suffix != ".py" else None
            wrong = include and self.wrong_include(path, include[1] or include[2], bool(include[2]))
            if wrong:
                yield Fault(str(path), number, wrong)
        if len(lines) > LINES:
            yield Fault(str(path), len(lines), f"more than {LINES} lines; split it by concept")


def main() -> int:
    tree, columns = Path(sys.argv[1]), "--columns" in sys.argv[2:]
    paths = list(sources(tree))
    house = House(tree, paths)
    faults = [fault for path in paths for fault in house.faults_in(path, columns)]
    for fault in faults:
        print(fault)
    print(f"{len(paths)} files, {len(faults)} faults")
    return 1 if faults or not paths else 0


if __name__ == "__main__":
    sys.exit(main())
