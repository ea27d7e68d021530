"""Command lines as the commands that a shell would run, by table."""

from __future__ import annotations

import pytest

from swerun.command_line import Command, commands


def words(text):
    return [" ".join(each.words) for each in commands(text)]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a | b && c; d || e & f\ng", ["a", "b", "c", "d", "e", "f", "g"]),
        ("a 'x; y' \"p && q\" r\\;s", ["a x; y p && q r;s"]),
        ("a \\\n  b # c; d\n# e", ["a b"]),
        ("A=1 B='2 3' a", ["a"]),
        ("sudo -u x env -u Y Z=1 timeout -s KILL 5m nice -n 3 a -b", ["a -b"]),
        ("conda run -n testbed python x.py", ["python x.py"]),
        ("if a; then b; else c; fi; while d; do e; done", ["a", "b", "c", "d", "e"]),
        ("for i in 1 2; do a $i; done", ["a $i"]),
        ("(cd x; a) && { b; }", ["cd x", "a", "b"]),
        ("[ -f x ] && ! a", ["a"]),
        ("bash -lc 'a && b'", ["bash -lc a && b", "a", "b"]),
        ('eval "a; b"', ["eval a; b", "a", "b"]),
        ("a $(b $(c)) `d`", ["a $() $()", "b $()", "c", "d"]),
        ("x=$(a)", ["a"]),
        ('a "$(b "c d")"', ["a $()", "b c d"]),
        ("a $((1 + (2)))b", ["a $()b"]),
        ("diff <(a) <(b)", ["diff $() $()", "a", "b"]),
        ("find . -exec a {} \\; -o -execdir b {} +", None),
        ("a | xargs -n 1 -I {} b {}", ["a", "b {}"]),
        ("cat <<'E' | a\nb; c\nE\nd", ["cat", "a", "d"]),
        ("cat <<-E\n\tb\n\tE\nd", ["cat", "d"]),
        ("a <<E <<F\nx\nE\ny\nF\nb", ["a", "b"]),
        ("bash <<E\na\nE", ["bash", "a"]),
        ("echo it's", ["echo its"]),
        ("", []),
    ],
)
def test_a_command_line_is_read_as_a_shell_reads_it(text, found):
    if found is None:
        assert words(text)[1:] == ["a {}", "b {}"]
    else:
        assert words(text) == found


def test_where_output_goes_and_what_is_read_is_no_word():
    assert commands("a b >c 2>/dev/null >> d 2>&1 <e") == [
        Command(("a", "b"), writes=("c", "/dev/null"), appends=("d",))
    ]
    (python,) = commands("python3 - <<'E'\nprint(1 > 2)\nE\n")
    assert (python.name, python.given) == ("python3", "print(1 > 2)\n")
    assert commands("a <<< 'b c'")[0].given == "b c"


def test_a_folder_is_known_from_the_cd_before():
    found = commands("cd /x && a; cd y; b; bash -c 'cd .. && c'; (cd z; (cd z); d); (e); f))")
    assert [(each.name, each.folder) for each in found if len(each.name) == 1] == [
        ("a", "/x"), ("b", "/x/y"), ("c", "/x"), ("d", "/x/y/z"), ("e", "/x/y"), ("f", "/x/y"),
    ]  # fmt: skip


def test_what_a_command_line_holds_in_itself_many_times_over_is_read_as_far_as_it_matters():
    assert len(commands("$(" * 20_000)) < 10
    assert len(commands("bash -c " * 50 + "'bash -c \"bash -c a\"'")) < 10


def test_a_command_is_said_with_where_its_output_goes():
    assert str(commands("a 'b c' > d >> e")[0]) == "a b c > d >> e"
