"""Whether an object has what the protocol of its group asks for, said before anything is trained."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Any, Generic, Protocol, TypeVar

from nasctl.config import own_files
from nasctl.core import (
    Constraint,
    Estimator,
    Executor,
    GenotypeFormat,
    Resource,
    Reward,
    SearchSpace,
    Strategy,
    TestedDataset,
    Trainer,
)
from nasctl.errors import RequestError

PROTOCOLS: Mapping[str, type] = {
    "space": SearchSpace,
    "space.format": GenotypeFormat,
    "strategy": Strategy,
    "estimator": Estimator,
    "executor": Executor,
    "dataset": TestedDataset,
    "trainer": Trainer,
    "reward": Reward,
    "constraint": Constraint,
    "resource": Resource,
}
T = TypeVar("T")
_NOTHING = object()


def conforming(made: T, group: str) -> T:
    """Return ``made``, or raise `RequestError` with what it lacks of the protocol of ``group``."""
    protocol = PROTOCOLS[group]
    missing = [name for name in members(protocol) if not _has(made, name)]
    if missing:
        name = f"{type(made).__module__}.{type(made).__qualname__}"
        raise RequestError(
            f"{own_files.yaml_of(name)}{group}: {name} lacks {', '.join(missing)}; add what "
            f"nasctl.core.{protocol.__name__} describes"
        )
    return made


def _has(made: object, name: str) -> bool:
    """Return whether ``made`` has a member, without computing a property; a class may hand members on by itself."""
    if inspect.getattr_static(made, name, _NOTHING) is not _NOTHING:
        return True
    return inspect.getattr_static(type(made), "__getattr__", None) is not None and hasattr(made, name)


def members(protocol: Any) -> Iterator[str]:
    """Yield the names of the methods and attributes of a protocol."""
    for part in protocol.__mro__:
        if part not in (Protocol, Generic, object):
            yield from inspect.get_annotations(part)
            yield from (name for name in vars(part) if not name.startswith("_"))
