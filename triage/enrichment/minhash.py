"""MinHash signatures of sets (Broder 1997): two agree in as many of their places as the sets have in common."""

from collections.abc import Iterable
from functools import lru_cache
from hashlib import sha1
from typing import Final

import numpy as np
import numpy.typing as npt

Signature = npt.NDArray[np.uint32]

SEED: Final = 1


def signature(elements: Iterable[str], places: int) -> Signature:
    """Of each of so many permutations of all hashes the least one that an element has: what datasketch 2 makes of them
    (its scheme affine32, seed 1), without the second of CPU that importing it costs. Raises ValueError for no elements.
    """
    digests = b"".join(sha1(element.encode(), usedforsecurity=False).digest()[:4] for element in elements)
    factors, offsets = _permutations(places)
    least: Signature = (_mixed(np.frombuffer(digests, dtype="<u4"))[:, None] * factors + offsets).min(axis=0)
    return least


@lru_cache(maxsize=4)
def _permutations(places: int) -> tuple[Signature, Signature]:
    """Factors, all of them odd, and offsets of the maps that put the numbers below 2^32 in another order each."""
    generator = np.random.RandomState(SEED)
    halves = generator.randint(0, 1 << 31, places, dtype=np.uint32)
    return halves * np.uint32(2) + np.uint32(1), generator.randint(0, 1 << 32, places, dtype=np.uint32)


def _mixed(hashes: Signature) -> Signature:
    """The last steps of MurmurHash3."""
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        hashes = (hashes ^ (hashes >> np.uint32(shift))) * np.uint32(factor)
    return hashes ^ (hashes >> np.uint32(16))
