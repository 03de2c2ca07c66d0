"""The programs in scripts/: the init script and the demo, run for real."""
