"""The estimator of every experiment, built in a spawned process, gives the same evaluation as in this one."""

import multiprocessing
from concurrent.futures import ProcessPoolExecutor
from functools import partial

import pytest
import torch

from nasctl import walk
from nasctl.cli import main as cli
from nasctl.cli import search
from nasctl.config.builders import build_estimator, costs_of
from nasctl.config.configuration import Configuration
from nasctl.config.problem import build_problem
from nasctl.search.feasible import Feasible
from tests.doors.spawned import elsewhere, evaluated
from tests.marked import slow
from tests.official import write_cifar
from tests.test_experiments import CHOICES, SEARCHES, smoke  # noqa: F401

FAST = ("random_search_digits", "tabnas_criteo")
WRITERS = {"cifar10": write_cifar, "cifar100": partial(write_cifar, classes=100)}


@pytest.fixture(scope="module")
def process():
    """Return a pool of one process that shares nothing with this one."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:
        yield pool


@pytest.fixture
def composed(smoke, monkeypatch):  # noqa: F811
    """Return what composes an experiment at the smallest size into plain data."""
    found = []
    monkeypatch.setattr(search, "search", found.append)

    def compose(experiment):
        assert cli.run(["search", *smoke(experiment), "device=cpu"]) == 0
        return found.pop()

    return compose


@pytest.mark.parametrize("experiment", slow(SEARCHES, *set(SEARCHES) - set(FAST)))
def test_an_estimator_built_elsewhere_evaluates_the_same(experiment, composed, process, tmp_path):
    config = composed(experiment)
    threads, arch = torch.get_num_threads(), architecture(config)
    writers = [WRITERS[name] for name in CHOICES[experiment].values() if name in WRITERS]
    found = process.submit(elsewhere, config, arch, 3, writers, tmp_path)
    assert evaluated(config, arch, 3) == found.result() and found.result()[0]
    torch.set_num_threads(threads)


def architecture(config):
    problem = build_problem(Configuration(config), torch.device("cpu"), costs_of(Configuration(config)))
    feasible = Feasible.of(problem.space, problem.constraint, build_estimator(config, "cpu"))
    draw = torch.Generator().manual_seed(0)
    return next(arch for _ in range(9999) if feasible(arch := walk.uniform(problem.space, draw)))
