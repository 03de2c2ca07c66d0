"""The server side of initctl: what clients of the control socket ask of jobs."""
