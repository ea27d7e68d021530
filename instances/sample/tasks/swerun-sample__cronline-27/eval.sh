#!/bin/bash
set -uxo pipefail
cd /testbed
git config --global --add safe.directory /testbed
git status
git show --stat
git -c core.fileMode=false diff d571bd8342ee9a56dbe1230e1c842e789c902542
git checkout d571bd8342ee9a56dbe1230e1c842e789c902542 tests/test_cli.py tests/test_schedule.py
git apply -v - <<'EOF_114329324912'
diff --git a/tests/test_cli.py b/tests/test_cli.py
index 2a2452e25f6610710a950a164f4fe842cc7d72a0..e49a52008f8a343d4ae979967e95058affaa619a 100644
--- a/tests/test_cli.py
+++ b/tests/test_cli.py
@@ -21,3 +21,8 @@ def test_list(tmp_path, capsys):
 def test_a_wrong_expression_is_said_and_ends_with_two(capsys):
     assert main(["explain", "61 * * * *"]) == 2
     assert "61 is not within 0-59" in capsys.readouterr().err
+
+
+def test_next_of_a_leap_day(capsys):
+    assert main(["next", "0 0 29 2 *", "-n", "2", "--from", "2023-01-01"]) == 0
+    assert capsys.readouterr().out == "2024-02-29 00:00\n2028-02-29 00:00\n"
diff --git a/tests/test_schedule.py b/tests/test_schedule.py
index 602cce778e694c52b8f1ba40bf657753ec79df03..ae9516441dc1b0151d2990c9fed034b971173f57 100644
--- a/tests/test_schedule.py
+++ b/tests/test_schedule.py
@@ -100,3 +100,37 @@ def test_one_day_field_alone_restricts():
 def test_upcoming_goes_on():
     moments = parse("0 12 * * *").upcoming(at("2023-05-17 13:00"))
     assert [next(moments).day for _ in range(3)] == [18, 19, 20]
+
+
+def test_next_leap_day():
+    assert parse("0 0 29 2 *").next_after(at("2025-03-01 00:00")) == at("2028-02-29 00:00")
+
+
+def test_next_leap_day_over_a_century_without_one():
+    assert parse("30 12 29 2 *").next_after(at("2097-01-01 00:00")) == at("2104-02-29 12:30")
+
+
+def test_previous_leap_day():
+    assert parse("0 0 29 2 *").previous_before(at("2023-03-01 00:00")) == at("2020-02-29 00:00")
+
+
+def test_a_leap_day_on_a_sunday():
+    schedule = parse("0 6 29 2 */7")  # 29 February, and a Sunday
+    assert schedule.next_after(at("2023-01-01 00:00")) == at("2032-02-29 06:00")
+
+
+def test_several_upcoming_leap_days():
+    moments = parse("0 0 29 2 *").upcoming(at("2023-01-01 00:00"))
+    assert [next(moments).year for _ in range(4)] == [2024, 2028, 2032, 2036]
+
+
+def test_previous_ends_where_the_calendar_begins():
+    with pytest.raises(NeverError):
+        parse("0 0 29 2 *").previous_before(at("0003-01-01 00:00"))
+
+
+def test_next_within_the_same_day_and_hour():
+    schedule = parse("10,50 8,20 * * *")
+    assert schedule.next_after(at("2023-05-17 08:10")) == at("2023-05-17 08:50")
+    assert schedule.next_after(at("2023-05-17 08:50")) == at("2023-05-17 20:10")
+    assert schedule.previous_before(at("2023-05-17 08:10")) == at("2023-05-16 20:50")
EOF_114329324912
: '>>>>> Start Test Output'
python3 -m pytest -rA -p no:cacheprovider tests/test_cli.py tests/test_schedule.py
: '>>>>> End Test Output'
git checkout d571bd8342ee9a56dbe1230e1c842e789c902542 tests/test_cli.py tests/test_schedule.py
