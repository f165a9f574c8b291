"""`nasctl compare --help`: the views and output formats that are there, with their settings."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nasctl.report import discovery
from nasctl.report.declaration import COMMON, FORMAT, PLOT, VIEW, Format, Setting, View

_HEAD = """\
nasctl compare [RUN...] [VIEW=VALUE] [SETTING=VALUE...]      RUN: a run directory or a folder above runs (outputs)
"""
_FOOT = """\
Views and formats of your own: DIR/view/NAME.py and DIR/format/NAME.py with --config-dir DIR (docs/views.md).
"""


def guide(folders: Sequence[str]) -> str:
    """Return the help text, with the own views and formats in ``folders``."""
    views = {name: discovery.load_view(name, folders) for name in discovery.files("view", folders)}
    formats = {name: discovery.load_format(name, folders) for name in discovery.files("format", folders)}
    lines = [
        "\nSettings of every view",
        *_settings(COMMON),
        "\nViews",
        *(line for name, view in views.items() for line in _view(name, view)),
        "\nOutput formats (format=NAME)",
        *(line for name, format in formats.items() for line in _format(name, format)),
        "",
    ]
    return _HEAD + "\n".join(lines) + "\n" + _FOOT


def _view(name: str, view: View) -> Iterable[str]:
    yield _line(2, "no VIEW" if name == VIEW else f"{name}={view.value}", view.summary)
    yield from _settings([*view.settings, *[PLOT] * view.draws], 4)


def _format(name: str, format: Format) -> Iterable[str]:
    yield _line(2, name, f"{format.summary}{' (default)' * (name == FORMAT)}")
    yield from _settings(format.settings, 4)


def _settings(settings: Iterable[Setting], indent: int = 2) -> Iterable[str]:
    for setting in settings:
        default = "" if setting.default is None else f" ({str(setting.default).lower()})"
        choices = f": {', '.join(setting.choices)}" if setting.choices else ""
        yield _line(indent, f"{setting.name}={_WORDS[setting.kind]}", f"{setting.meaning}{choices}{default}")


_WORDS = {bool: "true|false", int: "N", float: "NUMBER", str: "TEXT"}


def _line(indent: int, name: str, text: str) -> str:
    return f"{' ' * indent}{name:<{26 - indent}}  {text}"
