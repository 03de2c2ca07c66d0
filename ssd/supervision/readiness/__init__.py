"""Whether a service works: gates of a start, notifications, health checks, daemons that fork."""
