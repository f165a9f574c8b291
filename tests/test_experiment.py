"""What a run records of how it differs from its experiment, as conf/ ships it."""

import pytest

from nasctl.command_line import flags
from nasctl.config import experiment
from nasctl.config.compose import launch
from nasctl.config.settings import conf_dir

REFERENCE = {
    "seed": 0,
    "budget": {"epochs": 50, "trials": None},
    "trainer": {"_target_": "t", "lr": 0.1, "compile": False},
    "dataset": {"_target_": "d", "root": None, "limit_train": None},
    "estimator": {"size": {}},
    "choices": {"trainer": "darts", "dataset": "cifar10"},
}


def changed(overrides=(), **parts):
    config = {
        name: {**node, **parts.get(name, {})} if isinstance(node, dict) else node for name, node in REFERENCE.items()
    }
    config |= {name: value for name, value in parts.items() if not isinstance(value, dict)}
    return experiment.cut(config, REFERENCE, ["+experiment=darts_cifar10", *overrides])


@pytest.mark.parametrize(
    "parts",
    [
        {},
        {"seed": 7},
        {"device": "cuda:1", "threads": 4, "label": "mine", "run_dir": "x"},
        {"dataset": {"root": "/data", "workers": 3, "download": True}},
        {"trainer": {"compile": True, "channels_last": True, "cuda_graph": True}},
        {"record_every": 9, "curve": [1]},
    ],
)
def test_seeds_places_and_speed_cut_nothing(parts):
    assert changed(**parts) == {}


@pytest.mark.parametrize(
    "overrides, parts, told",
    [
        (["budget.epochs=1"], {"budget": {"epochs": 1}}, ["budget.epochs=1 instead of 50"]),
        (["budget.trials=2"], {"budget": {"trials": 2}}, ["budget.trials=2 instead of null"]),
        (["dataset.limit_train=64"], {"dataset": {"limit_train": 64}}, ["dataset.limit_train=64 instead of null"]),
        (["+debug=smoke"], {"budget": {"epochs": 1}, "trainer": {"lr": 9}}, ["+debug=smoke"]),
        (["+debug=smoke", "trainer.lr=9"], {"budget": {"epochs": 1}, "trainer": {"lr": 9}},
         ["+debug=smoke", "trainer.lr=9 instead of 0.1"]),
        (["trainer=plain"], {"trainer": {"_target_": "p", "lr": 0.2}}, ["trainer=plain"]),
        (["estimator.size={channels: 8}"], {"estimator": {"size": {"channels": 8}}},
         ["estimator.size.channels=8 instead of nothing"]),
        ([], {"trainer": {"lr": 9}}, ["trainer.lr=9 instead of 0.1"]),  # by whatever
        (["seed=1", "trainer.lr=0.1"], {}, []),
    ],
)  # fmt: skip
def test_what_differs_is_told_by_what_was_given(overrides, parts, told):
    found = list(dict.fromkeys(changed(overrides, **parts).values()))
    assert [text for text in found if text != "estimator.size=nothing instead of {}"] == told


def test_only_files_of_conf_are_experiments_as_shipped():
    assert experiment.shipped(["+experiment=darts_cifar10"], conf_dir())
    assert experiment.shipped(["+experiment/tabnas_table1=rejection"], conf_dir())
    assert not experiment.shipped(["+experiment=mine"], conf_dir()) and not experiment.shipped([], conf_dir())


@pytest.mark.parametrize(
    "arguments, cut",
    [
        (["+experiment=darts_cifar10", "seed=3", "device=cpu", "paths.data=/nowhere"], set()),
        (["+experiment=darts_cifar10", "+debug=smoke"], {"+debug=smoke"}),
        (
            ["+experiment=darts_cifar10", "budget.epochs=1"],
            {"budget.epochs=1 instead of 50", "estimator.epochs=1 instead of 50"},
        ),
        (
            ["+experiment=darts_cifar10", "published={table: C10-DARTS, method: PNAS}"],
            {"published.method=PNAS instead of DARTS second order + cutout"},
        ),
        (["space=darts", "strategy=darts", "published={table: C10-DARTS, method: PNAS}"], {experiment.NONE}),
    ],
)
def test_a_composed_configuration_says_what_was_cut(arguments, cut):
    composed = []
    launch("search", composed.append, flags.read(arguments), arguments)
    assert set(composed[0]["cut"].values()) == cut


def test_without_a_published_row_nothing_is_compared():
    composed = []
    arguments = ["+experiment=darts_digits"]
    launch("search", composed.append, flags.read(arguments), arguments)
    assert composed[0]["cut"] is None
