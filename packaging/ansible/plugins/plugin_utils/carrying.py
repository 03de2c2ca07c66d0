"""Run a module of this collection, and carry ssd to a host that has none."""

from __future__ import annotations

import os

from ansible.errors import AnsibleConnectionFailure, AnsibleError
from ansible.plugins.action import ActionBase

NAME = "ssd.pyz"
FILE = os.path.join(
    os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "files", NAME
)


USAGE = 2  # LSB: invalid or excess arguments
FAULT = 1
NOTHING = {"state": "unknown", "processes": []}  # known of a service
NONE = dict.fromkeys(("source", "version", "path", "python", "error"))  # ssd was used


class Unreached(AnsibleConnectionFailure):
    """A host was not reached, or lost. ``values`` are in the result; ansible-core 2.19 reads it."""

    def __init__(self, message, values):
        super().__init__(message)
        self._values = values

    @property
    def result_contribution(self):
        """What the result has."""
        return {**self._values, "unreachable": True, "msg": self.message}


class Carrying(ActionBase):
    """The part on the controller. A subclass names its module, and what it returns always."""

    module = ""
    always = {"changed": False}
    _supports_check_mode = True
    _supports_async = False
    _carried_to = None  # the directory on the host

    def run(self, tmp=None, task_vars=None):
        """Run the module; return its result, with all that is returned always."""
        always = {**self.always, **self.asked()}
        try:
            result = super().run(tmp, task_vars)
            found = self._carried(task_vars)
        except AnsibleConnectionFailure as error:
            raise Unreached(str(error), always) from error
        except AnsibleError as error:
            return {**always, "failed": True, "msg": str(error)}
        # AnsibleModule itself refuses wrong parameters, and knows nothing of the rest.
        if found.get("failed") and "invocation" in found and "rc" in always:
            found.setdefault("rc", USAGE)
        result.update({**always, **found} if found.get("failed") else found)
        return result

    def asked(self):
        """Return what was asked for, as far as the result repeats it."""
        return {}

    def _carried(self, task_vars):
        """Run the module; if the host lacks ssd, copy it there and run the module again."""
        found = self._run_module(task_vars)
        if lacks_ssd(found) and os.path.isfile(FILE):
            self._carry()
            found = self._run_module(task_vars)
        return found

    def _run_module(self, task_vars):
        """Run the module with the arguments of the task; return its result."""
        arguments = dict(self._task.args)
        return self._execute_module(self.module, module_args=arguments, task_vars=task_vars)

    def _carry(self):
        """Copy ssd into the task's temporary directory, which Ansible removes after the task.

        A daemon that it starts needs the file no more.
        """
        shell = self._connection._shell
        if shell.tmpdir is None:
            self._make_tmp_path()
        there = shell.join_path(shell.tmpdir, NAME)
        self._transfer_file(FILE, there)
        self._fixup_perms2((shell.tmpdir, there))
        self._carried_to = shell.tmpdir

    def _update_module_args(self, module_name, module_args, task_vars, *args, **kwargs):
        """Tell the module the temporary directory, also where it may only read it.

        Ansible does not if become_user is another ordinary user.
        """
        super()._update_module_args(module_name, module_args, task_vars, *args, **kwargs)
        if self._carried_to is not None:
            module_args["_ansible_tmpdir"] = self._carried_to


def lacks_ssd(found):
    """Tell whether a module has found no ssd that it can use."""
    used = found.get("ssd")
    return bool(found.get("failed")) and isinstance(used, dict) and bool(used.get("error"))
