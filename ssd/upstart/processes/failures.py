"""Why a stage of a job could not be started, in the words of Upstart.

The child that becomes the program names the step that failed; see ``ssd.upstart.processes.steps``.
"""

# Step -> what Upstart says of it; the kernel's reason follows after a colon, if there is one.
TEXTS = {
    "fork": "unable to fork",
    "script": "unable to move script fd",
    "console": "unable to open console",
    "profile": "unable to switch security profile",
    "nice": "unable to set priority",
    "oom": "unable to set oom adjustment",
    "chroot": "unable to change root directory",
    "chdir": "unable to change working directory",
    "user": "unable to find setuid user",
    "group": "unable to find setgid group",
    "named user": "unable to getpwnam",
    "named group": "unable to getgrnam",
    "own user": "unable to getpwuid",
    "own group": "unable to getgrgid",
    "chown": "unable to chown",
    "groups": "unable to initgroups",
    "setgid": "unable to setgid",
    "setuid": "unable to setuid",
    "exec": "unable to execute",
}
LIMIT = "limit "  # begins the step of a resource limit; its name follows


def describe(step: str, reason: str) -> str:
    """Return Upstart's text for a step that failed. ``reason``: the kernel's; "" without one."""
    if step.startswith(LIMIT):
        text = f'unable to set "{step.removeprefix(LIMIT)}" resource limit'
    else:
        text = TEXTS.get(step, f"unable to {step}")
    return f"{text}: {reason}" if reason else text
