"""What a rollout does in nova at one compute host: drain before the restart, resume after it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from . import nova_decisions as decisions
from .nova_decisions import Server, Service

Answer = TypeVar("Answer")

POLL_INTERVAL = 2.0  # seconds
CALL_TIMEOUT = 90.0  # seconds: more than nova waits for an answer, rpc_response_timeout, 60


class Refused(Exception):
    """Nova has refused a request, or gave no answer. The text says which, and nova's reason.

    ``status`` is that of HTTP, or None if there was no answer.
    """

    def __init__(self, text: str, status: int | None = None) -> None:
        super().__init__(text)
        self.status = status

    @property
    def passes(self) -> bool:
        """Whether it may go well later: the API is away, or restarted."""
        return self.status is None or self.status >= 500


class Failed(Exception):
    """The host is not as the rollout needs it. The text says why and the way out."""


class Nova(Protocol):
    """What is asked of nova; nova_api has it. Each raises Refused, ``call`` apart."""

    def service(self, host: str) -> dict[str, Any] | None:
        """Return the compute service of a host, or None; its last report may lack."""

    def services(self) -> list[dict[str, Any]]:
        """Return the compute services."""

    def disable(self, service_id: str, reason: str) -> dict[str, Any]:
        """Disable a service and return it."""

    def enable(self, service_id: str) -> dict[str, Any]:
        """Enable a service and return it."""

    def hypervisor(self, host: str) -> str | None:
        """Return the id of a hypervisor of a host, or None."""

    def call(self, hypervisor: str, seconds: float) -> str | None:
        """Return why the nova-compute of a hypervisor did not answer a call, or None."""

    def servers(self, host: str) -> list[dict[str, Any]]:
        """Return the servers on a host."""

    def migrate(self, server_id: str) -> None:
        """Ask for the live migration of a server."""


class Clock:
    """The machine's clock, which only goes forward."""

    now = staticmethod(time.monotonic)
    sleep = staticmethod(time.sleep)


class Host:
    """A compute host in a rollout. ``mark``: the reason that marks what the rollout disables.

    ``before`` and ``after`` are its service as it was found, and as it was last seen.
    """

    def __init__(self, nova: Nova, name: str, mark: str, clock: type[Clock] = Clock) -> None:
        self.nova = nova
        self.name = name
        self.mark = mark
        self.clock = clock
        self.changed = False
        self.said: list[str] = []
        self.left: list[str] = []
        self._refused: set[str] = set()  # ids of the servers that were once not accepted
        self.before: Service | None = None
        self.after: Service | None = None

    def look(self) -> None:
        """Find the service, and say who has disabled it. Raises Failed if nova has none."""
        self._usable(self._found())
        self._tell_whose()

    def _found(self) -> Service | None:
        row = self.nova.service(self.name)
        return decisions.service(row) if row else None

    def _listed(self) -> Service | None:
        row = decisions.find(self.nova.services(), self.name)
        return decisions.service(row) if row else None

    def _usable(self, found: Service | None) -> Service:
        """Note a service as it was found. Raises Failed unless it is there."""
        if found is None:
            raise Failed(decisions.unknown(self.name))
        self.before = self.after = found
        return found

    def _restartable(self, found: Service | None) -> Service:
        """Note a service as it was found. Raises Failed if it could not be seen to come back."""
        service = self._usable(found)
        if service.forced_down:
            raise Failed(decisions.forced_down(self.name))
        return service

    @property
    def whose(self) -> str | None:
        """Who has disabled the service: "rollout", "other", or None as long as it is enabled."""
        assert self.after is not None
        return decisions.whose(self.after, self.mark)

    def _tell_whose(self) -> None:
        assert self.after is not None
        if self.whose == "other":
            self.said.append(decisions.stays_disabled(self.after))

    # Before the restart ----------------------------------------------------------------

    def drain(self, *, migrate: bool, timeout: float, check: bool) -> None:
        """Disable the service if it is enabled; then, if asked to, move the running servers away.

        ``timeout``: seconds until the host must be empty. ``check``: change nothing, predict.
        Raises Failed, Refused.
        """
        service = self._restartable(self._found())
        self._tell_whose()
        if service.enabled:
            if check:
                self.after = service._replace(enabled=False, reason=self.mark)
            else:
                self.after = decisions.service(self.nova.disable(service.id, self.mark))
            self.changed = True
        if migrate and not check:
            self._empty(timeout)

    def _empty(self, timeout: float) -> None:
        """Have the running servers moved, and wait until they are away."""
        deadline = self.clock.now() + timeout
        asked: set[str] = set()
        while waiting := self._move(asked):
            if not self._pause(deadline):
                names = ", ".join(sorted(each.name for each in waiting))
                raise Failed(f"{self.name} is not empty after {timeout:.0f} seconds: {names}")

    def _move(self, asked: set[str]) -> list[Server]:
        """Ask for the migration of servers that were not asked for; return those to wait for."""
        servers = [decisions.server(row) for row in self.nova.servers(self.name)]
        if any(each.host != self.name for each in servers):
            raise Failed(decisions.unfiltered(self.name))
        if refusing := decisions.refusing(servers, asked):
            names = ", ".join(f"{each.name} ({each.id})" for each in refusing)
            raise Failed(
                f"live migration has failed for {names}; openstack server migration list --server"
                " SERVER tells more"
            )
        if stuck := decisions.stuck(servers):
            names = ", ".join(f"{each.name} ({each.id}, {each.status})" for each in stuck)
            raise Failed(
                f"{self.name} has servers that run and cannot be moved as they are: {names}"
            )
        self.left = decisions.resting(servers)
        begun = decisions.to_move(servers, asked)
        for each in begun:
            if self._accepted(each):
                asked.add(each.id)
                self.changed = True
        return begun + decisions.moving(servers)

    def _accepted(self, server: Server) -> bool:
        """Ask for a migration; return False if the server has changed since it was listed.

        Its owner may have deleted it (404), or have begun something else (409). The next look
        tells. A second refusal of the same server has another reason, and is raised.
        """
        try:
            self.nova.migrate(server.id)
        except Refused as error:
            if error.status not in (404, 409) or server.id in self._refused:
                raise
            self._refused.add(server.id)
            return False
        return True

    # After it --------------------------------------------------------------------------

    def resume(self, *, timeout: float, check: bool) -> None:
        """Wait until nova-compute is back, and enable the service if this rollout disabled it.

        ``timeout``: seconds until it must be back; if it is not, the service stays as it is.
        Raises Failed, Refused.
        """
        deadline = self.clock.now() + timeout
        before = self._restartable(self._patiently(self._listed, deadline))
        if not check:
            self._await(before, deadline, timeout)
        self._let_in(check, deadline)

    def release(self, *, check: bool) -> None:
        """Enable the service if this rollout disabled it: nova-compute was not restarted."""
        self._usable(self._found())
        self._let_in(check)

    def _let_in(self, check: bool, deadline: float = 0.0) -> None:
        self._tell_whose()
        if self.whose == "rollout":
            found = self.after
            assert found is not None
            if check:
                self.after = found._replace(enabled=True, reason=None)
            else:
                row = self._patiently(lambda: self.nova.enable(found.id), deadline)
                self.after = decisions.service(row)
            self.changed = True

    def _patiently(self, ask: Callable[[], Answer], deadline: float) -> Answer:
        """Return what nova answers, once its API is there again. Raises Refused after that."""
        while True:
            try:
                return ask()
            except Refused as error:
                if not (error.passes and self._pause(deadline)):
                    raise

    def _await(self, before: Service, deadline: float, timeout: float) -> None:
        """Wait for an answer of the restarted nova-compute to a call, and for its report.

        In this order: a call costs nova little, and waits in the queue of the host until
        nova-compute takes it; for a report nova reads all of its services.
        """
        for step in (self._unanswered, lambda left: self._unreported(before)):
            while why := self._tried(step, deadline - self.clock.now()):
                if not self._pause(deadline):
                    raise Failed(
                        f"nova-compute on {self.name} is not back {timeout:.0f} seconds after the"
                        f" restart: {why}"
                    )

    def _tried(self, step: Callable[[float], str | None], left: float) -> str | None:
        """Return what is missing after a step, or why nova did not say it; None if nothing is."""
        try:
            return step(left)
        except Refused as error:  # nova's API may be restarted meanwhile, too
            return str(error)

    def _unanswered(self, left: float) -> str | None:
        """Return why nova-compute has not answered a call, or None."""
        hypervisor = self.nova.hypervisor(self.name)
        if hypervisor is None:
            return f"nova has no hypervisor of host {self.name}"
        why = self.nova.call(hypervisor, min(CALL_TIMEOUT, max(1.0, left)))
        return why and f"it has not answered a call: {why}"

    def _unreported(self, before: Service) -> str | None:
        """Return how the service looks if it has not reported since ``before``, or None."""
        found = self._listed()
        if found is None:
            return decisions.unknown(self.name)
        self.after = found
        return None if decisions.has_reported(found, before) else decisions.silent(found)

    def _pause(self, deadline: float) -> bool:
        """Wait until the next look; return False if the time is over."""
        left = deadline - self.clock.now()
        if left > 0:
            self.clock.sleep(min(POLL_INTERVAL, left))
        return left > 0

    def result(self) -> dict[str, Any]:
        """Return what Ansible shows of it."""
        before, after = (each and decisions.facts(each) for each in (self.before, self.after))
        message = "; ".join([*self._state(), *self.said])
        note = {
            "status": after and after["status"],
            "before": before and before["status"],
            "msg": message,
            "left": self.left,
        }
        return {
            "changed": self.changed,
            "host": self.name,
            "before": before,
            "after": after,
            "left": self.left,
            "note": note,
            "msg": message,
        }

    def _state(self) -> list[str]:
        """Return a sentence about the service as it was last seen, if it was."""
        if self.after is None:
            return []
        if self.whose == "rollout":
            return ["compute service disabled by this rollout"]
        return [f"compute service {'disabled' if self.whose else 'enabled'}"]


def carry_out(host: Host, state: str, check: bool, options: dict[str, Any]) -> dict[str, Any]:
    """Bring a host into a state; return the result for Ansible, of a failure too."""
    verbs: dict[str, Callable[[], None]] = {
        "drained": lambda: host.drain(
            migrate=options["migrate"], timeout=options["migrate_timeout"], check=check
        ),
        "resumed": lambda: host.resume(timeout=options["timeout"], check=check),
        "released": lambda: host.release(check=check),
        "shown": host.look,
    }
    failure: dict[str, Any] = {}
    try:
        verbs[state]()
    except (Failed, Refused) as error:
        host.said.append(str(error))
        failure = {"failed": True}
    return {**host.result(), **failure}
