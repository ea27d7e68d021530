#!/bin/bash
set -uxo pipefail
cd /testbed
git config --global --add safe.directory /testbed
git status
git show --stat
git -c core.fileMode=false diff ff1fd50243c680022dd29469c29d1ca31afd69ac
git checkout ff1fd50243c680022dd29469c29d1ca31afd69ac tests/test_parse.py
git apply -v - <<'EOF_114329324912'
diff --git a/tests/test_parse.py b/tests/test_parse.py
index 48c64a1054c9584a0cb12b5cb5aeda1ce57df1c5..ed202d710a5a728d2874c7aba5ec5677494323d5 100644
--- a/tests/test_parse.py
+++ b/tests/test_parse.py
@@ -49,3 +49,22 @@ def test_parse_another_variable():
 def test_parse_refuses_nonsense():
     for text in ("", "x +", "(x", "x)", "y", "x**y", "x 2", "1/x", "1/0", "x ? 1"):
         assert refused(text), text
+
+
+def test_parse_minus_binds_less_than_power():
+    assert parse("-x**2") == -(X**2)
+    assert parse("1 - -x**2") == 1 + X**2
+    assert parse("2*-x**2") == -2 * X**2
+
+
+def test_parse_minus_in_brackets_is_squared():
+    assert parse("(-x)**2") == X**2
+
+
+def test_parse_powers_from_the_right():
+    assert parse("x**2**3") == X**8
+
+
+def test_parse_reads_what_plain_writes():
+    for poly in (-(X**2) + 1, 3 - X**4, -(X**4) - Fraction(1, 2) * X):
+        assert parse(str(poly)) == poly
EOF_114329324912
: '>>>>> Start Test Output'
bin/test tests/test_parse.py
: '>>>>> End Test Output'
git checkout ff1fd50243c680022dd29469c29d1ca31afd69ac tests/test_parse.py
