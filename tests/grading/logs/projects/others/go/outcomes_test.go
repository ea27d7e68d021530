package outcomes

import "testing"

func TestPasses(t *testing.T) { t.Log("said (something)") }

func TestFails(t *testing.T) { t.Error("as it should") }

func TestSkips(t *testing.T) { t.Skip("not today") }

func TestSubtests(t *testing.T) {
	t.Run("passes", func(t *testing.T) {})
	t.Run("passes (in brackets)", func(t *testing.T) {})
	t.Run("fails", func(t *testing.T) { t.Fatal("as it should") })
	t.Run("skips", func(t *testing.T) { t.Skip() })
	t.Run("deeper", func(t *testing.T) {
		t.Run("passes", func(t *testing.T) {})
		t.Run("fails", func(t *testing.T) { t.FailNow() })
	})
}
