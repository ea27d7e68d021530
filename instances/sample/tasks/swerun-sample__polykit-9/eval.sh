#!/bin/bash
set -uxo pipefail
cd /testbed
git config --global --add safe.directory /testbed
git status
git show --stat
git -c core.fileMode=false diff 113b3cc49fee75a0f39820008e5c6bd6de37e4d3
git checkout 113b3cc49fee75a0f39820008e5c6bd6de37e4d3 tests/test_printing.py
git apply -v - <<'EOF_114329324912'
diff --git a/tests/test_printing.py b/tests/test_printing.py
index 465d4ec49d1f7aff3562a592eb744eaf96808a91..1fdde7b054585fd79f8644a6a0130734fd4753f0 100644
--- a/tests/test_printing.py
+++ b/tests/test_printing.py
@@ -34,3 +34,11 @@ def test_latex_of_fractions():
 
 def test_str_is_plain():
     assert str(X**2 + 1) == "x**2 + 1"
+
+
+def test_latex_exponents_are_in_braces():
+    assert latex(2 * X**10 + X**2) == "2 x^{10} + x^{2}"
+
+
+def test_latex_exponents_with_another_variable():
+    assert latex(X**12 - 1, "t") == "t^{12} - 1"
EOF_114329324912
: '>>>>> Start Test Output'
bin/test tests/test_printing.py
: '>>>>> End Test Output'
git checkout 113b3cc49fee75a0f39820008e5c6bd6de37e4d3 tests/test_printing.py
