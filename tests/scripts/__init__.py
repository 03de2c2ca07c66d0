"""The programs in scripts/, run for real."""
