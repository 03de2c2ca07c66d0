"""Everything that happens in the process on its way to be the program."""
