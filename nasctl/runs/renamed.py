"""Settings, choices and classes that have other names than in version 0.1.0: one table, a line each.

`nasctl.runs.translation` reads it: it gives older runs today's names, and answers an old name that is typed today. A
setting is written as its dotted path below its group, wherever a class of that group stands (``trainer.lr`` is also
``estimator.trainer.lr``). Lines are tried from the top, and each takes what the one before has left.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Setting:
    """The setting ``old`` is ``new`` now; ``value`` makes the new value of the old one where they differ.

    ``of`` is the class (its ``_target_`` in 0.1.0) that alone has renamed it; ``when`` are settings of the same node
    with the values that they may have, or the setting is dropped: it belonged to a choice that was not taken.
    """

    old: str
    new: str
    of: str | None = None
    value: Callable[[Any], Any] | None = None
    when: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Part:
    """The setting ``old`` held a name and is a choice of the group ``new`` now; ``classes`` by name.

    A name that is not in ``classes`` is null now. ``names`` holds choices that have another name than the value had.
    """

    old: str
    new: str
    classes: Mapping[Any, str]
    of: str | None = None
    names: Mapping[Any, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Gone:
    """The setting ``old`` is no more; ``remedy`` is what to do, as the end of a sentence."""

    old: str
    remedy: str
    of: str | None = None


@dataclass(frozen=True)
class Choice:
    """The choice ``old`` of a group is ``new`` now, a name or None where nothing is to be chosen."""

    group: str
    old: str
    new: str | None


@dataclass(frozen=True)
class Group:
    """The group, or the place of one (``estimator@against``), ``old`` is ``new`` now."""

    old: str
    new: str


@dataclass(frozen=True)
class Class:
    """The class ``old`` is ``new`` now."""

    old: str
    new: str


Entry = Setting | Part | Gone | Choice | Group | Class

CLASSIFIER = "nasctl.trainer.classifier.Classifier"
LANGUAGE_MODEL = "nasctl.trainer.language_model.LanguageModel"
SCHEDULES = {name: f"nasctl.trainer.schedule.{name}.{name.title()}" for name in ("cosine", "linear", "exponential")}
SUPERNET = "nasctl.estimator.supernet.Supernet"
ZERO_COST = "nasctl.estimator.zero_cost.ZeroCost"
_UNROLLS = {
    "first_order": "FirstOrder",
    "exact": "Exact",
    "finite_difference": "FiniteDifference",
    "released": "Released",
}
_SCORES = {"naswot": "Naswot", "synflow": "Synflow", "grad_norm": "GradNorm", "params": "Params", "macs": "Macs"}


def _part(name: str, of: str, **classes: str) -> Part:
    """Return the line of an estimator's setting that is a nested group now; ``classes`` are named by module."""
    group = f"estimator.{name}"
    known = {module: f"nasctl.{group}.{module}.{cls}" for module, cls in classes.items()}
    return Part(group, group.replace(".", "/"), known, of)


def _into(node: str, name: str) -> Setting:
    """Return the line of a setting of shared weights that stands in a node of its own now."""
    return Setting(f"estimator.{name}", f"estimator.{node}.{name}", SUPERNET)


def _supernet(node: dict[str, Any]) -> dict[str, Any]:
    """Return a node of shared weights without the settings of what was not chosen."""
    unused = {"nsas": node.get("sampler") != "nsas", "unroll_radius": node.get("unroll") in ("first_order", "exact")}
    return {name: value for name, value in node.items() if not unused.get(name)}


_STRATEGY = "nasctl.strategy."
_ENAS, _REINFORCE, _EVOLUTION = (
    _STRATEGY + name for name in ("enas.Enas", "reinforce.Reinforce", "regularized_evolution.RegularizedEvolution")
)
_LSTM = ("units", "layers", "init", "shared", "temperature", "tanh_constant", "tanh_reduce", "bias", "fixed_bias")
_GRADIENT = ("lr", "betas", "eps", "eps_hat", "entropy", "entropy_weight", "skip_target", "skip_weight")
_AVERAGE = {"_target_": _STRATEGY + "update.baseline.moving_average.MovingAverage"}
_FEASIBILITY = {"none": "NoRejection", "monte_carlo": "MonteCarlo", "exact": "Exact"}
_SAMPLED = ("monte_carlo",)
_PICK = {"mode": "Mode", "feasible": "MostProbableFeasible", "best": "Best"}


def _classes(group: str, names: Mapping[str, str]) -> dict[str, str]:
    return {module: f"{_STRATEGY}{group}.{module}.{name}" for module, name in names.items()}


RENAMED: tuple[Entry, ...] = (
    # choices and groups
    *(Choice("debug", name, "smoke") for name in ("rows", "words", "declared", "one_shot", "table")),
    # classes
    Class(_ENAS, _STRATEGY + "policy_search.PolicySearch"),
    Class(_EVOLUTION, _STRATEGY + "evolution.Evolution"),
    # the root
    # space
    # strategy
    *(Setting(f"strategy.{name}", f"strategy.policy.{name}", of=_ENAS) for name in _LSTM),
    *(Setting(f"strategy.{name}", f"strategy.update.{name}", of=_ENAS) for name in _GRADIENT),
    *(Setting(f"strategy.{name}", f"strategy.update.{name}", of=_REINFORCE) for name in ("lr", "betas", "eps")),
    *(
        Setting("strategy.baseline_momentum", "strategy.update.baseline.momentum", of=cls)
        for cls in (_ENAS, _REINFORCE)
    ),
    Setting("strategy.baseline_corrected", "strategy.update.baseline.corrected", of=_ENAS),
    Setting("strategy.selection", "strategy.final_selection.trials", of=_ENAS),
    Setting("strategy.selection_batch", "strategy.final_selection.batch", of=_ENAS),
    Part("strategy.feasibility", "strategy/feasibility", _classes("feasibility", _FEASIBILITY), of=_REINFORCE),
    Part("strategy.pick", "strategy/pick", _classes("pick", _PICK), of=_REINFORCE),
    *(
        Setting(f"strategy.{name}", f"strategy.feasibility.{name}", of=_REINFORCE, when={"feasibility": _SAMPLED})
        for name in ("samples", "proposal_uniform")
    ),
    Setting("strategy.batched", "strategy.vectorized", of=_REINFORCE),
    Setting("strategy.sample_size", "strategy.parent_selection.sample_size", of=_EVOLUTION),
    Setting("strategy.identity_probability", "strategy.mutation.identity_probability", of=_EVOLUTION),
    # estimator
    _part("sampler", SUPERNET, strategy="OfStrategy", uniform="Uniform", fair="Fair", nsas="Nsas"),
    Setting("estimator.nsas", "estimator.sampler", of=SUPERNET),
    _part("unroll", SUPERNET, **_UNROLLS),
    Setting("estimator.unroll_radius", "estimator.unroll.radius", of=SUPERNET),
    Setting("estimator.unroll_clip", "estimator.optimizer.virtual_clip", of=SUPERNET),
    Setting("estimator.slowness", "estimator.tar_beta", of=SUPERNET),
    *(_into("schedule", name) for name in ("warmup_epochs", "fit_epochs", "fit_every")),
    *(_into("optimizer", name) for name in ("lr", "lr_min", "lr_decay", "lr_decay_from", "lr_by_length")),
    *(_into("optimizer", name) for name in ("momentum", "weight_decay", "clip")),
    *(_into("statistics", name) for name in ("norms", "recalibrate")),
    *(_into("speed", name) for name in ("channels_last", "compile", "cuda_graph")),
    _part("score", ZERO_COST, **_SCORES),
    # dataset
    # trainer
    Part("trainer.schedule", "trainer/schedule", SCHEDULES, of=CLASSIFIER),
    Setting("trainer.schedule_by", "trainer.schedule.by", of=CLASSIFIER),
    Setting("trainer.lr_min", "trainer.schedule.lr_min", of=CLASSIFIER),
    Setting("trainer.warmup", "trainer.schedule.warmup", of=CLASSIFIER),
    Setting("trainer.restarts", "trainer.schedule.restarts", of=CLASSIFIER),
    Setting("trainer.restart_factor", "trainer.schedule.restart_factor", of=CLASSIFIER),
    Setting("trainer.lr_decay", "trainer.schedule.lr_decay", of=LANGUAGE_MODEL),
    Setting("trainer.lr_decay_from", "trainer.schedule.lr_decay_from", of=LANGUAGE_MODEL),
    Setting("trainer.activation", "trainer.ar_alpha", of=LANGUAGE_MODEL),
    Setting("trainer.slowness", "trainer.tar_beta", of=LANGUAGE_MODEL),
    # reward, constraint, resource
)

ERROR_KINDS: Mapping[str, str] = {"declared": "synthetic"}
"""What result.json and replicas.jsonl call the kind of an error."""


def _enas(node: dict[str, Any]) -> dict[str, Any]:
    """Give the controller of ENAS its parts; a null selection was the best of all trials."""
    parts = {"policy": _node("policy.lstm.Lstm"), "update": _node("update.reinforce.Reinforce", baseline=_AVERAGE)}
    if node.get("selection", 0) is not None:
        return parts | {"final_selection": _node("final_selection.last_trials.LastTrials")} | node
    kept = {name: value for name, value in node.items() if name not in ("selection", "selection_batch")}
    return parts | {"final_selection": _node("final_selection.best_trial.BestTrial")} | kept


def _reinforce(node: dict[str, Any]) -> dict[str, Any]:
    if "lr" not in node:  # of today
        return node
    update = _node("update.vectorized_reinforce.VectorizedReinforce", baseline={**_AVERAGE, "corrected": True})
    return {"policy": _node("policy.independent.Independent"), "update": update} | node


def _evolution(node: dict[str, Any]) -> dict[str, Any]:
    parts = {"parent_selection": "tournament.Tournament", "mutation": "one_decision.OneDecision", "survival": "age.Age"}
    return {name: _node(f"{name}.{cls}") for name, cls in parts.items()} | {"crossover": None} | node


def _node(name: str, **settings: Any) -> dict[str, Any]:
    return {"_target_": _STRATEGY + name, **copy.deepcopy(settings)}


NODES: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    SUPERNET: _supernet,
    _ENAS: _enas,
    _REINFORCE: _reinforce,
    _EVOLUTION: _evolution,
}
"""By class (its ``_target_`` in 0.1.0), what makes today's node of an old one, where lines do not suffice.

It is called before the lines above are read, and returns a node of today as it is.
"""
