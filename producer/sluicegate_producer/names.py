"""How a path or a URI that somebody gave is named in a message: whatever is in it, and however long it is."""

from sluicegate_producer.errors import NotAnUpload

SHOWN_CHARACTERS = 200
"""More of a name would bury what is said of it."""


def shown(name: str) -> str:
    """A name in quotes, what cannot be printed escaped, and only the beginning of a long one."""
    if len(name) <= SHOWN_CHARACTERS:
        return repr(name)
    return f"{name[:SHOWN_CHARACTERS]!r}... ({len(name)} characters)"


def plainly_shown(name: str) -> str:
    """The same without quotes where the name is short and can be printed, as most can."""
    return name if name.isprintable() and len(name) <= SHOWN_CHARACTERS else shown(name)


def shown_uri(uri: str) -> str:
    """A URI that was not taken apart, so that nobody knows whether what stands before an `@` is a password."""
    return shown(uri) if "@" not in uri else f"{uri.partition('://')[0]}://***"


def require_one_name(name: str) -> None:
    """Check that it is not several.

    Raises:
        NotAnUpload: it holds a NUL character. No path can, and no store takes one: it parts names from each other.
    """
    if "\0" in name:
        raise NotAnUpload(f"{shown(name)} holds a NUL character: give one name a line, as find does without -print0")
