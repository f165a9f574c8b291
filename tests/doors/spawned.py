"""What a spawned process does: build an estimator from plain configuration, and evaluate an architecture."""

import pytest
import torch

from nasctl.config.builders import build_estimator
from nasctl.core import Candidate


def elsewhere(config, arch, index, writers, folder):
    """Return an evaluation; ``writers`` make the small data sets, whose published hashes this process does not know."""
    with pytest.MonkeyPatch.context() as patch:
        for write in writers:
            (folder / "again").mkdir()
            write(folder / "again", patch)
        return evaluated(config, arch, index)


def evaluated(config, arch, index):
    torch.set_num_threads(1)
    evaluation = build_estimator(config, "cpu").evaluate(Candidate(tuple(arch)), index)
    return dict(evaluation.metrics), evaluation.work
