import static org.junit.Assert.assertEquals;

import org.junit.Ignore;
import org.junit.Test;

public class OutcomesTest {
    @Test public void passes() { assertEquals(1, 1); }

    @Test public void fails() { assertEquals(1, 2); }

    @Test public void failsByAnException() { throw new IllegalStateException("as it should"); }

    @Ignore @Test public void isIgnored() { assertEquals(1, 2); }
}
