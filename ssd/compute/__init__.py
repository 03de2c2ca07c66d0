"""The embedded compute service: a small nova-compute for init scripts, demos and tests.

It has the shape of nova's own (nova/cmd/compute.py and nova/service.py of nova 34): `cli` reads
the configuration and builds a `service.Service`, which opens its RPC server, reports its state and
runs periodic tasks, and `launcher` waits for signals. Needs the extra ``compute``.
"""
