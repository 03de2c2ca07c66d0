"""Files for other systems, written from a declaration: sysv, systemd, upstart, openrc.

Each module has ``generate(service) -> Sheet``: the text, and what of the declaration its
system has no word for.
"""
