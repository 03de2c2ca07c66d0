"""What every generated init script has: the verbs, and their decisions."""

# Only where there are directories to make.
MAKE_DIRECTORY = """\
# Make the directory $1 with mode $2 and owner $3, unless it is there.
make_directory() {
    [ -d "$1" ] || { install -d -m "$2" "$1" && chown -h "$3" "$1"; }
}
"""

# Only where readiness is to be waited for.
WAIT_UNTIL = """\
# Run a command once a second until it succeeds; fail after $1 seconds.
wait_until() {
    left=$1
    shift
    until "$@"; do
        [ "$left" -gt 0 ] || return 1
        left=$((left - 1))
        sleep 1
    done
}
"""

# Only where there is a signal for it. LSB: 7 is not running.
RELOAD = """\
do_reload() {{
    matched --stop --quiet --signal {signal} || return 2
}}

verb_reload() {{
    matched --status
    case $? in
    0) ;;
    1 | 3) exit 7 ;;
    *) exit 1 ;;
    esac
    report Reloading do_reload
}}

"""

# LSB: a service that cannot reload does not have that verb, and force-reload restarts it.
WITH_RELOAD = "reload | force-reload) verb_reload ;;"
NO_RELOAD = "force-reload) verb_restart ;;"

# Braces are doubled: it is a template for str.format. Exit statuses are LSB's.
BODY = """\
# shellcheck disable=SC1003,SC2016 # what stands in single quotes is meant as it is
# At boot PATH may be short; what the caller put first stays first.
PATH=${{PATH:+$PATH:}}/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
{names}
: "${{START_STOP_DAEMON:=$(command -v ssd || command -v start-stop-daemon)}}"

if [ -r /lib/lsb/init-functions ]; then
    # shellcheck source=/dev/null
    . /lib/lsb/init-functions
else
    log_daemon_msg() {{ printf '%s: %s' "$1" "$2"; }}
    log_end_msg() {{
        if [ "$1" -eq 0 ]; then echo .; else echo ' failed!'; fi
        return "$1"
    }}
fi

{functions}
# Return 0: started, 1: it was running already, 2: it could not be started.
do_start() {{
    if matched --status; then return 1; fi
    prepare || return 2
    launch
    case $? in
    0) finish || return 2 ;;
    1) return 1 ;;
    *) return 2 ;;
    esac
}}

# Return 0: stopped, 1: it was not running, 2: it still runs.
do_stop() {{
{before_stop}    matched --stop --quiet {stop}
    case $? in
    0) ;;
    # Also if it may not be signalled.
    1) if matched --status; then return 2; else return 1; fi ;;
    *) return 2 ;;
    esac
{after_stop}}}

# Here it is a failure too if it runs already: the old one is still there.
do_restart() {{
    do_stop
    if [ $? -gt 1 ] || ! do_start; then return 2; fi
}}

# Policy 9.3.2: a script that outlives its package does nothing, and succeeds.
unless_removed() {{
    [ -x "$DAEMON" ] || exit 0
}}

# Print "$1 DESC: NAME", run the rest, and print how it went; 1 is that nothing was to do.
report() {{
    log_daemon_msg "$1 $DESC" "$NAME"
    shift
    "$@"
    case $? in
    0 | 1) log_end_msg 0 ;;
    *) log_end_msg 1 ;;
    esac
}}

verb_restart() {{
    unless_removed
    report Restarting do_restart
}}

{do_reload}verb_status() {{
    matched --status
    status=$?
    case $status in
    0) echo "$NAME is running." ;;
    1) echo "$NAME is not running, but its pidfile exists." ;;
    3) echo "$NAME is not running." ;;
    *) echo "It cannot be told whether $NAME is running." ;;
    esac
    return $status
}}

case "$1" in
start)
    unless_removed
    report Starting do_start
    ;;
stop) report Stopping do_stop ;;
restart) verb_restart ;;
{reload}
try-restart)
    matched --status
    case $? in
    0) verb_restart ;;
    1 | 3) ;; # it is not running
    *) exit 1 ;;
    esac
    ;;
status) verb_status ;;
*)
    echo "Usage: $0 {{start|stop|restart|{reload_word}force-reload|try-restart|status}}" >&2
    exit 3
    ;;
esac
"""
