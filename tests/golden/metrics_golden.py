#!/usr/bin/env python3
"""Names, kinds and labels of all metrics, as sources make them, against files/metrics.txt; each
must stand in docs/formats/metrics.md, too. With --write, or TRIBUTARY_GOLDEN=write, the file is
written anew. Taken from the sources, for some metrics are there only after a rare fault."""
import os
import re
import sys
from pathlib import Path

FORMAT = 1
ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "tests/golden/files/metrics.txt"
PAGE = ROOT / "docs/formats/metrics.md"
MADE_IN = ("base", "relay", "consumer", "cli", "connectors")
METRIC = re.compile(r'\b(event_count|gauge)\(\s*"(tributary_\w+)",((?:\s*"(?:[^"\\]|\\.)*")+),\s*'
                    r'(\{\}|\{(?:\{[^{}]*\},?\s*)+\})\s*\)')
KIND = {"event_count": "counter", "gauge": "gauge"}
LABEL = re.compile(r'\{\s*"(\w+)"')
NAME = re.compile(r'"(tributary_(?:relay|consumer|topology)_\w+)"')
ADVICE = """Was that not meant? Then the code is wrong. If it was:
  1. unless metrics were only added, raise FORMAT in tests/golden/metrics_golden.py, now {number}
  2. ./dev golden writes the file anew; look at what git diff says of it
  3. say in CHANGELOG.md what alerts have to change, and change docs/formats/metrics.md"""


def metrics() -> list[str]:
    """A line each: kind, name, labels. Every name in the sources must be understood."""
    found, named = set(), set()
    for folder in MADE_IN:
        for path in sorted((ROOT / folder).rglob("*.cc")):
            text = path.read_text(encoding="utf-8")
            named |= set(NAME.findall(text))
            for kind, name, _, labels in METRIC.findall(text):
                found.add((name, KIND[kind], ",".join(LABEL.findall(labels))))
    lost = named - {name for name, _, _ in found}
    if lost:
        sys.exit(f"metrics_golden.py does not understand how these are made: {sorted(lost)}")
    return [f"{name} {kind} {labels}".rstrip() for name, kind, labels in sorted(found)]


def unsaid(lines: list[str]) -> list[str]:
    """Those that the page has no word for; it leaves out the prefixes of its tables."""
    said = set(re.findall(r"`(\w+)`", PAGE.read_text(encoding="utf-8")))
    names = [line.split()[0] for line in lines]
    return [name for name in names
            if name not in said and re.sub("tributary_(relay|consumer)_", "", name) not in said]


def main() -> int:
    lines = metrics()
    text = f"format {FORMAT}\n" + "\n".join(lines) + "\n"
    if "--write" in sys.argv or os.environ.get("TRIBUTARY_GOLDEN") == "write":
        FILE.write_text(text, encoding="utf-8")
        return 0
    golden = FILE.read_text(encoding="utf-8") if FILE.exists() else ""
    was, now = golden.splitlines(), text.splitlines()
    for line in [line for line in was if line not in now]:
        print(f"- {line}")
    for line in [line for line in now if line not in was]:
        print(f"+ {line}")
    if golden != text:
        print(f"{FILE.relative_to(ROOT)} differs from what the code makes.")
        print(ADVICE.format(number=FORMAT))
    for name in unsaid(lines):
        print(f"{name} is not in docs/formats/metrics.md")
    return 1 if golden != text or unsaid(lines) else 0


if __name__ == "__main__":
    sys.exit(main())
