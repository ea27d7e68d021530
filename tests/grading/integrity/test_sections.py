"""Patches read file by file, as `git apply` reads them; what it may read otherwise is not plain."""

from __future__ import annotations

import subprocess

import pytest

from swerun.grading.integrity.sections import as_patch, sections_of

PLAIN = b"""\
diff --git a/a.py b/a.py
index 1234567..89abcde 100644
--- a/a.py
+++ b/a.py
@@ -1,2 +1,2 @@
-x = 1
--- a/not/a/header.py
+x = 2
+++ b/not/a/header.py
\\ No newline at end of file
diff --git a/new.py b/new.py
new file mode 100644
--- /dev/null
+++ b/new.py
@@ -0,0 +1 @@
+y = 1
diff --git a/gone.py b/gone.py
deleted file mode 100644
--- a/gone.py
+++ /dev/null
@@ -1 +0,0 @@
-z
diff --git a/old name b/new name
similarity index 100%
rename from old name
rename to new name
diff --git "a/t\\303\\251 \\"q\\".py" "b/t\\303\\251 \\"q\\".py"
old mode 100644
new mode 100755
diff --git a/link b/link
new file mode 120000
--- /dev/null
+++ b/link
@@ -0,0 +1 @@
+../elsewhere
\\ No newline at end of file
diff --git a/b.bin b/b.bin
index 1..2 100644
GIT binary patch
literal 2
Jcmb7M000000

literal 0
HcmV?d00001

"""
HUNK = b"@@ -1 +1 @@\n-x\n+y\n"


def test_each_file_is_told_with_what_is_done_to_it():
    read = sections_of(PLAIN)
    assert read.plain
    assert [(s.path, s.source, s.mode, s.is_deleted) for s in read.files] == [
        ("a.py", "a.py", "", False),
        ("new.py", "", "100644", False),
        ("gone.py", "gone.py", "100644", True),
        ("new name", "old name", "", False),
        ('té "q".py', 'té "q".py', "100755", False),
        ("link", "", "120000", False),
        ("b.bin", "b.bin", "", False),
    ]
    assert read.files[0].added == ["x = 2", "++ b/not/a/header.py"]
    assert [s.is_binary for s in read.files] == [False] * 6 + [True]
    assert as_patch(read.files) == PLAIN
    assert as_patch(read.files[1:2]) == PLAIN[PLAIN.index(b"diff --git a/new.py") :][:98]


@pytest.mark.parametrize(
    "patch",
    [
        b"",
        b"\n",
        b"--- a/a.py\n+++ b/a.py\n" + HUNK,  # no line of git's
        b"diff --git a/a b c b/a b c\n--- a/a b c\t\n+++ b/a b c\t\n" + HUNK,
        b"diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/a.py\n@@ -1,2 +1,2 @@\n\n-x\n+y",
    ],
)
def test_what_has_one_meaning_is_plain(patch):
    read = sections_of(patch)
    assert read.plain
    assert as_patch(read.files) == (patch if patch.strip() else b"")


@pytest.mark.parametrize(
    "patch",
    [
        b"Index: conftest.py\n" + PLAIN,
        PLAIN + b"Only a remark\n",
        b"diff --git a/a.py b/a.py\n--- a/a.py\n+++ b/conftest.py\n" + HUNK,
        b"diff --git a/a.py b/conftest.py\n--- a/a.py\n+++ b/a.py\n" + HUNK,
        b"--- a/a.py\n+++ b/conftest.py\n" + HUNK,
        b"--- a.py\n+++ a.py\n" + HUNK,
        b"--- a/a.py\t2026-01-01\n+++ b/a.py\t2026-01-01\n" + HUNK,
        b"--- a/a/../conftest.py\n+++ b/a/../conftest.py\n" + HUNK,
        b"--- a/./conftest.py\n+++ b/./conftest.py\n" + HUNK,
        b"--- a//conftest.py\n+++ b//conftest.py\n" + HUNK,
        b"--- /dev/null\n+++ /dev/null\n" + HUNK,
        b"--- a/a.py\n+++ b/a.py\n@@ -1,3 +1,3 @@\n-x\n+y\n",  # shorter than it says
        b"--- a/a.py\n+++ b/a.py\n@@ -1 +1 @@\n-x\n+y\n+z\n",  # longer
        b"--- a/a.py\n+++ b/a.py\n*** 1 ****\n- x\n",
        b"*** a/conftest.py\n--- b/conftest.py\n***************\n*** 0 ****\n--- 1 ----\n+ x\n",
        b"0a\nimport os\n.\n",  # a script of ed, which patch(1) takes
        b"diff --git a/a.py b/a.py\r\n--- a/a.py\r\n+++ b/a.py\r\n" + HUNK,
        b"\xff\xfe\x00",
    ],
)
def test_what_another_program_may_read_otherwise_is_not_plain(patch):
    assert not sections_of(patch).plain


def test_what_git_writes_is_plain_and_any_part_of_it_applies_alone(repo):
    def git(*args, **more):
        done = subprocess.run(["git", "-C", repo, *args], check=True, capture_output=True, **more)
        return done.stdout

    for name in ("b c.py", "dé.py", "gone.py", "moved.py"):
        (repo / name).write_text("".join(f"{name} {n}\n" for n in range(30)))
    git("add", "-A")
    git("-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "more")
    (repo / "b c.py").write_text("x\n")
    (repo / "dé.py").write_text("no end")
    (repo / "gone.py").unlink()
    (repo / "moved.py").rename(repo / "there.py")
    (repo / "link").symlink_to("a.py")
    (repo / "data.bin").write_bytes(bytes(range(256)))
    (repo / "empty.py").touch()
    (repo / "a.py").chmod(0o755)
    git("add", "-A")
    for options in (["--binary", "--full-index", "--no-renames"], ["--binary"]):
        diff = git("diff", "--cached", *options, "HEAD")
        read = sections_of(diff)
        assert read.plain
        assert as_patch(read.files) == diff
        wanted = {"a.py", "b c.py", "dé.py", "gone.py", "there.py", "link", "data.bin", "empty.py"}
        assert {section.path for section in read.files} == wanted | (
            {"moved.py"} if len(options) == 3 else set()
        )
        git("stash", "-q", "--include-untracked")
        for section in read.files:
            git("apply", "--check", "-", input=section.text.encode(errors="surrogateescape"))
        git("stash", "pop", "-q", "--index")
