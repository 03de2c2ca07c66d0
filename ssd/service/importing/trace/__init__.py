"""Run an init script in a trace: all that it starts, calls and signals is seen, nothing happens."""
