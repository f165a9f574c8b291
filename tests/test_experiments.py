"""Every shipped experiment runs from search to test, shrunk by debug=smoke."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nasctl import cli
from tests.official import write_cifar
from tests.tables import nasbench201, write_benchmark
from tests.text import write_ptb

CONF = Path(__file__).resolve().parents[1] / "conf"
NO_NETWORKS = {p.stem for p in (CONF / "experiment").glob("*_toy.yaml")}  # nothing to retrain: tests/test_batch.py
BY_HAND = {"awd_lstm_ptb", "awd_lstm_python_docs"}  # nothing to search
EXPERIMENTS = sorted({p.stem for p in (CONF / "experiment").glob("[!_]*.yaml")} - NO_NETWORKS - BY_HAND)

SYNTHETIC = {"ffn_sweep": ["dataset.rows=300", "dataset.teacher_values=10"]}
"""Experiments on generated click logs, and what makes their files small."""


SLOW = {
    "darts_first_cifar10",
    "random_search_cifar10",
    "evolution_cifar10",
    "evolution_nasbench201",
    "darts_first_ptb",
    "random_ptb",
    "darts_first_python_docs",
    "enas_python_docs",
    "nas_rl_python_docs",
}
"""Experiments whose path others take too."""


@pytest.mark.parametrize(
    "experiment", [pytest.param(e, marks=pytest.mark.slow) if e in SLOW else e for e in EXPERIMENTS]
)
def test_experiment(experiment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    tabular = experiment.endswith("nasbench201")
    if experiment.endswith("cifar10") or tabular:
        write_cifar(tmp_path, monkeypatch)
    if tabular:
        write_benchmark(tmp_path / "nb201_table.csv.gz", nasbench201())
    of_rows = experiment.endswith("breast_cancer") or experiment in SYNTHETIC
    of_text = experiment.endswith(("ptb", "python_docs"))
    debug = "table" if tabular else "rows" if of_rows else "words" if of_text else "smoke"
    own = [f"paths.data={tmp_path}", *SYNTHETIC.get(experiment, []), *text_files(experiment, tmp_path)]
    smoke = [f"+experiment={experiment}", f"+debug={debug}", *own]
    assert cli.run(["search", *smoke, "run_dir=found"]) == 0
    assert cli.run(["retrain", "from=found", "run_dir=final"]) == 0
    assert cli.run(["compare", "."]) == 0
    result = json.loads((tmp_path / "final" / "result.json").read_text())
    assert result["error_kind"] == "retrained"
    assert result["metrics"]["perplexity"] > 1 if of_text else 0 <= result["error"] <= 100
    assert result["source"]["label"]


def text_files(experiment: str, folder: Path) -> list[str]:
    """Write a small Penn Treebank where an experiment reads one; return what makes it fit."""
    if not experiment.endswith("ptb"):
        return []
    write_ptb(folder)
    return ["dataset.vocabulary=null"]


@pytest.mark.parametrize("experiment", sorted(BY_HAND))
def test_experiment_by_hand(experiment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    smoke = [f"+experiment={experiment}", "+debug=words", f"paths.data={tmp_path}", *text_files(experiment, tmp_path)]
    assert cli.run(["retrain", *smoke, "run_dir=final"]) == 0
    assert cli.run(["compare", "."]) == 0
    result = json.loads((tmp_path / "final" / "result.json").read_text())
    assert result["metrics"]["perplexity"] > 1 and result["weights"]["held_out"]["perplexity"] > 1
    assert result["source"] == {"kind": "published", "name": "AWD_LSTM"}
