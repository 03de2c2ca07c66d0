"""The parts of a unit of systemd: read its files, and say what each setting is in a declaration."""
