"""Every shipped experiment runs from search to test, shrunk by debug=smoke."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nasctl import cli
from tests.official import write_cifar

CONF = Path(__file__).resolve().parents[1] / "conf"
EXPERIMENTS = sorted(p.stem for p in (CONF / "experiment").glob("*.yaml") if not p.stem.startswith("_"))

SYNTHETIC = {"ffn_sweep": ["dataset.rows=300", "dataset.teacher_values=10"]}
"""Experiments on generated click logs, and what makes their files small."""


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_experiment(experiment: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    if experiment.endswith("cifar10"):
        write_cifar(tmp_path, monkeypatch)
    of_rows = experiment.endswith("breast_cancer") or experiment in SYNTHETIC
    smoke = [f"+experiment={experiment}", f"+debug={'rows' if of_rows else 'smoke'}", f"paths.data={tmp_path}"]
    smoke += SYNTHETIC.get(experiment, [])
    assert cli.run(["search", *smoke, "run_dir=found"]) == 0
    assert cli.run(["retrain", "from=found", "run_dir=final"]) == 0
    assert cli.run(["compare", "."]) == 0
    result = json.loads((tmp_path / "final" / "result.json").read_text())
    assert result["error_kind"] == "retrained" and 0 <= result["error"] <= 100
    assert result["source"]["label"]
