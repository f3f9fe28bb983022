#!/usr/bin/env python3
# SPDX-License-Identifier: BSL-1.0
"""Uses vmdsl as other people's projects do: installs it, and builds and runs the small project in outside/ against it.

usage: packages.py CASE BUILD_FOLDER [COMPILER]

BUILD_FOLDER is vmdsl's own, with everything built that is installed. Each case works in BUILD_FOLDER/tests/packages/CASE,
which is new each time; `install` makes the installed tree that the others share.
"""
import json
import os
import pathlib
import re
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
    told = json.loads(output_of(installed / "bin/vmdsl", "doctor", "images", "--json"))
    assert told["ok"], told


def find_package(project, build):
    project.build_with_cmake("find_package", f"-DCMAKE_PREFIX_PATH={installed_tree(build)}", targets=["compiled", "header_only"])


def add_subdirectory(project, _build):
    project.build_with_cmake("add_subdirectory", f"-DVMDSL_SOURCE={sources}", targets=["compiled"])


def sanitizers(project, _build):
    """A project that is built with sanitizers gets an agent without: it is static, and runs where their libraries are not."""
    project.run("cmake", "-S", outside, "-B", ".", "-G", "Ninja", f"-DCMAKE_CXX_COMPILER={project.compiler}", "-DHOW=add_subdirectory",
                f"-DVMDSL_SOURCE={sources}", "-DCMAKE_CXX_FLAGS=-fsanitize=address", "-DOPTIONS=-fsanitize=address")
    project.run("cmake", "--build", ".", "--target", "vmdsl_agent")


def fetch_content(project, _build):
    project.build_with_cmake("fetch_content", f"-DFETCHCONTENT_SOURCE_DIR_VMDSL={sources}", targets=["compiled"])


def pkg_config(project, build):
    (found,) = installed_tree(build).rglob("pkgconfig")
    project.run("make", "-f", outside / "Makefile", f"SOURCES={outside}", f"CXX={project.compiler}", "-j2", "check",
                PKG_CONFIG_PATH=str(found))


def deb(project, _build):
    """Both packages, built as whoever runs this, and the outside project against what is in them, unpacked."""
    tree, root = project.folder / "vmdsl", project.folder / "root"
    project.run(sources / "tools/lib/copy_sources", sources, tree)
    Project(tree).run("dpkg-buildpackage", "--unsigned-source", "--unsigned-changes", DEB_BUILD_OPTIONS="noopt parallel=2")
    packages = {package.name.split("_")[0]: package for package in project.folder.glob("*.deb")}
    assert set(packages) >= {"vmdsl", "libvmdsl-dev"}, packages
    (version,) = re.findall(r"project\(vmdsl VERSION (\S+)", (sources / "CMakeLists.txt").read_text())
    for name in ("vmdsl", "libvmdsl-dev"):
        assert f"_{version}_" in packages[name].name, f"{packages[name].name}, but the project has version {version}"
        project.run("dpkg-deb", "--extract", packages[name], root)
    for folder in ("image", "instrumented"):
        for path in (sources / "tools" / folder).rglob("*.*"):
            packaged = root / "usr/libexec/vmdsl" / path.relative_to(sources / "tools")
            if path.is_file() and path.suffix != ".pyc":
                assert packaged.stat().st_mode & 0o111 == path.stat().st_mode & 0o111, f"{packaged} has another mode"
    needed = output_of("bash", "-c", f". {sources}/tools/lib/common.sh && echo ${{image_packages[@]}} ${{run_packages[@]}}", root=sources)
    named = re.split(r"[\s,]+", output_of("dpkg-deb", "--field", packages["vmdsl"], "Depends"))
    assert set(needed.split()) <= set(named), f"tools/lib/common.sh installs {needed}, the package depends on {named}"
    project.build_with_cmake("find_package", f"-DCMAKE_PREFIX_PATH={root / 'usr'}", targets=["compiled"])


def nix(project, _build):
    """Everything in default.nix, with the host's toolchain in nixpkgs' place and a store of our own; tiny's test is run."""
    kernel = output_of(sources / "tools/vm-image", "kernel").strip()
    store = project.folder / "nix/store"
    places = {f"NIX_{what}_DIR": str(project.folder / "nix" / what.lower()) for what in ("STORE", "STATE", "LOG", "LOCALSTATE", "CONF")}
    places["NIX_CONFIG"] = "sandbox = false\nsubstitute = false\nbuild-users-group =\n"
    build = ["nix-build", sources, "--arg", "pkgs", f"import {tests}/host_pkgs.nix {{ kernel = {kernel}; }}"]
    project.run(*build, "--no-out-link", **places)
    for attribute in ("examples.tiny", "examples.subversion", "examples.subversion-coverage", "vmdsl", "images.tiny"):
        project.run(*build, "-A", attribute, "--out-link", attribute, **places)
    assert (project.folder / "vmdsl/libexec/vmdsl/vm-image").is_file()

    # The program brings its image along, and the image its kernel.
    (image,) = project.folder.glob("images.tiny/tiny.image.json")
    for what in ("kernel", "initrd"):
        assert json.loads(image.read_text())[what].startswith(str(store)), image.read_text()
    needed = output_of("nix-store", "--query", "--requisites", project.folder / "examples.tiny", **places).split()
    for path in (image.parent, pathlib.Path(json.loads(image.read_text())["kernel"]).parent):
        assert str(path.resolve()) in needed, f"{path} is not among what the program needs: {needed}"
    project.run(project.folder / "examples.tiny/bin/tiny", PATH="/nowhere")

    # What Nix did not build is asked for when the program runs.
    done = subprocess.run([project.folder / "examples.subversion/bin/subversion"], cwd=project.folder, capture_output=True, text=True,
                          check=False)
    assert done.returncode == 69 and "VMDSL_IMAGE_PATH" in done.stdout + done.stderr, done


def installed_tree(build):
    return build / "tests/packages/installed"


def output_of(*command, **environment):
    return subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, **environment}).stdout


CASES = {case.__name__: case for case in (install, find_package, add_subdirectory, sanitizers, fetch_content, pkg_config, deb, nix)}


def main(case, build, compiler=None):
    folder = pathlib.Path(build, "tests/packages", case + (f"-{pathlib.Path(compiler).name}" if compiler else ""))
    if folder.exists():
        subprocess.run(["chmod", "-R", "u+w", folder], check=True)  # a Nix store is read-only
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    try:
        CASES[case](Project(folder, compiler), pathlib.Path(build))
    except subprocess.CalledProcessError as failed:
        sys.exit(f"FAILED: {failed}")


main(*sys.argv[1:])
