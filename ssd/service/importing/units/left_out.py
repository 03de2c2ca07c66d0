"""The settings of a unit that a declaration has no field for, and what to do instead.

Those that only ask systemd for something about itself are left out without a word.
"""

from ssd.service.errors import nearest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.service.importing.units.reader import Reader

SANDBOX = "there is no sandbox: the program can see and do what its user can"
CGROUP = "there are no limits of control groups; limits has those of the process"
# Settings told together, in one note each group: systemd.exec(5), systemd.resource-control(5).
GROUPS: "dict[str, tuple[str, ...]]" = {
    SANDBOX: tuple(
        "ProtectProc ProcSubset SystemCallFilter SystemCallArchitectures SystemCallErrorNumber "
        "SystemCallLog MemoryDenyWriteExecute RestrictNamespaces RestrictRealtime "
        "RestrictSUIDSGID RestrictAddressFamilies LockPersonality RestrictFileSystems "
        "ReadWriteDirectories ReadOnlyDirectories InaccessibleDirectories ReadWritePaths "
        "ReadOnlyPaths InaccessiblePaths ExecPaths NoExecPaths BindPaths BindReadOnlyPaths "
        "TemporaryFileSystem PrivateTmp PrivateDevices ProtectKernelTunables "
        "ProtectKernelModules ProtectKernelLogs ProtectClock ProtectControlGroups "
        "NetworkNamespacePath IPCNamespacePath PrivateNetwork PrivateUsers PrivateMounts "
        "PrivateIPC PrivatePIDs ProtectSystem ProtectHome ProtectHostname MountFlags MountAPIVFS "
        "RemoveIPC KeyringMode RootImage RootImageOptions RootHash RootHashSignature RootVerity "
        "RootEphemeral ExtensionDirectories ExtensionImages MountImages SetLoginEnvironment "
        "SELinuxContext SmackProcessLabel BPFProgram".split()
    ),
    CGROUP: tuple(
        "Slice AllowedCPUs StartupAllowedCPUs AllowedMemoryNodes StartupAllowedMemoryNodes "
        "CPUAccounting CPUWeight StartupCPUWeight CPUShares StartupCPUShares CPUQuota "
        "CPUQuotaPeriodSec MemoryAccounting MemoryMin DefaultMemoryMin DefaultMemoryLow MemoryLow "
        "MemoryHigh MemoryMax MemorySwapMax MemoryZSwapMax MemoryLimit DeviceAllow DevicePolicy "
        "IOAccounting IOWeight StartupIOWeight IODeviceWeight IOReadBandwidthMax "
        "IOWriteBandwidthMax IOReadIOPSMax IOWriteIOPSMax IODeviceLatencyTargetSec "
        "BlockIOAccounting BlockIOWeight StartupBlockIOWeight BlockIODeviceWeight "
        "BlockIOReadBandwidth BlockIOWriteBandwidth TasksAccounting TasksMax Delegate "
        "DisableControllers IPAccounting IPAddressAllow IPAddressDeny IPIngressFilterPath "
        "IPEgressFilterPath ManagedOOMSwap ManagedOOMMemoryPressure "
        "ManagedOOMMemoryPressureLimit ManagedOOMPreference SocketBindAllow SocketBindDeny "
        "RestrictNetworkInterfaces OOMPolicy".split()
    ),
}
# A setting, or the beginning of several with a * -> what to do.
OTHERS = {
    "Condition*": "it is not checked: before_start can check it, and make the start fail",
    "Assert*": "it is not checked: before_start can check it, and make the start fail",
    "ExecCondition": "it is not run: before_start can run it, and make the start fail",
    "Before": "write after = [...] into the declarations of those that come later",
    "Conflicts": "nothing is stopped by a start: before_start can stop it",
    "PartOf": "a stop or restart of another service does not stop it; requires and "
    'on_required_failure = "stop" come near it',
    "Upholds": "respawn in the other service's declaration keeps that up",
    "OnFailure": "nothing is started then: ssd-service events --follow tells of it",
    "OnSuccess": "nothing is started then: ssd-service events --follow tells of it",
    "PropagatesReloadTo": "a reload reaches this service alone",
    "ReloadPropagatedFrom": "a reload reaches the other service alone",
    "PropagatesStopTo": "a stop reaches this service alone",
    "StopPropagatedFrom": "a stop reaches the other service alone",
    "RequiresMountsFor": "name the facility of the file system: required_start = "
    '["$local_fs", "$remote_fs"]',
    "WantsMountsFor": "name the facility of the file system in should_start",
    "JoinsNamespaceOf": "no service has a namespace of its own",
    "*Action": "no failure starts, stops or reboots the machine",
    "DefaultDependencies": "the order of early boot is that of the init system",
    "Sockets": "no socket is passed: the program must open it itself",
    "FileDescriptorStoreMax": "no descriptors are kept for a restart",
    "NonBlocking": "no sockets are passed",
    "USBFunction*": "no descriptors of USB are passed",
    "RuntimeMaxSec": "nothing ends it after a time",
    "RuntimeRandomizedExtraSec": "nothing ends it after a time",
    "TimeoutAbortSec": "stop_schedule has the times of a stop",
    "Timeout*FailureMode": "stop_schedule has the signals",
    "RestartKillSignal": "a restart sends the signals of stop_schedule",
    "ExitType": "the service has ended with its main process",
    "RestartMode": "those that require it are told of each end",
    "UnsetEnvironment": "a start has LANG, LC_*, PATH and TERM, and what the declaration adds",
    "LimitLOCKS": "Linux has no such limit since 2.4.25",
    "CoredumpFilter": "before_start cannot set it: a program can, proc(5)",
    "CPUSchedulingResetOnFork": "chrt(1) can start the program with it",
    "CPUAffinity": "taskset(1) can start the program on some processors",
    "NUMA*": "numactl(8) can start the program on some nodes",
    "Personality": "setarch(8) can start the program with it",
    "TimerSlackNSec": "the program itself can ask for it, prctl(2)",
    "IgnoreSIGPIPE": "SIGPIPE is not ignored",
    "PAMName": "there is no session of PAM",
    "Utmp*": "no login is recorded",
    "TTY*": "the terminal is not prepared",
    "Syslog*": "a supervisor's log has no such setting",
    "Log*": "a supervisor's log has no such setting",
    "StandardInput*": "standard input is /dev/null",
    "LoadCredential*": "no credentials are passed: write a file that only the user can read",
    "SetCredential*": "no credentials are passed: write a file that only the user can read",
    "ImportCredential": "no credentials are passed: write a file that only the user can read",
    "ExecSearchPath": "name the program by its path",
    "DefaultInstance": "an instance is started by its name",
    "Also": "import that unit, too",
}
# About systemd itself, or without an effect on a service.
SILENT = (
    "SourcePath StopWhenUnneeded RefuseManualStart RefuseManualStop AllowIsolate "
    "OnSuccessJobMode OnFailureJobMode OnFailureIsolate IgnoreOnIsolate JobTimeoutSec "
    "JobRunningTimeoutSec JobTimeoutRebootArgument SurviveFinalKillSignal RebootArgument "
    "CollectMode FailureActionExitStatus SuccessActionExitStatus TimeoutCleanSec "
    "NotifyAccess GuessMainPID RootDirectoryStartOnly PermissionsStartOnly RequiresOverridable "
    "RequisiteOverridable WatchdogSignal TTYPath RuntimeDirectoryPreserve"
).split()

OFF = ("no", "false", "off")
ON = ("DefaultDependencies", "SyslogLevelPrefix", "MountAPIVFS")  # they mean something without


def tell(reader: "Reader") -> None:
    """Note what the import has not asked for."""
    groups: dict[str, list[tuple[str, str]]] = {}
    for section, name in reader.left():
        if name not in ON and reader.unit.all(section, name)[-1].text.lower() in OFF:
            continue  # it asks for nothing
        for words, members in GROUPS.items():
            if name in members:
                groups.setdefault(words, []).append((section, name))
                break
        else:
            _tell_one(reader, section, name)
    for words, found in groups.items():
        names = ", ".join(name for _, name in found)
        section, first = found[0]
        reader.note(first, words if len(found) == 1 else f"{words} ({names})", section=section)


def _tell_one(reader: "Reader", section: str, name: str) -> None:
    if name in SILENT:
        return
    words = meaning(name)
    if not words:
        known = {*OTHERS, *SILENT, *(name for _, name in reader.asked)}
        meant = nearest(name, [each for each in known if "*" not in each])
        hint = f"; did you mean {meant}?" if meant else ""
        words = f"no field corresponds to it{hint}"
    reader.note(name, words, section=section)


def meaning(name: str) -> str:
    """Return the words about a setting that has no field, empty if it is not in the tables."""
    for pattern, words in OTHERS.items():
        before, star, after = pattern.partition("*")
        fits = name.startswith(before) and name.endswith(after) if star else name == pattern
        if fits:
            return words
    return next((words for words, names in GROUPS.items() if name in names), "")
