#!/usr/bin/env python3
"""Tributary inside another project: by add_subdirectory and by FetchContent, without network, as
static libraries and as shared ones.

The parent writes its own change through the SQLite producer library, and looks at what the build
left in its variables, flags and install rules.
"""
import json
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]

PROJECT = """\
cmake_minimum_required(VERSION 3.25)
project(Parent LANGUAGES CXX)
set(CMAKE_CXX_STANDARD 17)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
{take_in}
foreach(variable CMAKE_CXX_STANDARD CMAKE_CXX_EXTENSIONS CMAKE_CXX_COMPILER_LAUNCHER CMAKE_CXX_FLAGS
        CMAKE_POSITION_INDEPENDENT_CODE)
  message(STATUS "after: ${{variable}}=${{${{variable}}}}")
endforeach()
add_executable(parent parent.cc)
target_link_libraries(parent PRIVATE Tributary::sqlite)
add_library(plugin SHARED plugin.cc)
target_link_libraries(plugin PRIVATE Tributary::outbox)
install(TARGETS parent)
"""

# A warning (an unused variable, an old cast) that -Werror would refuse.
PROGRAM = """\
#include <tributary/crdt/types/counter.h>
#include <tributary/outbox/transaction.h>
int main() {
  int unused = (int)1.5;
  return tributary::counter::add("stock:1", 2).amount == 2 ? 0 : 1;
}
"""
# What a project may ask of its own sources, and of a build.
STRICT = ["-DCMAKE_CXX_FLAGS=-Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow "
          "-Wold-style-cast -Wuseless-cast -Wswitch-enum -Wnull-dereference -Werror",
          "-DCMAKE_UNITY_BUILD=ON", "-DBUILD_SHARED_LIBS=ON",
          "-DCMAKE_CXX_VISIBILITY_PRESET=hidden",
          "-DCMAKE_BUILD_TYPE=Release", "-DTRIBUTARY_INSTALL=ON"]
CLEAN_PROGRAM = PROGRAM.replace("  int unused = (int)1.5;\n", "")
PLUGIN = """\
#include <tributary/crdt/types/counter.h>
extern "C" long amount() { return tributary::counter::add("stock:1", 2).amount; }
"""
WAYS = {
    "add_subdirectory": f"add_subdirectory({REPOSITORY} tributary)",
    "FetchContent": "include(FetchContent)\n"
                    f"FetchContent_Declare(tributary SOURCE_DIR {REPOSITORY})\n"
                    "FetchContent_MakeAvailable(tributary)",
}


@unittest.skipUnless(shutil.which("cmake"), "cmake is missing")
class AProjectThatTakesTributaryIn(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.work = Path(tempfile.mkdtemp(prefix="tributary-parent-"))
        cls.addClassCleanup(shutil.rmtree, cls.work, ignore_errors=True)
        cls.built = {way: cls.build(way) for way in WAYS}
        cls.built["strict flags"] = cls.build("add_subdirectory", CLEAN_PROGRAM, STRICT)

    def test_builds_links_and_runs_by_either_way(self):
        for way, build in self.built.items():
            with self.subTest(way=way):
                _run(build / "parent")

    def test_keeps_its_variables(self):
        said = _run("cmake", self.built["add_subdirectory"])
        for line in ("CMAKE_CXX_STANDARD=17", "CMAKE_CXX_EXTENSIONS=", "CMAKE_CXX_FLAGS=",
                     "CMAKE_CXX_COMPILER_LAUNCHER=", "CMAKE_POSITION_INDEPENDENT_CODE="):
            self.assertIn(f"after: {line}\n", said)

    def test_is_compiled_and_linked_with_its_own_flags(self):
        build = self.built["add_subdirectory"]
        commands = json.loads((build / "compile_commands.json").read_text())
        [mine] = [c["command"] for c in commands if c["file"].endswith("/parent.cc")]
        self.assertNotRegex(mine, "-Werror|-fstack-|-fcf-|ccache|_GLIBCXX|_FORTIFY")
        self.assertFalse([c for c in commands if "-Werror" in c["command"]])
        self.assertFalse([c for c in commands if c["file"].endswith("/cli/main.cc")],
                         "the daemons are built unasked")
        self.assertNotIn("NOOPEN", _run("readelf", "-d", build / "parent"))

    def test_installs_only_what_is_its_own(self):
        prefix = self.work / "prefix"
        _run("cmake", "--install", self.built["add_subdirectory"], "--prefix", prefix)
        installed = [str(path.relative_to(prefix)) for path in prefix.rglob("*") if path.is_file()]
        self.assertEqual(installed, ["bin/parent"])

    def test_shared_libraries_carry_their_version_and_are_found_where_they_were_installed(self):
        prefix, embed = self.work / "shared", self.work / "embed"
        _run("cmake", "--install", self.built["strict flags"], "--prefix", prefix)
        [library] = prefix.rglob("libtributary_sqlite.so.0.1")
        self.assertRegex(library.resolve().name, r"^libtributary_sqlite\.so\.0\.1\.\d+$")
        _run("cmake", "-S", REPOSITORY / "examples" / "embed", "-B", embed,
             f"-DCMAKE_PREFIX_PATH={prefix}")
        _run("cmake", "--build", embed)
        linked = _run("ldd", embed / "till")
        self.assertRegex(linked, r"libtributary_sqlite\.so\.0\.1 => \S+/shared/")
        self.assertNotIn("not found", linked)

    # Inside

    @classmethod
    def build(cls, way: str, program: str = PROGRAM, options=("-DCMAKE_CXX_FLAGS=",)) -> Path:
        source = Path(tempfile.mkdtemp(dir=cls.work))
        (source / "CMakeLists.txt").write_text(PROJECT.format(take_in=WAYS[way]))
        (source / "parent.cc").write_text(program)
        (source / "plugin.cc").write_text(PLUGIN)
        _run("cmake", "-S", source, "-B", source / "build", *options)
        _run("cmake", "--build", source / "build", "-j2")
        return source / "build"


def _run(*words) -> str:
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True,
                          timeout=600)
    if done.returncode != 0:
        raise AssertionError(f"{words[0]} ended with {done.returncode}: "
                             f"{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    unittest.main()
