#!/bin/bash
set -uxo pipefail
cd /testbed
git config --global --add safe.directory /testbed
git status
git show --stat
git -c core.fileMode=false diff e1010d9230d43b67c88cdef26bafa62e502bb2f5
git checkout e1010d9230d43b67c88cdef26bafa62e502bb2f5 tests/test_describe.py tests/test_schedule.py
git apply -v - <<'EOF_114329324912'
diff --git a/tests/test_describe.py b/tests/test_describe.py
index 8629415bef6aaf9a7d7c40ba4fce777aae2f9f1b..8475de193bfebc266a81172ffc908c2cec318ac0 100644
--- a/tests/test_describe.py
+++ b/tests/test_describe.py
@@ -32,3 +32,11 @@ def test_enumeration():
 )
 def test_describe(expression, text):
     assert describe(parse(expression)) == text
+
+
+def test_two_day_fields_are_joined_by_or():
+    assert describe(parse("0 0 13 * 5")) == "at 00:00 on the 13th or on Friday"
+
+
+def test_two_day_fields_are_joined_by_and_after_a_star():
+    assert describe(parse("0 0 1-5 * */6")).endswith("5th and on Sunday and Saturday")
diff --git a/tests/test_schedule.py b/tests/test_schedule.py
index 5d6243236e956066120e42b89099e519aeb1b48e..16baab92bf48ba86e08ed771b8938d70de434570 100644
--- a/tests/test_schedule.py
+++ b/tests/test_schedule.py
@@ -72,3 +72,26 @@ def test_previous_within_the_same_minute():
 def test_the_thirty_first_of_february_never_comes():
     with pytest.raises(NeverError):
         parse("0 0 31 2 *").next_after(at("2023-05-17 13:00"))
+
+
+def test_either_day_field_is_enough_when_both_are_given():
+    schedule = parse("0 0 13 * fri")
+    assert schedule.matches(at("2023-06-13 00:00"))  # a Tuesday
+    assert schedule.matches(at("2023-06-16 00:00"))  # a Friday
+    assert not schedule.matches(at("2023-06-14 00:00"))
+
+
+def test_next_with_both_day_fields():
+    assert parse("0 0 1,15 * mon").next_after(at("2023-06-01 00:00")) == at("2023-06-05 00:00")
+
+
+def test_a_day_field_that_begins_with_a_star_must_match_too():
+    schedule = parse("0 0 */2 * mon")
+    assert schedule.matches(at("2023-06-05 00:00"))  # Monday the 5th
+    assert not schedule.matches(at("2023-06-12 00:00"))  # Monday the 12th
+    assert not schedule.matches(at("2023-06-07 00:00"))  # Wednesday the 7th
+
+
+def test_one_day_field_alone_restricts():
+    assert not parse("0 0 13 * *").matches(at("2023-06-16 00:00"))
+    assert not parse("0 0 * * fri").matches(at("2023-06-13 00:00"))
EOF_114329324912
: '>>>>> Start Test Output'
python3 -m pytest -rA -p no:cacheprovider tests/test_describe.py tests/test_schedule.py
: '>>>>> End Test Output'
git checkout e1010d9230d43b67c88cdef26bafa62e502bb2f5 tests/test_describe.py tests/test_schedule.py
