"""Settings that were added since a run was recorded: what older versions did in their place.

A class says which settings it takes; config.yaml of an older run lacks those that came later. This table has the value
of each that does what the older version did, so that a rebuilt network, data set or estimator is that of the run.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_IMAGES: Mapping[str, Any] = {
    "search_split": "random",
    "architecture_batches": "epoch",
    "augment": {"architecture": None},
}

ADDED: Mapping[str, Mapping[str, Any]] = {
    "nasctl.dataset.cifar10.CIFAR": _IMAGES,
    "nasctl.dataset.digits.Digits": _IMAGES,
    "nasctl.dataset.imagenet.ImageNet": _IMAGES,
    "nasctl.estimator.from_scratch.FromScratch": {
        **{"validate_every": None, "report": "last", "report_of": None, "keep_states": False},
    },
    "nasctl.estimator.stacked.Stacked": {"costs": ["params", "macs"]},
    "nasctl.estimator.supernet.Supernet": {
        "statistics": {"norms": "batch"},
        "optimizer": {"lr_by_length": False},
    },
    "nasctl.strategy.final_selection.last_trials.LastTrials": {"batch": "own"},
    "nasctl.strategy.reinforce.Reinforce": {"lr_growth_from": "start"},
    "nasctl.strategy.update.reinforce.Reinforce": {"eps_hat": False},
    "nasctl.trainer.classifier.Classifier": {"drop_path_by": None},
    "nasctl.trainer.language_model.LanguageModel": {"schedule": {"_target_": "nasctl.trainer.schedule.decay.Decay"}},
}
"""By class, the value of each setting that older runs lack; of a group of settings, those of its entries."""


def completed(node: Mapping[str, Any]) -> dict[str, Any]:
    """Return a node of a run's configuration, and those nested in it, with the settings that were added since."""
    own = {key: completed(value) if isinstance(value, Mapping) else value for key, value in node.items()}
    return _filled(own, ADDED.get(str(node.get("_target_")), {}))


def _filled(node: Mapping[str, Any], missing: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``node`` with what it lacks of ``missing``, in mappings that both have too; a null stays one."""
    found = {**missing, **node}
    both = [key for key in missing if isinstance(missing[key], Mapping) and isinstance(node.get(key), Mapping)]
    return found | {key: _filled(node[key], missing[key]) for key in both}
