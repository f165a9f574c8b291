"""The rows of a table by the canonical notation of their architectures, whatever text the file has for each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from nasctl.core import SearchSpace
from nasctl.errors import RequestError
from nasctl.estimator._table_file import TableFile, Values


class Rows(Mapping[str, Values]):
    """The values of each architecture; a text that is no genotype of the space stays as it is.

    Two rows of one architecture are a `RequestError`.
    """

    def __init__(self, table: TableFile, space: SearchSpace) -> None:
        self.table = table
        self.texts: dict[str, str] = {}  # of the file, by canonical notation
        for text in table.rows:
            self._add(text, _canonical(text, space))

    def _add(self, text: str, notation: str) -> None:
        if notation in self.texts:
            raise RequestError(
                f"{self.table.path}, row {self.table.lines[text]}: the same architecture as row "
                f"{self.line(notation)}, {notation}; remove one of them"
            )
        self.texts[notation] = text

    def __getitem__(self, notation: str) -> Values:
        return self.table.rows[self.texts[notation]]

    def __iter__(self) -> Iterator[str]:
        return iter(self.texts)

    def __len__(self) -> int:
        return len(self.texts)

    def line(self, notation: str) -> int:
        """Return the line of an architecture's row."""
        return self.table.lines[self.texts[notation]]


def _canonical(text: str, space: SearchSpace) -> str:
    try:
        return space.format.notation(space.format.canonical(space.format.parse(text)))
    except RequestError:
        return text
