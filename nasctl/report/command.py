"""`nasctl compare`: reads the runs, has a view make grids of them, and writes these in an output format.

It knows no view and no format by name but the two that are taken where none is named.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from nasctl.command_line import flags
from nasctl.errors import RequestError, unknown
from nasctl.report import discovery
from nasctl.report._read.record import Run, find, sparing
from nasctl.report.declaration import COMMON, FORMAT, PLOT, VIEW, Content, Format, Setting, View
from nasctl.report.grid import Grid
from nasctl.report.output import check_target, write
from nasctl.runs.reader import DamagedError

_FLAGS = ("--config-dir", "--help")


def run(arguments: Sequence[str]) -> str:
    """Return what `nasctl compare` prints for the words behind the verb."""
    line = flags.read(arguments)
    others = [name for name, _ in line.flags if name not in _FLAGS]
    if others:
        raise RequestError(f"compare: there is no {others[0]}; its flags are --config-dir DIR and --help")
    folders = line.values("--config-dir")
    if any(name == "--help" for name, _ in line.flags):
        from nasctl.report.guide import guide

        return guide(folders)
    paths, given = words(line.settings)
    text = compare(paths, config_dirs=folders, **given)
    return f"written to {given['out']}\n" if given.get("out") else text


def words(arguments: Iterable[str]) -> tuple[list[str], dict[str, str]]:
    """Return bare words and settings; the path of an existing file with an equals sign is a word."""
    bare: list[str] = []
    given: dict[str, str] = {}
    for argument in arguments:
        key, equals, value = argument.partition("=")
        if not equals or Path(argument).exists():
            bare.append(argument)
        elif key != "traceback":
            given[key] = value
    return bare, given


def compare(paths: Sequence[str], *, config_dirs: Sequence[str] = (), **given: Any) -> str:
    """Return what a view shows of the runs at or below ``paths`` (default outputs/).

    ``given`` are settings, as text or as values: ``VIEW=VALUE`` names a view, the others are `COMMON` ones and those of
    the view and of the format. Folders of own views and formats are ``config_dirs``. Raises `RequestError` on any bad
    argument; an existing file is left as it is unless ``overwrite``.
    """
    given = {name: value for name, value in given.items() if value is not None}
    name, value = _chosen(given, config_dirs)
    view = discovery.load_view(name, config_dirs)
    format = discovery.load_format(str(given.get("format", FORMAT)), config_dirs)
    known = accepted(view, format)
    _check_names(known, given.keys() - {name}, config_dirs)
    settings = {key: each.read(given[key]) if key in given else each.default for key, each in known.items()}
    _check_targets(settings)
    content = _content(paths or ["outputs"], view, value, settings)
    if settings.get("plot") is not None and content.draw is None:
        raise RequestError(f"plot={settings['plot']}: {content.not_drawn}")
    text = format.write(content, **_own(format, settings))
    if settings["out"] is not None:
        write("out", Path(settings["out"]), lambda file: file.write(text.encode()))
    if settings.get("plot") is not None and content.draw is not None:
        file, draw = Path(settings["plot"]), content.draw
        write("plot", file, lambda stream: draw(stream, file.suffix[1:]))
    return text


def _chosen(given: Mapping[str, Any], folders: Sequence[str]) -> tuple[str, str]:
    """Return the name of the view and its value."""
    named = [name for name in discovery.files("view", folders) if name in given and name != VIEW]
    if len(named) > 1:
        raise RequestError(f"compare: {' and '.join(named)} are two views; give one of them")
    return (named[0], str(given[named[0]])) if named else (VIEW, "")


def accepted(view: View, format: Format) -> dict[str, Setting]:
    """Return the settings that can be given with a view and a format, by name."""
    known = [*COMMON, *[PLOT] * view.draws, *view.settings, *format.settings]
    return {setting.name: setting for setting in known}


def _check_names(known: Mapping[str, Setting], given: Iterable[str], folders: Sequence[str]) -> None:
    for key in given:
        if key not in known:
            views = [name for name in discovery.files("view", folders) if name != VIEW]
            raise unknown("setting", key, [*known, *views])


def _check_targets(settings: Mapping[str, Any]) -> None:
    for name in ("out", "plot"):
        if settings.get(name) is not None:
            check_target(name, Path(settings[name]), settings["overwrite"])
    if settings.get("plot") is not None:
        from nasctl.report import plot

        plot.check(Path(settings["plot"]).suffix[1:])


def _own(choice: View | Format, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of the settings that a view or a format declares."""
    return {each.name: settings[each.name] for each in choice.settings}


def _content(paths: Sequence[str], view: View, value: str, settings: Mapping[str, Any]) -> Content:
    """Return what the view makes of the runs; runs that it finds damaged on the way are named."""

    def make(runs: list[Run]) -> Content:
        damaged = [f"{run.path} ({run.unfinished()})" for run in runs if run.status == "damaged"]
        left_out = [] if view.lists_unfinished else damaged
        return _marked(lambda: view.make(runs, value, **_own(view, settings)), left_out)

    return sparing(find(paths), make)


def _marked(make: Callable[[], Content], left_out: Sequence[str]) -> Content:
    """Return what ``make`` makes, or raise its error, with the runs that are left out."""
    try:
        content = make()
    except RequestError as error:
        if not left_out or isinstance(error, DamagedError):
            raise
        raise RequestError(f"{error}; left out: {'; '.join(left_out)}") from error
    return _with_remarks(content, [f"Left out: {each}." for each in left_out]) if left_out else content


def _with_remarks(content: Content, remarks: Sequence[str]) -> Content:
    """Return the content with remarks below its last grid, as lines of their own, and in its record."""
    *others, last = content.grids or [Grid("", (), ())]
    lines, record = content.lines, content.record
    return replace(
        content,
        grids=[*others, replace(last, remarks=(*last.remarks, *remarks))],
        lines=None if lines is None else lambda: [*lines(), *({"remark": remark} for remark in remarks)],
        record=None if record is None else lambda: {**record(), "remarks": list(remarks)},
    )
