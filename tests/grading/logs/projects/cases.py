# ruff: noqa -- it prints and fails on purpose
"""A unittest suite with every outcome that there is. Each test is named for its own."""

import sys
import unittest
import warnings


class Outcomes(unittest.TestCase):
    def test_passes(self):
        pass

    def test_passes_described(self):
        """What it does is said here, and takes the place of the dots' line."""

    def test_passes_described_with_dots(self):
        """First this ... then that"""

    def test_passes_and_prints(self):
        print("said by the test")
        print("over two lines")

    def test_passes_and_prints_no_line_end(self):
        print("no line end", end="")

    def test_passes_and_warns(self):
        warnings.warn("this is old", DeprecationWarning, stacklevel=1)

    def test_fails_and_prints_ok(self):
        sys.stderr.write("ok, so far\n")
        self.fail("and then no more")

    def test_fails_and_prints_a_line_that_says_ok(self):
        sys.stderr.write("\nok\n")
        self.fail("and then no more")

    def test_fails(self):
        self.assertEqual(1, 2)

    def test_errors(self):
        raise KeyError("key")

    def test_skips(self):
        self.skipTest("not now ... or ever")

    @unittest.skip("")
    def test_skips_without_a_reason(self):
        pass

    @unittest.expectedFailure
    def test_xfails(self):
        self.fail("known")

    @unittest.expectedFailure
    def test_xpasses(self):
        pass

    def test_passes_with_subtests(self):
        for number in range(2):
            with self.subTest(number=number):
                pass

    def test_fails_in_subtests(self):
        for number in range(3):
            with self.subTest("a message", number=number):
                self.assertEqual(number, 1)

    def test_errors_in_a_subtest(self):
        with self.subTest(text="two words"):
            raise KeyError("key")

    def test_skips_in_a_subtest(self):
        with self.subTest(number=1):
            self.skipTest("not this one")


class ErrorsAtSetUp(unittest.TestCase):
    def setUp(self):
        raise OSError("no such thing")

    def test_errors(self):
        pass


class ErrorsAtTheEnd(unittest.TestCase):
    def tearDown(self):
        raise OSError("it would not close")

    def test_errors(self):
        pass


class ErrorsForAll(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        raise OSError("no such thing")

    def test_never_runs(self):
        pass


@unittest.skip("all of it")
class Skips(unittest.TestCase):
    def test_skips(self):
        pass
