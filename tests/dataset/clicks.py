"""Small click logs, written value by value."""

import random

COLUMNS = ["label", *(f"I{i}" for i in range(1, 14)), *(f"C{i}" for i in range(1, 27))]


def lines(count, seed=0, values=20):
    """Return the fields of ``count`` lines as text, one in ten of them blank."""
    draw = random.Random(seed)
    made = []
    for _ in range(count):
        numbers = [str(draw.choice([-1, -2, 0, 7, 1382, 99999999, 123456789012])) for _ in range(13)]
        keys = [f"{draw.randrange(values) * 0x9E3779B1 % 2**32:08x}" for _ in range(26)]
        fields = [field if draw.random() > 0.1 else "" for field in numbers + keys]
        made.append([str(draw.randrange(2)), *fields])
    return made


def text(rows, separator="\t", end="\n"):
    return "".join(separator.join(fields) + end for fields in rows).encode()
