"""Whether the memory did not suffice, and a trial that failed for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from nasctl.errors import TrialError

SAID = ("not enough memory", "can't allocate memory", "out of memory")  # by torch's allocators, in lower case


def ran_out(error: BaseException) -> bool:
    """Return whether an error says that memory, of the machine or of a GPU, ran out."""
    said = str(error).lower()
    return isinstance(error, MemoryError) or (isinstance(error, RuntimeError) and any(text in said for text in SAID))


@contextmanager
def of_one_candidate() -> Iterator[None]:
    """Turn memory that ran out into `TrialError`: this candidate is too large, another may not be."""
    try:
        yield
    except Exception as error:
        if not ran_out(error):
            raise
        raise TrialError(f"out of memory: {first_line(error)}") from error


def first_line(error: BaseException) -> str:
    """Return the first sentence of what an allocator says."""
    text = " ".join(str(error).split()) or "the allocation failed"
    return text.split(". ")[0].removesuffix(".")[:200]
