"""The command beside the original: both play one file of cases, and the outcomes are compared."""
