"""Upstart's jobs without Upstart: the engine as a library.

``Jobs`` runs job files (``ssd.service.sources.upstart.parse``), with the events between them, in
the shape of ``ssd.supervision.Supervisor``. The command ``ssd-supervise --upstart`` is built on it.
"""

from ssd import lazy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ssd.upstart.errors import JobError as JobError
    from ssd.upstart.errors import StageFailed as StageFailed
    from ssd.upstart.job import Job as Job
    from ssd.upstart.jobs import Jobs as Jobs

if not TYPE_CHECKING:
    _HOMES = {"errors": ("JobError", "StageFailed"), "job": ("Job",), "jobs": ("Jobs",)}
    __getattr__, __dir__, __all__ = lazy(globals(), _HOMES)
