"""scripts/bench --fleet: what a task of Ansible costs, on hosts that are reached by ssh."""
