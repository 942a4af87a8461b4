"""Source bundles and checkpoints in the store, so that any master can hand them to its workers."""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from morphml.errors import StorageError
from morphml.storage.database import Database, Transaction, Values, again
from morphml.storage.rows import ChunkRow
from morphml.storage.statements import bundle_rows

#: Bytes of one row.
CHUNK_BYTES: Final = 2**20
#: Bytes of the largest bundle that a store takes; what makes bundles has its own, lower limit.
LARGEST_BYTES: Final = 64 * 2**20
#: Hexadecimal digits of a bundle's digest; that of a checkpoint has half as many.
_SHA256_DIGITS: Final = 64
#: Seconds for which a bundle is kept that nobody names yet.
YOUNG_S: Final = 3_600.0


class Bundles:
    """Keeps bundles by the digest of their bytes; what is there is never changed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, digest: str, chunks: Iterable[bytes]) -> None:
        """Store a bundle; nothing is written when it is there already.

        Args:
            digest: of all bytes, in hexadecimal digits: sha256 of a bundle, blake2b of 16 bytes of
                a checkpoint.
            chunks: the bytes, in pieces of any size.

        Raises:
            StorageError: when the bytes have another digest, or are too many.
        """
        if self.has(digest):
            return
        data = _checked(digest, chunks)
        pieces = [data[at : at + CHUNK_BYTES] for at in range(0, len(data), CHUNK_BYTES)]
        try:
            with self._database.writing() as run:
                _write(run, digest, pieces)
        except StorageError:
            # Another process may have stored the very same bytes meanwhile.
            if not self.has(digest):
                raise

    def has(self, digest: str) -> bool:
        """Whether the store has the bundle."""
        return self._count(digest) is not None

    def chunks(self, digest: str) -> Iterator[bytes] | None:
        """The bytes of a bundle in pieces of at most 1 MiB, read one by one; None for none."""
        count = self._count(digest)
        return None if count is None else self._pieces(digest, count)

    def prune(self, age_s: float = YOUNG_S) -> dict[str, int]:
        """Delete what no workflow names, and only completed experiments or none: bytes by digest.

        Who raises the budget of a completed experiment sends its code again. Cost: the specs of all
        experiments that are not completed are read once for each bundle.

        Args:
            age_s: bundles younger than this stay, since their experiment may be about to be stored.
        """
        return again(lambda: self._prune(age_s))

    def drop(self, digests: Sequence[str]) -> None:
        """Delete these, where they are there."""
        values: list[Values] = [{"p_digest": digest} for digest in digests]
        if values:
            with self._database.writing() as run:
                run.tell(bundle_rows.drop_chunks, values)
                run.tell(bundle_rows.drop_bundle, values)

    def _prune(self, age_s: float) -> dict[str, int]:
        with self._database.writing() as run:
            rows = run.rows(bundle_rows.unused, {"p_age_s": age_s, "p_any": "%"})
            digests: list[Values] = [{"p_digest": digest} for digest, _ in rows]
            if digests:
                run.tell(bundle_rows.drop_chunks, digests)
                run.tell(bundle_rows.drop_bundle, digests)
        return {digest: int(size) for digest, size in rows}

    def _count(self, digest: str) -> int | None:
        with self._database.reading() as run:
            row = run.row(bundle_rows.bundle_of, {"p_digest": digest})
        return None if row is None else int(row[0])

    def _pieces(self, digest: str, count: int) -> Iterator[bytes]:
        for index in range(count):
            values: Values = {"p_digest": digest, "p_index": index}
            with self._database.reading() as run:
                row = run.row(bundle_rows.chunk_of, values)
            if row is None:
                raise StorageError(f"bundle {digest[:12]}: it was deleted while it was read")
            yield b64decode(row[0])


def _checked(digest: str, chunks: Iterable[bytes]) -> bytes:
    data = bytearray()
    for chunk in chunks:
        data += chunk
        if len(data) > LARGEST_BYTES:
            raise StorageError(
                f"{digest[:12]}: has more than {LARGEST_BYTES} bytes, the most that a store takes; "
                "of a bundle, leave data and outputs out of the folder that is sent"
            )
    sha = len(digest) == _SHA256_DIGITS
    found = (hashlib.sha256(data) if sha else hashlib.blake2b(data, digest_size=16)).hexdigest()
    if found != digest:
        raise StorageError(
            f"bundle {digest[:12]}: its bytes have the digest {found[:12]}; it was damaged on its "
            "way: send it again"
        )
    return bytes(data)


def _write(run: Transaction, digest: str, pieces: list[bytes]) -> None:
    size = sum(map(len, pieces))
    values: Values = {"p_digest": digest, "p_size": size, "p_chunks": len(pieces)}
    run.run(bundle_rows.add_bundle, values)
    rows = (
        ChunkRow(digest=digest, idx=index, data=b64encode(piece).decode())
        for index, piece in enumerate(pieces)
    )
    run.add(bundle_rows.add_chunk, rows)
