"""Jobs of OpenStack's packages and what they need: names and stanzas as shipped, own words."""

JOBS = {
    "libvirt-bin": """\
description "virtual machines"

start on runlevel [2345]
stop on starting rc RUNLEVEL=[016]

expect daemon
respawn

# daemon options
env libvirtd_opts="-d"
# whether it starts at boot
env start_libvirtd="yes"

pre-start script
    [ -r /etc/default/libvirt-bin ] && . /etc/default/libvirt-bin
    [ ! "x$start_libvirtd" = "xyes" ] && { stop; exit 0; }
    mkdir -p /var/run/libvirt
    rm -rf /var/run/libvirt/*
end script

script
    [ -r /etc/default/libvirt-bin ] && . /etc/default/libvirt-bin
    exec /usr/sbin/libvirtd $libvirtd_opts
end script

post-start script
    [ -r /etc/default/libvirt-bin ] && . /etc/default/libvirt-bin
    sockfile=/var/run/libvirt/libvirt-sock
    sockfile_check_retries=5
    while [ ! -S $sockfile ] && [ $sockfile_check_retries -gt 0 ]; do
        sockfile_check_retries=`expr $sockfile_check_retries - 1`
        sleep 1
    done
end script
""",
    "nova-api": """\
description "Nova API server"
author "A. Packager <packager@example.org>"

start on runlevel [2345]
stop on runlevel [!2345]

chdir /var/run

pre-start script
        mkdir -p /var/run/nova
        chown nova:root /var/run/nova/

        mkdir -p /var/lock/nova
        chown nova:root /var/lock/nova/
end script

exec start-stop-daemon --start --chuid nova --exec /usr/bin/nova-api -- \\
    --config-file=/etc/nova/nova.conf
""",
    "nova-compute": """\
# vim: set ft=upstart et ts=2:
description "Nova compute worker"
author "A. Packager <packager@example.org>"

start on runlevel [2345]
stop on runlevel [!2345]

chdir /var/run

env MAX_STATUS_CHECK_RETRIES=20

pre-start script
  mkdir -p /var/run/nova
  chown nova:root /var/run/nova/

  modprobe nbd

  # First libvirt, if it is here
  if status libvirt-bin; then
    start wait-for-state WAIT_FOR=libvirt-bin WAIT_STATE=running WAITER=nova-compute
  fi

  if status neutron-ovs-cleanup; then
    retries=$MAX_STATUS_CHECK_RETRIES
    while ! status neutron-ovs-cleanup | grep -qE "\\sstart/running"; do
      retries=`expr $retries - 1` || break
      start neutron-ovs-cleanup || :
      sleep 1
    done
  fi
end script

exec start-stop-daemon --start --chuid nova --exec /usr/bin/nova-compute -- \\
    --config-file=/etc/nova/nova.conf --config-file=/etc/nova/nova-compute.conf
""",
    "neutron-ovs-cleanup": """\
description "clean up of virtual switches"

start on started openvswitch-switch
stop on runlevel [!2345]

pre-start script
  [ ! -x /usr/bin/neutron-ovs-cleanup ] && exit 0
  start-stop-daemon --start --chuid neutron:neutron --exec /usr/bin/neutron-ovs-cleanup -- \\
        --log-file=/var/log/neutron/ovs-cleanup.log \\
        --config-file=/etc/neutron/neutron.conf
end script
""",
    "neutron-plugin-openvswitch-agent": """\
description "Neutron OpenvSwitch Agent"

start on runlevel [2345] and started neutron-ovs-cleanup
stop on runlevel [!2345]

respawn

chdir /var/run

pre-start script
    mkdir -p /var/run/neutron
    chown neutron:root /var/run/neutron
end script

exec start-stop-daemon --start --chuid neutron --exec /usr/bin/neutron-openvswitch-agent -- \\
       --config-file=/etc/neutron/neutron.conf \\
       --log-file=/var/log/neutron/openvswitch-agent.log
""",
    "cinder-volume": """\
description "Cinder volume server"

start on runlevel [2345]
stop on runlevel [!2345]

chdir /var/run

respawn

pre-start script
    mkdir -p /var/run/cinder /var/lock/cinder
    chown cinder:cinder /var/run/cinder /var/lock/cinder
end script

exec start-stop-daemon --start --chuid cinder --exec /usr/bin/cinder-volume -- \\
    --config-file=/etc/cinder/cinder.conf --log-file=/var/log/cinder/cinder-volume.log
""",
    "openvswitch-switch": """\
description "Open vSwitch switch"

start on (local-filesystems and not-container) or virtual-filesystems
stop on runlevel [06]

env OVS_CTL=/usr/share/openvswitch/scripts/ovs-ctl

pre-start script
    test -x $OVS_CTL || { stop; exit 0; }
    $OVS_CTL start --system-id=random
end script

post-stop exec $OVS_CTL stop
""",
}
