"""What older versions called otherwise, in the words of today: config.yaml, overrides.yaml and names that are typed."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from typing import Any

import yaml

from nasctl.runs.renamed import ERROR_KINDS, NODES, RENAMED, Choice, Class, Entry, Gone, Group, Part, Setting

Node = dict[str, Any]
GROUPS = ("space", "strategy", "estimator", "dataset", "trainer", "reward", "constraint", "resource")
ADDED = ("debug", "experiment")  # groups that the root does not choose from, so that a choice is written with a plus
TARGET = "_target_"
KIND = "error_kind"
_ABSENT = object()


def of_config(config: Mapping[str, Any]) -> Node:
    """Return the config.yaml of a run in today's names; one of today as it is."""
    found: Node = copy.deepcopy(dict(config))
    for place, holder, key in list(_nodes(found)):
        holder[key] = _own_lines(NODES.get(holder[key][TARGET], dict)(holder[key]), found, place)
    _move_all(found, found, "", [entry for entry in RENAMED if _group(entry) is None])
    _rename_choices(found)
    _rename_classes(found)
    return found


def of_overrides(lines: Sequence[str], config: Mapping[str, Any]) -> list[str]:
    """Return the overrides.yaml of a run in today's names; ``config`` is its config.yaml as it was written."""
    found = [_line(line, config) for line in lines]
    return [line for line in found if line is not None]


def of_record(content: Any) -> Any:
    """Return what a record says of a search in today's words; what is none as it is."""
    if isinstance(content, dict) and isinstance(content.get(KIND), str):
        return content | {KIND: ERROR_KINDS.get(content[KIND], content[KIND])}
    return content


def answer(setting: str, value: str | None = None, of: str | None = None) -> str | None:
    """Return the sentence for the old name of a setting that is typed today; None for a name that never was one.

    ``of`` is the class, as it is called today, whose setting it would be, where that is known.
    """
    for prefix, key, entry in _candidates(setting):
        if of is not None and isinstance(entry, Setting | Part | Gone) and not _was(entry.of, of):
            continue
        if isinstance(entry, Gone) and _is_meant(entry, key):
            return f"{setting}: is no more; {entry.remedy}"
        if isinstance(entry, Setting | Group) and _is_meant(entry, key):
            new = _placed(prefix, entry, key[len(entry.old) :])
            given = "..." if value is None else _text(entry, value) if key == entry.old else value
            return f"{setting}: is now {new}; write {new}={given}"
        if isinstance(entry, Part) and key == entry.old:
            name = "..." if value is None else str(entry.names.get(value, value))
            new = _placed(prefix, entry, "")
            return f"{setting}: is now a choice, {new}; write {new}={name}"
    return None


def answer_choice(group: str, name: str) -> str | None:
    """Return the sentence for the old name of a choice that is typed today; None for one that never was."""
    for entry in RENAMED:
        if isinstance(entry, Choice) and (entry.group, entry.old) == (group, name):
            if entry.new is None:
                return f"{group}={name}: is no more; leave it out"
            added = "+" if group in ADDED else ""
            return f"{group}={name}: is now {group}={entry.new}; write {added}{group}={entry.new}"
    return None


def _nodes(config: Node) -> Iterator[tuple[str, MutableMapping[str, Any], str]]:
    """Yield the place of each node that names a class, what holds it and its key there; inner ones first."""

    def walk(holder: Any, place: str) -> Iterator[tuple[str, MutableMapping[str, Any], str]]:
        for key, value in holder.items():
            if isinstance(value, dict):
                yield from walk(value, f"{place}{key}.")
                if isinstance(value.get(TARGET), str):
                    yield f"{place}{key}", holder, key

    yield from walk(config, "")


def _own_lines(node: Node, config: Node, place: str) -> Node:
    """Return a node in today's names; what has moved to another group goes there if the node is its group's own."""
    group = _group_of_class(node[TARGET])
    entries = [entry for entry in RENAMED if _group(entry) == group and _is_of(entry, node[TARGET])]
    _move_all(node, config if place == group else {}, f"{group}.", entries)
    return node


def _move_all(node: Node, config: Node, prefix: str, entries: Sequence[Entry]) -> None:
    before = copy.deepcopy(node) if any(isinstance(entry, Setting) and entry.when for entry in entries) else node
    for entry in entries:
        if isinstance(entry, Setting | Part | Gone | Group) and "@" not in entry.old:
            _move(node, config, prefix, entry, before)


def _move(node: Node, config: Node, prefix: str, entry: Setting | Part | Gone | Group, before: Node) -> None:
    path = entry.old.removeprefix(prefix).split(".")
    value = _at(node, path)
    if value is _ABSENT or (isinstance(entry, Part) and isinstance(value, Mapping)):
        return
    if isinstance(entry, Setting) and _is_new(entry, value):
        return
    _remove(node, path)
    if isinstance(entry, Gone) or (isinstance(entry, Setting) and not _applies(entry, before)):
        return
    new = entry.new.replace("/", ".")
    inside = new.startswith(prefix)
    _put(node if inside else config, (new.removeprefix(prefix) if inside else new).split("."), _value(entry, value))


def _is_new(entry: Setting, value: Any) -> bool:
    """Return whether a value is of today: it holds ``new``, or only the form of the value has changed."""
    if entry.new.startswith(f"{entry.old}."):
        return isinstance(value, Mapping)
    return entry.old == entry.new and entry.value is not None and entry.value(copy.deepcopy(value)) == value


def _applies(entry: Setting, before: Node) -> bool:
    return all(_at(before, name.split(".")) in values for name, values in entry.when.items())


def _value(entry: Setting | Part | Group, value: Any) -> Any:
    if isinstance(entry, Part):
        return {TARGET: entry.classes[value]} if value in entry.classes else None
    return entry.value(value) if isinstance(entry, Setting) and entry.value else value


def _at(node: Any, path: Sequence[str]) -> Any:
    for name in path:
        if not isinstance(node, Mapping) or name not in node:
            return _ABSENT
        node = node[name]
    return node


def _remove(node: Node, path: Sequence[str]) -> None:
    """Remove a setting, and the mappings that it leaves empty."""
    inner = node
    for name in path[:-1]:
        inner = inner[name]
    del inner[path[-1]]
    if path[:-1] and not inner:
        _remove(node, path[:-1])


def _put(node: Node, path: Sequence[str], value: Any) -> None:
    """Set a setting; one below a choice that is null belonged to none, and is dropped."""
    for name in path[:-1]:
        if node.get(name, _ABSENT) is None:
            return
        if not isinstance(node.get(name), dict):
            node[name] = {}
        node = node[name]
    if isinstance(value, Mapping) and isinstance(node.get(path[-1]), Mapping):
        value = {**node[path[-1]], **value}
    node[path[-1]] = value


def _was(old: str | None, today: str) -> bool:
    """Return whether a line about the class ``old``, None for all of a group, is about the class ``today``."""
    names = {entry.old: entry.new for entry in RENAMED if isinstance(entry, Class)}
    return old is None or names.get(old, old) == today


def _rename_choices(config: Node) -> None:
    choices = config.get("choices")
    if not isinstance(choices, dict):
        return
    for entry in RENAMED:
        if isinstance(entry, Choice) and choices.get(entry.group) == entry.old:
            choices[entry.group] = entry.new


def _rename_classes(node: Any) -> None:
    new = {entry.old: entry.new for entry in RENAMED if isinstance(entry, Class)}
    for _, holder, key in _nodes(node) if isinstance(node, dict) else ():
        holder[key][TARGET] = new.get(holder[key][TARGET], holder[key][TARGET])


def _line(line: str, config: Mapping[str, Any]) -> str | None:
    """Return a line in today's names, None for one that says nothing today."""
    bare = line.lstrip("+~")
    sign, (key, equals, value) = line[: len(line) - len(bare)], bare.partition("=")
    key, value = _chosen_today(key, value)
    for prefix, short, entry in _candidates(key):
        if isinstance(entry, Choice | Class) or not _is_meant(entry, short) or not _is_of_run(entry, key, config):
            continue
        if isinstance(entry, Gone):
            return None
        rest = short[len(entry.old) :]
        sign = "" if sign == "~" or isinstance(entry, Part) else sign
        return f"{sign}{_placed(prefix, entry, rest)}{equals}{value if rest else _text(entry, value)}"
    return f"{sign}{key}{equals}{value}"


def _chosen_today(key: str, value: str) -> tuple[str, str]:
    """Return a choice in today's name: one, or a list of them."""
    group = key.partition("@")[0]
    names = {entry.old: entry.new for entry in RENAMED if isinstance(entry, Choice) and entry.group == group}
    if not names:
        return key, value
    if value[:1] + value[-1:] != "[]":
        return key, str(names.get(value, value) or "null")
    listed = [names.get(name.strip(), name.strip()) for name in value[1:-1].split(",")]
    return key, f"[{','.join(name for name in dict.fromkeys(listed) if name)}]"


def _is_of_run(entry: Setting | Part | Gone | Group, key: str, config: Mapping[str, Any]) -> bool:
    """Return whether a run's class is the one that a line of the table is about."""
    if isinstance(entry, Group) or entry.of is None:
        return True
    node = config
    for name in key.split("."):
        if not isinstance(node, Mapping):
            return False
        if node.get(TARGET) == entry.of:
            return True
        node = node.get(name, {})
    return isinstance(node, Mapping) and node.get(TARGET) == entry.of


def _text(entry: Setting | Part | Group, text: str) -> str:
    """Return the new value of a setting as text."""
    if isinstance(entry, Part):
        return str(entry.names.get(text, text))
    if isinstance(entry, Group) or entry.value is None:
        return text
    value = entry.value(yaml.safe_load(text))
    return value if isinstance(value, str) else json.dumps(value)


def _candidates(setting: str) -> Iterator[tuple[str, str, Entry]]:
    """Yield what may be meant by ``setting``: a prefix, the rest below its group, and a line of the table."""
    parts = setting.split(".")
    starts = [i for i, part in enumerate(parts) if i == 0 or part in GROUPS]
    for entry in RENAMED:
        yield from ((".".join(parts[:i]), ".".join(parts[i:]), entry) for i in starts)
        if parts[0] == "against":  # an estimator at another place
            yield "against", ".".join(["estimator", *parts[1:]]), entry


def _placed(prefix: str, entry: Setting | Part | Group, rest: str) -> str:
    """Return today's name of a setting that stands at a place of its own, such as ``estimator.trainer.lr``."""
    inner = entry.new.replace("/", ".").partition(".")[2]
    if _group_of(entry.new) != _group_of(entry.old) or not prefix:
        return f"{entry.new}{rest}"
    place = f"against.{inner}" if prefix == "against" else f"{prefix}.{entry.new.replace('/', '.')}"
    return f"{entry.new}@{place}" if "/" in entry.new else f"{place}{rest}"


def _is_meant(entry: Setting | Part | Gone | Group, key: str) -> bool:
    """Return whether ``key`` is the old setting of a line, or below it."""
    inside = isinstance(entry, Part) or (isinstance(entry, Setting) and entry.new.startswith(f"{entry.old}."))
    return key == entry.old or (not inside and key.startswith(f"{entry.old}."))


def _group(entry: Entry) -> str | None:
    """Return the group whose nodes a line is about; None for the root."""
    return None if isinstance(entry, Choice | Class) else _group_of(entry.old)


def _group_of(name: str) -> str | None:
    first = name.replace("/", ".").split(".")[0]
    return first if first in GROUPS else None


def _group_of_class(name: str) -> str | None:
    parts = name.split(".")
    return parts[1] if parts[0] == "nasctl" and len(parts) > 2 and parts[1] in GROUPS else None


def _is_of(entry: Entry, name: str) -> bool:
    return not isinstance(entry, Setting | Part | Gone) or entry.of is None or entry.of == name
