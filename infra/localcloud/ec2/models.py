"""moto's EC2, whose security group rules have a description also if they name a group or a prefix list.

moto keeps the description of a rule in its address range. That of other rules is kept there, too: so it is described
and changed as the others are, and is not part of what makes two rules equal.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from moto.ec2.models import EC2Backend
from moto.ec2.models.security_groups import GroupedSecurityRuleView, SecurityGroup, SecurityGroupRule

from infra.localcloud.install import Context

_TEXT = "Description"
_grouped = SecurityGroup._flattened_rules


class Ec2Backend(EC2Backend):
    """The network of one account and region."""

    context: ClassVar[Context]

    def _iterate_security_rules(self, *args: Any, **kwargs: Any) -> Iterator[SecurityGroupRule]:
        """The rules of a request; moto's callers give the groups and the prefix lists at the end of ``args``."""
        *_, groups, lists = args
        texts = {one["PrefixListId"]: one.get(_TEXT) for one in lists}
        plain = [{name: value for name, value in group.items() if name != _TEXT} for group in groups]
        others = iter([group.get(_TEXT) for group in groups])
        parent: Any = super()
        for rule in parent._iterate_security_rules(*args[:-2], plain, lists, **kwargs):
            text = next(others) if rule.source_group else texts.get(rule.prefix_list_id)
            if text is not None:
                rule.ip_range = {_TEXT: text}
            yield rule

    def _sg_update_description(self, security_rule: SecurityGroupRule, rule: SecurityGroupRule) -> None:
        """Gives a rule the description of an equal one."""
        if security_rule.description is not None:
            rule.ip_range = {**rule.ip_range, _TEXT: security_rule.description}


def grouped_rules(self: SecurityGroup, rules: list[SecurityGroupRule]) -> list[GroupedSecurityRuleView]:
    """A security group's rules by protocol and ports, as DescribeSecurityGroups answers them."""
    views = _grouped(self, rules)
    for view in views:
        ports = (view.ip_protocol, view.from_port, view.to_port)
        same = [rule for rule in rules if (rule.ip_protocol, rule.from_port, rule.to_port) == ports]
        view.source_groups = [{**rule.source_group, **_text(rule)} for rule in same if rule.source_group]
        view.prefix_list_ids = [
            {"PrefixListId": rule.prefix_list_id, **_text(rule)} for rule in same if rule.prefix_list_id
        ]
    return views


def _text(rule: SecurityGroupRule) -> dict[str, str]:
    return {} if rule.description is None else {_TEXT: rule.description}
