"""What `nasctl inspect` shows: the published counts, from the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nasctl.cli import main as cli


def inspect(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert cli.run(["inspect", *arguments]) == 0
    return capsys.readouterr().out


def facts(capsys: pytest.CaptureFixture[str], *arguments: str) -> dict:
    return json.loads(inspect(capsys, *arguments, "format=json"))


def test_a_published_cell_on_cifar10(capsys: pytest.CaptureFixture[str]) -> None:
    found = facts(capsys, "space=darts", "from=DARTS_V2", "dataset=cifar10")
    assert (found["params"], found["params_with_auxiliary"], found["macs"]) == (3349342, 3825768, 528359040)
    assert found["shapes"]["cells.19"] == [1, 576, 8, 8] and found["shapes"]["output"] == [1, 10]
    assert found["skip_connections"] == 5 and found["notation"].startswith("Genotype(normal=")


def test_a_published_cell_on_imagenet(capsys: pytest.CaptureFixture[str]) -> None:
    found = facts(capsys, "space=darts_imagenet", "from=DARTS_V1", "dataset=imagenet")
    assert (found["params"], found["macs"]) == (4510432, 505864704)
    assert found["shapes"]["cells.13"] == [1, 768, 7, 7]


def test_the_search_form_is_smaller_and_counted(capsys: pytest.CaptureFixture[str]) -> None:
    final = facts(capsys, "space=darts", "from=DARTS_V2", "dataset=cifar10", "space.final.channels=16")
    search = facts(capsys, "space=darts", "from=DARTS_V2", "dataset=cifar10", "form=search")
    assert 0 < search["params"] < final["params"] and 0 < search["macs"] < final["macs"]


def test_a_space_without_an_architecture(capsys: pytest.CaptureFixture[str]) -> None:
    found = facts(capsys, "space=darts", "dataset=cifar10")
    assert found["supernet_params"] == 1930618 and found["architectures"] == 1037664180**2
    assert len(found["decisions"]) == 24
    assert "1,930,618" in inspect(capsys, "space=darts", "dataset=cifar10")


def test_nasbench201_by_its_own_notation(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    (tmp_path / "cell.txt").write_text(
        "|nor_conv_3x3~0|+|nor_conv_3x3~0|avg_pool_3x3~1|+|none~0|nor_conv_3x3~1|avg_pool_3x3~2|"
    )
    found = facts(capsys, "space=nasbench201", f"from={tmp_path / 'cell.txt'}", "dataset=cifar10")
    assert (found["macs"], found["params"]) == (113951370, 802426)


def test_dot_has_every_edge(capsys: pytest.CaptureFixture[str]) -> None:
    text = inspect(capsys, "space=darts", "from=DARTS_V1", "dataset=digits", "format=dot")
    assert text.startswith("digraph") and text.count("->") == 2 * (8 + 4)
    assert '"reduce/c_{k-2}" -> "reduce/2" [label="max_pool_3x3"]' in text


def test_a_language_model_on_the_penn_treebank_needs_no_file(capsys: pytest.CaptureFixture[str]) -> None:
    found = facts(capsys, "space=awd_lstm", "from=AWD_LSTM", "dataset=ptb")
    assert (found["params"], found["macs"]) == (24_221_600, 24_190_000)
    assert found["shapes"]["layers.0"] == [35, 1, 1150] and found["shapes"]["output"] == [35, 10_000]


def test_a_random_architecture_is_the_one_that_retrain_takes(capsys: pytest.CaptureFixture[str]) -> None:
    rows = ["space=ffn", "dataset=breast_cancer", "seed=1"]
    found = [facts(capsys, *rows, f"from=random{seed}")["genotype"] for seed in ("", ":1", ":2")]
    assert found[0] == found[1] != found[2]
