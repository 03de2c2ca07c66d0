"""Jobs of the system itself, in the shapes that Ubuntu shipped: names and stanzas, own words."""

JOBS = {
    "rc": """\
# Runs the scripts of a runlevel.
description "scripts of a System V runlevel"
author      "A. Packager <packager@example.org>"

emits deconfiguring-networking
emits unmounted-remote-filesystems

start on runlevel [0123456]
stop on runlevel [!$RUNLEVEL]

export RUNLEVEL
export PREVLEVEL

console output
env INIT_VERBOSE

task

script
if [ "$RUNLEVEL" = "0" -o "$RUNLEVEL" = "6" ]; then
    status plymouth-shutdown >/dev/null 2>&1 || :
fi
/etc/init.d/rc $RUNLEVEL
end script
""",
    "rc-sysinit": """\
description "single way into the first runlevel"
author      "A. Packager <packager@example.org>"

start on (filesystem and static-network-up) or failsafe-boot
stop on runlevel

# Where to go unless the kernel's command line says otherwise
env DEFAULT_RUNLEVEL=2

emits runlevel

# Neither may come from an event
env RUNLEVEL=
env PREVLEVEL=

console output
env INIT_VERBOSE

task

script
    if [ -r /etc/inittab ]; then
        DEFAULT_RUNLEVEL=3
    fi
    telinit "${DEFAULT_RUNLEVEL}"
end script
""",
    "tty1": """\
# A getty on the first console, from runlevel 2 on.
start on stopped rc RUNLEVEL=[2345] and (
            not-container or
            container CONTAINER=lxc or
            container CONTAINER=lxc-libvirt)

stop on runlevel [!2345]

respawn
exec /sbin/getty -8 38400 tty1
""",
    "mountall": """\
description "mount what fstab lists"

start on startup
stop on starting rcS

expect daemon
task

emits virtual-filesystems
emits local-filesystems
emits remote-filesystems
emits all-swaps
emits filesystem
emits mounting
emits mounted

script
    [ -f /forcefsck ] && force_fsck="--force-fsck"
    exec mountall --daemon $force_fsck
end script

post-stop script
    rm -f /forcefsck 2>/dev/null || true
end script
""",
    "udev": """\
description	"device nodes and kernel events"

start on virtual-filesystems
stop on runlevel [06]

expect fork
respawn

exec /lib/systemd/systemd-udevd --daemon
""",
    "upstart-udev-bridge": """\
description "events of udev as events of init"

emits *-device-added
emits *-device-removed
emits *-device-changed

start on starting udev
stop on stopped udev

expect daemon
respawn

exec upstart-udev-bridge --daemon
""",
    "dbus": """\
description	"message bus of the system"

start on local-filesystems
stop on deconfiguring-networking

expect fork
respawn

pre-start script
    mkdir -p /var/run/dbus
    chown messagebus:messagebus /var/run/dbus
    exec dbus-uuidgen --ensure
end script

exec dbus-daemon --system --fork

post-start script
    [ -e /var/run/dbus ] || exit 1
end script

post-stop exec rm -f /var/run/dbus/pid
""",
    "rsyslog": """\
description	"system log"

start on filesystem
stop on runlevel [06]

expect fork
respawn

pre-start script
    /lib/init/apparmor-profile-load usr.sbin.rsyslogd
end script

script
    . /etc/default/rsyslog
    exec rsyslogd $RSYSLOGD_OPTIONS
end script
""",
    "networking": """\
description	"virtual network devices"

emits static-network-up
emits net-device-up

start on (local-filesystems
          and (stopped udevtrigger or container)) or runlevel [2345] or stopped networking \\
   RESULT=failed PROCESS=post-stop EXIT_STATUS=100
stop on unmounted-remote-filesystems

pre-start script
    mkdir -p /run/network
    ifup -a
end script

post-stop script
    if [ -z "$UPSTART_STOP_EVENTS" ]; then
        echo "Stopping or restarting the networking job is not supported."
        exit 100
    fi
    ifdown -a --exclude=lo
end script
""",
    "network-interface": """\
description "one network device"

emits net-device-up
emits net-device-down
emits static-network-up

start on net-device-added
stop on net-device-removed INTERFACE=$INTERFACE

instance $INTERFACE
export INTERFACE

pre-start script
    if [ "$INTERFACE" = lo ]; then
        initctl emit -n net-device-up IFACE=lo LOGICAL=lo ADDRFAM=inet METHOD=loopback || true
    fi
    mkdir -p /run/network
    exec ifup --allow auto $INTERFACE
end script

post-stop script
    ifdown --allow auto $INTERFACE
    initctl emit -n net-device-down IFACE=$INTERFACE || true
end script
""",
    "hostname": """\
description     "name of the machine"

start on startup

task
exec hostname -b -F /etc/hostname
""",
    "procps": """\
description	"kernel parameters"

instance $UPSTART_EVENTS
env UPSTART_EVENTS=

start on virtual-filesystems or static-network-up

task
script
    cat /etc/sysctl.d/*.conf /etc/sysctl.conf | sysctl -e -p -
end script
""",
    "control-alt-delete": """\
# Reboots when the three keys are pressed.
description	"emergency keypress"

start on control-alt-delete

task
exec shutdown -r now "Control-Alt-Delete pressed"
""",
    "failsafe": """\
description "boot even if no network comes up"

start on filesystem and net-device-up IFACE=lo
stop on static-network-up or starting rc-sysinit

emits failsafe-boot

console output

script
    sleep 20
    exec initctl emit --no-wait failsafe-boot
end script

post-start exec logger -t 'failsafe' -p daemon.warning "Failsafe of 20 seconds reached."
""",
    "ureadahead": """\
description "read files needed to boot before they are needed"

start on starting mountall
stop on stopped rc

expect fork
# 4 and 5: there is no pack, or it is too old
normal exit 0 4 5

exec /sbin/ureadahead --daemon

post-stop exec touch /var/lib/ureadahead/done
""",
    "plymouth": """\
description	"splash screen"

start on (starting mountall
          or (runlevel [016]
              and (stopped gdm
                   or stopped kdm
                   or stopped lightdm)))
stop on (stopped rc RUNLEVEL=[2345] or starting mountall-shell)

console output
expect fork
kill timeout 60

script
    [ "$RUNLEVEL" = 0 ] && mode="shutdown" || mode="boot"
    exec /sbin/plymouthd --mode=$mode --attach-to-session
end script

post-start exec /bin/plymouth show-splash
pre-stop exec /bin/plymouth quit
""",
}
