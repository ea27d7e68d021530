require "minitest/autorun"
require "shoulda-context"

# the names that shoulda makes end with a full stop and a blank
class OutcomesTest < Minitest::Test
  context "filters" do
    should "passes" do
      assert_equal 1, 1
    end

    should "passes with x = 1. and a full stop" do
      assert true
    end

    should "fails" do
      assert_equal 1, 2
    end

    should "fails by an exception" do
      raise "as it should"
    end

    should "skips" do
      skip "not today"
    end
  end

  def test_without_a_full_stop
    assert true
  end
end
