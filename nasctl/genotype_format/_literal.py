"""Genotypes as Python literals, parsed whole: nothing runs, and what is not known is refused instead of skipped.

`read` takes one expression, bare or after ``NAME =``, of numbers, strings, None, lists, tuples, dictionaries,
``range(a, b)``, numbers and strings as NumPy prints them, and one call such as ``Genotype(...)``.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nasctl.errors import RequestError

LONGEST = 1000  # numbers that a range may stand for; cells have about ten nodes
SHOWN = 80  # characters of a wrong part that an error shows
WHOLE = 1000  # the same of a whole genotype

_NUMBERS = ("int8", "int16", "int32", "int64", "uint8", "float16", "float32", "float64")
_MODULES = ("np", "numpy")


@dataclass(frozen=True)
class Call:
    """A call such as ``Genotype(...)``: the values of its arguments, which were not handed to anything."""

    name: str
    positional: Sequence[Any]
    named: Mapping[str, Any]


def read(text: str, *names: str) -> Any:
    """Return the value that ``text`` writes; ``names`` are the calls it may hold. `RequestError` for anything else."""
    return value(_expression(text), names)


def _expression(text: str) -> ast.expr:
    statements = _parsed(text.strip()).body
    if len(statements) == 1 and isinstance(statements[0], ast.Assign | ast.Expr):
        return statements[0].value
    raise RequestError(f"genotype text: holds {len(statements)} statements, one genotype is expected; keep one")


def _parsed(text: str) -> ast.Module:
    try:
        return ast.parse(text)
    except SyntaxError as error:
        line = text.splitlines()[(error.lineno or 1) - 1 :][:1]
        place = f"line {error.lineno}" if error.lineno else "the text"
        raise RequestError(
            f"genotype text: {shown(line[0].strip() if line else text)} in {place} is no Python literal "
            f"({error.msg}); correct the text"
        ) from error
    except (RecursionError, MemoryError, ValueError) as error:
        raise RequestError(
            "genotype text: is nested too deeply or holds characters that no text has; give a genotype alone"
        ) from error


def value(node: ast.expr, names: Sequence[str]) -> Any:
    """Return the value of an expression without running it, tuples as lists."""
    if isinstance(node, ast.Constant) and (node.value is None or type(node.value) in (int, float, str)):
        return node.value
    if isinstance(node, ast.List | ast.Tuple):
        return [value(item, names) for item in node.elts]
    if isinstance(node, ast.Dict):
        return _dictionary(node, names)
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_number(node.operand, names)
    if isinstance(node, ast.Call):
        return _call(node, names)
    raise _unknown(node)


def _dictionary(node: ast.Dict, names: Sequence[str]) -> dict[str, Any]:
    keys = [key.value for key in node.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)]
    if len(set(keys)) < len(node.keys):
        raise _unknown(node)
    return dict(zip(keys, (value(item, names) for item in node.values), strict=True))


def _number(node: ast.expr, names: Sequence[str]) -> int | float:
    found = value(node, names)
    if type(found) not in (int, float):
        raise _unknown(node)
    made: int | float = found
    return made


def _call(node: ast.Call, names: Sequence[str]) -> Any:
    name = called(node)
    if name in names:
        return Call(name, [value(item, ()) for item in node.args], _named(node))
    if node.keywords or not node.args:
        raise _unknown(node)
    if name == "range" and isinstance(node.func, ast.Name):
        return _range(node)
    if name in ("list", "tuple") and len(node.args) == 1:
        return value(node.args[0], ())
    if _from_numpy(node) and len(node.args) == 1:
        return _number(node.args[0], ()) if name in _NUMBERS else value(node.args[0], ())
    raise _unknown(node)


def _named(node: ast.Call) -> dict[str, Any]:
    """Return the fields of a call, of which Python itself would only notice on running it that one is given twice."""
    names = [keyword.arg for keyword in node.keywords]
    if None in names:
        raise _unknown(node)
    if twice := next((name for name in names if names.count(name) > 1), None):
        raise RequestError(f"genotype text: {twice} is given twice; keep one")
    return {str(keyword.arg): value(keyword.value, ()) for keyword in node.keywords}


def called(node: ast.Call) -> str:
    """Return the last part of the name that is called, as ``Genotype`` of ``genotypes.Genotype``; empty if none is."""
    if isinstance(node.func, ast.Attribute):
        return node.func.attr if isinstance(node.func.value, ast.Name) else ""
    return node.func.id if isinstance(node.func, ast.Name) else ""


def _from_numpy(node: ast.Call) -> bool:
    func = node.func
    within = isinstance(func, ast.Attribute) and isinstance(func.value, ast.Name) and func.value.id in _MODULES
    return within and called(node) in (*_NUMBERS, "str_")


def _range(node: ast.Call) -> list[int]:
    bounds = [value(item, ()) for item in node.args]
    if len(bounds) > 3 or not all(type(bound) is int for bound in bounds) or bounds[2:] == [0]:
        raise _unknown(node)
    if len(numbers := range(*bounds)) > LONGEST:
        raise RequestError(
            f"genotype text: {ast.unparse(node)} stands for more than {LONGEST} numbers; correct the text"
        )
    return list(numbers)


def _unknown(node: ast.expr) -> RequestError:
    return RequestError(
        f"genotype text: {shown(ast.unparse(node))} in line {node.lineno} is no number, name in quotes, list or "
        "range; correct the text"
    )


def shown(value: object, most: int = SHOWN) -> str:
    """Return ``value`` as an error shows it: text in quotes, cut where it is longer than ``most`` characters."""
    return repr(cut(value, most)) if isinstance(value, str) else cut(repr(value), most)


def cut(text: str, most: int = SHOWN) -> str:
    """Return ``text`` cut where it is longer than ``most`` characters."""
    return text if len(text) <= most else f"{text[:most]}..."


def fields(text: str, name: str, required: Sequence[str], empty: Sequence[str] = ()) -> dict[str, Any]:
    """Return the fields of ``name(...)``, of a dictionary or of ``field=..., field=...``.

    ``required`` is their order where they have no names; those of ``empty`` must be None.
    """
    found = read(text, name) if not _is_bare(text, required) else read(f"{name}({text})", name)
    if isinstance(found, Call):
        if len(found.positional) > len(required):
            raise RequestError(f"genotype text: {name} has {len(required)} fields; leave out the others")
        given = dict(zip(required, found.positional, strict=False))
        if twice := [key for key in found.named if key in given]:
            raise RequestError(f"genotype text: {twice[0]} is given twice; keep one")
        found = given | dict(found.named)
    if not isinstance(found, dict):
        raise RequestError(
            f"genotype text: {shown(found)} is not of the form {_form(name, required)}; correct the text"
        )
    _check_fields(found, name, required, empty)
    return {key: found[key] for key in required}


def _is_bare(text: str, required: Sequence[str]) -> bool:
    first, equals, rest = text.partition("=")
    return bool(equals) and first.strip() in required and any(f"{key}=" in rest.replace(" ", "") for key in required)


def _check_fields(found: Mapping[str, Any], name: str, required: Sequence[str], empty: Sequence[str]) -> None:
    if lacking := [key for key in required if key not in found]:
        raise RequestError(f"genotype text: lacks {', '.join(lacking)}; complete it to {_form(name, required)}")
    for key, content in found.items():
        if key not in required and not (key in empty and content is None):
            raise RequestError(
                f"genotype text: {key}={shown(content)} has no meaning here; leave it out of {_form(name, required)}"
            )


def _form(name: str, required: Sequence[str]) -> str:
    return f"{name}({', '.join(f'{key}=...' for key in required)})"


def integers(found: Any) -> list[int] | None:
    """Return ``found`` if it is a list of integers, else None."""
    return found if isinstance(found, list) and all(type(item) is int for item in found) else None
