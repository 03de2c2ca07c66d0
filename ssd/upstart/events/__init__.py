"""Events: what was emitted, what waits for it, and the conditions that it makes true."""
