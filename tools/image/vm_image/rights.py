# SPDX-License-Identifier: BSL-1.0
"""What this host allows a build: root or a user namespace, and memory to work in."""

import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile

from .errors import ImageError, require_tools, search_path

_IDS_NEEDED = 65536
_MEMORY_WORTHWHILE = 3 << 30
_NO_LIMIT = 1 << 62

# The namespaces die with the build: no mount and no process outlives it, however it ends.
_OWN_NAMESPACES = ("--mount", "--pid", "--fork", "--kill-child=SIGKILL", "--mount-proc")
_AS_ORDINARY_USER = ("--user", "--map-root-user", "--map-auto")


def builder_prefix(mode="auto"):
    """The words before a command that is to run as root of its own namespaces.

    `mode`: "root" (the caller is root), "unshare" (a user namespace with the caller's subordinate ids), or "auto".
    Throws ImageError with the command that mends it when neither is possible.
    """
    require_tools("unshare")
    is_root = os.geteuid() == 0
    if mode == "root" or (mode == "auto" and is_root):
        if not is_root:
            raise ImageError("building images in mode 'root' needs root; without it, leave the mode out")
        prefix = ["unshare", *_OWN_NAMESPACES, "--"]
        # A container without CAP_SYS_ADMIN can still unpack packages, only without namespaces of its own.
        return prefix if _works(prefix) else []
    _require_subordinate_ids()
    prefix = ["unshare", *_AS_ORDINARY_USER, *_OWN_NAMESPACES, "--"]
    if not _works(prefix):
        raise ImageError(_why_no_namespace())
    return prefix


def _require_subordinate_ids():
    if any(shutil.which(tool, path=search_path()) is None for tool in ("newuidmap", "newgidmap")):
        raise ImageError(
            "an ordinary user builds images in a user namespace, and newuidmap is not installed\n"
            "  mend it with: sudo apt-get install --no-install-recommends uidmap"
        )
    uid = os.geteuid()
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        raise ImageError(f"user id {uid} has no account, so it cannot have subordinate ids to build images with") from None
    if all(_subordinate_ids(file, {name, str(uid)}) >= _IDS_NEEDED for file in ("/etc/subuid", "/etc/subgid")):
        return
    first = max([100000, *(end for file in ("/etc/subuid", "/etc/subgid") for end in _ends_of_ranges(file))])
    ids = f"{first}-{first + _IDS_NEEDED - 1}"
    raise ImageError(
        f"user {name} has no subordinate user and group ids in /etc/subuid and /etc/subgid,\n"
        "so a Debian system cannot be unpacked without root\n"
        f"  mend it with: sudo usermod --add-subuids {ids} --add-subgids {ids} {name}"
    )


def _subordinate_ids(file, owners):
    return max((count for owner, _, count in _ranges(file) if owner in owners), default=0)


def _ends_of_ranges(file):
    return [first + count for _, first, count in _ranges(file)]


def _ranges(file):
    try:
        lines = pathlib.Path(file).read_text().splitlines()
    except OSError:
        return []
    fields = [line.split(":") for line in lines]
    return [(field[0], int(field[1]), int(field[2])) for field in fields
            if len(field) == 3 and field[1].isdigit() and field[2].isdigit()]


def _works(prefix):
    return _tried([*prefix, "true"])[0]


def _tried(command):
    """Whether a command succeeds, and what it says.

    Where the kernel refuses a user namespace, unshare (util-linux 2.38) fails and leaves a helper behind that waits for
    ever with its streams open. So they are a file, whose end nobody waits for, and the helper is ended.
    """
    environment = dict(os.environ, PATH=search_path())
    with tempfile.TemporaryFile() as said:
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=said, stderr=said, env=environment,
                                 start_new_session=True)
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)  # not reaped yet, so its group is still its own
        os.killpg(child.pid, signal.SIGKILL)
        succeeded = child.wait() == 0
        said.seek(0)
        return succeeded, said.read().decode(errors="replace").strip()


def _why_no_namespace():
    settings = (
        ("/proc/sys/kernel/unprivileged_userns_clone", "0", "kernel.unprivileged_userns_clone=1"),
        ("/proc/sys/user/max_user_namespaces", "0", "user.max_user_namespaces=15000"),
        ("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1",
         "kernel.apparmor_restrict_unprivileged_userns=0"),
    )
    for file, closed, setting in settings:
        try:
            if pathlib.Path(file).read_text().strip() == closed:
                return ("this kernel does not let ordinary users make user namespaces, and images need one\n"
                        f"  mend it with: sudo sysctl {setting}")
        except OSError:
            continue
    said = _tried(["unshare", *_AS_ORDINARY_USER, "true"])[1] or "no /proc can be mounted in it"
    return (f"cannot make a user namespace to build the image in: {said}\n"
            "  mend it with: building as root, or on a host (or in a container) that allows user namespaces")


def memory_for_builds():
    """Bytes that a build may fill in memory: half of what is free, or 0 where that would be too little to try."""
    free = min(_available_memory(), _left_in_cgroup())
    return free // 2 if free >= _MEMORY_WORTHWHILE else 0


def _available_memory():
    for line in pathlib.Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) * 1024
    return 0


def _left_in_cgroup():
    """What the control groups above us leave; a container's limit does not show in /proc/meminfo."""
    left = _NO_LIMIT
    try:
        own = pathlib.Path("/proc/self/cgroup").read_text().rpartition("::")[2].strip()
    except OSError:
        return left
    group = pathlib.PurePosixPath(own)
    for path in [group, *group.parents]:
        folder = pathlib.Path("/sys/fs/cgroup") / str(path).lstrip("/")
        try:
            limit = (folder / "memory.max").read_text().strip()
            if limit != "max":
                left = min(left, int(limit) - int((folder / "memory.current").read_text()))
        except (OSError, ValueError):
            continue
    return left
