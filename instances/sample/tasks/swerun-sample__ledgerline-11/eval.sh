#!/bin/bash
set -uxo pipefail
cd /testbed
git config --global --add safe.directory /testbed
git status
git show --stat
git -c core.fileMode=false diff 5ebc04b41a8194a466ec95608be7fa6aff272e77
git checkout 5ebc04b41a8194a466ec95608be7fa6aff272e77 tests/test_accounts.py tests/test_query.py
git apply -v - <<'EOF_114329324912'
diff --git a/tests/test_accounts.py b/tests/test_accounts.py
index 8fdd1fa0eb54927ec4a02031fa327fa5654faa5b..5de927e9476546346878cd2a14f20e220bf60e02 100644
--- a/tests/test_accounts.py
+++ b/tests/test_accounts.py
@@ -19,3 +19,7 @@ class AccountsTest(unittest.TestCase):
         self.assertTrue(accounts.is_under("Assets:Bank", "Assets:Bank"))
         self.assertTrue(accounts.is_under("Assets:Bank:Joint", "Assets"))
         self.assertFalse(accounts.is_under("Income", "Assets"))
+
+    def test_a_longer_name_is_not_below_a_shorter_one(self):
+        self.assertFalse(accounts.is_under("Assets:Cashbox", "Assets:Cash"))
+        self.assertFalse(accounts.is_under("Assets2", "Assets"))
diff --git a/tests/test_query.py b/tests/test_query.py
index b2bc9d3572782d97ccfa3aad99b4ce3145818d19..47e5ceca94e4ffa95a5d3b8d5295d59fdf49e9d4 100644
--- a/tests/test_query.py
+++ b/tests/test_query.py
@@ -36,3 +36,7 @@ class PostingsUnderTest(unittest.TestCase):
 
     def test_total(self):
         self.assertEqual(str(total_under(JOURNAL, "Expenses")), "$12.50")
+
+    def test_total_leaves_out_accounts_that_only_begin_alike(self):
+        journal = parse_journal("2022-01-01 x\n  Assets:Cash  $1\n  Assets:Cashbox\n")
+        self.assertEqual(str(total_under(journal, "Assets:Cash")), "$1")
EOF_114329324912
: '>>>>> Start Test Output'
python3 -m unittest -v tests.test_accounts tests.test_query
: '>>>>> End Test Output'
git checkout 5ebc04b41a8194a466ec95608be7fa6aff272e77 tests/test_accounts.py tests/test_query.py
