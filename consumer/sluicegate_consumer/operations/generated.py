"""Documents that are written from the code, and checked to be what it would write."""

import argparse
import sys
from pathlib import Path


def write_or_check(
    arguments: list[str] | None, *, text: str, path: Path, source: str, module: str, description: str | None
) -> int:
    """The command line of a module that writes one document; gives the exit code, 1 where a check finds a difference.

    Args:
        arguments: Of the command line; None: those of this process.
        text: The document as it should be.
        path: Where it stands unless the command line says otherwise.
        source: What it is written from, in words.
        module: The module's name, for whoever is told to run it.
        description: What it says of itself.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    parser.add_argument("path", nargs="?", type=Path, default=path, help="the file (default: %(default)s)")
    options = parser.parse_args(arguments)
    if not options.check:
        options.path.write_text(text, encoding="utf-8")
        return 0
    if options.path.is_file() and options.path.read_text(encoding="utf-8") == text:
        return 0
    print(f"{options.path} differs from {source}: run python -m {module}", file=sys.stderr)  # noqa: T201 - a tool's own output
    return 1
