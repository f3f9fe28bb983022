# SPDX-License-Identifier: BSL-1.0
"""The command line of tools/vm-image."""

import argparse
import contextlib
import errno
import json
import os
import pathlib
import signal
import sys
import time

from . import arguments, cache, check, debian, initrd
from .apt import Archive
from .descriptor import default_descriptor_path, descriptor, existing_file, scratch_template
from .errors import ImageError
from .kernel import GivenKernel, kernel, kernel_of
from .recipe import Recipe


def main(words):
    """Runs one command. Exit codes: 0 done, 1 an error that the user can mend (told on stderr), 2 wrong usage."""
    return run_command("vm-image", _parser().parse_args(words))


def run_command(program, given):
    """Runs what was asked for and turns what a user can mend into a sentence. Returns the exit code."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        if given.run in (_clean, _check):
            given.run(given)
        else:
            with cache.in_use(lambda: _progress(given)("waiting for 'vm-image clean' to end")):
                given.run(given)
        return 0
    except ImageError as error:
        print(f"{program}: {error}", file=sys.stderr)
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS):
            raise
        place = f" ({error.filename})" if error.filename else ""
        print(f"{program}: {error.strerror}{place}\n  the cache is {cache.cache_root()}; "
              "VMDSL_CACHE_DIR=<another folder> moves it", file=sys.stderr)
    except KeyboardInterrupt:
        print(f"{program}: interrupted; nothing half-made is ever used", file=sys.stderr)
        return 130
    return 1


def _kernel(given):
    print(kernel(_archive(given), refresh=given.refresh).folder)


def _initrd(given):
    content = initrd.initrd_content(kernel(_archive(given)), given.agent)
    changed = cache.write_atomically(given.output, content)
    print(f"{given.output}{'' if changed else ' (unchanged)'}")


def _tiny(given):
    say = _progress(given)
    if given.kernel or given.modules or given.busybox:
        if not (given.kernel and given.modules and given.busybox):
            raise ImageError("--kernel, --modules and --busybox belong together: one without the others makes no system")
        used = GivenKernel(existing_file(given.kernel, "kernel"), given.modules)
        busybox = existing_file(given.busybox, "busybox")
    else:
        archive = _archive(given, say)
        used = kernel(archive)
        busybox = initrd.busybox(archive)
    content = initrd.initrd_content(used, given.agent) + initrd.busybox_content(busybox)
    if given.initrd:
        cache.write_atomically(given.initrd, content)
        place = given.initrd.absolute()
    else:
        place = initrd.cached_initrd(content)
    _write_descriptor(given, descriptor(given.name, used.image, place, arguments=arguments.COMMON,
                                         bios_kernel=used.bios_image))
    say("done")


def _debian(given):
    say = _progress(given)
    recipe = Recipe(given.name, given.package, given.file, given.setup, given.build)
    archive = _archive(given, say)
    used = kernel(archive, refresh=given.refresh)
    boots = kernel_of(recipe.builds) or used
    content = initrd.initrd_content(boots, given.agent)
    log = pathlib.Path(given.log or cache.cache_root() / "logs" / f"{given.name}.log").absolute()
    log.parent.mkdir(parents=True, exist_ok=True)
    root = debian.root_image(recipe, used, archive, given.mode, given.refresh, log)
    text = descriptor(given.name, boots.image, initrd.cached_initrd(content), root, scratch_template(),
                      arguments.COMMON + arguments.SYSTEMD, "systemd", "basic.target", boots.bios_image,
                      recipe.builds)
    _write_descriptor(given, text)
    say("done")


def _given(given):
    text = descriptor(given.name, existing_file(given.kernel, "kernel"), existing_file(given.initrd, "initrd"),
                      arguments=given.argument)
    _write_descriptor(given, text)


def _clean(given):
    cache.clean(("kernel", "busybox", "base", "build", "root", "initrd", "scratch", "apt", "logs"), given.days,
                lambda: print("vm-image: waiting for builds that use this cache", file=sys.stderr, flush=True))


def _check(_):
    print(json.dumps(check.findings()))


def _write_descriptor(given, text):
    output = pathlib.Path(given.output or default_descriptor_path(given.name)).absolute()
    cache.write_atomically(output, text)
    print(output)


def _archive(given, say=None):
    return Archive(given.suite, given.mirror, say=say or _progress(given))


def _progress(given):
    return progress("image", getattr(given, "name", "vm-image"))


def progress(kind, name):
    """A function that tells each step on stderr, and to the file that $VMDSL_PROGRESS_FILE names.

    Ninja shows what a command printed when it has ended; who builds and wants to know earlier reads that file.
    """
    begin = time.monotonic()
    file = os.environ.get("VMDSL_PROGRESS_FILE")

    def say(text):
        print(f"vm-{kind}: [{name} {time.monotonic() - begin:5.1f} s] {text}", file=sys.stderr, flush=True)
        if file:
            with contextlib.suppress(OSError), open(file, "a", encoding="utf-8") as stream:
                stream.write(f"{kind} {name}: {text}\n")

    return say


def _parser():
    parser = argparse.ArgumentParser(
        prog="vm-image",
        description="Builds what vmdsl's machines boot. Results are cached under $VMDSL_CACHE_DIR, else under "
        "vmdsl in the XDG cache folder; the last line of the output is the path of what was asked for.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    archive = argparse.ArgumentParser(add_help=False)
    archive.add_argument("--suite", default="bookworm", help="Debian release (default: bookworm)")
    archive.add_argument("--mirror", action="append", default=[], metavar="LINE",
                         help="a line of sources.list, repeatable; default: the host's Debian mirrors")
    archive.add_argument("--refresh", action="store_true", help="look for a newer kernel and newer package lists")
    agent = argparse.ArgumentParser(add_help=False)
    agent.add_argument("--agent", type=pathlib.Path, required=True, help="the guest agent, a static executable")
    output = argparse.ArgumentParser(add_help=False)
    output.add_argument("--output", type=pathlib.Path, metavar="FILE", help="where the descriptor goes")

    command = commands.add_parser("kernel", parents=[archive], help="fetch Debian's cloud kernel; prints its folder")
    command.set_defaults(run=_kernel)

    command = commands.add_parser("initrd", parents=[archive, agent], help="write an initrd with the agent as /init")
    command.add_argument("--output", type=pathlib.Path, required=True, metavar="FILE")
    command.set_defaults(run=_initrd)

    command = commands.add_parser("tiny", parents=[archive, agent, output], help="kernel, agent and busybox; no disk")
    command.add_argument("--name", default="tiny")
    command.add_argument("--kernel", type=pathlib.Path, metavar="FILE", help="a kernel instead of Debian's")
    command.add_argument("--modules", type=pathlib.Path, metavar="FOLDER", help="that kernel's modules")
    command.add_argument("--busybox", type=pathlib.Path, metavar="FILE", help="a static busybox instead of Debian's")
    command.add_argument("--initrd", type=pathlib.Path, metavar="FILE", help="where the initrd goes (default: the cache)")
    command.set_defaults(run=_tiny)

    command = commands.add_parser("debian", parents=[archive, agent, output], help="a Debian guest from packages")
    command.add_argument("--name", required=True)
    command.add_argument("--package", action="extend", nargs="+", default=[], metavar="NAME")
    command.add_argument("--build", action="append", default=[], metavar="FILE",
                         help="the description of an instrumented build, installed after the packages")
    command.add_argument("--file", action="append", default=[], metavar="SRC:DEST[:MODE]",
                         help="a file or folder to copy in after the packages are installed")
    command.add_argument("--setup", action="append", default=[], metavar="SCRIPT",
                         help="a program to run as root inside the finished system")
    command.add_argument("--mode", choices=("auto", "root", "unshare"), default="auto",
                         help="how packages are unpacked (default: as root if that is who we are)")
    command.add_argument("--log", metavar="FILE", help="where the build's output goes")
    command.set_defaults(run=_debian)

    command = commands.add_parser("given", parents=[output], help="describe a kernel and an initrd of your own")
    command.add_argument("--name", required=True)
    command.add_argument("--kernel", required=True)
    command.add_argument("--initrd", required=True)
    command.add_argument("--argument", action="append", default=[], help="a kernel argument, repeatable")
    command.set_defaults(run=_given)

    command = commands.add_parser("clean", help="remove what was not used for a while, and what killed builds left")
    command.add_argument("--days", type=float, default=30)
    command.set_defaults(run=_clean)
    command = commands.add_parser("check", help="say as JSON what this host has of what building images needs")
    command.set_defaults(run=_check)
    return parser
