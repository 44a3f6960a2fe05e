"""YAML in which every value still knows its line.

Only plain mappings, lists and scalars are read: no tags, so no objects; no aliases, so no file that grows as
it is read.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import yaml


class Problem(NamedTuple):
    """One thing that is wrong with a file. Ordered by line."""

    line: int
    """Counted from 1."""
    path: tuple[str, ...]
    text: str

    def __str__(self) -> str:
        return f"line {self.line}: {'.'.join(self.path) or 'the file'}: {self.text}"


@dataclass(frozen=True, slots=True)
class Located:
    """A value, the keys that lead to it, and the line where the last of them stands."""

    value: object
    """What YAML makes of a scalar or a list; None where `entries` is given."""
    entries: Mapping[str, "Located"] | None
    """Of a mapping, by key, in the file's order."""
    path: tuple[str, ...]
    line: int

    def plain(self) -> object:
        """The value without its places."""
        if self.entries is None:
            return self.value
        return {key: node.plain() for key, node in self.entries.items()}

    def get(self, key: str) -> "Located | None":
        """What a mapping holds under a key; None where it holds nothing or is no mapping."""
        return None if self.entries is None else self.entries.get(key)

    def nearest(self, keys: Sequence[int | str]) -> "Located":
        """The last node that is reached by following those of `keys` that are there."""
        node = self
        for key in keys:
            node = node.get(str(key)) or node
        return node

    def merged_into(self, parent: "Located") -> "Located":
        """The parent's entries, overridden or deepened by this one's; each keeps its own place.

        A mapping and anything else do not merge: this one replaces the parent.
        """
        if self.entries is None or parent.entries is None:
            return self
        merged = dict(parent.entries)
        for key, node in self.entries.items():
            merged[key] = node.merged_into(merged[key]) if key in merged else node
        return Located(None, merged, self.path, self.line)

    def problem(self, text: str) -> Problem:
        """Something wrong right here."""
        return Problem(self.line, self.path, text)


def read_yaml(text: str, problems: list[Problem]) -> Located:
    """The document in `text`; what is wrong inside it is added to `problems`, and left out.

    Raises:
        yaml.YAMLError: it is not YAML, uses aliases, or is nested too deeply.
    """
    loader = _Loader(text, problems)
    try:
        root = loader.get_single_node()
        if root is None:
            return Located(None, None, (), 1)
        return loader.locate(root, (), root.start_mark.line + 1)
    except RecursionError:
        raise yaml.YAMLError("is nested too deeply") from None
    finally:
        loader.dispose()


class _Loader(yaml.SafeLoader):
    def __init__(self, text: str, problems: list[Problem]) -> None:
        super().__init__(text)
        self._problems = problems

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]  # the stubs leave it out
            raise yaml.MarkedYAMLError(problem="aliases are not read: use extends", problem_mark=mark)
        return super().compose_node(parent, index)

    def locate(self, node: yaml.Node, path: tuple[str, ...], line: int) -> Located:
        if isinstance(node, yaml.MappingNode) and node.tag == self.DEFAULT_MAPPING_TAG:
            return Located(None, self._entries(node, path), path, line)
        return Located(self._construct(node, path), None, path, line)

    def _entries(self, node: yaml.MappingNode, path: tuple[str, ...]) -> dict[str, Located]:
        entries: dict[str, Located] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            key = self._construct(key_node, path)
            if not isinstance(key, str):
                written = key_node.value if isinstance(key_node, yaml.ScalarNode) else "here"
                self._report(key_node, path, f"the key {written} is no text to YAML: put it in quotes")
            elif key in entries:
                first = entries[key].line
                self._report(key_node, (*path, key), f"is given twice, first in line {first}: keep one")
            else:
                entries[key] = self.locate(value_node, (*path, key), line)
        return entries

    def _construct(self, node: yaml.Node, path: tuple[str, ...]) -> object:
        try:
            return self.construct_object(node, deep=True)
        except (yaml.YAMLError, ValueError) as error:
            words = getattr(error, "problem", None) or str(error)
        except (ArithmeticError, LookupError, AttributeError, TypeError):
            # PyYAML computes with what is tagged as a date, a number or a truth, and checks no more.
            words = f"no {node.tag.rpartition(':')[2]}"
        self._report(node, path, f"cannot be read ({words}): write plain text, a number or null")
        return None

    def _report(self, node: yaml.Node, path: tuple[str, ...], text: str) -> None:
        self._problems.append(Problem(node.start_mark.line + 1, path, text))
