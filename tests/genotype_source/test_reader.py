"""What people paste: fifteen dresses with their right cell, and what is refused, with file, line and remedy."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from nasctl.errors import RequestError
from nasctl.genotype_source import find
from tests.genotype_source.made import authors_count, space

NORMAL = "[('sep_conv_3x3', 0), ('dil_conv_3x3', 1), ('sep_conv_5x5', 1), ('skip_connect', 2)]"
REDUCE = "[('max_pool_3x3', 0), ('sep_conv_5x5', 1), ('skip_connect', 2), ('avg_pool_3x3', 0)]"
A, B = f"normal={NORMAL}, normal_concat=range(2, 4)", f"reduce={REDUCE}, reduce_concat=range(2, 4)"
WHOLE = f"Genotype({A}, {B})"
CELL = {
    "normal": [["sep_conv_3x3", 0], ["dil_conv_3x3", 1], ["sep_conv_5x5", 1], ["skip_connect", 2]],
    "normal_concat": [2, 3],
    "reduce": [["max_pool_3x3", 0], ["sep_conv_5x5", 1], ["avg_pool_3x3", 0], ["skip_connect", 2]],
    "reduce_concat": [2, 3],
}
OTHER = (
    "normal=[('skip_connect', 0), ('skip_connect', 1)], normal_concat=[2], reduce=[('max_pool_3x3', 0), "
    "('max_pool_3x3', 1)], reduce_concat=[2]"
)
LOG = f"""\
01/02 10:00:00 AM epoch 0 lr 2.5e-02
01/02 10:00:01 AM genotype = Genotype({OTHER})
01/02 10:01:01 AM genotype = {WHOLE}
01/02 10:01:59 AM valid_acc 71.0
"""
CELL_LOG = """\
<<<--->>> The 009-010-th epoch : Structure(4 nodes with |none~0|+|none~0|none~1|+|none~0|none~1|none~2|)
<<<--->>> The 010-010-th epoch : Structure(4 nodes with |nor_conv_3x3~0|+|nor_conv_3x3~0|none~1|+|none~0|none~1|none~2|)
"""
NB201 = "|nor_conv_3x3~0|+|nor_conv_3x3~0|none~1|+|none~0|none~1|none~2|"
MACRO = "1 3 0 1 0 1 0 0 0 1"
MICRO = "0 2 1 0 1 1 0 4"

DRESSES = {  # what stands in the file, and the family's notation of what it is
    "named": ("darts", f"pc_darts = {WHOLE}\n"),
    "nested pairs": (
        "darts",
        "Genotype(\n  normal=[(('sep_conv_3x3', 0), ('dil_conv_3x3', 1)), (('sep_conv_5x5', 1), ('skip_connect', 2))],"
        "  normal_concat=[2, 3],\n  reduce=[(('max_pool_3x3', 0), ('sep_conv_5x5', 1)), (('skip_connect', 2), "
        "('avg_pool_3x3', 0))],\n  reduce_concat=[2, 3],\n  connectN=None, connects=None)",
    ),
    "weights in triples": (
        "darts",
        "Genotype(normal=[('sep_conv_3x3', 0, 0.12), ('dil_conv_3x3', 1, 0.1), ('sep_conv_5x5', 1, 1e-1), "
        f"('skip_connect', 2, 0.2)], normal_concat=range(2, 4), {B})",
    ),
    "comments inside": (
        "darts",
        "drnas = Genotype(\n  normal=[\n    ('sep_conv_3x3', 0),  # node 2\n    ('dil_conv_3x3', 1),  # ('x', 0)\n"
        f"    ('sep_conv_5x5', 1),\n    ('skip_connect', 2),  # node 3\n  ],\n  normal_concat=range(2, 4), {B},\n)",
    ),
    "commented out first": ("darts", f"# SGAS = Genotype({OTHER})\nMdeNAS = {WHOLE}\n"),
    "commented out in a log": ("darts", f"10:00 AM found\n# genotype = Genotype({OTHER})\n10:01 is {WHOLE}"),
    "log": ("darts", LOG),
    "log that counts by #": ("darts", LOG.replace("AM epoch 0", "AM #0").replace("AM genotype", "AM #1: genotype")),
    "log with trailing comma": ("darts", LOG.replace("AM genotype = ", "AM: ").replace("))\n", ")),\n")),
    "inputs and concat in another order": (
        "darts",
        "Genotype(normal=[('dil_conv_3x3', 1), ('sep_conv_3x3', 0), ('skip_connect', 2), ('sep_conv_5x5', 1)], "
        "normal_concat=[3, 2], reduce=[('sep_conv_5x5', 1), ('max_pool_3x3', 0), ('avg_pool_3x3', 0), "
        "('skip_connect', 2)], reduce_concat=(3, 2))",
    ),
    "byte order mark": ("darts", f"\ufeff{WHOLE}\n"),
    "Windows line ends": ("darts", f"Genotype({A},\r\n  {B})\r\n"),
    "fields alone": ("darts", f"{A}, {B}"),
    "positional": (
        "darts",
        f"Genotype({NORMAL}, range(2, 4), {REDUCE}, range(2, 4))",
    ),
    "a dictionary": ("darts", f"best = {CELL}"),
    "numpy 2": ("darts", WHOLE.replace("1)", "np.int64(1))").replace("2)]", "np.int64(2))]")),
    "a genotype and its alias": ("darts", f"A = {WHOLE}\nBEST = A\nPRIMITIVES = ['none']\n"),
    "recurrent, named": ("rnn_darts", "CELL = Genotype(recurrent=[('relu', 0), ('tanh', 1)], concat=range(1, 3))"),
    "recurrent, numbers": ("rnn_darts", "[0 1 1 0]"),
    "a list of one text": ("nasbench201", f"['{NB201}' ]"),
    "a named text": ("nasbench201", f"best = '{NB201}'\n"),
    "Structure": ("nasbench201", f"Structure(4 nodes with {NB201})"),
    "a log of Structure": ("nasbench201", CELL_LOG),
    "a log of cells": ("nasbench201", f"[cifar10] best arch is [{NB201}], test_acc is 94.5\n"),
    "indices": ("nasbench201", "(3, 3, 0, 0, 0, 0)"),
    "channels as a tuple": ("nats_size", "(8, 8, 40, 32, 40)"),
    "channels in quotes": ("nats_size", "['8:8:40:32:40']"),
    "widths as a list": ("ffn", "[32, 144, 24]"),
    "blocks as a list": ("resnet", "[3, 3, 3]\n"),
    "macro rows": ("enas_macro", "[1]\n[3 0]\n[1 0 1]\n[0 0 0 1]\n"),
    "macro rows with commas": ("enas_macro", "[[1], [3, 0], [1, 0, 1], [0, 0, 0, 1]]"),
    "macro rows in a log": (
        "enas_macro",
        "[0]\n[0 0]\n[0 0 0]\nval_acc=0.8\n----\n[1]\n[3 0]\n[1 0 1]\n[0 0 0\n 1]\nval_acc=0.9\n",
    ),
    "macro, one list": ("enas_macro", "[1, 3, 0, 1, 0, 1, 0, 0, 0, 1]"),
    "micro, a row a cell": ("enas_micro", "[0 2 1 0]\n[1 1 0 4]\n"),
    "micro, wrapped": ("enas_micro", "[0 2 1 0 1\n 1 0 4]"),
}
NOTATIONS = {
    "rnn_darts": "Genotype(recurrent=[('relu', 0), ('tanh', 1)], concat=[1, 2])",
    "nasbench201": NB201,
    "nats_size": "8:8:40:32:40",
    "ffn": "32-144-24",
    "resnet": "3-3-3",
    "enas_macro": MACRO,
    "enas_micro": "0 2 1 0 0 4 1 1",  # the inputs of a node in order
}


@pytest.mark.parametrize("dress", DRESSES)
def test_what_people_paste_is_read(dress: str, tmp_path: Path) -> None:
    family, text = DRESSES[dress]
    (tmp_path / "genotype.txt").write_text(text, newline="")
    made = space(family)
    genotype = find(str(tmp_path / "genotype.txt"), made).genotype
    assert genotype == CELL if family == "darts" else made.format.notation(genotype) == NOTATIONS[family]
    if family == "darts":
        assert made.cost(genotype, "params") == authors_count(CELL)


REMARKS = {
    "weights in triples": ", line 1: weights after operation and state were dropped",
    "log": ": the last of 2 genotypes was taken, that of line 3",
    "macro rows in a log": ": the last of 2 genotypes was taken, that of line 6",
    "a log of Structure": ": the last of 2 genotypes was taken, that of line 2",
    "indices": ", line 1: six numbers were read as none, skip_connect, nor_conv_1x1, nor_conv_3x3, avg_pool_3x3 (0 to "
    "4) on edges 0-1, 0-2, 1-2, 0-3, 1-3, 2-3",
}


@pytest.mark.parametrize("dress", DRESSES)
def test_what_has_no_effect_is_said(dress: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    family, text = DRESSES[dress]
    (tmp_path / "g").write_text(text, newline="")
    find(str(tmp_path / "g"), space(family))
    known = dress if dress in REMARKS or not dress.startswith("log ") else "log"
    assert capsys.readouterr().err == (f"note: {tmp_path / 'g'}{REMARKS[known]}\n" if known in REMARKS else "")


TWO = f"A = Genotype({A})\nB = Genotype({OTHER})\n"
DEEP = "[" * 5000 + "]" * 5000

REFUSED = [  # family, text of the file, name behind it, what is said
    ("darts", TWO, "", r"holds 2 genotypes, A \(line 1\), B \(line 2\); choose one, as in from=.*g:A$"),
    (
        "darts",
        TWO,
        ":A",
        r"g, line 1: genotype text: lacks reduce, reduce_concat; complete it to Genot",
    ),
    ("darts", TWO, ":C", "g: genotype: unknown 'C'; choose from A, B"),
    (
        "darts",
        f"{WHOLE}\nGenotype({OTHER})",
        "",
        r"holds 2 genotypes, one without a name \(line 1\), one",
    ),
    (
        "darts",
        f"{WHOLE}\nA = Genotype({OTHER})",
        "",
        "holds 2 genotypes, one without a name .line 1., A .line",
    ),
    ("darts", f"print 'x'\nA = {WHOLE}\nB = Genotype({OTHER})", "", r"holds 2 genotypes, A \(line 2\), B"),
    ("darts", f"GENOTYPES = {{'a': {WHOLE}, 'b': Genotype({OTHER})}}", "", r"GENOTYPES\.a .*, GENOTYPES\.b"),
    ("darts", LOG[:-60], "", "g, line 3: the genotype that begins here is cut off; complete it or remove it"),
    ("darts", LOG.replace("(2, 4), reduce", "(2, 4) ", 1), "", "line 3: genotype text"),
    (
        "darts",
        LOG.replace("('max_pool_3x3', 0), ('max_pool_3x3', 1)]", ""),
        "",
        "line 2: the genotype that begins here",
    ),
    (
        "darts",
        WHOLE.replace("range(2, 4)", "[2, 2, 3]", 1),
        "",
        "must name different nodes from",
    ),
    ("darts", WHOLE.replace("range(2, 4)", "range(2, 5)", 1), "", "must name nodes from 2 to 3"),
    ("darts", WHOLE.replace("range(2, 4)", "range(2, 10**9)", 1), "", "is no number, name in quotes"),
    ("darts", WHOLE.replace("range(2, 4)", "range(2, 1000000000)", 1), "", "more than 1000 numbers"),
    ("darts", f"Genotype({A}, {B}, {B})", "", "genotype text: reduce is given twice; keep one|repeated"),
    ("darts", f"Genotype({A}, {B}, connectN=5)", "", "connectN=5 has no meaning here; leave it out of"),
    ("darts", f"Genotype({A}, {B}, auxiliary=None)", "", "auxiliary=None has no meaning here"),
    ("darts", f"Genotype({A}, **more)", "", "genotype text"),
    ("darts", WHOLE.replace("0)", "True)", 1), "", "'True' in line 1 is no number, name in quotes"),
    ("darts", WHOLE.replace("0)", "0, 1)", 1), "", "normal gives a weight for some operations only"),  # node, state?
    ("darts", WHOLE.replace("0)", "0, 0.5)", 1), "", "normal gives a weight for some operations only"),
    (
        "darts",
        WHOLE.replace("'sep_conv_3x3'", "sep_conv_3x3", 1),
        "",
        "'sep_conv_3x3' in line 1 is no",
    ),
    ("darts", WHOLE.replace("('sep", "(open('x'), ('sep", 1).replace("0)", "0))", 1), "", "open"),
    ("darts", "import os\nos.system('x')\n", "", "g: genotype text: holds 2 statements"),
    (
        "darts",
        "PRIMITIVES = ['none', 'skip_connect']\n",
        "",
        "g: genotype text: .* is not of the form Genotype.no",
    ),
    ("darts", "", "", "g: genotype text: holds 0 statements"),
    ("darts", '{"normal": 1, "normal": 2}', "", "g: not a JSON file .a key is given twice.; correct it"),
    ("darts", '{"genotype": 5}', "", "g: the genotype is 5 where a mapping belongs; correct it"),
    ("darts", '{"genotype": ' + DEEP + "}", "", "g: is nested too deeply for a genotype; correct it"),
    ("darts", f"A = {DEEP}", "", "g: genotype text: .*(nest|literal)"),
    (
        "darts",
        json.dumps(CELL | {"normal_concat": [2] * 100_000}),
        "",
        "normal_concat=.2, 2, .*must name differ",
    ),
    ("darts", json.dumps(CELL | {"normal_concat": list(range(10**6))}), "", "characters, a genotype has less than"),
    (
        "darts",
        f"A = Genotype(normal_concat={list(range(10**6))})",
        "",
        "line 1: the genotype that begins here",
    ),
    ("darts", f"A = Genotype(normal_concat={list(range(2, 9000))}, {B})", "", "lacks normal; complete it"),
    ("rnn_darts", "Genotype(recurrent=[('relu', 0)], concat=[1, 1])", "", "must name different nodes from 1 to 1"),
    ("nasbench201", NB201 + "\n" + NB201, "", "holds 2 genotypes, one without a name .line 1."),
    ("nasbench201", NB201[:-1], "", "is not of the form"),
    ("nasbench201", "(3, 3, 0, 0, 0, 5)", "", "edge 2-3 is operation 5, which is none of 0 none, 1 skip_connect"),
    ("nasbench201", "(3, 3, 0, 0, 0)", "", r"'\(3, 3, 0, 0, 0\)' is not of the form"),
    ("nats_size", "(8, 8, 40, 32)", "", "does not give channels of 5 places"),
    ("nats_size", "8:8:40:32:40\n8:8:40:32:40", "", "is not of the form 8:16:24:32:64"),
    ("nats_size", "8:8:40:32:" + "9" * 5000, "", "is too large a number; correct it"),
    ("lstm", "9" * 5000, "", "is too large a number; correct it"),
    ("lstm", "123456789", "", "layers=123456789 is more than 1000; correct it"),
    ("resnet", "3-3-100000000", "", "must be 3 numbers from 1 to 1000"),
    (
        "enas_macro",
        "[1]\n[3 0]\n[1 0 1]\n[1]\n[3 0]\n[1 0 1]\n",
        "",
        "0 skip bits after the operation of layer 3",
    ),
    (
        "enas_macro",
        "[1]\n[3 0]\n[1 0 1 1]\n",
        "",
        "3 skip bits after the operation of layer 2, which has 2; remove",
    ),
    ("enas_macro", "[1]\n[3 0]\n[]\n", "", "layer 2 has an empty row; write its operation and 2 skip bits"),
    ("enas_micro", "[0 2 1 0]\n[1 1 0 4]\n[0 2 1 0]\n[1 1 0 4]\n", "", "rows of 4, 4, 4, 4 are not two cells"),
    ("enas_micro", "[0 2 1 0 1 1]\n[0 4]\n", "", "rows of 6, 2 are not two cells"),
    ("toy", '{"widths": [[4], [2]]}', "", "does not give each of 2 layers one of the widths"),
]


@pytest.mark.parametrize(("family", "text", "name", "said"), REFUSED)
def test_what_is_no_single_genotype_is_refused(family: str, text: str, name: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "g").write_text(text)
    began = time.monotonic()
    with pytest.raises(RequestError, match=said) as refused:
        find(f"{tmp_path / 'g'}{name}", space(family))
    assert str(refused.value).startswith(str(tmp_path / "g")) and len(str(refused.value)) < 1500
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("content", [bytes(range(256)), b"\x89PNG\r\n", b"Genotype(\0)", b"\xff\xfe\x00"])
def test_a_file_that_is_no_text_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "g").write_bytes(content)
    with pytest.raises(RequestError, match="g: is no text; give a genotype file"):
        find(str(tmp_path / "g"), space("darts"))


def test_a_huge_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with (tmp_path / "g").open("wb") as file:
        file.truncate(65_000_000)
    with pytest.raises(RequestError, match="g: is larger than 64 MB; give the genotype alone, or the end of the log"):
        find(str(tmp_path / "g"), space("darts"))


def test_a_log_of_megabytes_gives_its_last_genotype(tmp_path: Path) -> None:
    line = "01/02 10:00:01 AM train 050 1.0e-01 98.4 99.9\n"
    (tmp_path / "g").write_text((line * 20_000 + LOG) * 3)
    assert find(str(tmp_path / "g"), space("darts")).genotype == CELL


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "nowhere (1).json",
            "from='nowhere .1..json' is neither a run, nor a file, nor a published genotype of",
        ),
        ("Genotype(normal=1)", "and no text of one .genotype text: lacks normal_concat, reduce, reduce_concat"),
        ("A" * 5000 + "()", "from='AAA"),
        ("a\0b", "unknown"),
        ("missing.txt:A", "unknown 'missing.txt:A'"),
        ("DARTS_V3", "unknown 'DARTS_V3'; did you mean 'DARTS_V2'"),
    ],
)
def test_a_text_that_is_nothing_is_refused(text: str, said: str) -> None:
    with pytest.raises(RequestError, match=said) as refused:
        find(text, space("darts"))
    assert len(str(refused.value)) < 1500 or text == "A" * 5000 + "()"
