"""Seeds that are functions of a position, so that no random number depends on the order of events."""

from __future__ import annotations

import hashlib


def position_seed(*position: int | str) -> int:
    """Return a 63-bit seed that is a pure function of a position such as (seed, "augment", epoch, step)."""
    text = "/".join(map(str, position)).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big") >> 1
