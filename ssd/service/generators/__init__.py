"""Generators: write a declaration as a file of another init system.

The modules sysv, systemd, upstart and openrc each have ``generate(service) -> Sheet``: the
text, and the fields that the system cannot express.
"""
