#!/usr/bin/env python3
"""The installed package, as a project outside of this repository sees it.

Installs into a temporary prefix; builds examples/embed by find_package and by pkg-config with plain
g++; runs both against a real system; and compiles the README's example and every header alone.
"""
import os
import re
import shutil
import sqlite3
import subprocess
import tempfile
import unittest
from pathlib import Path

from harness import REPOSITORY, SandboxTest, tributary_program

FLAGS = ["-std=c++20", "-Wall", "-Wextra", "-Wpedantic", "-Werror"]


class AnInstalledTributary(SandboxTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.work = Path(tempfile.mkdtemp(prefix="tributary-install-"))
        cls.addClassCleanup(shutil.rmtree, cls.work, ignore_errors=True)
        build = Path(tributary_program()).resolve().parents[1]
        cls.sanitized = _sanitizer_flags(build)
        _run("cmake", "--install", build, "--prefix", cls.work / "first")
        # Nothing may depend on where it was first installed.
        cls.prefix = cls.work / "moved"
        (cls.work / "first").rename(cls.prefix)

    def test_find_package_builds_a_project_whose_change_reaches_every_region(self):
        _run("cmake", "-S", REPOSITORY / "examples" / "embed", "-B", self.work / "embed",
             f"-DCMAKE_PREFIX_PATH={self.prefix}", "-DCMAKE_CXX_FLAGS=" + " ".join(self.sanitized))
        _run("cmake", "--build", self.work / "embed")
        self.sells(self.work / "embed" / "till", "found-by-cmake")

    def test_pkg_config_builds_the_same_project_with_plain_gcc(self):
        self.compile(REPOSITORY / "examples" / "embed" / "till.cc", "tributary-sqlite",
                     "-o", self.work / "till")
        self.sells(self.work / "till", "found-by-pkg-config")

    def test_a_sale_that_cannot_commit_leaves_no_change(self):
        self.compile(REPOSITORY / "examples" / "embed" / "till.cc", "tributary-sqlite",
                     "-o", self.work / "till-refused")
        with self.assertRaises(AssertionError) as refused:
            _run(self.work / "till-refused", self.till(), "x" * 2000, 1)
        self.assertIn("the limit is", str(refused.exception))
        with sqlite3.connect(self.till()) as till:
            sales = till.execute("SELECT count(*) FROM sales WHERE length(sku) = 2000")
            self.assertEqual(sales.fetchone(), (0,))

    def test_an_unknown_component_is_refused_by_name(self):
        (self.work / "wrong").mkdir()
        (self.work / "wrong" / "CMakeLists.txt").write_text(
            "cmake_minimum_required(VERSION 3.25)\nproject(Wrong LANGUAGES CXX)\n"
            "find_package(Tributary REQUIRED COMPONENTS oracle)\n")
        with self.assertRaises(AssertionError) as refused:
            _run("cmake", "-S", self.work / "wrong", "-B", self.work / "wrong" / "build",
                 f"-DCMAKE_PREFIX_PATH={self.prefix}")
        self.assertIn('no component "oracle"', str(refused.exception))

    def test_the_example_of_the_readme_compiles(self):
        [code] = re.findall(r"```cpp\n(.*?)```", (REPOSITORY / "README.md").read_text(), re.S)
        (self.work / "readme.cc").write_text(code)
        self.compile(self.work / "readme.cc", "tributary-postgres", "-c", "-o",
                     self.work / "readme.o")

    def test_every_installed_header_compiles_alone(self):
        headers = sorted((self.prefix / "include").rglob("*.h"))
        self.assertGreater(len(headers), 10)
        for header in headers:
            name = header.relative_to(self.prefix / "include")
            (self.work / "alone.cc").write_text(f"#include <{name}>\n")
            with self.subTest(header=str(name)):
                self.compile(self.work / "alone.cc", "tributary", "-fsyntax-only")

    # Inside

    def till(self) -> str:
        return self.sandbox.origins()["till_eu"].removeprefix("sqlite://")

    def sells(self, program: Path, sku: str) -> None:
        _run(program, self.till(), sku, 3)
        self.wait_until_converged()
        for region in self.regions:
            self.assertEqual(self.redis(region)("GET", f"stock:{sku}"), "-3")
            self.assertEqual(self.redis(region)("GET", f"sold:{sku}"), "3")

    def compile(self, source: Path, package: str, *options) -> None:
        env = {**os.environ, "PKG_CONFIG_PATH": str(next(self.prefix.rglob("pkgconfig")))}
        flags = _run("pkg-config", "--cflags", "--libs", package, env=env).split()
        _run("g++", *FLAGS, *self.sanitized, source, *options, *flags)


def _sanitizer_flags(build: Path) -> list:
    cache = (build / "CMakeCache.txt").read_text()
    [chosen] = re.findall(r"^TRIBUTARY_SANITIZER:STRING=(.*)$", cache, re.M)
    return [] if not chosen else [
        "-fsanitize=" + {"address": "address,undefined", "thread": "thread"}[chosen]]


def _run(*words, env: dict | None = None) -> str:
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, env=env,
                          timeout=300)
    if done.returncode != 0:
        raise AssertionError(f"{words[0]} ended with {done.returncode}: "
                             f"{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    unittest.main()
