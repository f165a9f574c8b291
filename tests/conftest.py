"""Hardly anything but the tested code runs: one thread, and what Hydra would do twice is done once.

The tests' networks are too small for two threads, and a busy neighbour would slow two many times. Hydra composes a
whole configuration only to read ``hydra.mode`` from it, which is the flag's wherever a file or override does not say
otherwise; none here does. Processes that tests start are as they are for users.
"""

import pytest
import torch
from hydra._internal.hydra import Hydra

torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def _mode_by_flag(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Hydra, "get_mode", lambda self, config_name, overrides: None)
