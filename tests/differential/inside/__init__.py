"""The first process of a namespace: it runs cases and reports their outcomes."""
