"""`extends`: a policy takes from another what it does not say itself."""

from collections.abc import Mapping

from sluicegate_consumer.policy.located import Located, Problem


def resolve_extends(policies: Mapping[str, Located], problems: list[Problem]) -> dict[str, Located]:
    """Every policy with what it extends merged in, key by key, at every depth; null replaces what was there.

    A policy that extends an unknown one, or in the end itself, is added to `problems` and left out, with
    those that build on it.
    """
    resolved: dict[str, Located | None] = {}
    for name in policies:
        _resolve(name, policies, resolved, (), problems)
    return {name: node for name in policies if (node := resolved[name])}


def _resolve(
    name: str,
    policies: Mapping[str, Located],
    resolved: dict[str, Located | None],
    descent: tuple[str, ...],
    problems: list[Problem],
) -> Located | None:
    if name in resolved:
        return resolved[name]
    node = policies[name]
    extends = node.get("extends")
    parent = extends.value if extends else None
    if extends is None or not isinstance(parent, str):  # a value of the wrong kind is found with the other keys
        resolved[name] = node
    elif parent not in policies:
        problems.append(extends.problem(f"names no policy ({parent}); there are {', '.join(policies)}"))
        resolved[name] = None
    elif parent in (*descent, name):
        problems.append(extends.problem(f"goes in a circle: {' -> '.join((*descent, name, parent))}"))
        resolved[name] = None
    else:
        base = _resolve(parent, policies, resolved, (*descent, name), problems)
        resolved[name] = node.merged_into(base) if base else None
    return resolved[name]
