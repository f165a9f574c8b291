"""No data: a task that no network fits, and a sentence for whoever asks for a split."""

from pathlib import Path

import pytest
import torch

from nasctl.core import Task
from nasctl.dataset.none import NoData
from nasctl.errors import RequestError


@pytest.mark.parametrize("split", ["train", "val", "full", "test"])
def test_a_split_is_refused(split):
    data = NoData(Path("nowhere"), torch.device("cpu"), 0)
    with pytest.raises(RequestError) as refused:
        getattr(data, split)()
    assert str(refused.value) == "dataset=none holds nothing to train or test on; choose a data set"


def test_there_is_nothing_to_fingerprint():
    data = NoData(Path("nowhere"), torch.device("cpu"), 0)
    assert data.task == Task("none", (), 0) and data.fingerprint() == {}
