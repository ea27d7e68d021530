#!/bin/bash
set -uxo pipefail
cd /testbed
git config --global --add safe.directory /testbed
git status
git show --stat
git -c core.fileMode=false diff 9024480c65f8fce66d9d5661c3e59b189b069a35
git checkout 9024480c65f8fce66d9d5661c3e59b189b069a35 tests/test_amount.py tests/test_cli.py tests/test_journal.py tests/test_parser.py tests/test_report.py
git apply -v - <<'EOF_114329324912'
diff --git a/tests/test_amount.py b/tests/test_amount.py
index b586cf30f4ab9f3f6bf6c6bb448968cb19ebd316..1746e95a0b874410a7ae3ffa2c76e0544ca28926 100644
--- a/tests/test_amount.py
+++ b/tests/test_amount.py
@@ -26,6 +26,23 @@ class ParseTest(unittest.TestCase):
     def test_sign_after_the_symbol(self):
         self.check("$-5", "-5", "$")
 
+    def test_sign_before_the_symbol(self):
+        self.check("-$5", "-5", "$")
+        self.check("- $1,000.25", "-1000.25", "$")
+
+    def test_sign_before_a_code(self):
+        self.check("-EUR 3", "-3", "EUR")
+
+    def test_plus(self):
+        self.check("+$5", "5", "$")
+        self.check("$+5", "5", "$")
+        self.check("+5 EUR", "5", "EUR")
+
+    def test_two_signs_are_refused(self):
+        for text in ("-$-5", "+$-5", "--5 EUR"):
+            with self.subTest(text=text), self.assertRaises(AmountError):
+                Amount.parse(text)
+
     def test_sign_before_a_number_with_code(self):
         self.check("-5 EUR", "-5", "EUR")
 
@@ -54,3 +71,11 @@ class TextTest(unittest.TestCase):
 
     def test_code_goes_after(self):
         self.assertEqual(str(Amount.parse("EUR 3")), "3 EUR")
+
+    def test_the_sign_stands_before_the_symbol(self):
+        self.assertEqual(str(Amount.parse("$-1234.50")), "-$1,234.50")
+
+    def test_what_is_written_can_be_read(self):
+        for text in ("-$5", "$5", "-5 EUR", "-7"):
+            with self.subTest(text=text):
+                self.assertEqual(str(Amount.parse(text)), text)
diff --git a/tests/test_cli.py b/tests/test_cli.py
index 5de5e6f21ab1c2a73dbad8fd89fad56b8b29ee3d..d96f981338c90860f6e22a9eaaeb14418a96c292 100644
--- a/tests/test_cli.py
+++ b/tests/test_cli.py
@@ -20,7 +20,7 @@ class CliTest(unittest.TestCase):
         return code, out.getvalue(), err.getvalue()
 
     def test_balance(self):
-        self.assertEqual(self.run_cli("balance")[1], "$-12  Cash\n  $3  Food\n  $9  Fun\n")
+        self.assertEqual(self.run_cli("balance")[1], "-$12  Cash\n  $3  Food\n  $9  Fun\n")
 
     def test_end(self):
         self.assertEqual(
@@ -33,4 +33,4 @@ class CliTest(unittest.TestCase):
         self.assertIn("line 1", err)
 
     def test_account(self):
-        self.assertEqual(self.run_cli("--account", "Cash", "balance")[1], "$-12\n")
+        self.assertEqual(self.run_cli("--account", "Cash", "balance")[1], "-$12\n")
diff --git a/tests/test_journal.py b/tests/test_journal.py
index 7d14e88ba94d7c19a5e585864c811954af1a7a35..2e6da33abe331b8cdc0295ed579bda7960632f38 100644
--- a/tests/test_journal.py
+++ b/tests/test_journal.py
@@ -21,7 +21,7 @@ class CompletedTest(unittest.TestCase):
 
     def test_a_missing_amount_takes_every_commodity(self):
         done = transaction(("Food", "$5"), ("Tea", "2 EUR"), ("Cash", None)).completed()
-        self.assertEqual([str(p.amount) for p in done.postings[2:]], ["$-5", "-2 EUR"])
+        self.assertEqual([str(p.amount) for p in done.postings[2:]], ["-$5", "-2 EUR"])
 
     def test_off_balance_is_refused(self):
         with self.assertRaisesRegex(UnbalancedError, "off by \\$1"):
diff --git a/tests/test_parser.py b/tests/test_parser.py
index fe2a3a607022b42dd76cfe74961b0101fafd4843..aa89ff6be415485d094e55e9099ec629929918fa 100644
--- a/tests/test_parser.py
+++ b/tests/test_parser.py
@@ -25,7 +25,7 @@ class JournalTextTest(unittest.TestCase):
 
     def test_missing_amounts_are_filled(self):
         cash = parse_journal(TEXT).transactions[0].postings[1]
-        self.assertEqual(str(cash.amount), "$-3.50")
+        self.assertEqual(str(cash.amount), "-$3.50")
 
     def test_an_account_may_hold_single_spaces(self):
         journal = parse_journal("2022-01-01 x\n  My Bank  $1\n  Cash\n")
diff --git a/tests/test_report.py b/tests/test_report.py
index 404c851ba457bdb8e3f5d904e016e5ce23ec1fcd..ac29f382a8aacee9977b0d2fa81e3f08f840da52 100644
--- a/tests/test_report.py
+++ b/tests/test_report.py
@@ -25,7 +25,7 @@ class BalancesTest(unittest.TestCase):
     def test_text(self):
         self.assertEqual(
             balance_text(JOURNAL),
-            "$-12.50  Assets\n$-12.50    Cash\n $12.50  Expenses\n"
+            "-$12.50  Assets\n-$12.50    Cash\n $12.50  Expenses\n"
             "  $3.50    Food\n  $9.00    Fun",
         )
 
EOF_114329324912
: '>>>>> Start Test Output'
python3 -m unittest -v tests.test_amount tests.test_cli tests.test_journal tests.test_parser tests.test_report
: '>>>>> End Test Output'
git checkout 9024480c65f8fce66d9d5661c3e59b189b069a35 tests/test_amount.py tests/test_cli.py tests/test_journal.py tests/test_parser.py tests/test_report.py
