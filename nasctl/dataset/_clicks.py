"""A click log as a table: its text is converted once, and what was converted is kept beside it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from nasctl.dataset._click_log import ClickLog
from nasctl.dataset._click_rows import CATEGORIES, NUMBERS
from nasctl.dataset._columns import cached
from nasctl.dataset._table import HeldOut, Table, Vocabularies
from nasctl.errors import RequestError

EXACT = 1 << 24  # ids below it are exact in float32


@dataclass(frozen=True, kw_only=True)
class Clicks:
    """A file, how to read it, and how to convert it; ``held_out_by`` is what decides which rows are held out.

    The folder of columns is named by the settings, lies in ``cache`` (beside the file if None), and is made anew
    when the file's size or time has changed.
    """

    path: Path
    separator: str
    header: bool
    on_bad_rows: Literal["error", "skip"]
    cache: str | None
    min_count: int
    missing_inputs: bool
    held_out_by: Mapping[str, Any]

    @property
    def inputs(self) -> int:
        return len(NUMBERS) * (1 + self.missing_inputs) + len(CATEGORIES)

    def read(self, held_out: HeldOut) -> Table:
        source = ClickLog(self.path, separator=self.separator, header=self.header, on_bad_rows=self.on_bad_rows)
        columns = cached(source, self.folder, min_count=self.min_count, held_out=held_out)
        self._check(columns.facts["vocabularies"])
        return Table(
            [columns[name] for name in NUMBERS],
            [columns[name] for name in CATEGORIES],
            columns.facts["vocabularies"],
            columns["label"],
            self.missing_inputs,
            {"data": columns.facts["digest"], **{key: str(columns.facts[key]) for key in ("rows", "bad_rows")}},
        )

    @property
    def folder(self) -> Path:
        settings = [self.separator, self.header, self.on_bad_rows, self.min_count, dict(self.held_out_by)]
        name = hashlib.blake2b(json.dumps(settings).encode(), digest_size=5).hexdigest()
        return Path(self.cache or self.path.parent) / f"{self.path.name}.columns-{name}"

    def _check(self, vocabularies: list[int]) -> None:
        if max(vocabularies) > EXACT:
            raise RequestError(
                f"dataset.min_count={self.min_count}: a category keeps {max(vocabularies):,} values, but only "
                f"{EXACT:,} can be told apart; raise it"
            )


def vocabularies(dataset: Any) -> Vocabularies:
    """Return the vocabularies of a data set's table, which is read when one is asked for."""
    return Vocabularies(len(CATEGORIES), lambda: dataset.table.vocabularies)
