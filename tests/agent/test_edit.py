"""The tool `edit` on real files, in a folder and in a container."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from swerun.agent.edit import KEPT_BYTES, LARGEST, Editor
from swerun.agent.loop import BashAgent
from swerun.agent.prompts import load_prompts
from swerun.errors import SandboxError, SandboxLostError
from swerun.records import Call, Limits, Reply, Role, Stop
from swerun.sandbox.local import LocalSandboxes
from tests.agent.test_loop import TASK
from tests.fakes import EchoSandbox, ScriptedModel, a_reply, drained


@pytest.fixture
def sandbox(tmp_path):
    template = tmp_path / "template"
    (template / "src" / "deep" / "deeper").mkdir(parents=True)
    (template / ".hidden").mkdir()
    (template / "src" / "a.py").write_text("def one():\n    return 1\n")
    (template / "src" / "deep" / "deeper" / "far").write_text("")
    (template / ".hidden" / "b").write_text("")
    (template / "link.py").symlink_to("src/a.py")
    (template / "binary").write_bytes(b"\x7fELF\0\0")
    (template / "empty").write_bytes(b"")
    with LocalSandboxes(template).start(TASK, role=Role.AGENT, attempt=1) as made:
        yield made


@pytest.fixture
def editor(sandbox):
    return Editor(sandbox, str(sandbox.folder), keep=10_000)


@pytest.fixture
def edit(editor):
    """edit("view", "a.py", ...) -> the answer."""
    return lambda command, path, **more: editor.run(
        {"command": command, "path": path} | more, timeout=20
    )


def replace_one(edit, path="src/a.py"):
    return edit("str_replace", path, old_str="return 1", new_str="return 2")


def test_a_file_is_viewed_with_line_numbers(edit, sandbox):
    seen = edit("view", "src/a.py")
    assert seen.endswith("src/a.py, lines 1 to 2 of 2]\n     1\tdef one():\n     2\t    return 1")
    assert edit("view", str(sandbox.folder / "src/a.py")) == seen
    assert edit("view", "src/a.py", view_range=[2, -1]).endswith("]\n     2\t    return 1")


def test_a_folder_is_viewed_two_levels_deep_without_what_is_hidden(edit):
    seen = edit("view", ".")
    for there in ("/src/\n", "/src/a.py\n", "/src/deep/"):
        assert there in seen
    for missing in (".hidden", "deeper", "far"):
        assert missing not in seen


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("binary", "it is a binary file of 6 bytes"),
        ("nothing.py", "there is no "),
        ("/dev/null", "/dev/null is no file"),
    ],
)
@pytest.mark.parametrize("command", ["view", "str_replace"])
def test_what_is_no_text_is_refused(edit, command, path, said):
    assert said in edit(command, path, old_str="a", new_str="b")


def test_an_empty_file_is_said_to_be_empty(edit):
    assert edit("view", "empty").endswith("is empty]")


def test_a_change_is_made_and_shown(edit, sandbox):
    seen = replace_one(edit)
    assert seen.startswith("[done: ")
    assert seen.endswith("     2\t    return 2")
    assert sandbox.read_file("src/a.py") == b"def one():\n    return 2\n"


def test_a_link_is_followed_and_stays_one(edit, sandbox):
    replace_one(edit, "link.py")
    assert (sandbox.folder / "link.py").is_symlink()
    assert b"return 2" in sandbox.read_file("src/a.py")


def test_a_new_file_is_made_with_its_folders_and_one_that_is_there_is_not_overwritten(
    edit, sandbox
):
    assert "is new, with 2 lines" in edit("create", "new/b.py", file_text="a\nb")
    assert sandbox.read_file("new/b.py") == b"a\nb"
    assert "is there already" in edit("create", "new/b.py", file_text="c")
    assert "is there already" in edit("create", "src", file_text="c")
    assert sandbox.read_file("new/b.py") == b"a\nb"


def test_lines_are_inserted(edit, sandbox):
    edit("insert", "src/a.py", insert_line=0, new_str="import os\n")
    assert sandbox.read_file("src/a.py") == b"import os\ndef one():\n    return 1\n"


def test_changes_are_undone_one_after_the_other_and_a_new_file_goes_away(edit, sandbox):
    replace_one(edit)
    edit("str_replace", "src/a.py", old_str="one", new_str="two")
    edit("create", "new.py", file_text="a")
    assert "undone" in edit("undo_edit", "src/a.py")
    assert sandbox.read_file("src/a.py") == b"def one():\n    return 2\n"
    edit("undo_edit", "link.py")
    assert sandbox.read_file("src/a.py") == b"def one():\n    return 1\n"
    assert "no change of" in edit("undo_edit", "src/a.py")
    assert "is gone again" in edit("undo_edit", "new.py")
    assert not (sandbox.folder / "new.py").exists()


@pytest.mark.parametrize("meanwhile", ["echo '# by hand' >> src/a.py", "rm src/a.py"])
def test_what_was_changed_by_something_else_since_is_not_undone(edit, sandbox, meanwhile):
    replace_one(edit)
    sandbox.exec(meanwhile, timeout=20)
    assert "changed by something else" in edit("undo_edit", "src/a.py")


def test_the_way_back_is_bounded(edit, editor, sandbox):
    large = "a" * (LARGEST // 2)
    for number in range(40):
        edit("create", f"f{number}", file_text=large)
    assert sum(len(past.after) for past in editor._past) <= KEPT_BYTES
    assert "is gone again" in edit("undo_edit", "f39")
    assert "no change of" in edit("undo_edit", "f0")


def test_a_file_that_is_too_large_is_shown_in_parts_and_changed_by_commands(edit, sandbox):
    (sandbox.folder / "big").write_text("".join(f"line {n}\n" for n in range(300_000)))
    seen = edit("view", "big", view_range=[200_000, 200_500])
    assert "its lines from 200000]\n200000\tline 199999\n" in seen
    assert len(seen) < 11_000
    assert edit("view", "big").count("\n") <= 402
    assert "change it by a command" in edit("str_replace", "big", old_str="a", new_str="b")


def test_a_long_view_is_cut_at_a_line_and_says_how_to_see_the_rest(edit, sandbox):
    (sandbox.folder / "long").write_text("".join(f"line {n}\n" for n in range(5000)))
    seen = edit("view", "long")
    assert len(seen) < 10_300
    assert "to 5000 are not shown: view them with view_range" in seen


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ({"command": "rename", "path": "a"}, "there is no command 'rename'"),
        ({"command": "create", "path": "a"}, "create needs file_text"),
        ({"command": "str_replace", "path": "a", "old_str": None}, "str_replace needs old_str"),
        ({"command": "insert", "path": "a", "new_str": ""}, "insert needs insert_line"),
    ],
)
def test_a_call_that_lacks_something_is_told_what(editor, call, said):
    assert said in editor.run(call, timeout=20)


def test_names_of_any_kind_are_no_commands(edit, sandbox):
    name = "a b'c\"$(touch hacked);\n-rf"
    assert "is new" in edit("create", name, file_text="a")
    assert "lines 1 to 1 of 1" in edit("view", name)
    assert not (sandbox.folder / "hacked").exists()


@dataclass
class Broken(EchoSandbox):
    """Every file is there, and none can be written."""

    error: SandboxError | None = None

    def exec(self, command, *, timeout):
        result = super().exec(command, timeout=timeout)
        return type(result)(0, "/testbed/a\nnothing\n")

    def write_file(self, path, data):
        raise self.error


CREATE = Call(id="c", tool="edit", arguments={"command": "create", "path": "a", "file_text": ""})


def solve(sandbox, *replies):
    agent = BashAgent(load_prompts("tools", tools="bash,edit"), Limits())
    return drained(agent.solve(TASK, sandbox, ScriptedModel(replies), None))


def test_a_file_that_cannot_be_written_is_an_answer():
    sandbox = Broken(error=SandboxError("no space left on device"))
    stop, steps = solve(sandbox, Reply(text="", calls=(CREATE,)), a_reply("submit"))
    assert stop is Stop.SUBMITTED
    assert "no space left" in steps[0].observations[0].text


def test_a_sandbox_that_dies_under_a_change_is_a_stop():
    stop, _ = solve(Broken(error=SandboxLostError("gone")), Reply(text="", calls=(CREATE,)))
    assert stop is Stop.SANDBOX_LOST


def test_changes_of_the_loop_are_in_one_way_back(sandbox):
    path = str(sandbox.folder / "src/a.py")
    change = {"command": "str_replace", "path": path, "old_str": "1", "new_str": "2"}
    calls = [
        Call(id="a", tool="edit", arguments=change),
        Call(id="b", tool="edit", arguments={"command": "undo_edit", "path": path}),
    ]
    _, steps = solve(sandbox, *(Reply(text="", calls=(call,)) for call in calls), a_reply("submit"))
    assert "[done: the last change" in steps[1].observations[0].text
    assert sandbox.read_file("src/a.py") == b"def one():\n    return 1\n"
