"""Plants one fault at a time in a small good tree and sees layout.py name it, and nothing else."""
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

LAYOUT = Path(__file__).with_name("layout.py")

GOOD = {
    "base/ids.h": "#include <string>\n",
    "crdt/set.cc": "#include <tributary/base/ids.h>\n#include <tributary/crdt/set.h>\n",
    "config/tree.cc": "#include <yaml-cpp/yaml.h>\n",
    "outbox/row.h": "#include <tributary/crdt/set.h>\n",
    "connectors/changelog.h": "#include <tributary/outbox/row.h>\n",
    "connectors/replica/redis/store.cc": "#include <hiredis/hiredis.h>\n"
                                 "#include <tributary/connectors/replica/redis/store.h>\n",
    "relay/relay.cc": "#include <tributary/connectors/changelog.h>\n",
    "consumer/consumer.cc": "#include <tributary/connectors/changelog.h>\n",
    "cli/main.cc": "#include <tributary/connectors/replica/redis/store.h>\n"
                   "#include <tributary/relay/relay.h>\n",
    "tests/unit/all.cc": "#include <sqlite3.h>\n#include <tributary/cli/main.h>\n",
    "build/dev/made.cc": "#include <../anything.h>\n",
}

# file -> the planted line, and a word of the fault it must give
PLANTED = {
    "base includes crdt": ("base/ids.h", "#include <tributary/crdt/set.h>", "point down"),
    "outbox includes a port": ("outbox/row.h", "#include <tributary/connectors/changelog.h>",
                               "point down"),
    "config includes outbox": ("config/tree.cc", '#include "tributary/outbox/row.h"', "point down"),
    "relay includes consumer": ("relay/relay.cc", "#include <tributary/consumer/consumer.h>",
                                "point down"),
    "relay includes cli": ("relay/relay.cc", "#  include <tributary/cli/main.h>", "point down"),
    "consumer includes a driver": ("consumer/consumer.cc",
                                   "#include <tributary/connectors/replica/redis/store.h>", "knows ports"),
    "a connector includes another": ("connectors/replica/redis/store.cc",
                                     "#include <tributary/connectors/sqlite/store.h>",
                                     "another one"),
    "the product includes tests": ("cli/main.cc", "#include <tributary/tests/subject.h>",
                                   "no folder of the product"),
    "libpq in cli": ("cli/main.cc", "#include <libpq-fe.h>", "connectors/outbox/postgres/ alone"),
    "sqlite in redis": ("connectors/replica/redis/store.cc", "#include <sqlite3.h>",
                        "connectors/outbox/sqlite/ alone"),
    "rabbitmq in a port": ("connectors/changelog.h", "#include <rabbitmq-c/amqp.h>",
                           "connectors/changelog/rabbitmq/ alone"),
    "old rabbitmq name in relay": ("relay/relay.cc", "#include <amqp_tcp_socket.h>",
                                   "connectors/changelog/rabbitmq/ alone"),
    "yaml in crdt": ("crdt/set.cc", "#include <yaml-cpp/yaml.h>", "config/ alone"),
    "hiredis in its connector's header": ("connectors/replica/redis/store.h",
                                          "#include <hiredis/hiredis.h>", "not in a header"),
    "a path goes up": ("tests/unit/all.cc", '#include "../../base/ids.h"', "goes up"),
    "a folder nobody placed": ("utils/things.h", "#include <string>", "no place"),
    "a line too long": ("tests/unit/all.cc", "// " + "x" * 98, "columns"),
    "a Python line too long": ("tests/run.py", "x = '" + "x" * 98 + "'", "columns"),
    "a file too long": ("crdt/set.h", "\n" * 400, "more than 400 lines"),
}


def write(tree: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def run_layout(files: dict[str, str]) -> tuple[int, list[str]]:
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), files)
        done = subprocess.run([sys.executable, LAYOUT, folder, "--columns"], capture_output=True,
                              text=True, timeout=30, check=False)
    return done.returncode, done.stdout.splitlines()[:-1]


class Layout(unittest.TestCase):
    def test_a_good_tree_passes(self):
        self.assertEqual(run_layout(GOOD), (0, []))

    def test_an_empty_tree_does_not_pass(self):
        self.assertEqual(run_layout({})[0], 1)

    def test_every_planted_fault_is_named_with_its_line(self):
        for name, (path, line, word) in PLANTED.items():
            with self.subTest(name):
                before = GOOD.get(path, "")
                code, faults = run_layout(GOOD | {path: before + line + "\n"})
                self.assertEqual((code, len(faults)), (1, 1), faults)
                self.assertIn(word, faults[0])
                number = before.count("\n") + line.count("\n") + 1
                self.assertTrue(faults[0].startswith(f"{path}:{number}: "), faults[0])


if __name__ == "__main__":
    unittest.main()
