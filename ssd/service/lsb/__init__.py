"""The functions of Debian's /lib/lsb/init-functions, as Python and as ``ssd-service lsb``.

>>> from ssd.service import lsb
>>> lsb.pidofproc("/usr/sbin/no-such-daemon", "/run/no-such-daemon.pid").status
3

The ``log_`` functions write to standard output and return the exit status of the original;
``ssd.service.console`` returns the same lines as texts. The other functions return their result
and raise the exceptions of ``ssd``. Names load on first use.
"""

from ssd import lazy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.service.lsb.daemons import killproc as killproc
    from ssd.service.lsb.daemons import start_daemon as start_daemon
    from ssd.service.lsb.log import log_action_begin_msg as log_action_begin_msg
    from ssd.service.lsb.log import log_action_cont_msg as log_action_cont_msg
    from ssd.service.lsb.log import log_action_end_msg as log_action_end_msg
    from ssd.service.lsb.log import log_action_msg as log_action_msg
    from ssd.service.lsb.log import log_begin_msg as log_begin_msg
    from ssd.service.lsb.log import log_daemon_msg as log_daemon_msg
    from ssd.service.lsb.log import log_end_msg as log_end_msg
    from ssd.service.lsb.log import log_failure_msg as log_failure_msg
    from ssd.service.lsb.log import log_progress_msg as log_progress_msg
    from ssd.service.lsb.log import log_success_msg as log_success_msg
    from ssd.service.lsb.log import log_warning_msg as log_warning_msg
    from ssd.service.lsb.pids import Found as Found
    from ssd.service.lsb.pids import pidofproc as pidofproc
    from ssd.service.lsb.pids import status_of_proc as status_of_proc
    from ssd.service.lsb.scripts import get_lsb_header_val as get_lsb_header_val
    from ssd.service.lsb.scripts import init_is_upstart as init_is_upstart

if not TYPE_CHECKING:
    _HOMES = {
        "daemons": ("killproc", "start_daemon"),
        "log": (
            "log_action_begin_msg", "log_action_cont_msg", "log_action_end_msg", "log_action_msg",
            "log_begin_msg", "log_daemon_msg", "log_end_msg", "log_failure_msg", "log_progress_msg",
            "log_success_msg", "log_warning_msg",
        ),
        "pids": ("Found", "pidofproc", "status_of_proc"),
        "scripts": ("get_lsb_header_val", "init_is_upstart"),
    }  # fmt: skip
    __getattr__, __dir__, __all__ = lazy(globals(), _HOMES)
