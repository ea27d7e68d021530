require "test/unit"

class OutcomesTest < Test::Unit::TestCase
  def test_passes
    assert_equal 1, 1
  end

  def test_fails
    assert_equal 1, 2
  end

  def test_fails_by_an_exception
    raise "as it should"
  end

  def test_skips
    omit "not today"
  end

  def test_is_pending
    pend "later"
  end

  test "passes: with a colon" do
    assert true
  end

  sub_test_case "one in another" do
    test "fails in there" do
      flunk
    end
  end
end
