"""The YAML of a settings file, read strictly: what YAML lets pass may be a setting that is lost, or no text.

No message quotes a value, since any may be a password.
"""

from collections.abc import Iterator
from typing import Any

import yaml

_TEXT, _MERGE = "tag:yaml.org,2002:str", "tag:yaml.org,2002:merge"


class FaultyYAML(Exception):  # noqa: N818 - says what it is
    """YAML that no settings can be made from; one line for each thing that is wrong with it, with its place."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def parse(text: str) -> Any:
    """What `text` holds; None where it is empty.

    Raises:
        FaultyYAML: a key is no text or is given twice, or a value is not the date or number that it looks like.
        yaml.YAMLError: it is not YAML, has tags that stand for objects, or is nested too deeply.
    """
    loader = _Loader(text)
    try:
        root = loader.get_single_node()
        if root is None:
            return None
        if faults := list(_faults(root, (), set())):
            raise FaultyYAML(faults)
        return loader.construct_document(root)
    except RecursionError:
        raise yaml.YAMLError("is nested too deeply") from None
    finally:
        loader.dispose()


class _Loader(yaml.SafeLoader):
    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        try:
            return super().construct_object(node, deep)
        except (ValueError, LookupError, AttributeError, TypeError):
            # PyYAML computes with what has the form of a date or a number, or is tagged as one, and checks no more.
            kind = node.tag.rpartition(":")[2]
            raise FaultyYAML(
                [f"{_place(node)}: has the form of the YAML type {kind} and is none: put text in quotes"]
            ) from None


def _faults(node: yaml.Node, path: tuple[str, ...], seen: set[int]) -> Iterator[str]:
    """What is wrong with the keys of a mapping and of those in it; once only, however often an alias repeats it."""
    if not isinstance(node, yaml.MappingNode) or id(node) in seen:
        return
    seen.add(id(node))
    first: dict[str, yaml.Node] = {}
    for key, value in node.value:
        if key.tag == _MERGE:
            continue
        if key.tag != _TEXT:
            written = f" {key.value}" if isinstance(key, yaml.ScalarNode) else ""
            yield f"{_place(key)}: the key{written} is no text to YAML: put it in quotes"
            continue
        here = (*path, key.value)
        if key.value in first:
            line = first[key.value].start_mark.line + 1
            yield f"{_place(key)}: {'.'.join(here)} is given twice, first in line {line}: keep one"
        first.setdefault(key.value, key)
        yield from _faults(value, here, seen)


def _place(node: yaml.Node) -> str:
    return f"line {node.start_mark.line + 1}"
