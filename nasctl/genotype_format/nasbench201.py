"""The genotype of NAS-Bench-201: ``edges`` names the operation of each of the six edges of a cell.

Dong and Yang 2020, https://arxiv.org/abs/2001.00326. The text is that of the benchmark.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from pydantic import StrictStr, TypeAdapter, ValidationError

from nasctl.core import Edge, Genotype, Remark, ignore
from nasctl.errors import RequestError, unknown
from nasctl.genotype_format import _literal, _numbers
from nasctl.genotype_format._form import OneText

OPTIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
EDGES = tuple((source, node) for node in range(1, 4) for source in range(node))  # 01, 02, 12, 03, 13, 23
_STRUCTURE = "Structure(4 nodes with "  # as its code prints a cell
_NAMES = TypeAdapter(list[StrictStr])


def _cell_text(text: str) -> str:
    """Return the text of a cell without the call, the list or the quotes around it."""
    inner = text.strip()
    if inner.startswith(_STRUCTURE) and inner.endswith(")"):
        inner = inner.removeprefix(_STRUCTURE).removesuffix(")").strip()
    return _numbers.unquoted(inner)


class NasBench201Format(OneText):
    """``|op~0|+|op~0|op~1|+|op~0|op~1|op~2|``."""

    family: ClassVar = "nasbench201"
    marks: ClassVar = ("Structure", "|")

    def parse(self, text: str, remark: Remark = ignore) -> Genotype:
        """Read ``|op~0|+|op~0|op~1|+|op~0|op~1|op~2|``, in quotes, in a list or in ``Structure(4 nodes with ...)``.

        Six numbers are read as options in the order of the decisions, with a remark, since others order them otherwise.
        """
        plain = _cell_text(text)
        if _numbers.is_row(plain) and len(numbers := _numbers.read(plain)) == len(EDGES):
            edges = [_numbers.name(f"edge {s}-{n}", i, OPTIONS) for (s, n), i in zip(EDGES, numbers, strict=True)]
            remark(f"six numbers were read as {', '.join(OPTIONS)} (0 to 4) on edges 0-1, 0-2, 1-2, 0-3, 1-3, 2-3")
            return self.check({"edges": edges})
        genotype = {"edges": [word.partition("~")[0] for word in plain.split("|") if "~" in word]}
        if len(genotype["edges"]) != len(EDGES) or self.notation(genotype) != plain:
            raise RequestError(
                f"genotype text: {_literal.shown(text, _literal.WHOLE)} is not of the form "
                "|op~0|+|op~0|op~1|+|op~0|op~1|op~2|; correct it"
            )
        return self.check(genotype)

    def notation(self, genotype: Genotype) -> str:
        names = iter(genotype["edges"])
        return "+".join("|" + "".join(f"{next(names)}~{s}|" for s in range(node)) for node in range(1, 4))

    def check(self, genotype: Genotype) -> Genotype:
        try:
            names = _NAMES.validate_python(genotype["edges"])
        except (KeyError, TypeError, ValidationError) as error:
            raise RequestError(
                f"genotype: edges must list {len(EDGES)} operations, which {_literal.shown(genotype)} does not; "
                "correct it"
            ) from error
        if len(names) != len(EDGES):
            raise RequestError(
                f"genotype: {len(names)} edges, a cell of nasbench201 has {len(EDGES)}; add or remove some"
            )
        for name, (source, node) in zip(names, EDGES, strict=True):
            if name not in OPTIONS:
                raise unknown(f"genotype: edge {source}-{node}", name, OPTIONS)
        return genotype

    def features(self, genotype: Genotype) -> Mapping[str, int]:
        return {"skip_connections": sum(name == "skip_connect" for name in genotype["edges"])}

    def edges(self, genotype: Genotype) -> Mapping[str, Sequence[Edge]]:
        edges = zip(EDGES, genotype["edges"], strict=True)
        return {"cell": [(str(source), str(node), name) for (source, node), name in edges]}
