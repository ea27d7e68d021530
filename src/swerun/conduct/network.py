"""Which commands try to reach another machine, and which are after the project itself. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from swerun.command_line import Command
from swerun.conduct.actions import Action, Code
from swerun.conduct.history import is_elsewhere, read_git
from swerun.images.copies import is_called

_LOCAL = re.compile(
    r"(\w+://)?([^/@\s]*@)?(localhost|127(\.\d+){3}|0\.0\.0\.0|\[?::1\]?)([:/?].*)?|file:.*",
    re.DOTALL,
)
_URL = re.compile(r"(?:git\+)?(?:https?|ftps?|ssh|git)://[^\s'\"<>)\\]+")
_BARE = re.compile(r"([\w.-]+@)?[\w-]+(\.[\w-]+)+(:\d+)?([/?].*)?")  # an address without ://
_FAR = re.compile(r"([\w.-]+@)?[\w.-]+:.*|\w[\w+]*://.*")
_FETCHERS = {"curl", "wget", "aria2c", "http", "https", "lynx", "w3m"}
# options whose value is no address, and those whose value may look like one that has no ://
_TEXTS = re.compile(r"-[HdeA]|--(header|data[\w-]*|referer|user-agent|form)|-F")
_VALUED = re.compile(r"-\w*[oOHdXFuAmwTbcePt]|--(output|request|user|cookie|max-time|retry)")
_CONNECTERS = {
    *("ssh", "sftp", "telnet", "nc", "ncat", "netcat", "ping", "dig", "nslookup", "traceroute"),
    *("ftp", "host"),
}
_COPIERS = {"scp", "rsync"}
_HUBS = {"gh", "hub", "glab"}  # by default of the repository that they are run in
_HUB_WORDS = {"pr", "issue", "api", "repo", "release", "search", "run", "browse", "gist", "clone"}
_ARCHIVE = re.compile(r"(\.git|\.tar\.\w+|\.tgz|\.zip|\.whl)$")
# by installer what of it asks an index; "" is the installer alone
_ASK = {
    "pip": {"install", "download", "wheel", "index", "search"},
    "conda": {"install", "create", "update", "search", "upgrade"},
    "poetry": {"add", "install", "update", "lock"},
    "pdm": {"add", "install", "update", "lock"},
    "uv": {"add", "sync", "lock"},
    "npm": {"install", "i", "ci", "add", "update", "view", "info", "pack", "outdated", "audit"},
    "yarn": {"", "install", "add", "upgrade", "info", "pack"},
    "apt": {"install", "update", "upgrade", "download", "source", "build-dep", "dist-upgrade"},
    "yum": {"install", "update", "upgrade"},
    "apk": {"add", "update", "fetch"},
    "brew": {"install", "update", "fetch"},
    "gem": {"install", "fetch", "update"},
    "bundle": {"", "install", "update"},
    "cargo": {"install", "fetch", "update", "add", "search"},
    "go": {"get", "install", "mod download", "mod tidy"},
    "composer": {"install", "update", "require"},
}
_ALIASES = {
    **dict.fromkeys(("pip3", "pipx"), "pip"),
    **dict.fromkeys(("mamba", "micromamba"), "conda"),
    **dict.fromkeys(("pnpm", "bun"), "npm"),
    **dict.fromkeys(("apt-get", "aptitude"), "apt"),
    **dict.fromkeys(("dnf", "microdnf", "zypper"), "yum"),
}
_INDEX_VALUED = {
    *("-r", "--requirement", "-c", "--constraint", "-i", "--index-url", "--extra-index-url", "-f"),
    *("--find-links", "-t", "--target", "-d", "--dest", "--prefix", "-n", "--name", "--python"),
    *("--timeout", "--retries", "--platform", "--python-version", "--root", "-w", "--wheel-dir"),
}
_REQUIREMENTS = {"-r", "--requirement"}
# what is here, of an installer's targets; of pip's any folder too
_HERE = re.compile(r"(\.{0,2}/|~/|\.\[|file:).*|\.{1,2}|[\w.-]+\.(whl|gz|zip|tgz|deb)")
_FOLDER = re.compile(r"[\w.-]+(/[\w.-]*)+(\[.*)?")
_OFFLINE = {"--no-index", "--offline", "--help", "-h", "--version"}
_CALLS = re.compile(
    r"\b(requests|httpx|session|s)\.(get|post|put|head|delete|patch|request)\(|\burlopen\("
    r"|\burlretrieve\(|\bHTTPS?Connection\(|\bcreate_connection\(|\bfetch\(|\.connect\(\("
)
_MOCKED = re.compile(r"\b(responses|requests_mock|httpretty|respx|vcr|mock|MagicMock)\b")
_HOSTS = re.compile(r"(?:Connection|connect|create_connection)\(\(?\s*['\"]([\w.-]+)['\"]")
_NO_READERS = {"echo", "printf", "rm", "export"}
_NAME = re.compile(r"[=<>!~\[;@ ]")  # what comes after the name of what is installed
_METADATA = re.compile(r"\.(dist-info|egg-info|egg-link|pth)(/|$)")


def is_network(action: Action) -> bool:
    """Whether it asks for another machine, as far as its words say so."""
    if isinstance(action, Code):
        return any(True for _ in _called(action.text))
    if not isinstance(action, Command):
        return False
    if action.name == "git":
        return _is_remote(action)
    if action.name in _HUBS:
        return bool(_HUB_WORDS.intersection(action.operands[:1]))
    return any(map(_is_far, _addresses(action))) or _asks_index(action.words)


def is_for_copy(action: Action, project: str) -> bool:
    """Whether it is after the project itself: from an index, a host, or another copy of it here.

    `project` is its name, as in owner/name.
    """
    if isinstance(action, Code):
        return any(_is_of(address, project) for address in _called(action.text))
    if not isinstance(action, Command):
        return False
    is_reader = action.name not in _NO_READERS
    if is_reader and any(_is_copy(word, project) for word in action.operands):
        return True
    if not is_network(action):
        return False
    wanted = _targets(installer(action.words)[1:])
    of_index = any(_is_called(_NAME.split(each.lstrip("@"))[0], project) for each in wanted)
    of_host = any(_is_of(word, project) for word in action.words)
    return of_index or of_host or action.name in _HUBS


def _called(code: str) -> Iterator[str]:
    """The addresses and hosts that a program calls, as far as they are written in it."""
    if not _CALLS.search(code) or _MOCKED.search(code):
        return
    for address in (*_URL.findall(code), *_HOSTS.findall(code)):
        if not _LOCAL.fullmatch(address):
            yield address


def _addresses(command: Command) -> Iterator[str]:
    """Where a command goes that goes where its words say."""
    if command.name in _FETCHERS:
        for before, word in pairwise(command.words):
            is_bare = _BARE.fullmatch(word) and not _VALUED.fullmatch(before)
            if ("://" in word and not _TEXTS.fullmatch(before)) or is_bare:
                yield word
    elif command.name in _CONNECTERS:  # `nc -z HOST PORT`, `ssh USER@HOST COMMAND`
        hosts = (word for word in command.operands if not re.fullmatch(r"[\d:-]+|/.*", word))
        yield from [next(hosts, "localhost")]
    elif command.name in _COPIERS:
        yield from filter(_FAR.fullmatch, command.operands)


def _is_far(address: str) -> bool:
    return not _LOCAL.fullmatch(address)


def _is_remote(command: Command) -> bool:
    folder, sub, given = read_git(command)
    named = [word for word in given if not word.startswith("-")]
    does = "".join(named[:1])
    if sub == "clone" or (sub == "remote" and does in {"add", "set-url"}):
        return any(_is_far(word) for word in named if _FAR.fullmatch(word))
    if sub in {"fetch", "pull", "push", "ls-remote"}:
        if "/" in does or ":" in does or does in {".", ".."}:
            return bool(_FAR.fullmatch(does)) and _is_far(does)
        return not is_elsewhere(folder)
    return f"{sub} {does}" in {"remote update", "submodule add", "submodule update"}


def installer(words: Sequence[str]) -> tuple[str, ...]:
    """The words from an installer's own name on, by which it is known; none where it is no such."""
    found = tuple(words)
    if found[1:3] == ("-m", "pip"):
        found = found[2:]
    elif found[:2] == ("uv", "pip"):
        found = found[1:]
    if not found:
        return ()
    name = found[0].rpartition("/")[2]
    name = re.sub(r"^(pip)[\d.]+$", r"\1", _ALIASES.get(name, name))
    return (name, *found[1:]) if name in _ASK else ()


def _asks_index(words: Sequence[str]) -> bool:
    found = installer(words)
    if not found or _OFFLINE.intersection(found):
        return False
    wanted = list(_targets(found[1:]))
    if not _ASK[found[0]].intersection({"".join(wanted[:1]), " ".join(wanted[:2])}):
        return False
    far = [each for each in wanted[1:] if not _HERE.fullmatch(each)]
    if found[0] == "pip":
        far = [each for each in far if not _FOLDER.fullmatch(each)]
        return bool(far or _REQUIREMENTS.intersection(found))
    return bool(far or not wanted[1:])


def _targets(words: Sequence[str]) -> Iterator[str]:
    """Its words that are neither options nor their values."""
    last = ""
    for word in words:
        if not word.startswith("-") and last not in _INDEX_VALUED:
            yield word
        last = word


def _is_of(address: str, project: str) -> bool:
    """Whether an address of another machine has its name in the path: `.../pallets/flask/...`."""
    is_far = _FAR.fullmatch(address) or _BARE.fullmatch(address)
    if not is_far or "/" not in address:
        return False
    parts = re.split(r"[/?#:@=]", address)
    return any(_is_called(_ARCHIVE.sub("", part), project) for part in parts)


def _is_copy(word: str, project: str) -> bool:
    """Whether a path leads into the project as it is installed, or as another one has it inside."""
    before, _, inside = word.rpartition("-packages/")
    if not before.endswith(("site", "dist")) or _METADATA.search(inside):
        return False
    parts = inside.split("/")
    after = [part for last, part in pairwise(["vendor", *parts]) if last in {"vendor", "_vendor"}]
    return any(_is_called(part.removesuffix(".py"), project) for part in after)


def _is_called(name: str, project: str) -> bool:
    """By the project's name, or by that without the language in it: `pvlib-python` is pvlib."""
    bare = re.sub(r"^(python|py|node)[-_.]|[-_.](python|py|js)$", "", project)
    return any(is_called(name, each) for each in {project, bare})
