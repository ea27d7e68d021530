#!/bin/bash
set -uxo pipefail
cd /testbed
git config --global --add safe.directory /testbed
git status
git show --stat
git -c core.fileMode=false diff 871dfc172e314c6b5f0a6a13955e41e6a2966c73
git checkout 871dfc172e314c6b5f0a6a13955e41e6a2966c73 tests/test_crontab.py
git apply -v - <<'EOF_114329324912'
diff --git a/tests/test_crontab.py b/tests/test_crontab.py
index df19dedd0df0472efa12783ebf8280525a5e5a19..b18e05e39c23edd707b8ee7b5bbf2ce346c11b3a 100644
--- a/tests/test_crontab.py
+++ b/tests/test_crontab.py
@@ -47,3 +47,11 @@ def test_a_macro_takes_the_place_of_five_fields():
 def test_due_lists_commands_in_order():
     crontab = parse_crontab("0 2 * * * a\n30 2 * * * b\n* * * * * c\n")
     assert due(crontab, datetime(2023, 5, 17, 2, 0)) == ["a", "c"]
+
+
+def test_an_indented_comment_is_a_comment():
+    assert parse_crontab("  # 0 2 * * * backup\n").entries == []
+
+
+def test_a_comment_after_a_tab_is_a_comment():
+    assert parse_crontab("0 2 * * * a\n\t# note\n0 3 * * * b\n").entries[-1].line == 3
EOF_114329324912
: '>>>>> Start Test Output'
python3 -m pytest -rA -p no:cacheprovider tests/test_crontab.py
: '>>>>> End Test Output'
git checkout 871dfc172e314c6b5f0a6a13955e41e6a2966c73 tests/test_crontab.py
