"""A preset that bears a paper's name bears its values; docs/compared_with_the_papers.md says where each is from."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from nasctl.config.settings import conf_dir

PAGE = Path(__file__).resolve().parents[1] / "docs" / "compared_with_the_papers.md"

VALUES: dict[str, dict[str, Any]] = {
    "enas_ptb": {
        "strategy.update.entropy_weight": 1e-4,
        "strategy.update.skip_weight": 0.0,
        "strategy.policy.temperature": 5.0,
        "strategy.policy.tanh_constant": 2.5,
        "strategy.update.lr": 3.5e-4,
        "strategy.final_selection.batch": "same",
        "reward.power": 1.0,
        "estimator.optimizer.lr_decay": 0.96,
        "estimator.optimizer.lr_decay_from": 15,
        "estimator.optimizer.weight_decay": 1e-7,
        "estimator.optimizer.clip": 0.25,
    },
    "nas_rl_ptb": {
        "strategy.policy.units": 35,
        "strategy.policy.layers": 2,
        "strategy.update.lr": 5e-4,
        "strategy.policy.init": 0.08,
        "strategy.policy.tanh_constant": None,
        "strategy.policy.temperature": None,
        "strategy.samples": 10,
        "strategy.update.entropy_weight": 0.0,
        "strategy.final_selection._target_": "nasctl.strategy.final_selection.best_trial.BestTrial",
        "reward.power": 2.0,
        "estimator.epochs": 35,
    },
    "darts_ptb": {
        "dataset.lengths.search.half": 0.05,
        "dataset.lengths.search.std": 0.0,
        "estimator.optimizer.lr_by_length": True,
        "estimator.unroll.radius": 0.01,
        "estimator.tar_beta": 1e-3,
        "strategy.lr": 3e-3,
        "strategy.weight_decay": 1e-3,
    },
    "darts_cifar10": {
        "estimator.optimizer.lr": 0.025,
        "estimator.optimizer.lr_min": 0.001,
        "estimator.optimizer.weight_decay": 3e-4,
        "estimator.optimizer.clip": 5.0,
        "strategy.betas": [0.5, 0.999],
        "strategy.weight_decay": 1e-3,
    },
    "enas_macro_code_cifar10": {
        "strategy.update.eps": 1e-3,
        "strategy.update.eps_hat": True,
        "strategy.update.lr": 1e-3,
        "strategy.samples": 20,
        "strategy.policy.tanh_constant": 1.5,
        "strategy.update.entropy_weight": 1e-4,
        "strategy.update.skip_weight": 0.8,
        "strategy.final_selection.batch": "own",
        "estimator.statistics.norms": "moving",
        "estimator.optimizer.weight_decay": 5e-4,
        "estimator.optimizer.lr_min": 5e-4,
        "estimator.schedule.fit_every": 1000,
    },
    "enas_micro_code_cifar10": {
        "strategy.update.eps_hat": True,
        "strategy.update.lr": 3.5e-3,
        "strategy.samples": 10,
        "strategy.policy.tanh_constant": 1.1,
        "strategy.policy.tanh_reduce": 2.5,
        "strategy.final_selection.batch": "own",
        "estimator.statistics.norms": "batch",
        "estimator.schedule.fit_every": 300,
        "trainer.drop_path_by": "step",
        "trainer.schedule.by": "epoch",
        "trainer.drop_path": 0.4,
    },
    "enas_macro_cifar10": {"strategy.final_selection.batch": "same", "strategy.policy.temperature": 5.0},
    "random_ws_cifar10": {
        "estimator.statistics.norms": "moving",
        "estimator.val_batches": 10,
        "estimator.statistics.recalibrate": 0,
    },
    "tunas_criteo": {
        "strategy.warmup": 0.25,
        "strategy.lr_growth": 10.0,
        "strategy.lr_growth_from": "warmup",
        "strategy.update.betas": [0.0, 0.999],
        "strategy.update.baseline.momentum": 0.95,
        "reward.beta": -0.1,
    },
    "mnasnet_criteo": {"reward.alpha": -0.07, "reward.beta": -0.07},
    "evolution_cifar10": {
        "strategy.population_size": 100,
        "strategy.parent_selection.sample_size": 25,
        "estimator.epochs": 25,
    },
    "spos_cifar10": {
        "estimator.statistics.recalibrate": 200,
        "estimator.val_batches": 40,
        "estimator.statistics.norms": "batch",
    },
    "tabnas_toy": {
        "strategy.update.lr": 0.1,
        "strategy.feasibility.samples": 5,
        "budget.turns": 500,
        "constraint.limit": 25,
    },
    "absolute_toy": {"strategy.update.lr": 0.05, "reward.beta": -2.0, "reward.target": 25},
}
"""What papers and released code take, by experiment."""

KEPT = {
    "enas_nasbench201": {"strategy.final_selection.batch": "own", "strategy.update.entropy_weight": 0.1},
    "nas_rl_python_docs": {
        "strategy.policy.units": 64,
        "strategy.policy.tanh_constant": 4.0,
        "strategy.final_selection.trials": 10,
    },
    "nsas_cifar10": {"estimator.statistics.norms": "batch"},
    "spos_nasbench201": {"estimator.statistics.norms": "batch", "strategy.population_size": 50},
    "darts_first_python_docs": {"dataset.lengths.search.half": 0.0, "estimator.optimizer.lr_by_length": False},
    "tabnas_criteo": {
        "strategy.lr_growth": 1.0,
        "strategy.pick._target_": "nasctl.strategy.pick.feasible.MostProbableFeasible",
    },
    "reinforce_nasbench201": {"strategy.pick._target_": "nasctl.strategy.pick.mode.Mode"},
}
"""What is nobody's paper stays as it was."""


@cache
def composed(experiment: str) -> dict[str, Any]:
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        config = compose("config", [f"+experiment={experiment}"])
    return {name: OmegaConf.select(config, name) for name in {**VALUES, **KEPT}[experiment]}


@pytest.mark.parametrize("experiment", [*VALUES, *KEPT])
def test_a_preset_has_the_values_that_its_source_has(experiment: str) -> None:
    assert composed(experiment) == {**VALUES, **KEPT}[experiment]


@pytest.mark.parametrize("experiment", VALUES)
def test_the_page_names_every_such_preset(experiment: str) -> None:
    assert f"`{experiment}`" in PAGE.read_text()
