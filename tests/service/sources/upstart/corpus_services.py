"""Jobs of well-known packages, in the shapes that they shipped: names and stanzas, own words."""

JOBS = {
    "ssh": """\
description	"secure shell"

start on runlevel [2345]
stop on runlevel [!2345]

respawn
respawn limit 10 5
umask 022

env SSH_SIGSTOP=1
expect stop

# Its own log is enough
console none

pre-start script
    test -x /usr/sbin/sshd || { stop; exit 0; }
    test -e /etc/ssh/sshd_not_to_be_run && { stop; exit 0; }

    mkdir -p -m0755 /var/run/sshd
end script

exec /usr/sbin/sshd -D
""",
    "cron": """\
description	"background program processing daemon"

start on runlevel [2345]
stop on runlevel [!2345]

expect fork
respawn

exec cron
""",
    "atd": """\
description	"deferred execution scheduler"

start on runlevel [2345]
stop on runlevel [!2345]

expect fork
respawn

exec atd
""",
    "mysql": """\
description     "database server"
author          "A. Packager <packager@example.org>"

start on runlevel [2345]
stop on starting rc RUNLEVEL=[016]

respawn
respawn limit 2 5

env HOME=/etc/mysql
umask 007

# Twenty seconds are not always enough for a shutdown
kill timeout 300

pre-start script
    [ -r $HOME/my.cnf ] || true
    [ -d /var/run/mysqld ] || install -m 755 -o mysql -g root -d /var/run/mysqld
end script

exec /usr/sbin/mysqld

post-start script
    for i in `seq 1 30` ; do
        /usr/bin/mysqladmin --defaults-file="${HOME}"/debian.cnf ping && exit 0
        sleep 1
    done
    exit 1
end script
""",
    "mongodb": """\
# Ubuntu upstart file at /etc/init/mongodb.conf

limit fsize unlimited unlimited
limit cpu unlimited unlimited
limit as unlimited unlimited
limit nofile 64000 64000
limit nproc 64000 64000

kill timeout 300

pre-start script
    mkdir -p /var/lib/mongodb/
    mkdir -p /var/log/mongodb/
end script

start on runlevel [2345]
stop on runlevel [06]

script
  ENABLE_MONGODB="yes"
  if [ -f /etc/default/mongodb ]; then . /etc/default/mongodb; fi
  if [ "x$ENABLE_MONGODB" = "xyes" ]; then
    exec start-stop-daemon --start --quiet --chuid mongodb --exec /usr/bin/mongod \\
        -- --config /etc/mongodb.conf
  fi
end script
""",
    "cups": """\
description     "printing service"

start on (filesystem
          and (started dbus or runlevel [2345]))
stop on runlevel [016]

respawn
respawn limit 3 240

apparmor load /etc/apparmor.d/usr.sbin.cupsd

pre-start script
    [ -x /usr/sbin/cupsd ] || { stop; exit 0; }
    mkdir -p /var/run/cups/certs
end script

exec /usr/sbin/cupsd -F

post-start script
    timeout=6
    while [ ! -e /var/run/cups/cups.sock ]; do
        timeout=`expr $timeout - 1`
        [ $timeout -gt 0 ] || exit 1
        sleep 0.5
    done
end script
""",
    "docker": """\
description "container daemon"

start on (local-filesystems and net-device-up IFACE!=lo)
stop on runlevel [!2345]
limit nofile 524288 1048576
limit nproc 524288 1048576

respawn

kill timeout 20

pre-start script
	# a file system for control groups
	if grep -v '^#' /etc/fstab | grep -q cgroup \\
		|| [ ! -e /proc/cgroups ]; then
		exit 0
	fi
end script

script
	# DOCKER_OPTS may come from the file of defaults
	DOCKER=/usr/bin/$UPSTART_JOB
	DOCKER_OPTS=
	if [ -f /etc/default/$UPSTART_JOB ]; then
		. /etc/default/$UPSTART_JOB
	fi
	exec "$DOCKER" -d $DOCKER_OPTS
end script
""",
    "lxc-net": """\
description "network of containers"

start on starting lxc
stop on stopped lxc

env USE_LXC_BRIDGE="true"
env LXC_BRIDGE="lxcbr0"
env LXC_ADDR="10.0.3.1"
env LXC_NETMASK="255.255.255.0"
env LXC_NETWORK="10.0.3.0/24"
env varrun="/run/lxc"

pre-start script
    [ -f /etc/default/lxc ] && . /etc/default/lxc
    [ "x$USE_LXC_BRIDGE" = "xtrue" ] || { stop; exit 0; }
    mkdir -p ${varrun}
    touch ${varrun}/network_up
end script

post-stop script
    rm -f ${varrun}/network_up
end script
""",
    "whoopsie": """\
description "crash report submission"

start on runlevel [2345]
stop on runlevel [!2345]

env CRASH_DB_URL=https://daisy.example.com

expect fork
respawn

script
    [ -e /etc/default/apport ] && . /etc/default/apport
    if [ "$enabled" = 0 ]; then
        stop; exit 0
    fi
    exec whoopsie
end script
""",
    "ufw": """\
description "uncomplicated firewall"

# Before any network device
start on (starting network-interface
          or starting network-manager
          or starting networking)
stop on runlevel [!023456]

console output

pre-start exec /lib/ufw/ufw-init start quiet
post-stop exec /lib/ufw/ufw-init stop
""",
    "acpid": """\
description	"power management events"

start on runlevel [2345]
stop on runlevel [!2345]

expect fork
respawn

script
    OPTIONS=
    [ -f /etc/default/acpid ] && . /etc/default/acpid
    exec acpid -c /etc/acpi/events -s /var/run/acpid.socket $OPTIONS
end script
""",
    "avahi-daemon": """\
description	"service discovery"

start on (filesystem and started dbus)
stop on stopping dbus

respawn

script
    DISABLED=0
    [ ! -e /etc/default/avahi-daemon ] || . /etc/default/avahi-daemon
    exec avahi-daemon --no-drop-root
end script
""",
    "lightdm": """\
description "display manager"

start on ((filesystem
           and runlevel [!06]
           and started dbus
           and plymouth-ready)
          or runlevel PREVLEVEL=S)

stop on runlevel [016]

emits login-session-start
emits desktop-session-start
emits desktop-shutdown

script
    if [ -n "$UPSTART_EVENTS" ]; then
        ! [ -f /etc/X11/no-display-manager ]
    fi
    initctl emit login-session-start DISPLAY_MANAGER=lightdm
    exec lightdm
end script

post-stop script
	if [ "$UPSTART_STOP_EVENTS" = runlevel ]; then
		initctl emit desktop-shutdown
	fi
end script
""",
    "jenkins": """\
description "continuous integration server"

start on (local-filesystems and net-device-up IFACE!=lo)
stop on runlevel [!2345]

env USER="jenkins"
env GROUP="jenkins"
env JENKINS_LOG="/var/log/jenkins"
env JENKINS_ROOT="/usr/share/jenkins"
env JENKINS_HOME="/var/lib/jenkins"
env JENKINS_RUN="/var/run/jenkins"
env HTTP_PORT=8080
env AJP_PORT=-1

respawn
umask 022
nice 5
oom score 200
limit nofile 8192 8192
setuid jenkins
setgid jenkins
chdir /var/lib/jenkins

script
    JENKINS_ARGS="--httpPort=$HTTP_PORT --ajp13Port=$AJP_PORT"
    exec /usr/bin/java -jar $JENKINS_ROOT/jenkins.war $JENKINS_ARGS
end script
""",
    "salt-minion": """\
description "Salt Minion"

start on (net-device-up
          and local-filesystems
          and runlevel [2345])
stop on runlevel [!2345]
limit nofile 100000 100000

# The parent does not reap quickly
respawn limit 10 5
respawn

script
  # Variables of the package
  [ -f /etc/default/$UPSTART_JOB ] && . /etc/default/$UPSTART_JOB
  exec /usr/bin/salt-minion
end script
""",
    "squid3": """\
description	"HTTP proxy cache"

start on runlevel [2345]
stop on runlevel [!2345]

respawn
normal exit 0
kill signal INT
kill timeout 40
reload signal HUP

env CONFIG="/etc/squid3/squid.conf"
env SQUID_ARGS="-YC"

pre-start script
    mkdir -p /var/spool/squid3
end script

exec /usr/sbin/squid3 -N $SQUID_ARGS -f $CONFIG
""",
}
