"""Every shipped experiment runs from search to test, shrunk by debug=smoke."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nasctl.cli import main as cli
from tests.dataset import clicks
from tests.marked import slow
from tests.official import write_cifar
from tests.tables import nasbench201, write_benchmark
from tests.text import write_ptb

CONF = Path(__file__).resolve().parents[1] / "conf"
FOLDER = CONF / "experiment"
NO_NETWORKS = {p.stem for p in FOLDER.glob("*_toy*.yaml")}  # nothing to retrain: tests/test_batch.py
NAMES = {str(p.relative_to(FOLDER).with_suffix("")) for p in FOLDER.rglob("[!_]*.yaml")}
BY_HAND = {"awd_lstm_ptb", "awd_lstm_python_docs"}  # nothing to search
EXPERIMENTS = sorted(NAMES - NO_NETWORKS - BY_HAND)
DECLARED = {name for name in EXPERIMENTS if name.startswith("tabnas_table1/")} | {"tabnas_nats_size"}

SYNTHETIC = {"ffn_sweep": ["dataset.rows=300", "dataset.teacher_values=10"]}
"""Experiments on generated click logs, and what makes their files small."""


ONE_SHOT = {
    *("random_ws_cifar10", "spos_cifar10", "fairnas_cifar10", "nsas_cifar10"),
    *("spos_nasbench201", "fairnas_nasbench201", "nsas_nasbench201"),
    *("enas_macro_cifar10", "enas_macro_code_cifar10", "enas_micro_cifar10", "enas_micro_code_cifar10"),
    *("random_enas_macro_cifar10", "random_enas_micro_cifar10", "enas_nasbench201"),
}
"""Experiments that train all shared weights, or an epoch of them, before their first trial."""

CELLS = {f"tabnas_table1/absolute_{beta}" for beta in ("10", "5", "1", "0_5", "0_1")} | {
    "tabnas_table1/rejection_exact"
}
SLOW = CELLS | {
    *("darts_first_cifar10", "random_search_cifar10", "evolution_cifar10", "evolution_nasbench201"),
    *("random_ws_cifar10", "fairnas_cifar10", "nsas_cifar10", "fairnas_nasbench201"),
    *("evolution_criteo", "tabnas_nats_size"),
    *("enas_macro_code_cifar10", "enas_micro_cifar10", "random_enas_macro_cifar10", "random_enas_micro_cifar10"),
    *("random_python_docs", "nas_rl_ptb", "enas_micro_code_cifar10", "darts_ptb"),
    *("awd_lstm_ptb", "enas_ptb", "bayesian_nasbench201", "reinforce_nasbench201", "local_search_nasbench201"),
    *("darts_first_ptb", "random_ptb", "darts_first_python_docs", "enas_python_docs", "nas_rl_python_docs"),
}
"""Experiments whose path others take too."""


@pytest.mark.parametrize("experiment", slow(EXPERIMENTS, *SLOW & set(EXPERIMENTS)))
def test_experiment(experiment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NASCTL_DATA", str(tmp_path))
    limits: list[str] = []
    tabular = experiment.endswith("nasbench201") and experiment not in ONE_SHOT
    if experiment.endswith(("cifar10", "nasbench201")):
        write_cifar(tmp_path, monkeypatch)
    if experiment in DECLARED:
        write_cifar(tmp_path, monkeypatch, classes=100)
    if experiment.endswith("criteo"):
        (tmp_path / "criteo").mkdir()
        (tmp_path / "criteo" / "train.txt").write_bytes(clicks.text(clicks.lines(300)))
        limits = ["constraint.limit=500"]  # of the eight architectures, with 309 to 681 weights, four are within
    if tabular:
        write_benchmark(tmp_path / "nb201_table.csv.gz", nasbench201())
    kinds = {
        "table": tabular,
        "declared": experiment in DECLARED,
        "rows": experiment.endswith(("breast_cancer", "criteo")) or experiment in SYNTHETIC,
        "one_shot": experiment in ONE_SHOT,
        "words": experiment.endswith(("ptb", "python_docs")),
    }
    debug = next((name for name, wanted in kinds.items() if wanted), "smoke")
    own = [f"paths.data={tmp_path}", *SYNTHETIC.get(experiment, []), *text_files(experiment, tmp_path)]
    own += shallow(experiment) + limits
    smoke = [f"+experiment={experiment}", f"+debug={debug}", *own]
    assert cli.run(["search", *smoke, "run_dir=found"]) == 0
    assert cli.run(["retrain", "from=found", "run_dir=final"]) == 0
    assert cli.run(["compare", "."]) == 0
    result = json.loads((tmp_path / "final" / "result.json").read_text())
    assert result["error_kind"] == "retrained"
    assert result["metrics"]["perplexity"] > 1 if debug == "words" else 0 <= result["error"] <= 100
    assert result["source"]["label"]
    assert not limits or result["feasible"] == (result["params"] <= 500)


def shallow(experiment: str) -> list[str]:
    """Return what leaves few of an experiment's cells, whose number has another name in each space."""
    if "enas_macro" in experiment:
        return ["space.layers=3"]
    if experiment.endswith("nasbench201"):
        return ["space.search.cells=1", "space.final.cells=1"]
    if not experiment.endswith("cifar10"):
        return []
    alone = experiment in ("random_search_cifar10", "evolution_cifar10")
    return ["space.search.layers=3", "space.final.layers=3", *["estimator.size.layers=3"] * alone]


def text_files(experiment: str, folder: Path) -> list[str]:
    """Write a small Penn Treebank where an experiment reads one; return what makes it fit."""
    if not experiment.endswith("ptb"):
        return []
    write_ptb(folder)
    return ["dataset.vocabulary=null"]


@pytest.mark.parametrize("experiment", slow(sorted(BY_HAND), *SLOW & BY_HAND))
def test_experiment_by_hand(experiment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NASCTL_DATA", str(tmp_path))
    smoke = [f"+experiment={experiment}", "+debug=words", f"paths.data={tmp_path}", *text_files(experiment, tmp_path)]
    assert cli.run(["retrain", *smoke, "run_dir=final"]) == 0
    assert cli.run(["compare", "."]) == 0
    result = json.loads((tmp_path / "final" / "result.json").read_text())
    assert result["metrics"]["perplexity"] > 1 and result["weights"]["held_out"]["perplexity"] > 1
    assert result["source"] == {"kind": "published", "name": "AWD_LSTM"}
