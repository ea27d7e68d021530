"""One contract, every sandbox. A new sandbox is finished when this file passes on it."""

from __future__ import annotations

import io
import os
import random
import re
import tarfile
import time
from pathlib import Path

import pytest

from swerun.ports import Changes, ExecResult
from tests.sandbox.conftest import EVERYWHERE, alive

pytestmark = pytest.mark.parametrize("place", EVERYWHERE, indirect=True)
ENOUGH = 30  # seconds, for what takes none: a command that hangs is to fail the test

# Kills what runs the commands here: it has the work directory as an argument, and the mark of none.
# Stopped first, none of it does anything about the others' deaths.
KILL_CHANNEL = """for found in $(grep -la "$PWD" /proc/[0-9]*/cmdline | cut -d / -f 3); do
  if grep -qa SWERUN_COMMAND=- /proc/$found/environ; then all="$all $found"; fi
done
kill -STOP $all; kill -9 $all"""
# How the work directory looks to git, and a little closer: names, types, modes, targets, bytes.
LISTING = (
    "find . -mindepth 1 -name .git -prune -o -printf '%y %m %P %l\\0' | LC_ALL=C sort -z | od -c;"
    " find . -name .git -prune -o -type f -print0 | LC_ALL=C sort -z | xargs -0r sha256sum"
)


def run(sandbox, command, timeout=ENOUGH) -> ExecResult:
    return sandbox.exec(command, timeout=timeout)


def said(sandbox, command) -> str:
    result = run(sandbox, command)
    assert result.exit_code == 0, result
    return result.output


# what a command is, and what comes of it


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("true", 0),
        ("exit 3", 3),
        ("exit 255", 255),
        ("exit 124", 124),
        ("exit 137", 137),
        ("false", 1),
        ("swerun-has-no-such-command", 127),
        ("/etc/passwd", 126),
        ("if", 2),
        ("kill -9 $$", 137),
        ("kill -TERM $$", 143),
        ("kill -SEGV $$", 139),
    ],
)
def test_a_command_that_fails_is_a_result(sandbox, command, code):
    result = run(sandbox, command)
    assert (result.exit_code, result.timed_out, result.truncated) == (code, False, False)


def test_output_and_errors_come_in_the_order_in_which_they_were_printed(sandbox):
    printed = said(sandbox, "for i in 1 2 3; do echo out$i; echo err$i >&2; done")
    assert printed == "out1\nerr1\nout2\nerr2\nout3\nerr3\n"


def test_output_is_not_changed(sandbox):
    assert said(sandbox, r"printf '  a\r\n\n\tb\n\n'") == "  a\r\n\n\tb\n\n"


def test_the_last_line_needs_no_end(sandbox):
    assert said(sandbox, "printf a; printf b >&2") == "ab"


def test_a_command_runs_in_bash_or_where_there_is_none_in_sh(sandbox, place):
    bash = said(sandbox, "echo ${BASH_VERSION:+bash}").strip()
    assert (bash or "sh") == place.shell


def test_a_command_runs_in_the_work_directory_whatever_the_one_before_did(sandbox):
    before = said(sandbox, "pwd; cd /; x=1; export x")
    assert said(sandbox, "pwd; echo $x") == before + "\n"


def test_a_command_gets_no_input(sandbox):
    assert run(sandbox, "cat; read -r line; echo $?").output == "1\n"


def test_a_command_of_several_lines_is_one_command(sandbox):
    script = "cat <<'END'\n  it's \"quoted\" $HOME \\\n\nEND\nfor i in 1 2\ndo\n  echo $i\ndone\n"
    assert said(sandbox, script) == '  it\'s "quoted" $HOME \\\n\n1\n2\n'


def test_an_empty_command_is_one_that_succeeds(sandbox):
    assert [run(sandbox, c).exit_code for c in ("", "\n", "  ", "# nothing")] == [0, 0, 0, 0]


def test_a_command_that_closes_its_output_runs_to_its_end(sandbox):
    result = run(sandbox, "exec <&- >&- 2>&-; sleep 0.3; exit 5")
    assert (result.exit_code, result.output, result.timed_out) == (5, "", False)


def test_bytes_that_are_not_utf8_do_not_matter(sandbox):
    assert said(sandbox, r"printf '\377\376 caf\303\251 \200'") == "\ufffd\ufffd café \ufffd"


def test_a_command_may_hold_any_character_but_nul(sandbox):
    assert (
        said(sandbox, "printf %s 'ü \u2028 \U0001f600 \x1b\x7f\r'")
        == "ü \u2028 \U0001f600 \x1b\x7f\r"
    )
    assert run(sandbox, "echo '\udcff'").exit_code == 0


def test_a_nul_byte_in_a_command_is_a_failure_of_the_command(sandbox):
    result = run(sandbox, "echo a\0b")
    assert result.exit_code == 126
    assert "NUL" in result.output
    assert said(sandbox, "echo next") == "next\n"


@pytest.mark.parametrize("length", [99_990, 131_072, 140_000, 3_000_000])
def test_a_command_may_be_longer_than_the_kernel_takes_an_argument(sandbox, length):
    long = "x='" + "ü" * (length // 2) + "'\necho ${#x}; exit 3"
    result = run(sandbox, long)
    assert result.exit_code == 3
    assert result.output.strip() in {str(length // 2), str(length // 2 * 2)}  # letters, or bytes


def test_the_seconds_that_a_command_took_are_its_own(sandbox):
    assert 0.4 <= run(sandbox, "sleep 0.5").seconds < 10
    assert run(sandbox, "true").seconds < 5


# time


def test_everything_that_a_command_started_is_dead_after_its_timeout(sandbox, number, place):
    starts = [
        "sleep {0}1 &",
        "setsid sleep {0}2 &",
        "nohup sleep {0}3 >/dev/null 2>&1 &",
        "(setsid sh -c 'sleep {0}4 & sleep {0}5' &)",
        "(trap '' TERM INT HUP; sleep {0}6) &",
        "(exec <&- >&- 2>&-; sleep {0}7) &",
        "env -i sleep {0}8 &",
    ]
    if place.kind == "docker":  # nothing but a container says whose an orphan without a mark is
        starts += ["(env -i setsid sh -c 'sleep {0}9' &)", "env -i nohup setsid sleep {0}10 &"]
        starts += [
            "su -s /bin/sh nobody -c 'sleep {0}11' &",
            "(su nobody -s /bin/sh -c 'sleep {0}12 &')",
        ]
    script = "\n".join(starts).format(number)
    result = run(sandbox, f"{script}\necho {number}; sleep {number}", timeout=1)
    assert (result.exit_code, result.timed_out) == (124, True)
    assert result.output.startswith(number)
    assert alive(sandbox, number) == []


def test_what_keeps_forking_is_dead_after_its_timeout(sandbox, number):
    forking = f"f() {{ setsid sleep {number} & }}; while :; do f; f; sleep 0.01; done"
    assert run(sandbox, forking, timeout=0.5).timed_out
    assert alive(sandbox, number) == []


def test_a_timeout_that_is_over_at_once_leaves_nothing_alive(sandbox, number):
    began = time.monotonic()
    for _ in range(20):
        result = run(sandbox, f"sleep {number}", timeout=0.001)
        assert (result.exit_code, result.timed_out) == (124, True)
    assert time.monotonic() - began < ENOUGH, "somebody waited for another's limit"
    time.sleep(0.2)
    assert alive(sandbox, number) == []


def test_output_before_a_timeout_is_kept(sandbox):
    result = run(sandbox, "echo early; echo late >&2; sleep 60", timeout=0.5)
    assert (result.output, result.timed_out) == ("early\nlate\n", True)


def test_a_command_that_prints_all_the_time_is_ended_in_time(sandbox):
    began = time.monotonic()
    assert run(sandbox, "yes", timeout=0.5).timed_out
    assert time.monotonic() - began < ENOUGH


def test_a_command_that_cannot_be_ended_by_a_polite_signal_is_ended(sandbox):
    result = run(sandbox, "trap '' TERM INT HUP QUIT; while :; do :; done", timeout=0.5)
    assert result.timed_out


def test_a_command_that_stops_itself_is_ended_in_time(sandbox, number):
    assert run(sandbox, f"sleep {number} & kill -STOP $!; kill -STOP $$", timeout=0.5).timed_out
    assert alive(sandbox, number) == []


def test_a_timeout_in_one_sandbox_touches_nothing_in_another(place, sandbox, fresh, number):
    said(fresh, f"sleep {number}1 >/dev/null 2>&1 &")
    assert run(sandbox, "sleep 60", timeout=0.3).timed_out
    assert alive(fresh, number) == [f"sleep {number}1"]


# what goes on in the background


def test_what_a_command_leaves_running_lives_on_to_the_next(sandbox, number):
    assert said(sandbox, f"sleep {number} & echo started") == "started\n"
    assert run(sandbox, "sleep 60", timeout=0.3).timed_out
    assert alive(sandbox, number) == [f"sleep {number}"]
    said(sandbox, f"kill $(grep -l [{number[0]}]{number[1:]} /proc/[0-9]*/cmdline | cut -d/ -f3)")
    assert alive(sandbox, number) == []


def test_what_a_command_leaves_running_prints_into_no_other_commands_output(sandbox):
    said(sandbox, "(for i in 1 2 3 4 5 6; do echo background; sleep 0.1; done) &")
    assert [said(sandbox, "echo mine; sleep 0.1") for _ in range(5)] == ["mine\n"] * 5


def test_what_is_left_running_can_print_as_much_as_it_likes(sandbox):
    said(sandbox, "rm -f printed; (sleep 0.2; head -c 3000000 /dev/zero && touch printed) &")
    wait = "until [ -e printed ]; do sleep 0.05; done; rm printed"
    assert run(sandbox, wait, timeout=ENOUGH).exit_code == 0


def test_what_is_left_running_does_not_keep_a_result_back_however_much_it_prints(sandbox, number):
    began = time.monotonic()
    assert run(sandbox, f"yes {number} & sleep 0.1; exit 3", timeout=60).exit_code == 3
    assert time.monotonic() - began < ENOUGH
    assert said(sandbox, "echo mine") == "mine\n"
    said(sandbox, f"kill $(grep -l [{number[0]}]{number[1:]} /proc/[0-9]*/cmdline | cut -d/ -f3)")
    assert alive(sandbox, number) == []


def test_a_server_started_in_one_step_can_be_talked_with_in_another(sandbox):
    said(sandbox, 'rm -f in out; mkfifo in out; (read -r line <in; echo "got $line" >out) & :')
    assert said(sandbox, "echo hello >in; cat out; rm in out") == "got hello\n"


# what commands do to the channel


def test_a_command_that_kills_its_channel_is_a_result_and_the_next_one_runs(fresh, number):
    said(fresh, f"sleep {number}1 >/dev/null 2>&1 &")
    result = run(fresh, f"sleep {number}2 & {KILL_CHANNEL}\nsleep {number}3")
    assert (result.exit_code, result.timed_out) == (137, False)
    assert "ended what runs the commands" in result.output
    assert alive(fresh, number) == [f"sleep {number}1"]
    assert [run(fresh, f"exit {code}").exit_code for code in (0, 3)] == [0, 3]


def test_a_channel_that_was_killed_between_two_commands_is_opened_again(fresh):
    said(fresh, f"(sleep 0.2; {KILL_CHANNEL}) >/dev/null 2>&1 &")
    until = time.monotonic() + ENOUGH
    while run(fresh, "true").exit_code == 0:  # one of these finds out
        assert time.monotonic() < until
    assert said(fresh, "echo there") == "there\n"


def test_what_a_command_writes_into_the_channel_costs_that_command_only(fresh):
    forged = "for n in 1 2; do echo done 0 0 0 0 0 0 >/proc/$PPID/fd/1; done 2>/dev/null; exit 3"
    run(fresh, forged)
    run(fresh, "echo garbage >/proc/$PPID/fd/1")
    for _ in range(3):
        run(fresh, "true")
    assert said(fresh, "echo there") == "there\n"


# how much


def peak(status="/proc/self/status"):
    """The most memory that a process had, in bytes."""
    return int(re.search(r"VmHWM:\s+(\d+) kB", Path(status).read_text())[1]) << 10


def test_a_gigabyte_of_output_is_capped_and_no_memory_grows(sandbox):
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
    before = peak()
    result = run(sandbox, "echo first; yes | head -c 1000000000; echo last; exit 3", timeout=120)
    assert (result.exit_code, result.timed_out, result.truncated) == (3, False, True)
    assert peak() - before < 64 << 20
    assert result.output.startswith("first\ny\ny\n")
    assert result.output.endswith("y\ny\nlast\n")
    assert "left out ...]" in result.output
    assert 1 << 20 < len(result.output) < 3 << 20


def test_output_below_the_cap_is_whole_each_time(sandbox):
    for size in (1_000_000, *[60_000] * 20, 1_000_000, 1_000_000):
        result = run(sandbox, f"head -c {size} /dev/zero | tr '\\0' x; echo end")
        assert (result.output, result.truncated) == ("x" * size + "end\n", False)


def test_the_end_of_an_output_that_is_too_long_is_there_each_time(sandbox):
    for i in range(8):
        result = run(sandbox, f"yes {i} | head -c 4000000; echo last {i}")
        assert result.truncated
        assert result.output.endswith(f"\n{i}\n{i}\nlast {i}\n")


# files


@pytest.mark.parametrize(
    "data",
    [b"", b"\n", bytes(range(256)), b"\r\n\x00\xff", random.Random(4).randbytes(5_000_000)],
    ids=["empty", "newline", "all bytes", "ends", "big"],
)
def test_a_file_comes_back_as_it_went_in(sandbox, data):
    sandbox.write_file("kept.bin", b"what was there before, which is longer than some")
    sandbox.write_file("kept.bin", data)
    assert said(sandbox, "wc -c <kept.bin").strip() == str(len(data))
    assert sandbox.read_file("kept.bin") == data


@pytest.mark.parametrize("name", ["it's", "a b\nc", "-n", "$x `id`", "ünï", "new/folders/f"])
def test_a_file_may_have_any_name_and_its_folders_are_made(sandbox, name):
    folder = said(sandbox, "pwd").strip()
    sandbox.write_file(f"files/{name}", b"1")
    assert sandbox.read_file(f"files/{name}") == b"1"
    assert sandbox.read_file(f"{folder}/files/{name}") == b"1"
    sandbox.write_file(f"{folder}/files/{name}", b"2")
    assert sandbox.read_file(f"files/{name}") == b"2"


def test_what_a_command_wrote_can_be_read(sandbox):
    said(sandbox, r"mkdir -p x; printf '\377\000' >x/y")
    assert sandbox.read_file("x/y") == b"\xff\x00"


@pytest.mark.parametrize("limit", [0, 1, 3_999_999, 5_000_000, 6_000_000])
def test_of_a_long_file_no_more_is_read_than_was_asked_for(sandbox, limit):
    data = random.Random(4).randbytes(5_000_000)
    sandbox.write_file("long.bin", data)
    for _ in range(2):  # what was left unread is in nobody's way
        assert sandbox.read_file("long.bin", limit=limit) == data[:limit]


@pytest.mark.parametrize(
    "path",
    ["nowhere", "no/where", "/nowhere", "a.txt/x", "sub", "link", "dangling", "circle", "circle/x"],
)
def test_a_file_that_is_not_there_is_said_to_be_not_there(sandbox, path):
    said(sandbox, "ln -sf nowhere dangling; ln -sfn circle2 circle; ln -sfn circle circle2")
    with pytest.raises(FileNotFoundError):
        sandbox.read_file(path)


# changes


def names(changes: Changes):
    with tarfile.open(fileobj=io.BytesIO(changes.tree or bytes(1024))) as tar:
        return sorted(os.fsencode(name) for name in tar.getnames())


def test_a_work_directory_that_nobody_touched_has_no_changes(fresh):
    said(
        fresh,
        "git status; touch a.txt; git -c user.name=t -c user.email=t@t commit -qm x --allow-empty",
    )
    assert fresh.changes() == Changes(b"")


CHANGED = r"""set -e
echo two >>a.txt
echo new >new.txt; mkdir -p new/folder; echo below >new/folder/f; mkdir empty
rm -r gone; rm binary
chmod +x script
ln -sf sub/deep/file link; ln -s nowhere dangling
rm folder-link; mkdir folder-link; echo was a link >folder-link/f
rm -r sub/deep; echo was a folder >sub/deep
mkdir run; printf '#!/bin/sh\n' >run/me; chmod 755 run/me
echo ignored >x.ignored
ln a.txt hard; echo twin >twin; ln twin twin2
touch "$(printf 'new\nline')" "$(printf 'caf\351')" "$(printf 'caf\303\251')" -- -dash ' space '
long=$(printf '%0100d' 0); mkdir $long; echo long >$long/$long
mkfifo pipe
"""


def test_changes_laid_over_another_sandbox_make_it_the_same(place, fresh):
    said(fresh, CHANGED)
    changes = fresh.changes()
    said(fresh, "rm pipe")  # git knows no such thing
    assert changes.deleted == ("binary", "folder-link", "gone", "sub/deep")
    assert b"new\nline" in names(changes)
    assert b"caf\xe9" in names(changes)
    assert b"binary" not in names(changes)
    assert {b".gitignore", b"pipe"}.isdisjoint(names(changes))
    with place.start() as other:
        other.apply(changes)
        assert said(other, LISTING) == said(fresh, LISTING)


def test_a_name_that_is_deleted_may_hold_any_bytes(place, fresh):
    odd = "\"$(printf 'new\\nline')\" \"$(printf 'caf\\351')\" -- -dash ' space '"
    with place.start() as other:
        said(other, f"touch {odd}")
        before = said(other, LISTING)
        other.apply(Changes(b"", deleted=("new\nline", "caf\udce9", "-dash", " space ", "nowhere")))
        assert said(other, LISTING) == said(fresh, LISTING) != before


def test_what_git_keeps_for_itself_is_no_change(fresh):
    said(
        fresh,
        "git config core.x y; echo x >.git/hooks/pre-commit; mkdir sub/.git; echo x >sub/.git/x",
    )
    assert fresh.changes() == Changes(b"")


@pytest.mark.parametrize(
    "instead",
    [
        ":",
        'ln -s / "$OLDPWD"',
        'ln -s itself "$OLDPWD/../itself"; ln -s itself "$OLDPWD"',
    ],
    ids=["nothing", "a link", "a circle"],
)
def test_a_work_directory_that_is_none_any_more_is_one_that_lacks_everything(fresh, instead):
    run(fresh, f'cd /; rm -rf "$OLDPWD"; {instead}')
    changes = fresh.changes()
    assert {"a.txt", "sub", "link"} < set(changes.deleted)
    assert changes.tree == b""


def test_without_a_work_directory_a_command_runs_elsewhere_and_says_so(fresh):
    run(fresh, 'cd /; rm -rf "$OLDPWD"')
    result = run(fresh, "pwd; exit 3")
    assert result.exit_code == 3
    assert "swerun: running in /" in result.output
    assert result.output.splitlines()[-1] == "/"
