"""A dictionary of 32-bit keys that is asked for a whole array at a time."""

from __future__ import annotations

import numpy as np

_GOLDEN = np.uint32(2654435769)  # 2**32 over the golden ratio: Knuth's multiplicative hashing
_FIRST_BITS = 10  # of the number of slots at the start


class Vocabulary:
    """Gives keys the ids 1, 2, 3, ... as they come; eight bytes a slot, at most half of the slots in use.

    Open addressing with linear probing, every probe made for all keys at once.
    """

    def __init__(self) -> None:
        self._bits, self._count = _FIRST_BITS, 0
        self._parts: list[np.ndarray] = []
        self._clear()

    def __len__(self) -> int:
        """Return the number of keys."""
        return self._count

    def keys(self) -> np.ndarray:
        """Return the keys, uint32 ``(len,)``; the one with id ``i`` stands at ``i - 1``."""
        return np.concatenate(self._parts or [np.empty(0, np.uint32)])

    def encode(self, keys: np.ndarray) -> np.ndarray:
        """Return the ids of ``keys``, uint32 ``(n,)``, as int32; keys that are new get the next ones."""
        slots = self._find(keys)
        ids = self._ids[slots]
        new = ids == 0
        if new.any():
            self._add(np.unique(keys[new]))
            ids[new] = self._ids[self._find(keys[new])]
        values: np.ndarray = ids
        return values

    def _clear(self) -> None:
        self._keys = np.zeros(1 << self._bits, np.uint32)
        self._ids = np.zeros(1 << self._bits, np.int32)  # 0: the slot is free

    def _find(self, keys: np.ndarray) -> np.ndarray:
        """Return the slot of each key: where it lies, or the free one where its search ends."""
        slots = ((keys * _GOLDEN) >> np.uint32(32 - self._bits)).astype(np.int64)
        open_ = np.flatnonzero(self._occupied_by_others(slots, keys))
        while len(open_):
            slots[open_] = (slots[open_] + 1) & (len(self._ids) - 1)
            open_ = open_[self._occupied_by_others(slots[open_], keys[open_])]
        return slots

    def _occupied_by_others(self, slots: np.ndarray, keys: np.ndarray) -> np.ndarray:
        values: np.ndarray = (self._keys[slots] != keys) & (self._ids[slots] != 0)
        return values

    def _add(self, keys: np.ndarray) -> None:
        self._parts.append(keys)
        first, self._count = self._count + 1, self._count + len(keys)
        if 2 * self._count > len(self._ids):
            self._bits = (2 * self._count - 1).bit_length()
            self._clear()
            keys, first = self.keys(), 1
        self._place(keys, np.arange(first, self._count + 1, dtype=np.int32))

    def _place(self, keys: np.ndarray, ids: np.ndarray) -> None:
        while len(keys):
            slots = self._find(keys)
            self._keys[slots] = keys  # of several that want a slot, the last one gets it
            won = self._keys[slots] == keys
            self._ids[slots[won]] = ids[won]
            keys, ids = keys[~won], ids[~won]
