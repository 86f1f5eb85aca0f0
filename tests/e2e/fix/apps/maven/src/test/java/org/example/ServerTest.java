package org.example;

import static org.junit.Assert.assertTrue;

import org.junit.Test;

public class ServerTest {
    @Test
    public void greets() throws Exception {
        assertTrue(Server.answer().contains("hello"));
    }
}
