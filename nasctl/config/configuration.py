"""A composed configuration: typed settings of the root, and parts that are built and signed by the name of their group.

Beyond this room nobody reads its nodes: a verb asks for ``settings``, ``choices`` and objects.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from functools import cached_property
from typing import Any

from nasctl.config.build import changed, convert, make, target, validate
from nasctl.config.conformity import PROTOCOLS, conforming
from nasctl.config.settings import Config, Settings
from nasctl.terminal_text import folder_part

PLACES = {"against": "estimator"}
"""Places of a group's choices beside that of its own name."""


class Configuration:
    """What a command line composes; ``plain`` is what config.yaml records of it."""

    def __init__(self, plain: Config) -> None:
        self.plain = plain

    @cached_property
    def settings(self) -> Settings:
        """Return the settings of the root."""
        values = {field.name: self.plain[field.name] for field in fields(Settings)}
        return Settings(**convert(values, Settings, "config"))

    @property
    def choices(self) -> Mapping[str, str | None]:
        """Return the name of the choice by group; None where nothing is chosen."""
        choices: Mapping[str, str | None] = self.plain["choices"]
        return choices

    @property
    def sources(self) -> list[str]:
        """Return what ``from`` names, each once."""
        given = self.plain["from"]
        return list(dict.fromkeys(map(str, given if isinstance(given, list) else filter(None, [given]))))

    @property
    def source(self) -> str:
        """Return what ``from`` names as one text."""
        return str(self.plain["from"])

    @property
    def trials(self) -> int | None:
        """Return the trials after which a search ends, None where they end none."""
        trials: int | None = self.plain["budget"]["trials"]
        return trials

    def check(self, *groups: str) -> None:
        """Raise `RequestError` with every setting of the root and of ``groups`` that does not fit."""
        validate(self.plain, groups)

    @property
    def training_choices(self) -> Mapping[str, Any]:
        """Return the values that a search may choose from, by the path of a trainer's setting."""
        return self.plain["training_choices"] or {}

    def with_training(self, settings: Mapping[str, Any]) -> Configuration:
        """Return a copy whose trainer has other values of plain settings, by their path."""
        return self.replaced(trainer=changed(self.plain["trainer"], settings)) if settings else self

    def has(self, place: str) -> bool:
        """Return whether something is chosen at a place that may be left empty."""
        return bool(self.plain.get(place))

    def make(self, group: str, *collaborators: Any) -> Any:
        """Build the part of a group, or raise `RequestError` with what it lacks of its protocol."""
        made = make(self.plain[group], *collaborators)
        protocol = PLACES.get(group, group)
        return conforming(made, protocol) if protocol in PROTOCOLS else made

    def kind(self, group: str) -> Any:
        """Return the class of the part of a group."""
        return target(self.plain[group])

    def nodes(self, *names: str) -> dict[str, Any]:
        """Return the settings below ``names``, for a signature."""
        return {name: self.plain[name] for name in names}

    def name(self, *groups: str) -> str:
        """Return the chosen options of ``groups``, joined, as the name of a folder."""
        return "-".join(folder_part(self.choices[group] or "none") for group in groups)

    def replaced(self, **nodes: Any) -> Configuration:
        """Return a copy with other settings below some names."""
        return Configuration({**self.plain, **nodes})
