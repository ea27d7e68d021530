package org.swerun;

import static org.junit.Assert.assertEquals;

import org.junit.Test;

public class OutcomesTest {
    @Test public void passes() { assertEquals(1, 1); }

    @Test public void fails() { assertEquals(1, 2); }
}
