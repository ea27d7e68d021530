#!/bin/bash
set -uxo pipefail
cd /testbed
git config --global --add safe.directory /testbed
git status
git show --stat
git -c core.fileMode=false diff ad26bd8eb736205a4b0bf802d536ecb4e96bba7c
git checkout ad26bd8eb736205a4b0bf802d536ecb4e96bba7c tests/test_journal.py tests/test_parser.py
git apply -v - <<'EOF_114329324912'
diff --git a/tests/test_journal.py b/tests/test_journal.py
index 2e6da33abe331b8cdc0295ed579bda7960632f38..88068fe9f6185f77fad055648d154afc7c79f3c5 100644
--- a/tests/test_journal.py
+++ b/tests/test_journal.py
@@ -42,3 +42,12 @@ class JournalTest(unittest.TestCase):
     def test_accounts(self):
         journal = Journal([transaction(("B", "$1"), ("A", "$-1"))])
         self.assertEqual(journal.accounts(), ["A", "B"])
+
+
+class WeightTest(unittest.TestCase):
+    def test_without_a_price_it_is_the_amount(self):
+        self.assertEqual(Posting("A", Amount.parse("2 EUR")).weight(), Amount.parse("2 EUR"))
+
+    def test_with_a_price_it_is_the_cost(self):
+        posting = Posting("A", Amount.parse("2 AAPL"), Amount.parse("$10"))
+        self.assertEqual(posting.weight(), Amount.parse("$20"))
diff --git a/tests/test_parser.py b/tests/test_parser.py
index 5212f068da92dca4d2fc39f12d73f12ad25fdd1d..178a4b339d5661cce731ef5af18385e91b994c24 100644
--- a/tests/test_parser.py
+++ b/tests/test_parser.py
@@ -59,6 +59,39 @@ class PriceTest(unittest.TestCase):
         journal = parse_journal("2022-01-01 x\n  A  2 AAPL @ $10\n  B  -2 AAPL @ $10\n")
         self.assertEqual(str(journal.transactions[0].postings[0].price), "$10")
 
+    def test_a_purchase_balances_at_its_cost(self):
+        journal = parse_journal("2022-01-01 x\n  A  2 AAPL @ $10.50\n  B  -$21.00\n")
+        self.assertEqual(journal.accounts(), ["A", "B"])
+
+    def test_the_missing_amount_is_the_cost(self):
+        journal = parse_journal("2022-01-01 x\n  A  2 AAPL @ $10.50\n  B\n")
+        self.assertEqual(str(journal.transactions[0].postings[1].amount), "-$21.00")
+
+    def test_a_total_price(self):
+        journal = parse_journal("2022-01-01 x\n  A  3 AAPL @@ $10\n  B\n")
+        bought, paid = journal.transactions[0].postings
+        self.assertEqual((str(bought.amount), str(paid.amount)), ("3 AAPL", "-$10"))
+
+    def test_a_sale_at_a_total_price(self):
+        journal = parse_journal("2022-01-01 x\n  A  -3 AAPL @@ $10\n  B\n")
+        self.assertEqual(str(journal.transactions[0].postings[1].amount), "$10")
+
+    def test_a_sale_at_a_unit_price(self):
+        journal = parse_journal("2022-01-01 x\n  A  -3 AAPL @ $10\n  B  $30\n")
+        self.assertEqual(len(journal.transactions), 1)
+
+    def test_a_wrong_cost_does_not_balance(self):
+        with self.assertRaisesRegex(ParseError, r"off by \$1$"):
+            parse_journal("2022-01-01 x\n  A  2 AAPL @ $10\n  B  -$19\n")
+
+    def test_a_negative_price_is_refused(self):
+        with self.assertRaisesRegex(ParseError, "line 2"):
+            parse_journal("2022-01-01 x\n  A  2 AAPL @ -$10\n  B\n")
+
+    def test_three_at_signs_are_refused(self):
+        with self.assertRaises(ParseError):
+            parse_journal("2022-01-01 x\n  A  2 AAPL @@@ $10\n  B\n")
+
 
 class DateTest(unittest.TestCase):
     def test_slashes(self):
EOF_114329324912
: '>>>>> Start Test Output'
python3 -m unittest -v tests.test_journal tests.test_parser
: '>>>>> End Test Output'
git checkout ad26bd8eb736205a4b0bf802d536ecb4e96bba7c tests/test_journal.py tests/test_parser.py
