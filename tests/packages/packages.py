#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Uses vmdsl as other people's projects do: installs it, and builds and runs the small project in outside/ against it.

usage: packages.py CASE BUILD_FOLDER [COMPILER]

BUILD_FOLDER is vmdsl's own, with everything built that is installed. Each case works in BUILD_FOLDER/tests/packages/CASE,
which is new each time; `install` makes the installed tree that the others share.
"""
import os
import pathlib
import shutil
import subprocess
import sys

tests = pathlib.Path(__file__).resolve().parent
sources = tests.parents[1]
outside = tests / "outside"


class Project:
    """The build folder of one outside project. What a command prints goes to stdout; one that fails ends the test."""

    def __init__(self, folder, compiler=None):
        self.folder = folder
        self.compiler = compiler

    def run(self, *command, **environment):
        print("+", *command, flush=True)
        subprocess.run(command, cwd=self.folder, check=True, stderr=subprocess.STDOUT,
                       env={**os.environ, "LC_ALL": "C.UTF-8", **environment})

    def build_with_cmake(self, how, *settings, targets):
        self.run("cmake", "-S", outside, "-B", ".", "-G", "Ninja", f"-DCMAKE_CXX_COMPILER={self.compiler}", f"-DHOW={how}",
                 *settings)
        self.run("cmake", "--build", ".", "--target", *targets)
        self.run("ctest", "--output-on-failure", "--no-tests=error", "-R", "|".join(f"^{name}$" for name in targets))


def install(project, build):
    """Configured for one place, installed into another and moved to a third: nothing in the tree may name the first two."""
    first, installed = project.folder / "first", installed_tree(build)
    project.run("cmake", "--install", build, "--prefix", first)
    shutil.rmtree(installed, ignore_errors=True)
    first.rename(installed)
    for path in installed.rglob("*"):
        if path.suffix in (".cmake", ".pc"):
            for place in (first, build, sources):
                assert str(place) not in path.read_text(), f"{path} names {place}"


def find_package(project, build):
    project.build_with_cmake("find_package", f"-DCMAKE_PREFIX_PATH={installed_tree(build)}", targets=["compiled", "header_only"])


def add_subdirectory(project, _build):
    project.build_with_cmake("add_subdirectory", f"-DVMDSL_SOURCE={sources}", targets=["compiled"])


def fetch_content(project, _build):
    project.build_with_cmake("fetch_content", f"-DFETCHCONTENT_SOURCE_DIR_VMDSL={sources}", targets=["compiled"])


def pkg_config(project, build):
    (found,) = installed_tree(build).rglob("pkgconfig")
    project.run("make", "-f", outside / "Makefile", f"SOURCES={outside}", f"CXX={project.compiler}", "-j2", "check",
                PKG_CONFIG_PATH=str(found))


def installed_tree(build):
    return build / "tests/packages/installed"


CASES = {case.__name__: case for case in (install, find_package, add_subdirectory, fetch_content, pkg_config)}


def main(case, build, compiler=None):
    folder = pathlib.Path(build, "tests/packages", case + (f"-{pathlib.Path(compiler).name}" if compiler else ""))
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        CASES[case](Project(folder, compiler), pathlib.Path(build))
    except subprocess.CalledProcessError as failed:
        sys.exit(f"FAILED: {failed}")


main(*sys.argv[1:])
