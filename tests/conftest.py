"""Hardly anything but the tested code runs: one thread, and what Hydra would do again is done once.

The tests' networks are too small for two threads, and a busy neighbour would slow two many times. Hydra composes a
whole configuration only to read ``hydra.mode`` from it, which is the flag's wherever a file or override does not say
otherwise; none here does. It parses its own YAML files and ours for each command; here a file is parsed again only
where it has changed. Processes that tests start are as they are for users.
"""

import os
from copy import deepcopy
from functools import lru_cache

import pytest
import torch
from hydra._internal.config_repository import ConfigRepository
from hydra._internal.hydra import Hydra
from hydra.plugins.config_source import ConfigResult

torch.set_num_threads(1)
_parse = ConfigRepository.load_config


@pytest.fixture(autouse=True)
def _mode_by_flag(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Hydra, "get_mode", lambda self, config_name, overrides: None)


class _Sources:
    """Folders of YAML files; equal where each holds the same version of a file."""

    def __init__(self, repository: ConfigRepository, name: str) -> None:
        self.repository = repository
        self.key = tuple((source.path, _version(source.path, name)) for source in repository.sources)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Sources) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)


def _version(folder: str, name: str) -> object:
    try:
        found = os.stat(os.path.join(folder.removeprefix("file://"), f"{name.removesuffix('.yaml')}.yaml"))
    except (OSError, ValueError):
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


@lru_cache(maxsize=1000)
def _parsed(sources: _Sources, name: str) -> ConfigResult | None:
    return _parse(sources.repository, name)


ConfigRepository.load_config = lambda self, config_path: deepcopy(_parsed(_Sources(self, config_path), config_path))
