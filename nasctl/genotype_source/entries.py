"""The genotypes that a text holds: a Python file, a search log, or rows of numbers as a log prints them.

A Python file is parsed whole and its top level is read; nothing of it runs. Any other text is a log if it has words
besides its genotypes. What stands behind a ``#`` does not count.
"""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from nasctl.errors import RequestError
from nasctl.genotype_format._literal import called

MOST = 1_000_000  # characters of a Python file; a longer text can only be a log
LONGEST = 100_000  # characters of one genotype

_LABEL = re.compile(r"([A-Za-z_]\w*)\s*=\s*(?:[A-Za-z_]\w*\.)?")
_COMMENT = re.compile(r"(?:^|\s)#(?!\d)")  # a log may count by #1, #2
_ROW = re.compile(r"^[ \t]*\[[\d\s,]*\][ \t,]*$", re.MULTILINE)


@dataclass(frozen=True)
class Entry:
    """The text of one genotype, the names that it was given, and the line where it begins, counted from 1."""

    names: tuple[str, ...]
    line: int
    text: str


@dataclass(frozen=True)
class Found:
    """The genotypes of a text; a ``log`` has other words besides."""

    entries: Sequence[Entry]
    log: bool = False


def entries(text: str, marks: Sequence[str]) -> Found:
    """Return the genotypes of ``text``: calls of ``marks``, and cells (``|``) or rows of numbers (``[``) if marked."""
    calls = [mark for mark in marks if mark.isidentifier()]
    module = _module(text)
    if module is not None and (found := _of_module(module, calls)) and (calls or "[" not in marks):
        return Found(found)
    if calls and (logged := _of_log(text, _beginning(calls, marks))).entries:
        return logged
    if "[" in marks and (rows := _rows(text)).entries:
        return rows
    return Found(_of_module(module, calls) if module is not None else [])


def _module(text: str) -> ast.Module | None:
    """Return the syntax tree of a Python file; None where the text is none."""
    if len(text) > MOST:
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # such as one on a doubtful escape in somebody's file
            return ast.parse(text)
    except (SyntaxError, RecursionError, MemoryError, ValueError):
        return None


def _of_module(module: ast.Module, calls: Sequence[str]) -> list[Entry]:
    """Return the calls of a module's top level; where there are none, the literals that may be genotypes.

    Literals are taken only if everything that stands by itself is one, so that nothing is skipped.
    """
    found = _collected(module, lambda node: _called(node, calls))
    bare = [statement.value for statement in module.body if isinstance(statement, ast.Expr)]
    if found or not all(any(True for _ in _literals(node, calls)) for node in bare):
        return found
    return _collected(module, lambda node: _literals(node, calls))


def _collected(module: ast.Module, genotypes: Callable[[ast.expr], Iterator[tuple[str, ast.expr]]]) -> list[Entry]:
    found: list[Entry] = []
    for statement in module.body:
        names, node = _assigned(statement)
        if isinstance(node, ast.Name):
            found = _with_alias(found, node.id, names)
        elif node is not None:
            for suffix, genotype in genotypes(node):
                named = tuple(name + suffix for name in names)
                found.append(Entry(named, genotype.lineno, ast.unparse(genotype)))
    return found


def _with_alias(found: list[Entry], name: str, aliases: Sequence[str]) -> list[Entry]:
    """Return the entries with other names for the last one that has ``name``."""
    last = max((i for i, entry in enumerate(found) if name in entry.names), default=None)
    return [replace(e, names=(*e.names, *aliases)) if i == last else e for i, e in enumerate(found)]


def _assigned(statement: ast.stmt) -> tuple[list[str], ast.expr | None]:
    """Return the names that a statement gives to its value, and the value; None where it holds no genotype."""
    if isinstance(statement, ast.Assign):
        return [target.id for target in statement.targets if isinstance(target, ast.Name)], statement.value
    if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
        return [statement.target.id], statement.value
    return [], statement.value if isinstance(statement, ast.Expr) else None


def _called(node: ast.expr, calls: Sequence[str]) -> Iterator[tuple[str, ast.expr]]:
    """Yield the calls in a value with what is added to its name: those of a dictionary or list by key."""
    if isinstance(node, ast.Call):
        if called(node) in calls:
            yield "", node
    elif isinstance(node, ast.Dict) and _holds(node, calls):
        for key, item in zip(node.keys, node.values, strict=True):
            name = f".{key.value!s}" if isinstance(key, ast.Constant) else ""
            yield from ((name + suffix, found) for suffix, found in _called(item, calls))
    elif isinstance(node, ast.List | ast.Tuple) and _holds(node, calls):
        for i, item in enumerate(node.elts):
            yield from ((f".{i}{suffix}", found) for suffix, found in _called(item, calls))


def _holds(node: ast.expr, calls: Sequence[str]) -> bool:
    return any(isinstance(part, ast.Call) and called(part) in calls for part in ast.walk(node))


def _literals(node: ast.expr, calls: Sequence[str]) -> Iterator[tuple[str, ast.expr]]:
    """Yield a value that may be a genotype by itself; in a family of ``Genotype(...)`` only a dictionary may."""
    text = isinstance(node, ast.Constant) and isinstance(node.value, str)
    if isinstance(node, ast.Dict) or ("Genotype" not in calls and (text or isinstance(node, ast.List | ast.Tuple))):
        yield "", node


def _beginning(calls: Sequence[str], marks: Sequence[str]) -> re.Pattern[str]:
    """Return what finds where a genotype begins: a call, or a cell as NAS-Bench-201 writes it."""
    cells = [r"\|\w+~\d+\|"] if "|" in marks else []
    return re.compile("|".join([*(rf"(?<![\w]){name}\(" for name in calls), *cells]))


def _of_log(text: str, begins: re.Pattern[str]) -> Found:
    found: list[Entry] = []
    rest: list[str] = []
    position = 0
    while match := begins.search(text, position):
        line_start = text.rfind("\n", 0, match.start()) + 1
        rest.append(text[position : max(position, line_start)])
        before = text[max(position, line_start) : match.start()]
        if _COMMENT.search(before):
            position = _end_of_line(text, match.start())
            continue
        label = _LABEL.fullmatch(before.strip())
        rest.append("" if label else before)
        line = text.count("\n", 0, match.start()) + 1
        position = _end(text, match.start(), line)
        found.append(Entry((label[1],) if label else (), line, text[match.start() : position]))
    rest.append(text[position:])
    return Found(found, log=any(re.search(r"\w", part) for part in _lines_that_count("".join(rest))))


def _lines_that_count(text: str) -> Iterator[str]:
    return (_COMMENT.split(line, maxsplit=1)[0] for line in text.splitlines())


def _end_of_line(text: str, position: int) -> int:
    end = text.find("\n", position)
    return len(text) if end < 0 else end


def _end(text: str, start: int, line: int) -> int:
    """Return where the genotype that begins at ``start`` ends, or raise `RequestError` if it is cut off."""
    if text[start] == "|":
        return start + len(re.match(r"[^\s'\",;)\]]*", text[start:])[0])  # type: ignore[index]
    depth, quote, position = 0, "", start
    limit = min(len(text), start + LONGEST)
    while position < limit:
        character = text[position]
        if quote:
            if character == "\n":
                break
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        elif character == "#":
            position = _end_of_line(text, position)
            continue
        elif character in "([{":
            depth += 1
        elif character in ")]}":
            depth -= 1
            if depth == 0:
                return position + 1
        position += 1
    raise RequestError(f"line {line}: the genotype that begins here is cut off; complete it or remove it")


def _rows(text: str) -> Found:
    """Return the rows of numbers in brackets; those with nothing but blanks between belong to one genotype."""
    plain = "\n".join(_lines_that_count(text))
    found: list[Entry] = []
    rest: list[str] = []
    position = 0
    for match in _ROW.finditer(plain):
        between = plain[position : match.start()]
        if found and not between.strip():
            found[-1] = replace(found[-1], text=f"{found[-1].text}\n{match[0]}")
        else:
            found.append(Entry((), plain.count("\n", 0, match.start()) + 1, match[0]))
        rest.append(between)
        position = match.end()
    rest.append(plain[position:])
    return Found(found, log=any(part.strip() for part in rest))
