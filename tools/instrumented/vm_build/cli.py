# SPDX-License-Identifier: BSL-1.0
"""The command line of tools/vm-build."""

import argparse
import json
import pathlib

from vm_image import cache, cli
from vm_image.apt import Archive, SourceArchive
from vm_image.kernel import kernel

from .build import Recipe, instrumented_build


def main(words):
    """Exit codes as vm-image's: 0 done, 1 an error that the user can mend (told on stderr), 2 wrong usage."""
    return cli.run_command("vm-build", _parser().parse_args(words))


def _build(given):
    say = cli.progress("build", given.name)
    recipe = Recipe(given.name, given.source_package, given.folder, given.script, given.package, given.uses)
    archive = Archive(given.suite, given.mirror, say=say)
    sources = SourceArchive(given.suite, given.mirror, say=say)
    used = kernel(archive)
    log = pathlib.Path(given.log or cache.cache_root() / "logs" / f"build-{given.name}.log").absolute()
    log.parent.mkdir(parents=True, exist_ok=True)
    fields = instrumented_build(recipe, used, archive, sources, given.mode, given.refresh, log)
    cache.write_atomically(given.output, json.dumps(fields, indent=2) + "\n")
    say("done")
    print(given.output)


def _parser():
    parser = argparse.ArgumentParser(
        prog="vm-build",
        description="Compiles software with coverage counters inside a guest's base system. Results are cached under "
        "$VMDSL_CACHE_DIR, else under vmdsl in the XDG cache folder; the last line of the output is the description's "
        "path.",
    )
    parser.set_defaults(run=_build)
    parser.add_argument("--name", required=True)
    parser.add_argument("--output", type=pathlib.Path, required=True, metavar="FILE", help="where the description goes")
    parser.add_argument("--source-package", metavar="NAME", help="the Debian source package to build")
    parser.add_argument("--folder", metavar="FOLDER", help="or a folder with the sources")
    parser.add_argument("--script", required=True, metavar="FILE",
                        help="configures, builds and installs into $DESTDIR; runs in the folder of the sources")
    parser.add_argument("--package", action="extend", nargs="+", default=[], metavar="NAME",
                        help="Debian packages that the build needs beside build-essential")
    parser.add_argument("--uses", action="append", default=[], metavar="FILE",
                        help="the description of another build, which is installed before")
    parser.add_argument("--suite", default="bookworm", help="Debian release (default: bookworm)")
    parser.add_argument("--mirror", action="append", default=[], metavar="LINE",
                        help="a line of sources.list, repeatable; default: the host's Debian mirrors")
    parser.add_argument("--refresh", action="store_true", help="build again, from what Debian has today")
    parser.add_argument("--mode", choices=("auto", "root", "unshare"), default="auto",
                        help="how packages are unpacked (default: as root if that is who we are)")
    parser.add_argument("--log", metavar="FILE", help="where the build's output goes")
    return parser
