"""Names of files in a bundle."""

from __future__ import annotations

from typing import Final

_LONGEST: Final = 1_024


def is_plain_name(name: str) -> bool:
    """Whether a name is a relative path that stays within its folder on every system.

    >>> is_plain_name("package/module.py")
    True
    >>> [is_plain_name(name) for name in ("/etc/passwd", "../up.py", "a//b", "c:d", "")]
    [False, False, False, False, False]
    """
    parts = name.split("/")
    return (
        len(name) <= _LONGEST
        and not any(part in ("", ".", "..") for part in parts)
        and all(character.isprintable() and character not in "\\:" for character in name)
    )
