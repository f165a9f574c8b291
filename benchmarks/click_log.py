"""A generated click log to model-ready arrays, against pandas (read_csv, then factorize): time and peak memory.

pandas keeps strings as Python objects unless pyarrow is installed, which nasctl does not require; both are measured.
"""

from __future__ import annotations

import logging
import shutil
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.memory import fresh, status
from benchmarks.pairs import alternate
from nasctl.dataset._click_log import ClickLog
from nasctl.dataset._click_teacher import Teacher, text
from nasctl.dataset._columns import cached, signed_log

ROWS, MANY, BLOCK, PAIRS = 1_000_000, 5_000_000, 1 << 14, 3
STRINGS = ("python", "pyarrow") if find_spec("pyarrow") else ("python",)
TEACHER = Teacher(seed=0, values=100_000, embedding=4, widths=[24], signal=2.0, click_rate=0.25, blank=0.05)


def write(path: Path, rows: int = ROWS) -> None:
    """Generate a file; the sizes of its categories fall evenly in the logarithm from 100,000 values to four."""
    with path.open("wb") as file:
        file.writelines(map(text, TEACHER.blocks(rows, BLOCK)))


def ours(path: Path) -> None:
    """Convert to columns on disk: two passes, statistics without the held-out tenth, rare values in one bucket."""
    folder = path.with_name("columns")
    shutil.rmtree(folder, ignore_errors=True)
    source = ClickLog(path, separator="\t", header=False, on_bad_rows="error")
    cached(source, folder, min_count=10, held_out=lambda rows: np.arange(rows) >= 0.9 * rows)


def plain(path: Path, strings: str = "auto") -> list[np.ndarray]:
    """Convert to columns in memory, statistics over all rows, every value with an id of its own."""
    with pd.option_context("mode.string_storage", strings):
        frame = pd.read_csv(path, sep="\t", header=None)
    numbers = signed_log(frame.iloc[:, 1:14].to_numpy(float))
    numbers = (numbers - np.nanmean(numbers, 0)) / np.nanstd(numbers, 0)
    ids = [pd.factorize(frame[column])[0] for column in range(14, 40)]
    return [frame[0].to_numpy(), numbers, *ids]


def rows() -> Iterator[tuple[str, float, float, float]]:
    """Yield the seconds of a conversion, and MiB at its peak, those of the process and its imports included."""
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "clicks.txt")
        write(path)
        for strings in STRINGS:
            times = alternate(lambda: ours(path), lambda s=strings: plain(path, s), PAIRS)
            yield f"{ROWS} rows of a click log / pandas, strings of {strings}", *times
        write(path, MANY)
        mine = fresh("benchmarks.click_log", "ours", str(path))
        for strings in STRINGS:
            peak = fresh("benchmarks.click_log", "plain", str(path), strings)
            yield f"peak MiB of {MANY} rows of a click log / pandas, strings of {strings}", mine, peak, peak / mine


if __name__ == "__main__":
    {"ours": ours, "plain": plain}[sys.argv[1]](Path(sys.argv[2]), *sys.argv[3:])
    print(status("VmHWM"))
