# SPDX-License-Identifier: BSL-1.0
"""A cache of immutable entries: built beside their place, renamed into it, never changed afterwards.

An entry is <cache>/<kind>/<key>. Whoever builds it holds <cache>/locks/<kind>-<key> and works in
<cache>/tmp/<kind>-<key>; a build that was killed therefore leaves only a folder that nobody reads and that the next
holder of the same lock, or sweep(), removes. Commands that use entries hold in_use(), and clean() waits for them.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import time

from .errors import ImageError, search_path


def cache_root():
    """$VMDSL_CACHE_DIR, else vmdsl under the XDG cache folder."""
    chosen = os.environ.get("VMDSL_CACHE_DIR")
    if chosen:
        return pathlib.Path(chosen).absolute()
    base = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return pathlib.Path(base).absolute() / "vmdsl"


def key_of(facts):
    """A short name for a JSON-able value: equal facts give equal keys on every machine."""
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def digest_of_file(path):
    try:
        with open(path, "rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except AttributeError:  # Python before 3.11
        return hashlib.sha256(pathlib.Path(path).read_bytes()).hexdigest()
    except OSError as error:
        raise ImageError(f"cannot read {path}: {error.strerror}") from error


def digest_of_tree(path, without=None):
    """The digest of a file, or of a folder's names, modes, link targets and contents.

    `without` names what is left out, at its top.
    """
    path = pathlib.Path(path)
    if not path.is_dir():
        return [digest_of_file(path), os.stat(path).st_mode & 0o7777]
    entries = []
    for found in sorted(path.rglob("*")):
        name = str(found.relative_to(path))
        if name.split("/")[0] == without:
            continue
        if found.is_symlink():
            entries.append([name, "link", os.readlink(found)])
        elif found.is_dir():
            entries.append([name, "folder", found.stat().st_mode & 0o7777])
        else:
            entries.append([name, digest_of_file(found), found.stat().st_mode & 0o7777])
    return entries


@contextlib.contextmanager
def lock(name, shared=False, on_wait=None):
    """Holds a lock among all users of this cache: alone, or together with others who share it.

    The kernel frees it when the process ends. `on_wait` is called once if others hold it. Gives the open lock file.
    """
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    while True:
        with open(_made(cache_root() / "locks") / name, "w", encoding="ascii") as file:
            try:
                fcntl.flock(file, kind | fcntl.LOCK_NB)
            except BlockingIOError:
                if on_wait:
                    on_wait()
                    on_wait = None
                fcntl.flock(file, kind)
            if not _is_removed(file):  # else somebody removed the cache while we waited: others lock a new file
                yield file
                return


@contextlib.contextmanager
def lock_if_free(name):
    """Holds a lock as lock() does and gives True, or gives False at once where others hold it."""
    with open(_made(cache_root() / "locks") / name, "w", encoding="ascii") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            free = True
        except BlockingIOError:
            free = False
        yield free


def _is_removed(file):
    return os.fstat(file.fileno()).st_nlink == 0


def in_use(on_wait=None):
    """A lock under which clean() removes nothing."""
    return lock("in-use", shared=True, on_wait=on_wait)


def entry(kind, key, build, on_wait=None):
    """The path of an entry; `build(work_path)` makes it when it is missing. `work_path` does not exist yet.

    `on_wait` is called if another process is building it.
    Throws ImageError when the cache is removed meanwhile, whatever the build made of that.
    """
    place = cache_root() / kind / key
    if place.exists():
        mark_used(place)
        return place
    with lock(f"{kind}-{key}", on_wait=on_wait) as held:
        if place.exists():
            return place
        work = _made(cache_root() / "tmp") / f"{kind}-{key}"
        _remove_work(work)
        try:
            build(work)
            _made(place.parent)
            os.rename(work, place)
        except (ImageError, OSError) as error:
            if _is_removed(held):
                raise ImageError(f"the cache {cache_root()} was removed while {kind} {key} was built in it\n"
                                 "  mend it by building again; 'vm-image clean' waits for builds, rm does not") from error
            raise
        finally:
            if not _is_removed(held):  # else the folder may be that of who holds the new lock
                _remove_work(work)
    return place


def take(path, folder):
    """Puts a file of the cache into a builder's folder, where nobody else removes it; returns its path there."""
    taken = folder / path.name
    try:
        os.link(path, taken)
    except OSError:  # on another file system, or of another user
        shutil.copyfile(path, taken)
    return taken


def beside(work, purpose):
    """A second path for the builder of `work`, removed when the build ends."""
    return work.with_name(f"{work.name}@{purpose}")


def _remove_work(work):
    for leftover in [work, *work.parent.glob(f"{work.name}@*")]:
        remove(leftover)


def forget(kind, key):
    """Removes an entry so that it is built again; who has its files open keeps them."""
    with lock(f"{kind}-{key}"):
        remove(cache_root() / kind / key)


def remove(path):
    """Removes a file or folder that may belong to a user namespace's ids; never follows a mount."""
    path = pathlib.Path(path)
    if not path.is_symlink() and not path.is_dir():
        path.unlink(missing_ok=True)
        return
    command = ["rm", "-rf", "--one-file-system", "--", str(path)]
    if subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode == 0:
        return
    if os.geteuid() != 0 and shutil.which("newuidmap", path=search_path()):
        inside = ["unshare", "--user", "--map-root-user", "--map-auto", "--", *command]
        subprocess.run(inside, stderr=subprocess.DEVNULL, check=False)


def sweep():
    """Removes what killed builds left in <cache>/tmp. Work in progress is locked and stays."""
    folder = cache_root() / "tmp"
    if not folder.is_dir():
        return
    for leftover in folder.iterdir():
        try:
            name = leftover.name.split("@")[0]
            with open(_made(cache_root() / "locks") / name, "w", encoding="ascii") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                remove(leftover)
        except OSError:
            continue


def clean(kinds, days, on_wait):
    """Removes what killed builds left, and entries of these kinds that were not used in so many days."""
    with lock("in-use", on_wait=on_wait):
        sweep()
        for kind in kinds:
            drop_unused(kind, days)


def drop_unused(kind, days):
    """Removes entries of a kind that nobody asked for, or read, in so many days."""
    folder = cache_root() / kind
    oldest = time.time() - days * 86400
    for found in folder.iterdir() if folder.is_dir() else ():
        with contextlib.suppress(OSError):
            if _last_use(found) < oldest:
                remove(found)


def _last_use(path):
    """When an entry was asked for, or a file of it was read: machines and reports read theirs without asking."""
    files = [found for found in path.iterdir() if found.is_file()] if path.is_dir() else [path]
    return max([path.stat().st_mtime, *(found.stat().st_atime for found in files)])


def write_atomically(path, content):
    """Replaces a file's content in one step; readers see the old or the new text. Returns whether it changed."""
    path = pathlib.Path(path)
    data = content.encode() if isinstance(content, str) else content
    with contextlib.suppress(OSError):
        if path.read_bytes() == data:
            os.utime(path)
            return False
    _made(path.parent)
    work = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        work.write_bytes(data)
        os.rename(work, path)
    finally:
        work.unlink(missing_ok=True)
    return True


def _made(folder):
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImageError(
            f"cannot make {folder}: {error.strerror}\n"
            "  mend it with: VMDSL_CACHE_DIR=<a folder you may write to>"
        ) from error
    return folder


def mark_used(path):
    """Keeps an entry from being dropped as unused."""
    with contextlib.suppress(OSError):
        os.utime(path)
