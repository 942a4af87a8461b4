"""How large a source bundle may be, on both sides."""

from __future__ import annotations

from dataclasses import dataclass

from morphml.errors import BundleError


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleLimits:
    """Limits of one bundle; code is small, data belongs elsewhere."""

    #: Bytes as they travel.
    packed_bytes: int = 10 * 2**20
    #: Bytes of all files together.
    unpacked_bytes: int = 50 * 2**20
    files: int = 2_000

    def __post_init__(self) -> None:
        """Refuse limits under which nothing fits."""
        for name in ("packed_bytes", "unpacked_bytes", "files"):
            if getattr(self, name) < 1:
                raise BundleError(f"{name}: at least 1, got {getattr(self, name)}")
