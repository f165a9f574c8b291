"""Every shipped experiment runs from search to test, shrunk by debug=smoke; its choices say what it needs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from nasctl.cli import main as cli
from tests.dataset import clicks
from tests.marked import slow
from tests.official import write_cifar
from tests.tables import nasbench201, write_benchmark
from tests.text import write_ptb

CONF = Path(__file__).resolve().parents[1] / "conf"
FOLDER = CONF / "experiment"


def composed(name: str) -> dict[str, str]:
    """Return what an experiment chooses of each group, those that it builds on included."""
    chosen: dict[str, str] = {}
    for entry in yaml.safe_load((FOLDER / f"{name}.yaml").read_text()).get("defaults", []):
        if isinstance(entry, dict):
            chosen |= {key.removeprefix("override /"): choice for key, choice in entry.items()}
        elif entry != "_self_":
            absolute = entry.startswith("/")
            chosen |= composed(entry.removeprefix("/experiment/") if absolute else str(Path(name).parent / entry))
    return chosen


CHOICES = {str(p.relative_to(FOLDER).with_suffix("")): {} for p in FOLDER.rglob("[!_]*.yaml")}
CHOICES = {name: composed(name) for name in sorted(CHOICES)}
SEARCHES = [name for name, chosen in CHOICES.items() if "strategy" in chosen and chosen["dataset"] != "none"]
BY_HAND = [name for name, chosen in CHOICES.items() if "strategy" not in chosen]  # nothing to search
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


def _criteo(folder: Path, patch: pytest.MonkeyPatch) -> None:
    (folder / "criteo").mkdir()
    (folder / "criteo" / "train.txt").write_bytes(clicks.text(clicks.lines(300)))


FILES: dict[str, Callable[[Path, pytest.MonkeyPatch], object]] = {
    "cifar10": write_cifar,
    "cifar100": lambda folder, patch: write_cifar(folder, patch, classes=100),
    "criteo": _criteo,
    "ptb": lambda folder, patch: write_ptb(folder),
    "nasbench201_table": lambda folder, patch: write_benchmark(folder / "nb201_table.csv.gz", nasbench201()),
}
"""What writes small files for a choice that reads some."""

LANGUAGE = ("language_model", "awd_lstm", "darts_rnn")
SETTINGS = {"ptb": ["dataset.vocabulary=null"]}
"""What such files need: the words of the small text are not the published ones."""


@pytest.fixture
def smoke(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[str]]:
    """Return what writes the files of an experiment, and returns its settings at the smallest size."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NASCTL_DATA", str(tmp_path))

    def settings(experiment: str) -> list[str]:
        chosen = CHOICES[experiment].values()
        for write in (FILES[choice] for choice in chosen if choice in FILES):
            write(tmp_path, monkeypatch)
        own = [setting for choice in chosen for setting in SETTINGS.get(choice, [])]
        return [f"+experiment={experiment}", "+debug=smoke", f"paths.data={tmp_path}", *own]

    return settings


@pytest.mark.parametrize("experiment", slow(SEARCHES, *SLOW & set(SEARCHES)))
def test_experiment(experiment: str, smoke: Callable[[str], list[str]], tmp_path: Path) -> None:
    assert cli.run(["search", *smoke(experiment), "run_dir=found"]) == 0
    assert cli.run(["retrain", "from=found", "run_dir=final"]) == 0
    assert cli.run(["compare", "."]) == 0
    result = json.loads((tmp_path / "final" / "result.json").read_text())
    assert result["error_kind"] == "retrained"
    text = CHOICES[experiment].get("trainer") in LANGUAGE
    assert result["metrics"]["perplexity"] > 1 if text else 0 <= result["error"] <= 100
    assert result["source"]["label"]
    if CHOICES[experiment].get("constraint") == "params":
        limit = yaml.safe_load((tmp_path / "found" / "config.yaml").read_text())["constraint"]["limit"]
        assert result["feasible"] == (result["params"] <= limit)


@pytest.mark.parametrize("experiment", slow(BY_HAND, *SLOW & set(BY_HAND)))
def test_experiment_by_hand(experiment: str, smoke: Callable[[str], list[str]], tmp_path: Path) -> None:
    assert cli.run(["retrain", *smoke(experiment), "run_dir=final"]) == 0
    assert cli.run(["compare", "."]) == 0
    result = json.loads((tmp_path / "final" / "result.json").read_text())
    assert result["metrics"]["perplexity"] > 1 and result["weights"]["held_out"]["perplexity"] > 1
    assert result["source"] == {"kind": "published", "name": "AWD_LSTM"}
