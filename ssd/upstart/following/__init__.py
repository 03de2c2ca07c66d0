"""Find the process of a program that forks, or that stops itself: stanza ``expect`` of a job."""
