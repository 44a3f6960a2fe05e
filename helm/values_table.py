"""Writes the values table of the chart's README from the comments in values.yaml: `python helm/values_table.py`.

A comment that begins with `# --` documents the key below it, and all that lies below that key. With `--check` nothing
is written: the exit code is 1 where the file is not what would be written, and wherever a value has no comment.
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import yaml

CHART = Path(__file__).parent / "sluicegate"
HEADING = "## Values\n"
COLUMNS = "| value | default | meaning |\n| --- | --- | --- |\n"
MARK = "# --"


def values_table(text: str) -> str:
    """The table, Markdown, one row for each comment.

    Args:
        text: The contents of a values.yaml.

    Raises:
        ValueError: a value is documented neither itself nor with a key above it.
    """
    lines = text.splitlines()
    return COLUMNS + "".join(_row(key, node, comment) for key, node, comment in _documented(_root(text), lines, ""))


def _root(text: str) -> yaml.Node:
    root = yaml.compose(text, yaml.SafeLoader)
    if root is None:
        raise ValueError("no values")
    return root


def _documented(node: yaml.Node, lines: list[str], above: str) -> Iterator[tuple[str, yaml.Node, str]]:
    """Key, value and comment, in the order of the file."""
    if not isinstance(node, yaml.MappingNode):
        raise ValueError(f"{above}: has no comment; one that begins with {MARK!r} belongs above it")  # noqa: TRY004 - the text is wrong, not its type
    for name, value in node.value:
        key = f"{above}.{name.value}" if above else str(name.value)
        if comment := _comment_above(lines, name.start_mark.line):
            yield key, value, comment
        else:
            yield from _documented(value, lines, key)


def _comment_above(lines: list[str], number: int) -> str:
    line = lines[number - 1].strip() if number else ""
    return line.removeprefix(MARK).strip() if line.startswith(MARK) else ""


def _row(key: str, node: yaml.Node, comment: str) -> str:
    value = yaml.SafeLoader("").construct_document(node)
    cells = (f"`{key}`", f"`{json.dumps(value)}`", comment)
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |\n"


def main(arguments: list[str]) -> int:
    """Write or check the README; returns the exit code."""
    readme = CHART / "README.md"
    before, _, _ = readme.read_text(encoding="utf-8").partition(HEADING)
    wanted = f"{before}{HEADING}\n{values_table((CHART / 'values.yaml').read_text(encoding='utf-8'))}"
    if "--check" not in arguments:
        readme.write_text(wanted, encoding="utf-8")
        return 0
    if readme.read_text(encoding="utf-8") == wanted:
        return 0
    sys.stderr.write(f"{readme} differs from values.yaml: run `make chart-docs`\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
