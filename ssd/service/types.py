"""The types of a declaration's fields, for type checkers only: no command loads this module.

A test compares these names with the tables of ``ssd.service.fields``.
"""

from typing import TypedDict


class Readiness(TypedDict):
    """How a start knows that the service works."""

    kind: str
    timeout: int | float  # seconds
    command: list[str]
    address: str  # of a port or socket


class Respawn(TypedDict):
    """Whether, and how often, a supervisor starts the service again."""

    when: str
    limit: int  # 0: no limit
    interval: int | float  # seconds
    delay: int | float  # seconds before the first restart in a row
    backoff: int | float  # seconds before the second; each further one waits twice as long
    delay_max: int | float  # seconds
    reset: int | float  # seconds; up so long, and the count begins anew
    normal_exit: list[int | str]


class Health(TypedDict):
    """How a supervisor checks that the service works."""

    kind: str
    command: list[str]
    address: str
    interval: int | float  # seconds
    timeout: int | float  # seconds
    retries: int
    action: str


class Log(TypedDict):
    """Where a supervisor, or a logger, writes the output of the service."""

    kind: str
    path: str | None
    stderr_path: str | None
    max_size: int  # bytes; 0: any
    max_age: int | float  # seconds; 0: any
    keep: int
    form: str
    syslog: bool
    forward: bool


class Fields:
    """The attributes of a Service; at run time they are made from the table of fields."""

    name: str
    description: str
    executable: str | None
    arguments: list[str]
    script: str
    pidfile: str
    process_name: str | None
    match_executable: bool
    match_interpreted: bool
    same_namespace: bool
    user: str | None
    group: str | None
    directories: list[dict[str, str]]
    working_directory: str
    root: str | None
    environment: dict[str, str]
    pass_environment: list[str]
    environment_files: list[str]
    clear_environment: bool
    login: bool
    umask: str
    limits: dict[str, int | str]
    nice: int
    cpu_scheduling: str | None
    io_scheduling: str | None
    capabilities: str | None
    no_new_privs: bool
    securebits: str | None
    output: str | None
    stdout: str | None
    stderr: str | None
    log_file: str | None
    stop_schedule: str
    reload_signal: str
    background: bool
    before_start: str
    after_start: str
    before_stop: str
    after_stop: str
    readiness: Readiness
    respawn: Respawn
    health: Health
    watchdog: int | float
    kill_mode: str | None
    log: Log
    requires: list[str]
    after: list[str]
    on_required_failure: str
    documentation: list[str]
    provides: list[str]
    required_start: list[str]
    required_stop: list[str]
    should_start: list[str]
    should_stop: list[str]
    default_start: list[str]
    default_stop: list[str]
    short_description: str
    start_on: str
    stop_on: str
    author: str
    version: str
    emits: list[str]
    export: list[str]
    expect: str
    task: bool
    manual: bool
    console: str
    instance: str
    instances: list[str]
    usage: str
    oom_score: int | str | None
    apparmor_load: str | None
    apparmor_profile: str
    cgroups: list[str]
    debug: bool
