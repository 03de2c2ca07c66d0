"""Helpers that several tests share: children, pidfiles, locks, namespaces and machines."""
