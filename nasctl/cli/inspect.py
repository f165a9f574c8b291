"""The verb inspect: print what a space, or an architecture of it, is and costs."""

from __future__ import annotations

import torch

from nasctl import describe
from nasctl.cli.retrain import find_source
from nasctl.config.configuration import Configuration
from nasctl.config.problem import build_problem
from nasctl.config.settings import Config


def inspect(config: Config) -> None:
    """Print what the space, or the architecture that ``from`` names, is and costs."""
    configuration = Configuration(config)
    configuration.check("space", "dataset")
    problem = build_problem(configuration, torch.device("cpu"))
    source = find_source(problem) if configuration.sources else None
    form, output = problem.settings.form, problem.settings.format
    print(describe.inspect(problem.space, problem.dataset.task, source, form, output), end="")
