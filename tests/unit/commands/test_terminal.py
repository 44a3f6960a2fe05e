"""What comes from outside cannot act on a terminal."""

import io

import pytest
from rich.console import Console

from sluicegate_consumer.commands.terminal import literal


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[/red] [bold]u-1", "[/red] [bold]u-1"),
        ("\x1b[2Jgone\r\n", "\\x1b[2Jgone\\x0d\\x0a"),
        ("größe-1", "größe-1"),
    ],
)
def test_text_from_outside_is_shown_as_it_is(text, expected):
    output = io.StringIO()
    Console(file=output, force_terminal=True, color_system=None).print(literal(text))
    assert f"{expected}\n" == output.getvalue()
