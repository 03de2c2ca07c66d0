"""Plain init scripts, run and asked as service(8) does."""
