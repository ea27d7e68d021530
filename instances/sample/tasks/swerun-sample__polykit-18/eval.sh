#!/bin/bash
set -uxo pipefail
cd /testbed
git config --global --add safe.directory /testbed
git status
git show --stat
git -c core.fileMode=false diff 6f8231d0b4d314b71483fc76d01b6ee6156f0e92
git checkout 6f8231d0b4d314b71483fc76d01b6ee6156f0e92 tests/test_roots.py
git apply -v - <<'EOF_114329324912'
diff --git a/tests/test_roots.py b/tests/test_roots.py
index b7b03a1ffb59cf00c9b79c5ced9a47386edcf45e..62797c8b2f6d5825d74b2f42f362b630997a694e 100644
--- a/tests/test_roots.py
+++ b/tests/test_roots.py
@@ -1,3 +1,5 @@
+from fractions import Fraction
+
 from polykit.poly import Poly, X
 from polykit.roots import bound, count_real_roots, isolate, real_roots
 
@@ -35,3 +37,33 @@ def test_count():
 def test_each_interval_holds_its_root():
     for low, high in isolate(X**3 - 2 * X):
         assert low <= high
+
+
+def test_double_roots_are_found():
+    assert close(real_roots((X**2 - 2) ** 2), [-(2**0.5), 2**0.5])
+
+
+def test_double_and_simple_roots_together():
+    assert close(real_roots((X - 1) ** 2 * (2 * X + 5)), [-2.5, 1])
+
+
+def test_a_root_of_even_order_at_a_fraction():
+    assert close(real_roots((3 * X - 1) ** 4), [1 / 3])
+
+
+def test_neighbours_are_told_apart():
+    assert close(real_roots((1000 * X - 300) * (1000 * X - 301)), [0.3, 0.301])
+
+
+def test_many_roots_in_one_place():
+    poly = (X**2 - 2) * (X - Fraction(141, 100)) * (X - Fraction(142, 100)) * (X + 1000)
+    assert close(real_roots(poly), [-1000, -(2**0.5), 1.41, 2**0.5, 1.42])
+
+
+def test_count_does_not_count_twice():
+    assert count_real_roots((X - 1) ** 2 * X**3) == 2
+    assert count_real_roots((X**2 + 1) ** 2) == 0
+
+
+def test_a_large_root_beside_small_ones():
+    assert close(real_roots((X - 1) * (X - 2) * (X - 10**6)), [1, 2, 10**6])
EOF_114329324912
: '>>>>> Start Test Output'
bin/test tests/test_roots.py
: '>>>>> End Test Output'
git checkout 6f8231d0b4d314b71483fc76d01b6ee6156f0e92 tests/test_roots.py
