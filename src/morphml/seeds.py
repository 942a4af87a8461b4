"""All randomness comes from (seed, number, purpose), and from nothing else.

A generator made here depends on no earlier draw, so proposal n can be asked again after a restart,
on another machine, or by ``replay --check``, and comes out the same.
"""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt
from numpy.random.bit_generator import ISeedSequence


class _Digested(ISeedSequence):
    """A digest as the state of a bit generator: hashing it once more would cost four times more."""

    def __init__(self, digest: bytes) -> None:
        self._words = np.frombuffer(digest, np.uint64)

    def generate_state(
        self, n_words: int, dtype: npt.DTypeLike = np.uint32
    ) -> npt.NDArray[np.uint64]:
        """The four 64-bit words that PCG64 asks for."""
        assert n_words == self._words.size
        return self._words


def generator(seed: int, number: int, purpose: str) -> np.random.Generator:
    """The generator for one purpose of one number; the same arguments give the same stream.

    Args:
        seed: the experiment's seed, any Python integer.
        number: the trial or proposal number, any Python integer.
        purpose: what the numbers are for, such as ``"ask/0"``; different purposes are independent.

    Cost: about 2 us.
    """
    words = _Digested(_digest(seed, number, purpose, 32))
    return np.random.Generator(np.random.PCG64(words))  # type: ignore[arg-type]  # their stub lacks it


def training_seed(seed: int, number: int) -> int:
    """The seed of trial ``number``'s training, in [0, 2**31); the same for every attempt of it."""
    return int.from_bytes(_digest(seed, number, "train", 16), "little") % 2**31


def _digest(seed: int, number: int, purpose: str, size: int) -> bytes:
    return hashlib.blake2b(f"{seed}/{number}/{purpose}".encode(), digest_size=size).digest()
