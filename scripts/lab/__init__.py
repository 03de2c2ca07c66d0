"""A machine for nova-compute: nova, its database, its placement and its broker in one directory."""
