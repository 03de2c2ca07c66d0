"""Every exit status, under the name that LSB or start-stop-daemon(8) has for it.

Plain numbers: the module ``enum`` costs milliseconds.
"""

# LSB, "Init Script Actions": the answers to ``status``.
RUNNING, DEAD_WITH_PIDFILE, DEAD_WITH_LOCK, STOPPED, UNKNOWN = 0, 1, 2, 3, 4

# The same: every other action.
SUCCESS, FAILED, INVALID, UNIMPLEMENTED, NOT_PRIVILEGED = 0, 1, 2, 3, 4
NOT_INSTALLED, NOT_CONFIGURED, NOT_RUNNING = 5, 6, 7

# start-stop-daemon(8), which also has SUCCESS and, for --status, RUNNING to UNKNOWN. The numbers
# are those of the binary; its manual page says 3 for fatal errors, too. FATAL is also the status
# of --retry if processes survived it.
NOTHING_DONE, FATAL, USAGE = 1, 2, 3

# env(1), and every shell.
CANNOT_EXECUTE, NOT_FOUND = 126, 127


def lsb_status(found: bool, pidfile_holds: bool | None, pidfile: bool) -> int:
    """Decide the LSB status.

    ``found``: a process matches. ``pidfile``: a pidfile was a criterion; then
    ``pidfile_holds`` is True if it holds a pid, False if it does not, None if there is no such
    file.
    """
    if found:
        return RUNNING
    if not pidfile or pidfile_holds is None:
        return STOPPED
    return DEAD_WITH_PIDFILE if pidfile_holds else UNKNOWN
