"""A seeded generator of dresses: what is read is the cell that was dressed; a damaged text is never another cell."""

from __future__ import annotations

import contextlib
import random
import re
from pathlib import Path
from typing import Any

import pytest

from nasctl.core import SearchSpace
from nasctl.errors import RequestError
from nasctl.genotype_source import find
from tests.genotype_source import dress
from tests.genotype_source.made import FAMILIES, space

MAKERS = {"darts": dress.random_cell, "rnn_darts": dress.random_recurrent}


@pytest.mark.parametrize("family", MAKERS)
def test_any_dress_of_a_cell_is_that_cell(family: str, tmp_path: Path) -> None:
    draw, file, made = random.Random(f"dress {family}"), tmp_path / "genotypes.py", space(family)
    for _ in range(250):
        cell, *others = (MAKERS[family](draw) for _ in range(4))
        text, name = dress.dressed(cell, others, draw)
        file.write_bytes(dress.encoded(text, draw))
        found = find(f"{file}:{name}" if name else str(file), made).genotype
        assert found == made.format.canonical(cell), text


def oracle(text: str) -> Any:
    """Return what Python makes of a text's only ``Genotype(...)``, by running it with nothing else at hand."""

    def genotype(*positional: Any, **named: Any) -> Any:
        return {**dict(zip(("normal", "normal_concat", "reduce", "reduce_concat"), positional, strict=False)), **named}

    class Numpy:
        int64 = int

    known = {"__builtins__": {}, "Genotype": genotype, "range": range, "list": list, "tuple": tuple, "np": Numpy}
    begin = text.index("Genotype(")
    ends = [i + 1 for i in range(begin, len(text)) if text[i] == ")"]
    for end in [ends[-1], *ends]:  # the whole text, or where the call ends and something else follows
        with contextlib.suppress(SyntaxError):
            return eval(text[begin:end], known)
    raise AssertionError(f"no Python: {text}")


def plain(cell: Any) -> Any:
    """Return the [operation, state] pairs and lists of a cell that Python read."""
    picks = {
        k: [p for item in cell[k] for p in ([item] if isinstance(item[0], str) else item)] for k in ("normal", "reduce")
    }
    pairs = {kind: [[name, state] for name, state, *_ in listed] for kind, listed in picks.items()}
    return pairs | {f"{kind}_concat": list(cell[f"{kind}_concat"]) for kind in ("normal", "reduce")}


def read(file: Path, made: SearchSpace) -> Any:
    """Return the genotype of a file; None where it is refused, in a sentence of a bearable length that names it."""
    try:
        return find(str(file), made).genotype
    except RequestError as error:
        assert str(error).startswith(str(file)) and len(str(error)) < 1500
        return None


@pytest.mark.filterwarnings("ignore::SyntaxWarning")
@pytest.mark.parametrize(("seed", "texts"), [(0, 400), pytest.param(1, 8000, marks=pytest.mark.slow)])
def test_a_damaged_cell_is_refused_or_right(seed: int, texts: int, tmp_path: Path) -> None:
    draw, file, darts = random.Random(f"damaged {seed}"), tmp_path / "g.txt", space("darts")
    refused = 0
    for _ in range(texts):
        text = dress.mutated(f"A = {dress.call(dress.random_cell(draw), draw)}", draw)
        file.write_text(text)
        found = read(file, darts)
        refused += found is None
        assert found is None or found == darts.format.canonical(plain(oracle(text))), text
    assert 0.5 * texts < refused < 0.97 * texts


@pytest.mark.parametrize("family", [name for name in FAMILIES if name not in MAKERS])
def test_what_notation_writes_is_read_from_a_file_and_as_text(family: str, tmp_path: Path) -> None:
    draw, file, made = random.Random(family), tmp_path / "g", space(family)
    for _ in range(40):
        genotype = made.format.canonical(dress.random_genotype(made, draw))
        text = made.format.notation(genotype)
        file.write_bytes(dress.encoded(f"# found\n{text}\n", draw))
        assert find(str(file), made).genotype == genotype == find(text, made).genotype


@pytest.mark.parametrize("family", ["darts", "rnn_darts"])
def test_what_notation_writes_is_read_as_text(family: str) -> None:
    draw, made = random.Random(family), space(family)
    for _ in range(40):
        genotype = made.format.canonical(MAKERS[family](draw))
        assert find(made.format.notation(genotype), made).genotype == genotype


def numbers(text: str) -> list[int]:
    """Return the numbers that stand in a text."""
    return list(map(int, re.findall(r"\d+", text)))


NUMBERS = [name for name in FAMILIES if name not in (*MAKERS, "rnn_nas_rl", "toy", "nasbench201")]


@pytest.mark.parametrize("family", NUMBERS)
def test_damaged_numbers_are_refused_or_the_numbers_that_stand_there(family: str, tmp_path: Path) -> None:
    draw, file, made = random.Random(f"damaged {family}"), tmp_path / "g", space(family)
    accepted = 0
    for _ in range(150):
        text = dress.mutated(made.format.notation(dress.random_genotype(made, draw)), draw)
        file.write_text(text)
        if (found := read(file, made)) is None:
            continue
        accepted += 1
        counted = re.sub(r"(^|\s)#.*", "", text, flags=re.MULTILINE)
        standing = made.format.parse(" ".join(re.findall(r"\d+", counted)) if family.startswith("enas") else counted)
        assert made.format.canonical(standing) == found, text
        assert numbers(counted) == numbers(made.format.notation(standing)), text
    assert accepted > 0


def test_a_damaged_cell_of_the_benchmark_is_refused_or_what_stands_there(tmp_path: Path) -> None:
    draw, file, made = random.Random("damaged cells"), tmp_path / "g", space("nasbench201")
    accepted = 0
    for _ in range(300):
        text = dress.mutated(made.format.notation(dress.random_genotype(made, draw)), draw)
        file.write_text(text)
        if (found := read(file, made)) is not None:
            accepted += 1
            assert made.format.notation(found) in text
    assert accepted > 0
