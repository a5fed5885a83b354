# Copyright (c) 2026, The nova_ec2.cloud authors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Private to nova_ec2.cloud: it may change with any release.

"""The shell round every module: the only place that parses, looks at check and diff mode, fails and exits."""

from __future__ import annotations

import typing as t

from ansible.module_utils.basic import AnsibleModule

from ._api.errors import CloudError, as_error, plain, plain_all
from ._api.options import CONNECTION_OPTIONS, connect_with
from ._api.values import settled_values

GIVEN = "VALUE_THAT_IS_NOT_SHOWN"


class Plan(t.NamedTuple):
    """What is, what shall be, and how to get there.

    ``before`` and ``after`` are what a diff shows. ``result`` is what the module returns when nothing is carried out:
    because nothing has to be, or in check mode. ``apply`` carries the plan out and returns the result; None when
    nothing has to happen. ``changes`` is false for a plan that only waits for what is on its way already; it is
    carried out all the same, and is no change. ``seen_after`` is what a diff shows instead of ``after`` once the plan
    was carried out, where the cloud may have refused a part of it; the result then says itself whether it is a change.
    """

    before: dict[str, t.Any]
    after: dict[str, t.Any]
    result: dict[str, t.Any]
    apply: t.Callable[[], dict[str, t.Any]] | None = None
    changes: bool = True
    seen_after: t.Callable[[], dict[str, t.Any]] | None = None


class Session(t.NamedTuple):
    """What a module body works with: its options, the connection, a way to warn, and what hold returned."""

    params: dict[str, t.Any]
    connection: t.Any
    warn: t.Callable[[str], None]
    held: t.Any = None


def run(
    body: t.Callable[[Session], Plan | dict[str, t.Any]],
    *,
    options: dict[str, dict[str, t.Any]],
    check: t.Callable[[dict[str, t.Any]], None] | None = None,
    hold: t.Callable[[Session], t.Any] | None = None,
    connect: t.Callable[[t.Mapping[str, t.Any], t.Callable[[str], None]], t.Any] = connect_with,
    unseen: t.Collection[str] = (),
    **rules: t.Any,
) -> None:
    """Parse the options, connect, run body and report.

    check looks at the options before anything is connected and raises CloudError on bad input. hold is called before
    body if the plan will be carried out, and may keep other runs waiting until what it returned is closed, as it is
    when all is done. body returns a Plan, or the finished result if the module only reads. connect makes what is the
    session's connection of the options. unseen are texts that Ansible does not get to see.
    """
    settings = {"argument_spec": {**CONNECTION_OPTIONS, **options}, "supports_check_mode": True, **rules}
    module = _Module(unseen, **settings)
    result = _answer(module, body, check, hold, connect)
    # Out of reach of the exception, of which Ansible would add a traceback.
    if result.get("failed"):
        module.fail_json(**result)
    module.exit_json(**result)


class _Module(AnsibleModule):  # type: ignore[misc]
    """Ansible's own parsing and answering, of values that have been looked at before."""

    params: dict[str, t.Any]
    argument_spec: dict[str, t.Any]

    def __init__(self, unseen: t.Collection[str], **settings: t.Any) -> None:
        self._unseen = unseen
        self._aside: dict[str, t.Any] = {}
        self._refused: CloudError | None = None
        super().__init__(**settings)

    def _load_params(self) -> None:
        """Read what is given. What is wrong with it is kept for later: nothing else of it is looked at then.

        Texts that are secrets are set aside. Ansible would do it too, and blot out whatever else looks like them.
        """
        super()._load_params()
        try:
            self.params = settled_values(self.argument_spec, self.params)
        except CloudError as error:
            self._refused = error
            self.params = {key: value for key, value in self.params.items() if key.startswith("_ansible_")}
            self.argument_spec = {}
            self.mutually_exclusive = self.required_together = self.required_one_of = None
            self.required_if = self.required_by = None
        self._aside = {name: self.params.pop(name) for name in self._unseen if name in self.params}

    def options(self) -> dict[str, t.Any]:
        """The options, with what was set aside, which Ansible gets a word for. Raises CloudError."""
        if self._refused is not None:
            raise self._refused
        found = {**self.params, **self._aside}
        self.params.update(dict.fromkeys(self._aside, GIVEN))
        return found


def _answer(
    module: _Module,
    body: t.Callable[[Session], Plan | dict[str, t.Any]],
    check: t.Callable[[dict[str, t.Any]], None] | None,
    hold: t.Callable[[Session], t.Any] | None,
    connect: t.Callable[[t.Mapping[str, t.Any], t.Callable[[str], None]], t.Any],
) -> dict[str, t.Any]:
    """The module's result, whatever happens."""
    held = None
    try:
        params = module.options()
        if check is not None:
            check(params)

        def warn(text: str) -> None:
            module.warn(plain(text))

        connection = connect(params, warn)
        if params.get("wait_timeout") is not None and hasattr(connection, "patience"):
            # No read is tried again for longer than the task would wait.
            connection.patience = params["wait_timeout"]
        session = Session(params, connection, warn)
        if hold is not None and not module.check_mode:
            held = hold(session)
            session = session._replace(held=held)
        outcome = body(session)
        return carry_out(module, outcome) if isinstance(outcome, Plan) else {"changed": False, **outcome}
    except CloudError as error:
        return {"changed": False, **error.result(), "failed": True}
    except Exception as exc:  # pylint: disable=broad-exception-caught
        # A fault of ours must still be an answer that a person can read and pass on.
        return {"failed": True, "msg": as_error(exc).message}
    finally:
        if held is not None:
            held.close()


def carry_out(module: AnsibleModule, plan: Plan) -> dict[str, t.Any]:
    """Turn a plan into a result; in check mode it is told and not carried out."""
    result, after = plan.result, plan.after
    if plan.apply is not None and not module.check_mode:
        result = plan.apply()
        after = plan.seen_after() if plan.seen_after else after
    result = {"changed": plan.apply is not None and plan.changes, **result}
    if module._diff:
        result["diff"] = plain_all({"before": plan.before, "after": after})
    return result
