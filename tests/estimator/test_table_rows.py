"""A table whose rows name architectures in other texts than the space's own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nasctl.config.build import make
from nasctl.core import Candidate, EstimatorContext, SearchSpace
from nasctl.errors import RequestError
from tests.genotype_source.made import space
from tests.small import CPU, Problem
from tests.tables import nasbench201, write_table

PICKS = "[('sep_conv_3x3', 0), ('skip_connect', 1)]"
SWAPPED = "[('skip_connect', 1), ('sep_conv_3x3', 0)]"
TEXTS = [
    f"Genotype(normal={PICKS}, normal_concat=[2], reduce={PICKS}, reduce_concat=[2])",
    f"Genotype(normal={PICKS}, normal_concat=range(2, 3), reduce={PICKS}, reduce_concat=range(2, 3))",
    f"Genotype(normal={SWAPPED}, normal_concat=(2,), reduce={PICKS}, reduce_concat=[2])",
    f"BEST = Genotype(normal=[{PICKS}], normal_concat=[2], reduce={SWAPPED}, reduce_concat=[2])  # nested",
    "{'normal': [('sep_conv_3x3', 0), ('skip_connect', 1)]}",  # no genotype: stays as it is
]


def table(space: SearchSpace, folder: Path, rows: list[list[Any]]) -> Any:
    write_table(folder / "t.csv", rows, ["cell", "one"])
    settings = {
        **{"_target_": "nasctl.estimator.table.Table", "root": str(folder), "file": "t.csv", "split": "val"},
        **{"architecture": "cell", "accuracy": ["one"], "searched": 0, "percent": True, "seconds": None},
        **{"metrics": {}, "partial": True},
    }
    return make(settings, EstimatorContext(space, None, CPU, 0, lambda values: None))


@pytest.fixture(scope="module")
def darts() -> SearchSpace:
    return Problem("space.nodes=1").space


def arch_of(space: SearchSpace) -> tuple[int, ...]:
    operations = space.decisions[1].options
    return tuple([0, operations.index("sep_conv_3x3"), operations.index("skip_connect")] * 2)


@pytest.mark.parametrize("text", TEXTS[:4])
def test_any_text_of_an_architecture_is_its_row(text: str, darts: SearchSpace, tmp_path: Path) -> None:
    made = table(darts, tmp_path, [[TEXTS[4], 1], [text, 91.5]])
    assert made.covers(arch_of(darts)) and not made.covers((0, 0, 0, 0, 0, 0))
    assert made.evaluate(Candidate(arch_of(darts)), 0).metrics["accuracy"] == pytest.approx(0.915)


@pytest.mark.parametrize(("first", "second"), [(0, 1), (1, 2), (3, 0)])
def test_two_rows_of_one_architecture_are_refused(first: int, second: int, darts: SearchSpace, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"t\.csv, row 3: the same architecture as row 2, Genotype.* remove one"):
        table(darts, tmp_path, [[TEXTS[first], 90], [TEXTS[second], 10]])


def test_a_fault_names_the_row_of_the_text(darts: SearchSpace, tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"t\.csv, row 3: accuracy 915 does not lie in \[0, 100\]"):
        table(darts, tmp_path, [[TEXTS[4], 1], [TEXTS[2], 915]])


def test_rows_of_the_micro_space_are_found_whatever_the_order_of_inputs(tmp_path: Path) -> None:
    made = table(micro := space("enas_micro"), tmp_path, [["0 2 1 0 " * 5 + "0 1 0 4 " * 5, 55]])
    same = micro.format.parse("1 0 0 2 " * 5 + "0 4 0 1 " * 5)
    (found,) = [made.rows[micro.format.notation(micro.format.canonical(same))]]
    assert found == (55.0,)


def test_rows_of_the_benchmark_may_be_indices(tmp_path: Path) -> None:
    made = table(nasbench201(), tmp_path, [["(3, 3, 0, 0, 0, 0)", 55]])
    assert made.evaluate(Candidate((3, 3, 0, 0, 0, 0)), 0).metrics["error"] == pytest.approx(45)
