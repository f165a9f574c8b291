"""Settings, choices and classes that have other names than in version 0.1.0: one table, a line each.

`nasctl.runs.translation` reads it: it gives older runs today's names, and answers an old name that is typed today. A
setting is written as its dotted path below its group, wherever a class of that group stands (``trainer.lr`` is also
``estimator.trainer.lr``). Lines are tried from the top, and each takes what the one before has left.
"""

from __future__ import annotations

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

RENAMED: tuple[Entry, ...] = (
    # choices and groups
    # classes
    # the root
    # space
    # strategy
    # estimator
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

NODES: Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]] = {}
"""By class (its ``_target_`` in 0.1.0), what makes today's node of an old one, where lines do not suffice.

It is called before the lines above are read, and returns a node of today as it is.
"""
