"""NATS-Bench's official files, unpacked: a folder with a list of all architectures and a file for each of them.

Dong et al. 2021, https://arxiv.org/abs/2009.00437; the archives whose names end in ``simple``. They are pickles;
here only containers, text and numbers are accepted, nothing that could run. A column is written
``RESULTS/PART/EPOCHS/SEED``, as in ``cifar100/x-valid/90/777``; the part ``seconds`` is the time of the training.
"""

from __future__ import annotations

import bz2
import hashlib
import os
import pickle
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from nasctl.digest import Stamp
from nasctl.errors import RequestError

META = "meta.pickle.pbz2"
SECONDS = "seconds"

Column = tuple[str, str, str, int]
"""Results (a data set, or ``cifar10-valid``), part, epochs as the file writes them, and training seed."""


@lru_cache(maxsize=8)
def listing(folder: Path, stamp: Stamp) -> str:
    """Return the SHA-256 of the sorted names and sizes of a folder's files, remembered by the folder's ``stamp``."""
    with os.scandir(folder) as files:
        sizes = sorted(f"{file.name} {file.stat().st_size}\n" for file in files)
    return hashlib.sha256("".join(sizes).encode()).hexdigest()


class Rows(Mapping[str, tuple[float | None, ...]]):
    """The values of ``columns`` by architecture; a file is read whenever its row is asked for."""

    def __init__(self, folder: Path, columns: Sequence[tuple[str, str]]) -> None:
        self.folder, self.columns = folder, [_column(setting, text) for setting, text in columns]
        names = _load(folder / META, lambda meta: list(map(str, meta["meta_archs"])))
        self.lines = {name: index for index, name in enumerate(names)}

    def __getitem__(self, name: str) -> tuple[float | None, ...]:
        path = self.folder / f"{self.lines[name]:06d}.pickle.pbz2"
        if not path.is_file():
            raise KeyError(name)
        made: tuple[float | None, ...] = _load(
            path, lambda trainings: tuple(_value(trainings, column) for column in self.columns)
        )
        return made

    def __iter__(self) -> Iterator[str]:
        return iter(self.lines)

    def __len__(self) -> int:
        return len(self.lines)


def _column(setting: str, text: str) -> Column:
    results, part, epochs, seed = [*text.split("/"), "", "", ""][:4]
    if text.count("/") != 3 or not seed.isdecimal():
        raise RequestError(
            f"{setting}={text} is not of the form RESULTS/PART/EPOCHS/SEED, which NATS-Bench's files need, such as "
            "cifar100/x-valid/90/777; correct it"
        )
    return results, part, epochs, int(seed)


def _value(trainings: Mapping[str, Any], column: Column) -> float | None:
    """Return the accuracy after the last epoch, in percent, or the seconds of a training; None if there is no such."""
    results, part, epochs, seed = column
    training = trainings.get(epochs, {"all_results": {}})["all_results"].get((results, seed))
    if training is None:
        return None
    if part == SECONDS:
        return None if training["train_times"] is None else float(sum(training["train_times"].values()))
    accuracy = training["eval_acc1es"].get(f"{part}@{training['epochs'] - 1}")
    return None if accuracy is None else float(accuracy)


def _load(path: Path, choose: Any) -> Any:
    try:
        with bz2.open(path) as file:
            return choose(_Plain(file).load())
    except (OSError, EOFError, ValueError, LookupError, TypeError, AttributeError, pickle.UnpicklingError) as error:
        raise RequestError(
            f"{path}: cannot be read as a file of NATS-Bench ({error!r}); unpack the archive again"
        ) from error


class _Plain(pickle.Unpickler):
    """Loads what needs no code but that of ordered dictionaries."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        raise pickle.UnpicklingError(f"it holds {module}.{name}, which is no plain value")
