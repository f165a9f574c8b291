"""``from=`` on the command line: what inspect prints, names within files, and one architecture as one run."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import pytest

from nasctl.cli import main as cli
from nasctl.command_line.commas import apart
from nasctl.command_line.quoting import in_quotes
from tests.genotype_source import dress
from tests.genotype_source.made import space

DATASETS = {
    **dict.fromkeys(("rnn_darts", "rnn_nas_rl", "lstm", "rhn"), "ptb"),
    "ffn": "breast_cancer",
    "toy": "none",
}
BUILT = ("darts", "enas_macro", "enas_micro", "ffn", "lstm", "nasbench201", "nats_size", "resnet", "rnn_nas_rl")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("family", BUILT)
def test_from_takes_the_notation_that_inspect_prints(family: str, capsys: pytest.CaptureFixture[str]) -> None:
    made = space(family)
    genotype = made.format.canonical(dress.random_genotype(made, random.Random(family)))
    text = made.format.notation(genotype)
    small = ["space.final.layers=3"] if family in ("darts", "enas_micro") else []
    request = ["inspect", f"space={family}", f"dataset={DATASETS.get(family, 'cifar10')}", *small]
    assert cli.run([*request, f"from={text}"]) == 0
    printed = re.search(r"^notation +(.*)$", capsys.readouterr().out, re.MULTILINE)
    assert printed is not None and printed[1] == text


def test_a_table_or_json_that_inspect_printed_is_a_genotype_file(capsys: pytest.CaptureFixture[str]) -> None:
    base = ["inspect", "space=darts", "dataset=cifar10", "space.final.layers=3", "format=json"]
    assert cli.run([*base, "from=PDARTS"]) == 0
    first = capsys.readouterr().out
    Path("a.json").write_text(first)
    assert cli.run([*base, "from=a.json"]) == 0
    assert capsys.readouterr().out == first
    assert cli.run([*base[:-1], "from=PDARTS"]) == 0
    Path("a.txt").write_text(capsys.readouterr().out)
    assert cli.run([*base, "from=a.txt"]) == 0
    assert capsys.readouterr().out == first


def test_a_sweep_takes_texts_between_commas_outside_of_brackets() -> None:
    one, two = "Genotype(normal=[('a', 0), ('b', 1)])", "|none~0|+|none~0|none~1|"
    assert apart(f"{one},DARTS_V2,{two}") == [one, "DARTS_V2", two]
    assert apart("a,'b,c',\"d,(e\"") == ["a", "'b,c'", '"d,(e"'] and apart("") == [""]
    quoted = cli.quoted(f"from={one},DARTS_V2,{two}", sweep=True)
    assert quoted == f"from={in_quotes(one)},DARTS_V2,'{two}'"
    assert cli.quoted("from=64:64:64:64:64", sweep=True) == "from='64:64:64:64:64'"
    assert (
        cli.quoted("from=32-144-24", sweep=False) == "from=32-144-24"
        and cli.quoted("from=3", sweep=False) == "from='3'"
    )


def test_a_sweep_over_two_texts_and_a_name(capsys: pytest.CaptureFixture[str]) -> None:
    texts = "|skip_connect~0|+|none~0|none~1|+|none~0|none~1|none~2|,(3, 3, 0, 0, 0, 0)"
    assert cli.run(["inspect", "-m", "space=nasbench201", "dataset=cifar10", "format=json", f"from={texts}"]) == 0
    notations = re.findall(r'"notation": "(.*)"', capsys.readouterr().out)
    assert notations == [
        "|skip_connect~0|+|none~0|none~1|+|none~0|none~1|none~2|",
        "|nor_conv_3x3~0|+|nor_conv_3x3~0|none~1|+|none~0|none~1|none~2|",
    ]


def test_a_search_starts_from_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["search", "+experiment=random_search_digits", "+debug=smoke", "from=DARTS_V2"]) == 2
    assert "from=DARTS_V2: a search starts from no architecture; leave it out, or retrain" in capsys.readouterr().err
    assert not Path("outputs").exists()


ONE = (
    "Genotype(normal=[('skip_connect', 0), ('sep_conv_3x3', 1)], normal_concat=range(2, 3), reduce=[('max_pool_3x3', 1)"
)
SAME = [
    ONE + ", ('max_pool_3x3', 0)], reduce_concat=[2])",
    "# mine\nBEST = Genotype(normal=[('sep_conv_3x3', 1, .2), ('skip_connect', 0, .1)], normal_concat=[2],\n"
    "  reduce=[(('max_pool_3x3', 0), ('max_pool_3x3', 1))], reduce_concat=(2,))",
]


def test_two_texts_of_one_architecture_are_one_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    smoke = ["retrain", "+experiment=random_search_digits", "+debug=smoke", "space.nodes=1"]
    for name, text in zip("ab", SAME, strict=True):
        (folder / name).mkdir()
        (folder / name / "cell.py").write_text(text)
        assert cli.run([*smoke, f"from={name}/cell.py"]) == 0
    (run,) = Path("outputs/retrain").glob("*/*")
    assert run.parent.name == "cell-digits"
    architecture = json.loads((run / "architecture.json").read_text())
    assert architecture["notation"].endswith("reduce=[('max_pool_3x3', 0), ('max_pool_3x3', 1)], reduce_concat=[2])")
    assert cli.run([*smoke, f"from={SAME[0]}", "run_dir=by_text"]) == 0
    result, other = (json.loads((p / "result.json").read_text()) for p in (run, Path("by_text")))
    assert result["signature"] == other["signature"] and result["error"] == other["error"]
    assert other["source"]["kind"] == "text" and other["source"]["name"] == architecture["notation"]


def test_the_folder_of_a_retrain_bears_the_name_within_a_file_or_the_space(folder: Path) -> None:
    (folder / "cells.py").write_text(f"A = {SAME[0]}\nB = {SAME[1].partition('= ')[2]}")
    smoke = ["retrain", "+experiment=random_search_digits", "+debug=smoke", "space.nodes=1", "dry_run=true"]
    assert cli.run([*smoke, "from=cells.py"]) == 2
    assert cli.run([*smoke[:-1], "from=cells.py:B"]) == 0
    assert cli.run([*smoke[:-1], f"from={SAME[0]}"]) == 0
    assert {path.parent.name for path in Path("outputs/retrain").glob("*/*")} == {"B-digits", "darts-digits"}
