"""Import the oslo libraries in the one order that gives threads instead of eventlet.

oslo.service fixes its backend, eventlet unless told otherwise, when ``oslo_service.service`` is
first imported, and oslo.messaging imports that module. So the choice has to come before either,
and every other module takes the libraries from here (nova does the same in its monkey_patch).
"""

import warnings

with warnings.catch_warnings():
    # futurist, oslo.log and oslo.utils import eventlet wherever it is installed, only to ask
    # whether it is in use, and it says on standard error that it is deprecated. Nothing here
    # runs on it.
    warnings.filterwarnings("ignore", message=r"\s*Eventlet is deprecated")
    warnings.filterwarnings("ignore", message=r"eventletutils module is deprecated")
    from oslo_service import backend as _backend

    _backend.init_backend(_backend.BackendType.THREADING)
    import oslo_messaging as messaging
    from oslo_log import log
    from oslo_service import opts as service_options
    from oslo_service import periodic_task, service

__all__ = ["log", "messaging", "periodic_task", "service", "service_options"]
