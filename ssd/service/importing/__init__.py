"""Declarations made from the files of other supervisors, and what gets lost on the way."""
