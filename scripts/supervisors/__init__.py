"""Measure supervisors side by side: scripts/bench --supervisors."""
