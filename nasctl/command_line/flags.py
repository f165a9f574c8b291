"""The flags of a verb: taken from wherever they stand on a command line, checked, and told apart from its settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from nasctl.errors import RequestError, unknown

SWITCHES = ("--multirun", "--help", "--hydra-help", "--version", "--resolve", "--run")
VALUED = ("--cfg", "--package", "--config-dir", "--config-name")
OPTIONAL = ("--info",)  # a value may follow
NAMES = (*SWITCHES, *VALUED, *OPTIONAL)
SHORT = {
    "-m": "--multirun",
    "-h": "--help",
    "-r": "--run",
    "-c": "--cfg",
    "-p": "--package",
    "-cd": "--config-dir",
    "-cn": "--config-name",
    "-i": "--info",
}
VALUES = {
    "--cfg": ("job", "hydra", "all"),
    "--info": ("all", "config", "defaults", "defaults-tree", "plugins", "searchpath"),
}
"""What may stand behind a flag, where that is not free."""


@dataclass(frozen=True)
class Line:
    """A command line without its verb: ``flags``, each with its value or None, and ``settings``."""

    flags: tuple[tuple[str, str | None], ...]
    settings: tuple[str, ...]

    @property
    def sweep(self) -> bool:
        """Whether there may be several jobs."""
        return any(name == "--multirun" for name, _ in self.flags)

    def values(self, flag: str) -> list[str]:
        """Return the values that were given to ``flag``."""
        return [value for name, value in self.flags if name == flag and value is not None]

    def words(self) -> list[str]:
        """Return the flags as they are typed."""
        return [word for name, value in self.flags for word in ((name,) if value is None else (name, value))]


def read(arguments: Sequence[str]) -> Line:
    """Return flags and settings of a command line, or raise `RequestError` for a flag that there is not."""
    flags: list[tuple[str, str | None]] = []
    settings: list[str] = []
    waiting = list(reversed(arguments))
    while waiting:
        word = waiting.pop()
        if word == "--":
            return Line(tuple(flags), (*settings, *reversed(waiting)))
        if word.startswith("-"):
            flags.append(_flag(word, waiting))
        else:
            settings.append(word)
    return Line(tuple(flags), tuple(settings))


def _flag(word: str, waiting: list[str]) -> tuple[str, str | None]:
    """Return name and value of the flag ``word``; a value that stands behind it is taken from ``waiting``."""
    given, equals, value = word.partition("=")
    name = SHORT.get(given, given)
    if name not in NAMES:
        raise unknown("flag", given, NAMES)
    if name in SWITCHES:
        if equals:
            raise RequestError(f"{word}: {given} takes no value; write {given} alone")
        return name, None
    if equals:
        return name, _checked(name, value)
    if name in VALUED:
        return name, _checked(name, waiting.pop() if waiting else "")
    return name, waiting.pop() if waiting and waiting[-1] in VALUES[name] else VALUES[name][0]


def without_cfg(line: Line) -> Line:
    """Return the line of a sweep whose jobs are to be shown, or raise `RequestError` if that is not what it asks."""
    others = [value for value in line.values("--cfg") if value != "job"] + line.values("--package")
    if others:
        raise RequestError(f"-m shows the settings of each job; write --cfg job, or leave -m out for {others[0]}")
    return Line(tuple(flag for flag in line.flags if flag[0] not in ("--cfg", "--resolve")), line.settings)


def _checked(name: str, value: str) -> str:
    if name in VALUES and value not in VALUES[name]:
        raise unknown(name, value, VALUES[name])
    if not value:
        raise RequestError(f"{name}: a value is required; write {name} VALUE")
    return value


def config_dirs(arguments: Sequence[str]) -> list[str]:
    """Return ``--config-dir DIR`` as it stood in ``arguments``, to be put into commands that need it too."""
    found: list[str] = []
    for word, after in zip(arguments, [*arguments[1:], ""], strict=False):
        name, equals, value = word.partition("=")
        if SHORT.get(name, name) == "--config-dir":
            found += ["--config-dir", value if equals else after]
    return found
