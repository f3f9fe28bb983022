# SPDX-License-Identifier: BSL-1.0
"""A private apt: lists and downloads in the cache, sources taken from the host's own configuration, no root.

The host's lists are not used: containers often have none, and other releases have the wrong ones. Several processes
may use one Archive's folder: who reads the lists does so under reading(), which keeps others from fetching newer ones,
and who downloads gets files of its own.
"""

import difflib
import email.utils
import functools
import hashlib
import os
import pathlib
import re
import shlex
import subprocess
import time

from . import cache
from .errors import ImageError, require_tools, search_path

_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
_FALLBACK = (
    ("http://deb.debian.org/debian", "{suite}", "main"),
    ("http://deb.debian.org/debian", "{suite}-updates", "main"),
    ("http://deb.debian.org/debian-security", "{suite}-security", "main"),
)
_LISTS_LIFE_SECONDS = 24 * 3600


class DownloadError(ImageError):
    """A file that the lists name is not there: the lists may be older than the archive's latest update."""


class Archive:
    """One Debian suite on some mirrors. `say` is told each step that takes a while."""

    def __init__(self, suite, mirrors=(), architecture="amd64", say=lambda text: None):
        self.suite = suite
        self.say = say
        self.architecture = architecture
        self.sources = tuple(mirrors) or sources_of_host(suite)
        # Resolved, because the configuration in it has absolute paths and is shared with those who see it by a link.
        self.folder = (cache.cache_root() / "apt" / cache.key_of([suite, self.sources, architecture])).resolve()
        self.sources_file = self.folder / "sources.list"
        self.downloads = self.folder / "archives"
        self._config = self.folder / "apt.conf"
        self._configured = False

    def refresh(self, force=False, maximum_age=_LISTS_LIFE_SECONDS):
        """Fetches the package lists when there are none or old ones; if that fails, old ones serve."""
        stamp = self.folder / "fetched"
        if not force and _younger_than(stamp, maximum_age):
            return
        require_tools("apt-get", "apt-cache")
        with cache.lock(f"apt-{self.folder.name}",  # which reading() shares
                        on_wait=lambda: self.say("waiting for builds that read the package lists")):
            if not force and _younger_than(stamp, maximum_age):
                return
            self.say(f"package lists of {self.suite}")
            done = self._run(["apt-get", "update", "--error-on=any"])
            if done.returncode == 0:
                stamp.write_bytes(b"")
            elif not stamp.exists():
                raise ImageError(
                    f"cannot fetch Debian's package lists for {self.suite}\n" + _indent(_complaints(done))
                    + "\n  used sources:\n" + _indent(self.sources) + "\n  mend it with: " + _cure(done)
                )

    def reading(self):
        """A lock under which the lists stay as they are, for all that asks them; refresh() waits for it."""
        return cache.lock(f"apt-{self.folder.name}", shared=True)

    def state(self):
        """Changes when the archive's contents do."""
        digests = [hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(self._lists().glob("*InRelease"))]
        return cache.key_of(digests)

    def date(self):
        """When the archive was last published, in seconds since 1970: what is built from it is given no later time."""
        dates = []
        for path in self._lists().glob("*InRelease"):
            found = re.search(r"^Date: (.+)$", path.read_text(errors="replace"), re.MULTILINE)
            if found:
                dates.append(int(email.utils.parsedate_to_datetime(found[1]).timestamp()))
        return max(dates, default=1)

    def list_files(self):
        return [path for path in sorted(self._lists().iterdir()) if path.is_file() and path.name != "lock"]

    def candidate(self, package):
        """The fields of the version that apt would install, as a dictionary; None when there is no such package."""
        done = self._run(["apt-cache", "show", "--no-all-versions", package])
        if done.returncode != 0 or not done.stdout.strip():
            return None
        return dict(re.findall(r"^([A-Za-z-]+): (.*)$", done.stdout, re.MULTILINE))

    def require(self, packages):
        """Throws for every name that apt cannot install, with the nearest names that exist."""
        if not packages or self._installable(packages):
            return
        bad = [name for name in packages if not self._installable([name])]
        if not bad:
            return  # each exists; why they do not go together is told when they are downloaded
        known = self._run(["apt-cache", "pkgnames"]).stdout.split()
        lines = [f"Debian {self.suite} has no package of this name:"]
        for name in bad:
            near = difflib.get_close_matches(name, known, n=3, cutoff=0.75)
            lines.append(f"  {name}" + (f"  (near it: {', '.join(near)})" if near else ""))
        raise ImageError("\n".join(lines))

    def download(self, package, version, folder):
        """Fetches one package into a new folder and returns the file."""
        folder.mkdir()
        done = self._run(["apt-get", "download", f"{package}={version}"], cwd=folder)
        # A colon in a version is written %3a in the file's name.
        found = folder / f"{package}_{version.replace(':', '%3a')}_{self.architecture}.deb"
        if done.returncode != 0 or not found.exists():
            raise DownloadError(f"cannot download {package} {version}\n" + _indent(_complaints(done)))
        return found

    def download_with_dependencies(self, packages, status_file, folder):
        """Fetches what a system with this dpkg status lacks to have the packages; returns the files, in a new folder."""
        folder.mkdir()
        if not packages:
            return []
        status = f"Dir::State::status={status_file}"
        install = ["apt-get", "install", "--yes", "--no-install-recommends", "-o", status]
        empty = ["-o", f"Dir::Cache::archives={self.folder}/none"]
        plan = self._run([*install, *empty, "--print-uris", "-qq", *packages])
        if plan.returncode != 0:
            raise ImageError("apt cannot install these packages together\n" + _indent(_complaints(plan)))
        # Lines are: 'uri' file size hash
        names = [line.split()[1] for line in plan.stdout.splitlines() if line.startswith("'")]
        with cache.lock(f"downloads-{self.folder.name}"):
            done = self._run([*install, "--download-only", *packages])
            if done.returncode != 0:
                raise DownloadError("cannot download the packages\n" + _indent(_complaints(done)))
            return [cache.take(self.downloads / name, folder) for name in names]

    def _installable(self, names):
        done = self._run(["apt-get", "install", "--simulate", "-o", "Dir::State::status=/dev/null", *names])
        if done.returncode == 0:
            return True
        return not re.search(r"Unable to locate package|has no installation candidate|Couldn't find", done.stderr)

    def _lists(self):
        return self.folder / "lists"

    def _write_configuration(self):
        for name in ("lists/partial", "archives/partial", "none/partial", "cache"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        cache.write_atomically(self.sources_file, "".join(line + "\n" for line in self.sources))
        settings = {
            "APT::Architecture": self.architecture,
            "APT::Architectures": self.architecture,
            "APT::Sandbox::User": "root",  # root's own downloads need no other user; for others it means nothing
            "Acquire::Languages": "none",
            "Acquire::Retries": "2",
            "Dir::Cache": f"{self.folder}/cache",
            "Dir::Cache::archives": f"{self.folder}/archives",
            "Dir::Etc::main": "/dev/null",  # the host's hooks (docker-clean and the like) are not ours to run
            "Dir::Etc::parts": "/dev/null",
            "Dir::Etc::preferences": "/dev/null",
            "Dir::Etc::preferencesparts": "/dev/null",
            "Dir::Etc::sourcelist": str(self.sources_file),
            "Dir::Etc::sourceparts": "/dev/null",
            "Dir::State": str(self.folder),
            "Dir::State::status": "/dev/null",
        }
        lines = [f'{name} "{value}";\n' for name, value in settings.items()]
        lines += [f"{line}\n" for line in proxies_of_host()]
        cache.write_atomically(self._config, "".join(lines))
        self._configured = True

    def _run(self, command, cwd=None):
        if not self._configured:  # also when this cache was copied from elsewhere: the paths are others now
            self._write_configuration()
        environment = dict(os.environ, APT_CONFIG=str(self._config), LC_ALL="C.UTF-8", PATH=search_path(),
                           DEBIAN_FRONTEND="noninteractive")
        return subprocess.run(command, capture_output=True, text=True, errors="replace", env=environment, cwd=cwd,
                              stdin=subprocess.DEVNULL, check=False)


class SourceArchive(Archive):
    """The source packages of the same suite on the same mirrors; hosts rarely have them among their own lists."""

    def __init__(self, suite, mirrors=(), architecture="amd64", say=lambda text: None):
        lines = tuple(mirrors) or sources_of_host(suite)
        super().__init__(suite, [re.sub(r"^deb\b", "deb-src", line) for line in lines], architecture, say)

    def fetch(self, package, folder):
        """Fetches a source package's files into a new folder and returns its version.

        The newest version that can be fetched: some mirrors have an update's programs and not its sources.
        """
        done = self._run(["apt-cache", "showsrc", "--only-source", package])
        versions = _sorted_versions(set(re.findall(r"^Version: (\S+)$", done.stdout, re.MULTILINE)))
        if not versions:
            raise ImageError(f"Debian {self.suite} has no source package {package}")
        for version in versions:
            cache.remove(folder)
            folder.mkdir()
            done = self._run(["apt-get", "source", "--download-only", "--only-source", f"{package}={version}"], cwd=folder)
            if done.returncode == 0 and any(folder.glob("*.dsc")):
                return version
            self.say(f"the sources of {package} {version} are not where the lists have them")
        raise DownloadError(f"cannot download the sources of {package}\n" + _indent(_complaints(done)))


def _sorted_versions(versions):
    """The newest first."""
    def compare(a, b):
        return -1 if subprocess.run(["dpkg", "--compare-versions", a, "gt", b], check=False).returncode == 0 else 1

    return sorted(versions, key=functools.cmp_to_key(compare))


def proxies_of_host():
    """The host's proxy settings as lines of apt configuration."""
    done = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, errors="replace", check=False)
    return [line for line in done.stdout.splitlines() if re.match(r"Acquire::https?::.*[Pp]roxy", line)]


def sources_of_host(suite, etc=pathlib.Path("/etc/apt")):
    """One-line sources for the suite from the host's configuration, or deb.debian.org when it has none.

    Only Debian's own archives are taken: the suite or its -updates and -security, component main, at a path that
    Debian's mirrors use, signed by Debian's keys. Everything else on the host is none of a guest's business.
    """
    entries = []
    for path in [etc / "sources.list", *sorted((etc / "sources.list.d").glob("*"))]:
        try:
            text = path.read_text(errors="replace")
        except OSError:
            continue
        entries += _deb822_entries(text) if path.suffix == ".sources" else _one_line_entries(text)
    wanted = {suite, f"{suite}-updates", f"{suite}-security", f"{suite}/updates"}
    lines = [_source_line(uri, name, components) for uri, name, components, signed in entries
             if name in wanted and _is_debian(uri, components, signed)]
    if not any(shlex.split(line)[-2:] and f" {suite} " in line for line in lines):
        lines = [_source_line(uri, name.format(suite=suite), part.split()) for uri, name, part in _FALLBACK]
    return tuple(dict.fromkeys(lines))


def _source_line(uri, suite, components):
    signed = f"[signed-by={_KEYRING}] " if os.path.exists(_KEYRING) else ""
    return f"deb {signed}{uri} {suite} {' '.join(components)}"


def _is_debian(uri, components, signed):
    if not re.fullmatch(r"https?://[^ ]*/(debian|debian-security)/?", uri):
        return False
    return "main" in components and (not signed or "debian-archive" in signed)


def _one_line_entries(text):
    for line in text.splitlines():
        found = re.match(r"\s*deb\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s+([^#]+)", line)
        if found:
            signed = re.search(r"signed-by=(\S+)", found[1] or "")
            yield found[2], found[3], found[4].split(), signed[1] if signed else ""


def _deb822_entries(text):
    text = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE)
    for stanza in re.split(r"\n\s*\n", text):
        fields = {name.lower(): value for name, value in
                  re.findall(r"^([A-Za-z-]+):((?:.*)(?:\n[ \t].*)*)", stanza, re.MULTILINE)}
        if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes").strip().lower() == "no":
            continue
        for uri in fields.get("uris", "").split():
            for suite in fields.get("suites", "").split():
                yield uri, suite, fields.get("components", "").split(), fields.get("signed-by", "").strip()


def _younger_than(path, seconds):
    try:
        return time.time() - path.stat().st_mtime < seconds
    except OSError:
        return False


def _complaints(done):
    lines = [line for line in done.stderr.splitlines() if line.startswith(("E:", "W:", "Err:"))]
    unmet = [line for line in done.stdout.splitlines() if "Depends:" in line or "Conflicts:" in line]
    return (unmet + lines)[:12] or [f"{done.args[0]} ended with status {done.returncode}"]


def _cure(done):
    if "NO_PUBKEY" in done.stderr:
        return "sudo apt-get install --no-install-recommends debian-archive-keyring"
    return "a network that reaches these hosts, http_proxy=<a proxy>, or --mirror (MIRRORS in add_vm_image)"


def _indent(lines):
    return "\n".join(f"    {line}" for line in lines)
