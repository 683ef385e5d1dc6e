"""Plants one fault at a time in a small good tree and sees layout.py name it, and nothing else."""
import contextlib
import io
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import layout

PUBLIC = "#include <tributary/crdt/types/set.h>"
GOOD = {
    "base/log.h": "#include <string>\n",
    "base/CMakeLists.txt": "tributary_library(base PUBLIC_HEADERS include/tributary/base/ids.h)\n",
    "base/include/tributary/base/ids.h": "#include <string>\n",
    "crdt/types/CMakeLists.txt": "target_sources(\n  include/tributary/crdt/types/set.h)\n",
    "crdt/types/include/tributary/crdt/types/set.h": "#include <tributary/base/ids.h>\n",
    "crdt/types/set.cc": PUBLIC + '\n#include "base/log.h"\n',
    "config/tree.cc": '#include <yaml-cpp/yaml.h>\n#include "consumer/settings.h"\n',
    "outbox/transaction.cc": PUBLIC + "\n",
    "outbox/batch/batch.proto": "",
    "outbox/batch/rows.h": PUBLIC + "\n",
    "outbox/batch/rows.cc": '#include "outbox/batch/batch.pb.h"\n#include "outbox/batch/rows.h"\n',
    "connectors/changelog/changelog.h": '#include "outbox/batch/rows.h"\n',
    "connectors/changelog/memory/broker.h": '#include "connectors/changelog/changelog.h"\n',
    "connectors/replica/replica_store.h": '#include "connectors/changelog/changelog.h"\n',
    "connectors/replica/memory/store.h": '#include "connectors/replica/replica_store.h"\n',
    "connectors/replica/redis/store.h": '#include "connectors/replica/replica_store.h"\n',
    "connectors/replica/redis/store.cc": "#include <hiredis/hiredis.h>\n"
                                         '#include "connectors/replica/redis/store.h"\n',
    "relay/relay.h": '#include "connectors/changelog/changelog.h"\n',
    "consumer/settings.h": '#include "connectors/replica/replica_store.h"\n',
    "cli/main.cc": '#include "connectors/replica/redis/store.h"\n#include "relay/relay.h"\n'
                   '#include "config/tree.h"\n',
    "config/tree.h": "",
    "examples/shop/money.h": PUBLIC + "\n",
    "examples/shop/main.cc": '#include "money.h"\n',
    "tests/unit/all.cc": '#include <sqlite3.h>\n#include "relay/relay.h"\n',
    "build/dev/made.cc": "#include <../anything.h>\n",
}

# file -> the planted line, and a word of the fault it must give
PLANTED = {
    "base includes crdt": ("base/log.h", PUBLIC, "point down"),
    "the producer includes the batch": ("outbox/transaction.cc", '#include "outbox/batch/rows.h"',
                                        "point down"),
    "the batch includes a port": ("outbox/batch/rows.h",
                                  '#include "connectors/changelog/changelog.h"', "point down"),
    "relay includes config": ("relay/relay.h", '#include "config/tree.h"', "point down"),
    "relay includes consumer": ("relay/relay.h", '#include "consumer/settings.h"', "point down"),
    "consumer includes config": ("consumer/settings.h", '#  include "config/tree.h"', "point down"),
    "consumer includes a driver": ("consumer/settings.h",
                                   '#include "connectors/replica/redis/store.h"', "knows ports"),
    "a connector includes another": ("connectors/replica/redis/store.cc",
                                     '#include "connectors/replica/memory/store.h"', "another one"),
    "a connector includes its namesake": ("connectors/replica/memory/store.h",
                                          '#include "connectors/changelog/memory/broker.h"',
                                          "another one"),
    "a connector includes another port": ("connectors/replica/redis/store.cc",
                                          '#include "connectors/changelog/changelog.h"',
                                          "knows no other"),
    "a port includes a driver": ("connectors/replica/replica_store.h",
                                 '#include "connectors/replica/redis/store.h"', "another one"),
    "the product includes tests": ("cli/main.cc", '#include "examples/shop/money.h"',
                                   "no folder of the product"),
    "libpq in cli": ("cli/main.cc", "#include <libpq-fe.h>", "connectors/outbox/postgres/ alone"),
    "sqlite in redis": ("connectors/replica/redis/store.cc", "#include <sqlite3.h>",
                        "connectors/outbox/sqlite/ alone"),
    "rabbitmq in a port": ("connectors/changelog/changelog.h", "#include <rabbitmq-c/amqp.h>",
                           "connectors/changelog/rabbitmq/ alone"),
    "old rabbitmq name in relay": ("relay/relay.h", "#include <amqp_tcp_socket.h>",
                                   "connectors/changelog/rabbitmq/ alone"),
    "yaml in crdt": ("crdt/types/set.cc", "#include <yaml-cpp/yaml.h>", "config/ alone"),
    "hiredis in its connector's header": ("connectors/replica/redis/store.h",
                                          "#include <hiredis/hiredis.h>", "not in a header"),
    "a path goes up": ("tests/unit/all.cc", '#include "../../base/log.h"', "goes up"),
    "a path from the file's own folder": ("relay/relay.h", '#include "relay.h"', "not there"),
    "a private header in brackets": ("relay/relay.h", "#include <base/log.h>",
                                     'write "base/log.h"'),
    "a private header as if public": ("tests/unit/all.cc", "#include <tributary/base/log.h>",
                                      "no public header"),
    "a public header in quotes": ("relay/relay.h", '#include "tributary/base/ids.h"',
                                  "write <tributary/base/ids.h>"),
    "a public header by its path": ("relay/relay.h", '#include "base/include/tributary/base/ids.h"',
                                    "write <tributary/base/ids.h>"),
    "a public header needs a private one": ("base/include/tributary/base/ids.h",
                                            '#include "base/log.h"', "which is not"),
    "an example includes a private header": ("examples/shop/main.cc", '#include "base/log.h"',
                                             "nor public"),
    "what the build makes, from nothing": ("relay/relay.h", '#include "relay/relay.pb.h"',
                                           "not there"),
    "a folder nobody placed": ("utils/things.h", "#include <string>", "no place"),
    "a line too long": ("tests/unit/all.cc", "// " + "x" * 98, "columns"),
    "a Python line too long": ("tests/run.py", "x = '" + "x" * 98 + "'", "columns"),
    "a file too long": ("base/log.h", "\n" * 400, "more than 400 lines"),
}


def write(tree: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = tree / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def run_layout(files: dict[str, str]) -> tuple[int, list[str]]:
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder), files)
        said = io.StringIO()
        with mock.patch("sys.argv", ["layout.py", folder, "--columns"]), \
                contextlib.redirect_stdout(said):
            code = layout.main()
    return code, said.getvalue().splitlines()[:-1]



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

    def test_a_public_header_stands_in_its_room_and_is_listed(self):
        for path, word in {"base/include/tributary/base/new.h": "listed in base/CMakeLists.txt",
                           "base/include/tributary/crdt/ids.h": "ROOM/include/tributary/ROOM/",
                           "base/include/new.h": "ROOM/include/tributary/ROOM/"}.items():
            with self.subTest(path):
                code, faults = run_layout(GOOD | {path: "#include <string>\n"})
                self.assertEqual((code, len(faults)), (1, 1), faults)
                self.assertIn(word, faults[0])


if __name__ == "__main__":
    unittest.main()
