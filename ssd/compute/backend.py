"""Import the oslo libraries in the order that selects threads instead of eventlet.

oslo.service fixes its backend (eventlet by default) at the first import of
``oslo_service.service``, which oslo.messaging also imports. The choice must come before both
imports, so every other module takes the libraries from here. nova does the same in monkey_patch.
Releases before 4.2 have no threads to select (Debian 12, 13): `ssd.compute.threads` replaces them.
"""

import warnings
from importlib.util import find_spec

with warnings.catch_warnings():
    # futurist, oslo.log and oslo.utils import eventlet if it is installed, only to check whether
    # it is in use. It then prints a warning that it is deprecated. Nothing here uses it.
    warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")
    warnings.filterwarnings("ignore", message=r"eventletutils module is deprecated")
    if find_spec("oslo_service.backend") and find_spec("oslo_service.backend._threading"):
        from oslo_service import backend as _backend

        _backend.init_backend(_backend.BackendType.THREADING)
        from oslo_service import opts as service_options
        from oslo_service import service
    else:
        from ssd.compute import threads as service
        from ssd.compute import threads as service_options
    import oslo_messaging as messaging
    from oslo_log import log
    from oslo_service import periodic_task

__all__ = ["log", "messaging", "periodic_task", "service", "service_options"]
