"""How long a rolling restart takes, and what a failure costs (scripts/fleet-simulation)."""
