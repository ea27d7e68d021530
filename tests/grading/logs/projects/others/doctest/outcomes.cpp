#define DOCTEST_CONFIG_IMPLEMENT_WITH_MAIN
#include <doctest/doctest.h>

#include <stdexcept>

TEST_CASE("outcomes") {
    SUBCASE("passes") { CHECK(1 == 1); }
    SUBCASE("passes, as what is thrown is expected") {
        CHECK_THROWS_AS(throw std::runtime_error("expected"), std::runtime_error);
    }
    SUBCASE("passes with a message") {
        MESSAGE("said <something> & more");
        CHECK(true);
    }
    SUBCASE("fails") {
        CHECK(1 == 1);
        CHECK(1 == 2);
    }
    SUBCASE("fails by an exception in an assertion") {
        CHECK([]() -> bool { throw std::runtime_error("as it should"); }());
    }
    SUBCASE("fails by a call of FAIL_CHECK") { FAIL_CHECK("as it should"); }
    SUBCASE("one in another, which fails") {
        SUBCASE("passes in there") { CHECK(true); }
        SUBCASE("fails in there") { CHECK(false); }
    }
}

// what ends a subcase otherwise ends its test case too
TEST_CASE("exceptions") {
    SUBCASE("passes before") { CHECK(true); }
    SUBCASE("fails by an exception") { throw std::runtime_error("as it should"); }
}

TEST_CASE("calls of FAIL") {
    SUBCASE("fails by a call of FAIL") { FAIL("as it should"); }
}

TEST_CASE("without subcases") { CHECK(false); }

TEST_CASE("skipped" * doctest::skip()) {
    SUBCASE("is not run") { CHECK(false); }
}
