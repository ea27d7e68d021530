"""The rules of the house, run as tests. To change a rule, change it here, in the open."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

SRC = Path(__file__).parent.parent / "src" / "swerun"
# they run in containers, on whatever Python is there
INSIDE = {"channel_server.py", "standin.py", "watching.py"}
FILES = sorted(path for path in SRC.rglob("*.py") if path.name not in INSIDE)

# what each package or module may import of ours; a package's own modules are free to each other
MAY_IMPORT = {
    "": {"face", "version"},
    "version": set(),
    "__main__": {"cli"},
    "names": set(),
    "records": {"names"},
    "errors": {"records"},
    "yaml_files": {"errors"},
    "models_file": {"errors", "records", "yaml_files"},
    "config": {"errors", "models_file", "records", "yaml_files"},
    "command_line": set(),
    "packaged": set(),
    "locks": {"errors"},
    "ports": {"records"},
    "written": {"errors"},
    "peer": {"records"},
    "predictions": {"errors", "names", "peer", "records", "written"},
    "runs": {"errors", "names", "ports", "records"},
    "repos": {"errors", "locks", "records", "sandbox"},
    "instances": {"errors", "names", "packaged", "records"},
    "models": {"config", "errors", "models_file", "names", "ports", "records"},
    "sandbox": {"errors", "ports", "records"},
    "images": {"errors", "locks", "packaged", "ports", "records", "repos", "sandbox"},
    "grading": {"errors", "ports", "records", "sandbox"},
    "agent": {"errors", "ports", "records"},
    "replaying": {"agent", "errors", "models", "ports", "records"},
    "conduct": {"agent", "command_line", "grading", "images", "records"},
    "solve": {"agent", "conduct", "errors", "ports", "records", "replaying", "sandbox"},
    "attempt": {"conduct", "errors", "ports", "records", "solve"},
    "engine": {"attempt", "errors", "ports", "records", "runs"},
    "report": {"command_line", "errors", "records", "runs"},
    "exchange": {
        "errors",
        "peer",
        "ports",
        "predictions",
        "records",
        "report",
        "runs",
        "version",
        "written",
    },
    "prices": {"models_file", "records"},
    "scaffolding": {"agent", "config", "errors", "models", "models_file", "ports", "records"},
    "entrants": {
        "agent",
        "config",
        "errors",
        "models",
        "models_file",
        "ports",
        "predictions",
        "prices",
        "records",
        "scaffolding",
        "solve",
    },
    "importing": {
        "conduct",
        "config",
        "exchange",
        "ground",
        "instances",
        "lineup",
        "question",
        "records",
        "runs",
    },
    "regrade": {"grading", "records", "runs"},
    "validation": {"config", "errors", "instances", "records", "report", "runs"},
    "revision": {"config", "records", "runs"},
    "openings": {"agent", "errors", "instances", "ports", "records", "revision"},
    "circumstances": {"agent", "config", "models", "models_file", "records", "revision"},
    "again": {
        "circumstances",
        "config",
        "errors",
        "instances",
        "models",
        "records",
        "report",
        "runs",
    },
    "question": {
        "circumstances",
        "config",
        "entrants",
        "errors",
        "grading",
        "instances",
        "names",
        "records",
        "revision",
        "version",
    },
    "moments": {"errors", "ports", "records", "report", "runs", "scaffolding"},
    "standing": {
        "again",
        "config",
        "errors",
        "grading",
        "images",
        "moments",
        "ports",
        "records",
        "replaying",
        "sandbox",
        "workbench",
    },
    "fork": {
        "agent",
        "engine",
        "errors",
        "moments",
        "ports",
        "records",
        "runs",
        "scaffolding",
    },
    "replays": {
        "again",
        "config",
        "errors",
        "images",
        "moments",
        "ports",
        "records",
        "replaying",
        "report",
        "runs",
        "sandbox",
        "scaffolding",
        "standing",
        "workbench",
    },
    "doctor": {"errors", "images", "models", "ports", "records", "sandbox"},
    "workbench": {
        "attempt",
        "config",
        "engine",
        "entrants",
        "errors",
        "grading",
        "images",
        "records",
        "sandbox",
    },
    "lineup": {
        "config",
        "entrants",
        "errors",
        "grading",
        "instances",
        "models",
        "predictions",
        "question",
        "records",
        "revision",
        "runs",
        "workbench",
    },
    "driving": {
        "config",
        "engine",
        "entrants",
        "errors",
        "models",
        "question",
        "records",
        "report",
        "runs",
        "sandbox",
        "validation",
    },
    "ground": {
        "config",
        "entrants",
        "images",
        "instances",
        "models",
        "ports",
        "question",
        "records",
        "repos",
        "validation",
        "workbench",
    },
    "session": {
        "again",
        "config",
        "driving",
        "engine",
        "entrants",
        "ground",
        "images",
        "instances",
        "lineup",
        "ports",
        "predictions",
        "question",
        "records",
        "report",
        "repos",
        "runs",
        "sandbox",
        "validation",
        "workbench",
    },
    "rerun": {"engine", "errors", "instances", "ports", "records", "report", "runs"},
    "face": {
        "config",
        "grading",
        "instances",
        "records",
        "report",
        "runs",
        "session",
        "workbench",
    },
    "cli": {
        "again",
        "config",
        "doctor",
        "driving",
        "engine",
        "entrants",
        "errors",
        "exchange",
        "fork",
        "grading",
        "images",
        "importing",
        "instances",
        "models",
        "moments",
        "openings",
        "packaged",
        "predictions",
        "prices",
        "records",
        "regrade",
        "replaying",
        "replays",
        "report",
        "repos",
        "rerun",
        "revision",
        "runs",
        "sandbox",
        "session",
        "standing",
        "validation",
        "version",
    },
}
HEAVY = {
    "docker",
    "openai",
    "datasets",
    "huggingface_hub",
    "pyarrow",
    "git",
    "rich",
    "jinja2",
    "yaml",
    "numpy",
    "scipy",
    "statsmodels",
}
# who writes files, and where: runs/ below the runs folder, the others in their own corner
WRITERS = {
    "runs",
    "models.recording",
    "sandbox.local",
    "images.base",
    "images.build",  # a copy of a context, in a temporary folder
    "images.ledger",  # below the cache, as images.registry
    "images.registry",
    "images.pins",  # a file that the user names
    "repos",
    "locks",
    "grading.cache",
    "exchange.folders",  # a folder that the user names
}
UNPACKS = {"sandbox.local"}  # a stand-in for a container, which only tests make
LISTENS = {"models.recorded"}  # on the loopback, and to nobody who asks for another name
STARTS_PROCESSES = {"sandbox.process", "sandbox.channel_server"}
READS_ENVIRONMENT = {
    "cli.run",
    "cli.check",
    "cli.checkout",
    "cli.doctor",
    "cli.fork",
    "cli.grade",
    "cli.images",
    "cli.imports",
    "cli.instances",
    "cli.replay",
    "cli.report",
    "cli.rerun",
    "cli.shell",
    "cli.show",
    "cli.validate",
    "face",
}
# who asks what time it is: for the age of what others dated
WALL_CLOCK = {"models.refusals", "cli.doctor", "sandbox.containers"}
OTHERS_TIMES = {"exchange.values"}  # what a peer's attempt took is told by its own moments
# the places that turn any error into data: an attempt's, a worker thread's, a request's thread
BROAD_CATCHERS = {"attempt", "engine.local", "models.abandon"}


def name(path: Path) -> str:
    return ".".join(path.relative_to(SRC).with_suffix("").parts).removesuffix("__init__").strip(".")


def package(who: str) -> str:
    return who.split(".", maxsplit=1)[0]


@pytest.fixture(params=FILES, ids=name)
def module(request):
    return name(request.param), ast.parse(request.param.read_text())


def imported(tree: ast.AST) -> set[str]:
    found = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    return found | {n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}


def top_level(tree: ast.Module) -> set[str]:
    """What importing the module imports: not what functions do, nor what only type checkers see."""
    plain = [n for n in tree.body if isinstance(n, ast.Import | ast.ImportFrom)]
    return imported(ast.Module(body=plain, type_ignores=[]))


def writes(call: ast.Call) -> bool:
    """A call that changes a file: p.write_text(...), p.open("w"), open(...), shutil.rmtree(...)."""
    if isinstance(call.func, ast.Name):
        return call.func.id == "open"
    if not isinstance(call.func, ast.Attribute):
        return False
    mode = call.args[0].value if call.args and isinstance(call.args[0], ast.Constant) else None
    opens = call.func.attr == "open" and str(mode)[:1] in set("wax")
    return opens or call.func.attr in {"write_text", "write_bytes", "mkdir", "unlink", "rmtree"}


def test_imports_go_one_way(module):
    who, tree = module
    ours = {m.removeprefix("swerun").strip(".") for m in imported(tree) if m.startswith("swerun")}
    others = {package(m) for m in ours} - {package(who)}
    assert others <= MAY_IMPORT[package(who)]


def test_the_table_of_imports_has_no_circle():
    def depth(who: str, seen: tuple[str, ...]) -> None:
        assert who not in seen, f"{' -> '.join(seen)} -> {who}"
        for other in MAY_IMPORT[who]:
            depth(other, (*seen, who))

    for who in MAY_IMPORT:
        depth(who, ())


def test_the_agent_has_no_way_to_an_answer(module):
    who, tree = module
    names = {a.name for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) for a in n.names}
    assert package(who) != "agent" or not names & {"Answer", "Instance"}


def test_only_its_writers_write_files(module):
    who, tree = module
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call))
    assert {who, package(who)} & WRITERS or not any(writes(call) for call in calls)


def test_only_one_module_listens_for_connections(module):
    who, tree = module
    servers = {"http.server", "socketserver", "wsgiref.simple_server", "xmlrpc.server"}
    names = {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
    listens = names & {"bind", "listen", "create_server", "start_server", "start_unix_server"}
    assert who in LISTENS or not (imported(tree) & servers or listens)


def test_nothing_of_others_is_unpacked_or_applied_on_this_machine(module):
    """Archives are read member by member, patches are applied in containers."""
    who, tree = module
    calls = [n.func for n in ast.walk(tree) if isinstance(n, ast.Call)]
    called = {f.attr for f in calls if isinstance(f, ast.Attribute)}
    unpacks = called & {"extractall", "extract", "unpack_archive"}
    assert who in UNPACKS or not unpacks
    runs_git = any(m.split(".")[0] == "git" for m in imported(tree))
    assert not runs_git or package(who) == "repos"
    assert not runs_git or not called & {"apply", "am", "clone", "submodule", "submodule_update"}


def test_only_the_cli_reads_the_environment(module):
    who, tree = module
    reads = {n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)} & {"environ", "getenv"}
    assert who in READS_ENVIRONMENT or not reads


def test_only_one_module_starts_processes(module):
    who, tree = module
    assert who in STARTS_PROCESSES or not imported(tree) & {"subprocess", "multiprocessing"}


def test_only_three_places_catch_everything(module):
    who, tree = module
    handlers = [n for n in ast.walk(tree) if isinstance(n, ast.ExceptHandler)]
    broad = [
        h
        for h in handlers
        if h.type is None
        or (isinstance(h.type, ast.Name) and h.type.id in {"Exception", "BaseException"})
    ]
    assert who in BROAD_CATCHERS or not broad


def test_no_limit_and_no_duration_is_of_a_clock_that_can_be_set(module):
    who, tree = module
    asked = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert "time.time" not in asked or who in WALL_CLOCK
    assert who in OTHERS_TIMES or not any(name.endswith(".total_seconds") for name in asked)
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp | ast.Compare):
            assert "datetime.now" not in ast.unparse(node)


def test_what_is_heavy_is_imported_where_it_is_used(module):
    _, tree = module
    assert not {m.split(".")[0] for m in top_level(tree)} & HEAVY


def test_every_module_says_what_it_is_for(module):
    who, tree = module
    assert ast.get_docstring(tree), who


def test_importing_swerun_loads_nothing_heavy_and_warns_of_nothing():
    seen = subprocess.run(
        [sys.executable, "-W", "error", "-X", "importtime", "-c", "import swerun"],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = {line.rsplit("|", 1)[-1].strip() for line in seen.stderr.splitlines()}
    assert "swerun" in loaded
    assert not loaded & {"docker", "openai", "datasets", "git", "pydantic", "typer"}


def test_help_loads_nothing_heavy():
    seen = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "swerun", "--help"],
        capture_output=True,
        text=True,
        check=True,
    )
    loaded = {line.rsplit("|", 1)[-1].strip() for line in seen.stderr.splitlines()}
    assert "swerun.cli" in loaded
    assert not loaded & {*HEAVY, "pydantic"}
