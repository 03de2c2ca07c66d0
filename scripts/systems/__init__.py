"""What scripts/matrix runs, where it runs it, and the tables that it writes."""
