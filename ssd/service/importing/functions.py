"""A file of functions in place of Red Hat's /etc/init.d/functions, for a trace where it is missing.

It does what the scripts rely on: ``daemon`` starts a program, as another user through runuser(1)
and without core files, and ``killproc`` sends TERM, waits three seconds, and sends KILL.
"""

PATHS = ("/etc/init.d/functions", "/etc/rc.d/init.d/functions")
TEXT = r"""
_shell=/bin/bash
[ -x $_shell ] || _shell=/bin/sh

strstr() { case "$1" in *"$2"*) return 0;; esac; return 1; }
is_true() { case "$1" in [tT]|[yY]|1|[tT]rue|[yY]es|on) return 0;; esac; return 1; }
is_false() { case "$1" in [fF]|[nN]|0|[fF]alse|[nN]o|off) return 0;; esac; return 1; }
echo_success() { echo -n "[  OK  ]"; }
echo_failure() { echo -n "[FAILED]"; }
echo_passed() { echo -n "[PASSED]"; }
echo_warning() { echo -n "[WARNING]"; }
success() { echo_success; return 0; }
failure() { _status=$?; echo_failure; return $_status; }
passed() { _status=$?; echo_passed; return $_status; }
warning() { _status=$?; echo_warning; return $_status; }
action() { echo -n "$1 "; shift; "$@" && success || failure; _status=$?; echo; return $_status; }
confirm() { return 0; }
update_boot_stage() { return 0; }
get_numeric_dev() { echo 0:0; }

checkpid() {
    for _pid in $1; do [ -d "/proc/$_pid" ] && return 0; done
    return 1
}

pids_of() { # NAME PIDFILE
    if [ -n "$2" ]; then
        if [ -f "$2" ]; then read -r _pid < "$2" && checkpid "$_pid" && echo "$_pid"; fi
    elif [ -f "/var/run/${1##*/}.pid" ]; then
        read -r _pid < "/var/run/${1##*/}.pid" && checkpid "$_pid" && echo "$_pid"
    else
        pidof -x "${1##*/}"
    fi
}

pidofproc() { [ "$1" = -p ] && { pids_of "$3" "$2"; return; }; pids_of "$1" ""; }
pidfileofproc() { cat "/var/run/${1##*/}.pid" 2> /dev/null; }

status() {
    _file= _name=
    while [ $# -gt 0 ]; do
        case "$1" in
            -p) _file=$2; shift 2 ;;
            -l | -b) shift 2 ;;
            *) _name=$1; shift ;;
        esac
    done
    _pids=$(pids_of "$_name" "$_file")
    if [ -n "$_pids" ]; then echo "${_name##*/} (pid $_pids) is running..."; return 0; fi
    if [ -f "${_file:-/var/run/${_name##*/}.pid}" ]; then return 1; fi
    echo "${_name##*/} is stopped"
    return 3
}

daemon() {
    _user= _nice= _file=
    while :; do
        case "$1" in
            --check | --pidfile | --user)
                [ "$1" != --pidfile ] || _file=$2
                [ "$1" != --user ] || _user=$2
                shift 2 ;;
            --pidfile=*) _file=${1#*=}; shift ;;
            --user=*) _user=${1#*=}; shift ;;
            [-+][0-9]*) _nice="nice -n ${1#+}"; shift ;;
            -*) shift ;;
            *) break ;;
        esac
    done
    if [ -n "$_file" ] && [ -n "$(pids_of "$1" "$_file")" ]; then return 0; fi
    _text="ulimit -S -c ${DAEMON_COREFILE_LIMIT:-0} > /dev/null 2>&1; $*"
    if [ -n "$_user" ]; then
        $_nice runuser -s $_shell "$_user" -c "$_text"
    else
        $_nice $_shell -c "$_text"
    fi
    if [ $? = 0 ]; then success; else failure; fi
}

killproc() {
    _file= _delay=3 _name= _signal=
    while [ $# -gt 0 ]; do
        case "$1" in
            -p) _file=$2; shift 2 ;;
            -d) _delay=$2; shift 2 ;;
            -b) shift 2 ;;
            -*) _signal=$1; shift ;;
            *) _name=$1; shift ;;
        esac
    done
    _pids=$(pids_of "$_name" "$_file")
    if [ -z "$_pids" ]; then failure; return 1; fi
    if [ -n "$_signal" ]; then
        kill "$_signal" $_pids && success || failure
        return
    fi
    kill -TERM $_pids
    while checkpid "$_pids" && [ "$_delay" -gt 0 ]; do sleep 1; _delay=$((_delay - 1)); done
    if checkpid "$_pids"; then kill -KILL $_pids; fi
    rm -f "${_file:-/var/run/${_name##*/}.pid}"
    success
}
"""
