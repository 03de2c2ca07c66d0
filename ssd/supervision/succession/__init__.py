"""What survives a supervisor: the journal, its successor, and the change of its program."""
