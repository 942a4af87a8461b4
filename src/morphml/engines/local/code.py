"""Which code a child may import: what is installed, and a folder before it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """User code of one origin. A child holds such of one origin only.

    Modules of the same name from two origins would otherwise meet in one process.
    """

    #: Tells origins apart, such as the digest of a bundle; "" for what is installed.
    name: str = ""
    #: Folders that come first on the import path of a child.
    path: tuple[str, ...] = ()


#: What the parent itself can import.
INSTALLED = Code()


@dataclass(frozen=True, slots=True, kw_only=True)
class Parcel:
    """An experiment that is ready for children; the parent need not import its code."""

    #: What ``payload.unpack`` takes.
    payload: bytes
    code: Code = INSTALLED
    #: Packages worth importing before children are forked; only known ones are.
    needs: tuple[str, ...] = ()
