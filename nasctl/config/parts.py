"""Parts of a choice: nodes with a `_target_` of their own that stand inside another node, alone or in a list.

The annotation of the constructor's argument says what a part has to be: a protocol, a list of one, or a
``Callable[[...], Protocol]``. A part's class takes its settings by keyword; where it also takes collaborators, which
are positional, the owner is handed a factory that takes them.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, get_args, get_origin

from nasctl.config.conformity import members
from nasctl.config.targets import TARGET


def is_part(value: Any) -> bool:
    """Return whether a setting is a part, or a list of parts."""
    if isinstance(value, list):
        return bool(value) and all(is_part(item) for item in value)
    return isinstance(value, Mapping) and TARGET in value


def protocol_of(hint: Any) -> type | None:
    """Return the protocol that an annotation asks a part to meet; None where it asks for plain data."""
    if isinstance(hint, type) and getattr(hint, "_is_protocol", False):
        return hint
    arguments = get_args(hint)[-1:] if get_origin(hint) is Callable else get_args(hint)
    return next(filter(None, map(protocol_of, arguments)), None)


def is_factory(hint: Any) -> bool:
    """Return whether an annotation asks for what builds a part with changed settings: ``Callable[..., Protocol]``."""
    return get_origin(hint) is Callable and get_args(hint)[0] is Ellipsis


def is_list(hint: Any) -> bool:
    """Return whether an annotation asks for a list of parts."""
    return get_origin(hint) is list


def is_optional(hint: Any) -> bool:
    """Return whether an annotation accepts null."""
    return type(None) in get_args(hint)


def built(cls: Any, arguments: Mapping[str, Any]) -> Any:
    """Return an object of a part's class, or a factory where the class takes collaborators."""
    return partial(cls, **arguments) if _collaborators(cls) else cls(**arguments)


def _collaborators(cls: Any) -> list[str]:
    if cls.__init__ is object.__init__:
        return []
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    names = [name for name, parameter in inspect.signature(cls.__init__).parameters.items() if parameter.kind in kinds]
    return names[1:]


def lacking(cls: Any, protocol: type, path: str) -> Iterator[str]:
    """Yield a sentence if a part's class lacks members of its protocol; attributes may be made by its constructor."""
    alone = cls.__init__ is object.__init__
    wanted = [name for name in members(protocol) if alone or callable(getattr(protocol, name, None))]
    missing = [name for name in wanted if not hasattr(cls, name)]
    if missing:
        yield (
            f"{path}: {cls.__module__}.{cls.__qualname__} in {inspect.getsourcefile(cls)} lacks {', '.join(missing)}; "
            f"add what {protocol.__module__}.{protocol.__name__} describes"
        )


def refusal(value: Any, path: str, folders: tuple[Path, ...]) -> str:
    """Return the sentence for a value that stands where a part, or a list of them, has to."""
    group = path.replace(".", "/")
    options = sorted({file.stem for folder in folders for file in (folder / group).glob("*.yaml")})
    choice = (
        f"choose {group}=..., one of {', '.join(options)}"
        if options
        else "give a node with a _target_, or a list of them"
    )
    return f"{path}={value!r}: is not a part with settings of its own; {choice}"
