#include <gtest/gtest.h>

#include <stdexcept>

TEST(Outcomes, Passes) { EXPECT_EQ(1, 1); }
TEST(Outcomes, Fails) { EXPECT_EQ(1, 2); }
TEST(Outcomes, FailsByAnException) { throw std::runtime_error("as it should"); }
TEST(Outcomes, Skips) { GTEST_SKIP() << "not today"; }

class Numbers : public testing::TestWithParam<int> {};
TEST_P(Numbers, Passes) { EXPECT_GT(GetParam(), 0); }
TEST_P(Numbers, Fails) { EXPECT_LT(GetParam(), 0); }
INSTANTIATE_TEST_SUITE_P(Some, Numbers, testing::Values(1, 2));
