"""Scripts of OpenRC in a trace: what runs them there, and what they say of their dependencies.

Their interpreter is openrc-run, and their start-stop-daemon is another program than Debian's. A
stand-in interpreter sets the variables, sources the script, and calls start-stop-daemon as
OpenRC's own functions do; ``translated`` puts its options into Debian's words.
"""

from ssd.service.generators.facilities import OPENRC

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NAMES = ("openrc-run", "runscript")
MARK = "RC_SVCNAME"  # a variable of each of its scripts
NOTES = "/run/openrc-of-trace"  # where the stand-in writes what the script says

TEXT = rf"""#!/bin/sh
RC_SERVICE=$1 RC_SVCNAME=${{1##*/}} RC_CMD=$2
SVCNAME=$RC_SVCNAME
export RC_SVCNAME
mkdir -p {NOTES}

_say() {{ [ $# = 0 ] || echo "$*"; }}
einfo() {{ _say "$@"; }}
einfon() {{ _say "$@"; }}
ebegin() {{ _say "$@"; }}
ewarn() {{ _say "$@"; }}
eerror() {{ _say "$@"; }}
veinfo() {{ :; }}
vewarn() {{ :; }}
vebegin() {{ :; }}
eindent() {{ :; }}
eoutdent() {{ :; }}
eend() {{
    _status=${{1:-0}}
    [ $# = 0 ] || shift
    [ "$_status" = 0 ] || _say "$@"
    return "$_status"
}}
ewend() {{ eend "$@"; }}
veend() {{ eend "$@"; }}
vewend() {{ eend "$@"; }}

yesno() {{
    _value=$1
    for _round in 1 2; do
        case "$_value" in
            [Yy][Ee][Ss] | [Tt][Rr][Uu][Ee] | [Oo][Nn] | 1) return 0 ;;
            *[!A-Za-z0-9_]* | "" | [0-9]*) return 1 ;;
        esac
        eval "_value=\$$_value"
    done
    return 1
}}

checkpath() {{
    _kind= _mode= _owner= _empty=
    while [ $# -gt 0 ]; do
        case "$1" in
            -m | --mode) _mode=$2; shift 2 ;;
            -o | --owner) _owner=$2; shift 2 ;;
            -q | --quiet | -s | --symlinks | -W | --writable) shift ;;
            -D | --directory-truncate) _kind=d _empty=yes; shift ;;
            --directory) _kind=d; shift ;;
            --file | --file-truncate) _kind=f; shift ;;
            --pipe) _kind=p; shift ;;
            -[dfFp]*) _kind=$(echo "$1" | tr F f | tr -dc dfp); shift
                _kind=${{_kind%"${{_kind#?}}"}} ;;
            -*) shift ;;
            *) break ;;
        esac
    done
    for _path in "$@"; do
        case "$_kind" in
            d) [ -d "$_path" ] || mkdir -p -m 0775 "$_path" ;;
            f) [ -e "$_path" ] || : > "$_path" ;;
            p) [ -p "$_path" ] || mkfifo "$_path" ;;
        esac
        [ -z "$_mode" ] || chmod "$_mode" "$_path"
        [ -z "$_owner" ] || chown "$_owner" "$_path"
    done
}}

service_set_value() {{ echo "$2" > "{NOTES}/value-$1"; }}
service_get_value() {{ cat "{NOTES}/value-$1" 2> /dev/null; }}
for _state in starting started stopping stopped inactive; do
    eval "mark_service_$_state() {{ :; }}; service_$_state() {{ return 1; }}"
done
is_older_than() {{ return 1; }}

# What depend() calls.
for _word in need use want after before provide; do
    eval "$_word() {{ for _each in \"\$@\"; do : > \"{NOTES}/$_word-\$_each\"; done; }}"
done
config() {{ :; }}
keyword() {{ :; }}

default_start() {{
    [ -n "$command" ] || return 0
    _background=
    if [ "$supervisor" = supervise-daemon ]; then
        pidfile=${{pidfile:-/run/supervise-$RC_SVCNAME.pid}}
        : > "{NOTES}/supervised"
        _background="--background --make-pidfile $supervise_daemon_args"
        command_args_background=$command_args_foreground
    elif yesno "$command_background"; then
        _background="--background --make-pidfile"
    fi
    [ -z "$output_log" ] || _background="$_background --stdout '$output_log'"
    [ -z "$error_log" ] || _background="$_background --stderr '$error_log'"
    ebegin "Starting ${{name:-$RC_SVCNAME}}"
    eval start-stop-daemon --start --exec $command \
        ${{procname:+--name}} $procname ${{pidfile:+--pidfile}} $pidfile \
        ${{chroot:+--chroot}} $chroot ${{directory:+--chdir}} $directory \
        ${{umask:+--umask}} $umask ${{command_user:+--user}} $command_user \
        ${{capabilities:+--capabilities}} $capabilities ${{secbits:+--secbits}} $secbits \
        ${{no_new_privs:+--no-new-privs}} $_background $start_stop_daemon_args \
        -- $command_args $command_args_background
    eend $? "Failed to start $RC_SVCNAME"
}}
default_stop() {{
    ebegin "Stopping ${{name:-$RC_SVCNAME}}"
    start-stop-daemon --stop --retry "${{retry:-${{stopsig:-TERM}}/5}}" \
        ${{command:+--exec}} $command ${{procname:+--name}} $procname \
        ${{pidfile:+--pidfile}} $pidfile
    eend $? "Failed to stop $RC_SVCNAME"
}}
start() {{ default_start; }}
stop() {{ default_stop; }}

[ ! -r /etc/rc.conf ] || . /etc/rc.conf
[ ! -r "/etc/conf.d/$RC_SVCNAME" ] || . "/etc/conf.d/$RC_SVCNAME"
. "$RC_SERVICE"

_has() {{ command -v "$1" > /dev/null; }}
[ "$RC_CMD" != start ] || ! _has depend || depend
[ -z "$rc_ulimit" ] || ulimit $rc_ulimit
[ -z "$description" ] || echo "$description" > {NOTES}/description
_has "$RC_CMD" || exit 1
! _has "${{RC_CMD}}_pre" || "${{RC_CMD}}_pre" || exit
"$RC_CMD" || exit
! _has "${{RC_CMD}}_post" || "${{RC_CMD}}_post"
"""

# Options of OpenRC's start-stop-daemon -> those of Debian's, or of ssd; None: there is none.
_OPTIONS = {
    "-u": "--chuid", "--user": "--chuid", "-1": "--stdout", "-2": "--stderr", "-e": "--env",
    "-i": "--interpreted", "--secbits": "--securebits", "-P": None, "--progress": None,
}  # fmt: skip
# Those with a value that no field holds: milliseconds, and programs that take the output.
_DROPPED = ("-w", "--wait", "-3", "--stdout-logger", "-4", "--stderr-logger", "--notify")
_CLASSES = {"1": "real-time", "2": "best-effort", "3": "idle"}


def interprets(first_line: str) -> bool:
    """Tell whether the first line of a script names OpenRC's interpreter."""
    words = first_line[2:].split()
    return first_line[:2] == "#!" and any(word.rpartition("/")[2] in NAMES for word in words)


def is_note(path: str) -> bool:
    """Tell whether the stand-in has made a file, to say something."""
    return f"{path}/".startswith(f"{NOTES}/")


def translated(words: "list[str]") -> "list[str]":
    """Return the words of a call of OpenRC's start-stop-daemon as Debian's has them."""
    ahead = words[:0:-1]
    options = words[: words.index("--")] if "--" in words else words
    tells = {"-S", "--start", "-K", "--stop"} & {*options}
    made = [words[0], *([] if tells else ["--stop"])]  # --signal alone is a command there
    background = any(word in ("-b", "--background") for word in words)
    while ahead:
        word = ahead.pop()
        if word == "--":
            return [*made, word, *reversed(ahead)]
        option, equals, value = word.partition("=")
        if option in _DROPPED or option in ("--stdout", "--stderr", "-1", "-2") and not background:
            value = value if equals or not ahead else ahead.pop()
        elif option in ("-I", "--ionice"):
            level = value if equals or not ahead else ahead.pop()
            number, _, data = level.partition(":")
            made += ["--iosched", _CLASSES.get(number, "best-effort") + (data and f":{data}")]
        elif option in _OPTIONS:
            name = _OPTIONS[option]
            made += [] if name is None else [f"{name}={value}" if equals else name]
        else:
            made.append(word)
    return made


def fields(changes: "list[dict[str, Any]]") -> "dict[str, object]":
    """Return the fields of what a script says of itself, from the files that the stand-in made."""
    facilities = {name: facility for facility, name in OPENRC.items()}
    made: dict[str, list[str]] = {}
    other: dict[str, object] = {}
    for change in changes:
        path = change["path"]
        if not is_note(path):
            continue
        word, _, name = path.removeprefix(f"{NOTES}/").partition("-")
        if word == "supervised":
            other["respawn"] = {"when": "always"}
        elif word == "description":
            other["description"] = change["content"].strip()
        elif word in ("need", "use", "want", "after") and name in facilities:
            field = "required_start" if word == "need" else "should_start"
            made.setdefault(field, []).append(facilities[name])
        elif word in ("need", "use", "want", "after") and name != "*":
            made.setdefault("requires" if word == "need" else "after", []).append(name)
        elif word == "provide":
            made.setdefault("provides", []).append(name)
    return {**other, **{field: sorted(names) for field, names in made.items()}}
