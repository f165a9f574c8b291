"""Views and output formats: the modules in view/ and format/, and a user's own in folders of ``--config-dir``.

An own view is ``DIR/view/NAME.py``, an own format ``DIR/format/NAME.py``. Files that begin with an underscore are
parts of others.
"""

from __future__ import annotations

import importlib
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import replace
from importlib.machinery import SourceFileLoader
from pathlib import Path
from types import ModuleType
from typing import Any, TypeVar

from nasctl.errors import RequestError, unknown
from nasctl.report.declaration import COMMON, PLOT, Content, Format, Setting, View

KINDS = ("view", "format")  # names of folders
TAKEN = (*(setting.name for setting in (*COMMON, PLOT)), "traceback")  # names of settings that compare itself has

C = TypeVar("C", View, Format)
R = TypeVar("R", Content, str)
_HERE = Path(__file__).parent


def load_view(name: str, folders: Sequence[str]) -> View:
    """Return the view ``name``, or raise `RequestError`; an own one raises nothing but that."""
    path = _path("view", name, folders)
    found = _declared("view", path, View)
    return found if _is_shipped(path) else replace(found, make=_guarded(path, found.make, found.settings, 2, Content))


def load_format(name: str, folders: Sequence[str]) -> Format:
    """Return the output format ``name``, or raise `RequestError`; an own one raises nothing but that."""
    path = _path("format", name, folders)
    found = _declared("format", path, Format)
    return found if _is_shipped(path) else replace(found, write=_guarded(path, found.write, found.settings, 1, str))


def files(kind: str, folders: Sequence[str]) -> dict[str, Path]:
    """Return the file of each choice of a kind by name: the shipped ones, then those in ``folders``."""
    found = _modules(_HERE / kind)
    for folder in folders:
        if not Path(folder).is_dir():
            raise RequestError(f"--config-dir {folder}: there is no such folder; name one that exists")
        own = _modules(Path(folder) / kind)
        for name in own.keys() & found.keys():
            raise RequestError(f"{own[name]}: there is a {kind} {name} already, in {found[name]}; rename the file")
        found |= own
    return found


def summary(file: Path) -> str:
    """Return the first line of a module's docstring, without importing the module."""
    first = file.read_text(encoding="utf-8", errors="replace").lstrip().splitlines()[:1]
    return "".join(first).removeprefix('"""').removesuffix('"""')


def _modules(folder: Path) -> dict[str, Path]:
    return {path.stem: path for path in sorted(folder.glob("*.py")) if not path.stem.startswith("_")}


def _path(kind: str, name: str, folders: Sequence[str]) -> Path:
    known = files(kind, folders)
    if name not in known:
        raise unknown(kind, name, known)
    return known[name]


def _is_shipped(path: Path) -> bool:
    return path.parent.parent == _HERE


def _declared(kind: str, path: Path, declaration: type[C]) -> C:
    shipped = f"nasctl.report.{kind}.{path.stem}"
    module = importlib.import_module(shipped) if _is_shipped(path) else _own(kind, path)
    found = vars(module).get(kind.upper())
    if not isinstance(found, declaration):
        raise RequestError(f"{path}: has no {kind.upper()} = {declaration.__name__}(...); add it (docs/views.md)")
    return found


def _own(kind: str, path: Path) -> ModuleType:
    """Return the module of a user's own file, or raise `RequestError` if it cannot be imported."""
    from importlib.util import module_from_spec, spec_from_loader

    loader = SourceFileLoader(f"nasctl_own_{kind}_{path.stem}", str(path))
    spec = spec_from_loader(loader.name, loader)
    module = ModuleType(loader.name) if spec is None else module_from_spec(spec)
    sys.modules[module.__name__] = module  # where dataclasses look up annotations
    try:
        loader.exec_module(module)
    except (Exception, SystemExit) as error:
        del sys.modules[module.__name__]
        raise _broken(path, "cannot be imported", error) from error
    return module


def _guarded(
    path: Path, work: Callable[..., R], settings: Sequence[Setting], given: int, result: type[R]
) -> Callable[..., R]:
    """Return ``work`` with errors and results of another kind as sentences that name its file.

    It takes so many arguments by place, and ``settings`` by their names.
    """
    _check_arguments(path, work, settings, given)

    def guarded(*arguments: Any, **named: Any) -> R:
        try:
            made = work(*arguments, **named)
        except RequestError:
            raise
        except Exception as error:
            raise _broken(path, "failed", error) from error
        if not isinstance(made, result):
            raise RequestError(f"{path}: made {type(made).__name__}, not {result.__name__}; mend the function")
        return made

    return guarded


def _check_arguments(path: Path, work: Callable[..., Any], settings: Sequence[Setting], given: int) -> None:
    import inspect

    for setting in settings:
        if setting.name in TAKEN:
            raise RequestError(f"{path}: its setting {setting.name} is one of compare; rename it")
    try:
        inspect.signature(work).bind(*[None] * given, **dict.fromkeys(setting.name for setting in settings))
    except (TypeError, ValueError) as error:
        names = ", ".join(setting.name for setting in settings) or "none"
        said = f"the function does not take {given} argument{'s' * (given > 1)} and its settings ({names}): {error}"
        raise RequestError(f"{path}: {said}; give it these parameters") from error


def _broken(path: Path, what: str, error: BaseException) -> RequestError:
    remedy = "mend the file, or take it out of the folder"
    return RequestError(f"{path}: {what}{_place(error, path)} ({_text(error)}); {remedy}")


def _place(error: BaseException, path: Path) -> str:
    """Return the line of a file where an error arose, as text; empty where it arose elsewhere."""
    if isinstance(error, SyntaxError):
        return f", line {error.lineno}" if error.lineno else ""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return f", line {lines[-1]}" if lines else ""


def _text(error: BaseException) -> str:
    said = error.msg if isinstance(error, SyntaxError) else " ".join(str(error).split())
    return f"{type(error).__name__}: {said}" if said else type(error).__name__
