"""From a composed node to an object: ``validate`` binds every ``_target_`` to its constructor, ``make`` builds."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from typing import Any, get_args, get_type_hints

from pydantic import TypeAdapter, ValidationError

from nasctl.config import own_files, parts
from nasctl.config.overrides import choices
from nasctl.config.settings import Config, Settings
from nasctl.errors import RequestError, unknown
from nasctl.runs.translation import answer


def validate(config: Config, groups: tuple[str, ...]) -> None:
    """Check that ``groups`` are chosen and every setting fits its constructor; report all misfits at once."""
    for group in groups:
        if "_target_" not in (config.get(group) or {}):
            options = choices(group, own_files.folders())
            raise RequestError(f"{group}: nothing is chosen; add {group}=..., one of {', '.join(options)}")
    settings = {field.name: config[field.name] for field in fields(Settings)}
    misfits = [misfit.replace("config.", "", 1) for misfit in _bind_to(Settings, settings, "config")[1]]
    misfits += [misfit for group in groups for misfit in _bind(config[group], group)[1]]
    if misfits:
        raise RequestError(*misfits)


def make(node: Mapping[str, Any], *collaborators: Any) -> Any:
    """Build the object that ``node`` describes, and those nested in it, from values of the right types."""
    arguments, misfits = _bind(node, "config")
    if misfits:
        raise RequestError(*misfits)
    return target(node)(*collaborators, **_built(target(node), arguments))


def _built(cls: Any, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return a constructor's keyword arguments with the parts among them built."""
    return {key: _part(value, _hints(cls)[key]) if parts.is_part(value) else value for key, value in arguments.items()}


def _part(value: Any, hint: Any = None) -> Any:
    if isinstance(value, list):
        return [_part(item) for item in value]
    if parts.is_factory(hint):
        return lambda **settings: make(changed(value, settings))
    return parts.built(target(value), _built(target(value), _bind(value, "config")[0]))


def changed(node: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``node`` with other values of plain settings, by their path; `RequestError` for one that it lacks."""
    found = dict(node)
    for path, value in settings.items():
        first, dot, rest = path.partition(".")
        if first not in node or first.startswith("_") or isinstance(node[first], Mapping) != bool(dot):
            raise unknown("trainer", path, _plain_paths(node))
        found[first] = changed(found[first], {rest: value}) if dot else value
    return found


def _plain_paths(node: Mapping[str, Any], prefix: str = "") -> list[str]:
    """Return the paths of all settings of a node that hold no mapping."""
    paths: list[str] = []
    for key, value in node.items():
        paths += _plain_paths(value, f"{prefix}{key}.") if isinstance(value, Mapping) else [f"{prefix}{key}"]
    return [path for path in paths if not path.rpartition(".")[2].startswith("_")]


def convert(values: Mapping[str, Any], cls: type, path: str) -> dict[str, Any]:
    """Return ``values`` converted to the types of a dataclass, or raise `RequestError` with all misfits."""
    arguments, misfits = _bind_to(cls, values, path)
    if misfits:
        raise RequestError(*misfits)
    return arguments


def target(node: Mapping[str, Any]) -> Any:
    """Return the class that ``_target_`` names, or raise `RequestError`."""
    return own_files.load(str(node["_target_"]))


def _bind(node: Mapping[str, Any], path: str) -> tuple[dict[str, Any], list[str]]:
    """Return a node's keyword arguments, converted to the annotated types, and its misfits."""
    values = {key: value for key, value in node.items() if key != "_target_"}
    return _bind_to(target(node), values, path)


def _bind_to(cls: Any, node: Mapping[str, Any], path: str) -> tuple[dict[str, Any], list[str]]:
    names = _keyword_only(cls)
    arguments: dict[str, Any] = {}
    misfits = [f"{path}.{name}: a value is required; add it to the YAML" for name in names if name not in node]
    for key, value in node.items():
        if key not in names:
            of = f"{cls.__module__}.{cls.__qualname__}"
            misfits.append(answer(f"{path}.{key}", _shown(value), of) or str(unknown(path, key, names)))
        elif parts.is_part(value) or parts.protocol_of(_hints(cls)[key]):
            arguments[key] = value
            misfits += _misfits_of_part(value, _hints(cls)[key], f"{path}.{key}")
        else:
            arguments[key], wrong = _convert(value, _adapter(cls, key), f"{path}.{key}")
            misfits += wrong
    return arguments, misfits


def _shown(value: Any) -> str | None:
    """Return a value as it is typed; None for one that is no single value."""
    return None if isinstance(value, Mapping | list) else "null" if value is None else str(value)


def _misfits_of_part(value: Any, hint: Any, path: str) -> list[str]:
    """Return what is wrong with a nested part or a list of them, or with what stands in its place."""
    if isinstance(value, list) and parts.is_list(hint):
        (item,) = get_args(hint)
        return [misfit for i, each in enumerate(value) for misfit in _misfits_of_part(each, item, f"{path}.{i}")]
    if value is None and parts.is_optional(hint):
        return []
    if isinstance(value, list) or parts.is_list(hint) or not parts.is_part(value):
        return [parts.refusal(value, path, own_files.folders())]
    protocol = parts.protocol_of(hint)
    return _bind(value, path)[1] + (list(parts.lacking(target(value), protocol, path)) if protocol else [])


def _keyword_only(cls: Any) -> list[str]:
    return [n for n, p in inspect.signature(cls.__init__).parameters.items() if p.kind == p.KEYWORD_ONLY]


@cache  # a sweep's jobs bind the same constructors
def _adapter(cls: Any, name: str) -> TypeAdapter[Any]:
    """Return what converts to the annotated type of a constructor's argument."""
    return TypeAdapter(_hints(cls)[name])


@cache
def _hints(cls: Any) -> Mapping[str, Any]:
    return get_type_hints(cls.__init__, include_extras=True)


def _convert(value: Any, adapter: TypeAdapter[Any], path: str) -> tuple[Any, list[str]]:
    try:
        return adapter.validate_python(value), []
    except ValidationError as error:
        return None, [_misfit(path, e) for e in error.errors()]


def _misfit(path: str, error: Mapping[str, Any]) -> str:
    place = ".".join([path, *(str(part) for part in error["loc"])])
    message = error["msg"][0].lower() + error["msg"][1:]
    return f"{place}={error['input']!r}: {message}; correct it there or on the command line"
