"""Click logs that a known network generated: rows in the raw format, labels from a feed-forward teacher.

The teacher is a ReLU network of given widths over the numbers and a random embedding of each category. Narrow layers
between wide ones make it a product of low-rank factors, which is what a bottleneck can copy with few parameters
(Yang et al. 2022, https://arxiv.org/abs/2204.07615, section 1).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from nasctl.dataset._click_rows import CATEGORIES, NUMBERS, Rows

_DIGITS = 8  # room for a number, its sign included
_POWERS = 10 ** np.arange(_DIGITS - 2, -1, -1)
_HEX = np.frombuffer(b"0123456789abcdef", np.uint8)
_SHIFTS = np.arange(28, -1, -4, dtype=np.uint32)


@dataclass(frozen=True, kw_only=True)
class Teacher:
    """What is drawn: ``values`` of the largest category (the smallest has four), ``embedding`` numbers of each,
    ``widths`` of the hidden layers, ``signal`` the deviation of the logits, ``click_rate`` about the share of ones,
    ``blank`` the share of blank fields."""

    seed: int
    values: int
    embedding: int
    widths: Sequence[int]
    signal: float
    click_rate: float
    blank: float

    def blocks(self, rows: int, size: int) -> Iterator[Rows]:
        """Yield ``rows`` rows; a block depends on the seed and its place alone."""
        network = _Network(self)
        for place, start in enumerate(range(0, rows, size)):
            random = np.random.default_rng((self.seed, place + 1))
            yield network.draw(random, min(size, rows - start))


class _Network:
    """The teacher's weights, and what scales its output to the wanted logits."""

    def __init__(self, teacher: Teacher) -> None:
        random = np.random.default_rng((teacher.seed, 0))
        self.blank = teacher.blank
        self.sizes = np.geomspace(4, teacher.values, len(CATEGORIES)).astype(int)
        self.keys = [random.choice(1 << 32, size, replace=False).astype(np.uint32) for size in self.sizes]
        self.embeddings = [random.standard_normal((size, teacher.embedding)) for size in self.sizes]
        self.spread = random.uniform(0.5, 2.0, len(NUMBERS))  # of the logarithms
        inputs = len(NUMBERS) + len(CATEGORIES) * teacher.embedding
        self.layers = [
            random.standard_normal((a, b)) * (2 / a) ** 0.5 for a, b in pairwise([inputs, *teacher.widths, 1])
        ]
        self.centre, self.scale = 0.0, 1.0
        logits = self._logits(*self._draw(random, 20_000)[1:])
        self.scale = teacher.signal / logits.std()
        self.centre = np.log(teacher.click_rate / (1 - teacher.click_rate)) - self.scale * logits.mean()

    def draw(self, random: np.random.Generator, rows: int) -> Rows:
        numbers, latent, values = self._draw(random, rows)
        labels = random.random(rows) < 1 / (1 + np.exp(-self._logits(latent, values)))
        keys = np.stack([keys[v] for keys, v in zip(self.keys, values, strict=True)])
        numbers[random.random(numbers.shape) < self.blank] = np.nan
        return Rows(labels.astype(np.uint8), numbers, keys, random.random(keys.shape) >= self.blank)

    def _draw(self, random: np.random.Generator, rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return integers, what the teacher sees of them, and the places of the categories' values."""
        latent = random.standard_normal((len(NUMBERS), rows))
        numbers = np.floor(np.exp(2 + self.spread[:, None] * latent)) - 1.0
        places = [np.floor(size * random.random(rows) ** 3).astype(int) for size in self.sizes]
        return numbers.clip(-1, 10.0 ** (_DIGITS - 2)), latent, np.stack(places)

    def _logits(self, latent: np.ndarray, values: np.ndarray) -> np.ndarray:
        parts = [table[v] for table, v in zip(self.embeddings, values, strict=True)]
        x = np.concatenate([latent.T, *parts], 1)
        for layer in self.layers[:-1]:
            x = np.maximum(x @ layer, 0)
        found: np.ndarray = self.centre + self.scale * (x @ self.layers[-1])[:, 0]
        return found


def text(rows: Rows) -> bytes:
    """Return rows as lines of the raw format."""
    numbers, signs = _numbers(rows.numbers)
    keys = _HEX[(rows.keys.T[:, :, None] >> _SHIFTS) & np.uint32(15)]
    label = (rows.labels + ord("0"))[:, None, None]
    blocks = [label, numbers, keys]
    used = [np.ones_like(label, bool), signs, np.broadcast_to(rows.known.T[:, :, None], keys.shape)]
    ended = [np.pad(b, ((0, 0), (0, 0), (0, 1)), constant_values=ord("\t")).reshape(len(rows), -1) for b in blocks]
    ended[-1][:, -1] = ord("\n")
    mask = [np.pad(u, ((0, 0), (0, 0), (0, 1)), constant_values=True).reshape(len(rows), -1) for u in used]
    made: bytes = np.concatenate(ended, 1)[np.concatenate(mask, 1)].tobytes()
    return made


def _numbers(numbers: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the characters of integers ``(13, n)``, uint8 ``(n, 13, 8)``, and which of them are used."""
    blank = np.isnan(numbers)
    values = np.where(blank, 0, numbers).astype(np.int64).T[:, :, None]
    digits = np.abs(values) // _POWERS
    used = np.concatenate([values < 0, digits > 0], 2)
    used[..., -1] = True
    used &= ~blank.T[:, :, None]
    sign = np.full(values.shape, ord("-"))
    return np.concatenate([sign, digits % 10 + ord("0")], 2).astype(np.uint8), used
