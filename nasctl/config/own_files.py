"""Files of the user's own beside conf/: YAMLs and modules in folders that ``--config-dir`` names.

A class may stand in a .py file of such a folder, beside one of its YAMLs, or of the working directory. Nothing of a run
directory is imported: a run names only classes that a YAML of these folders names.
"""

from __future__ import annotations

import contextlib
import importlib
import sys
import traceback
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml

from nasctl.config.settings import conf_dir
from nasctl.config.targets import named_classes
from nasctl.errors import RequestError, unknown

_FOLDERS: list[Path] = []  # of this process, with those of commands before it


def take(folders: Iterable[Path]) -> None:
    """Make the modules in ``folders``, and those beside the YAMLs in them, importable."""
    for folder in (Path(one).resolve() for one in folders):
        if folder not in (*_FOLDERS, conf_dir()):
            _FOLDERS.append(folder)
    places = [place for folder in _FOLDERS for place in (folder, *sorted(folder.glob("*/"))) if any(place.glob("*.py"))]
    sys.path += [str(place) for place in places if str(place) not in sys.path]
    importlib.invalidate_caches()


def folders() -> tuple[Path, ...]:
    """Return the folders of YAMLs, conf/ first."""
    return conf_dir(), *_FOLDERS


def load(name: str) -> Any:
    """Return the class ``name``, as in ``my_search.MySearch``; `RequestError` names the YAML and the fault."""
    module, _, kind = name.rpartition(".")
    if not module:
        raise _fault(name, "names no module; write module.Class, as in my_search.MySearch")
    found = _imported(name, module)
    try:
        return getattr(found, kind)
    except AttributeError:
        names = [key for key, value in vars(found).items() if isinstance(value, type) and value.__module__ == module]
        raise _fault(name, str(unknown(str(found.__file__), kind, names))) from None


def _imported(name: str, module: str) -> Any:
    try:
        with _working_directory(module.split(".")[0]):
            return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name and (module == error.name or module.startswith(f"{error.name}.")):
            places = " or ".join(map(str, (*_FOLDERS, Path.cwd())))
            raise _fault(name, f"there is no module {module}; put {module.split('.')[0]}.py into {places}") from None
        raise _fault(name, f"{_place(error)} {error}; install it or correct the import") from error
    except SyntaxError as error:
        raise _fault(name, f"{error.filename}, line {error.lineno}: {error.msg}; correct it there") from error
    except RequestError:
        raise
    except Exception as error:
        said = f"{type(error).__name__}: {error}"
        raise _fault(name, f"{_place(error)} raises {said} when it is imported; correct it there") from error


@contextlib.contextmanager
def _working_directory(module: str) -> Iterator[None]:
    """Look for a module in the working directory too, after all other places and for this one import.

    It is no place of other imports: one may stand in a folder that came from a stranger.
    """
    here = str(Path.cwd())
    if here in sys.path or not any(Path(here, name).exists() for name in (f"{module}.py", module)):
        yield
        return
    sys.path.append(here)
    try:
        yield
    finally:
        sys.path.remove(here)


def _place(error: Exception) -> str:
    """Return file and line of the last frame that is none of Python's own."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if "importlib" not in frame.filename]
    return f"{frames[-1].filename}, line {frames[-1].lineno}:" if frames else ""


def _fault(name: str, fault: str) -> RequestError:
    return RequestError(f"{yaml_of(name)}_target_={name}: {fault}")


def yaml_of(name: str) -> str:
    """Return ``FILE: `` of a YAML that names a class, an empty text if none does."""
    files = (file for folder in reversed(folders()) for file in sorted(folder.rglob("*.yaml")))
    return next((f"{file}: " for file in files if name in _classes(file)), "")


def _classes(file: Path) -> Sequence[str]:
    try:
        return [name for name in named_classes(file) if name]
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return []
