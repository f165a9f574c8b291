"""Whether a space can do what a class asks of it, by the annotation of ``space`` in the class's constructor."""

from __future__ import annotations

import inspect
import sys
import typing
from collections.abc import Mapping
from typing import Any

from nasctl.core import (
    BatchedBuild,
    Builder,
    PathSupernet,
    Relaxation,
    SearchSpace,
    TrainableSpace,
)
from nasctl.errors import RequestError

CANNOT: Mapping[type, str] = {
    Builder: "has costs but builds no networks; choose another space to train",
    PathSupernet: "has networks that share no weights; train each by estimator=from_scratch, or choose another space",
    BatchedBuild: "has networks that cannot be trained side by side; choose estimator=from_scratch or space=ffn",
    Relaxation: "cannot be relaxed; choose a strategy that samples, as enas or random_search, or another space",
}
"""What a space without these methods is, and the remedy."""


def check_space(who: str, kind: Any, name: str | None, space: object) -> None:
    """Raise `RequestError` if ``space``, chosen by ``name``, lacks what the constructor of ``kind`` asks of it."""
    owner = next(part for part in kind.__mro__ if "__init__" in vars(part))
    context = _annotation(owner.__init__, "context", owner.__module__)
    asked = _annotation(context, "space", context.__module__) if context else None
    asked = asked or _annotation(owner.__init__, "space", owner.__module__)
    for protocol in getattr(asked, "__mro__", ()):
        if protocol in CANNOT and not isinstance(space, protocol):
            raise RequestError(f"{who}: space={name} {CANNOT[protocol]}")


def _annotation(owner: Any, name: str, module: str) -> Any:
    """Return the class by which ``owner`` annotates ``name``; None if there is none of a plain name."""
    found = inspect.get_annotations(owner).get(name)
    return vars(sys.modules[module]).get(found) if isinstance(found, str) else found


def trainable(space: SearchSpace) -> TrainableSpace:
    """Return ``space``, or raise `RequestError` if it builds no networks."""
    if not isinstance(space, Builder):
        raise RequestError(f"space={space.format.family} {CANNOT[Builder]}")
    return typing.cast(TrainableSpace, space)
