"""Plain init scripts: run and query them as service(8) does."""
