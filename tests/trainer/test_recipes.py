"""The recipes: each preset differs from the plain one in what its paper says, and trains."""

from types import SimpleNamespace

import pytest
import torch
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from nasctl.config.build import make
from nasctl.config.settings import conf_dir
from nasctl.config.signature import recipe
from nasctl.config.targets import leaves
from nasctl.trainer._schedule import Place
from tests.small import Problem, same, through_a_file, train

OF_TEXT = {"language_model", "awd_lstm", "darts_rnn"}  # tests/trainer/test_language_model.py
RECIPES = sorted({path.stem for path in (conf_dir() / "trainer").glob("*.yaml")} - OF_TEXT)
TRICKS = {
    "classifier": {},
    "plain": {},
    "darts": {"cutout": 0.5, "drop_path": 0.2, "auxiliary_weight": 0.4},
    "nasnet": {
        "batch_size": 32,
        "schedule.by": "step",
        "weight_decay": 5e-4,
        "cutout": 0.5,
        "drop_path": 0.4,
        "drop_path_by_depth": True,
        "auxiliary_weight": 0.4,
    },
    "darts_imagenet": {
        "batch_size": 128,
        "epochs": 250,
        "lr": 0.1,
        "schedule._target_": "nasctl.trainer.schedule.exponential.Exponential",
        "schedule.lr_min": 4.93e-5,
        "weight_decay": 3e-5,
        "label_smoothing": 0.1,
        "auxiliary_weight": 0.4,
    },
    "enas_macro": {
        "batch_size": 100,
        "epochs": 310,
        "lr": 0.05,
        "schedule.lr_min": 0.001,
        "schedule.restarts": 4,
        "schedule.restart_factor": 2,
        "nesterov": True,
        "weight_decay": 4e-4,
        "dropout": 0.5,
    },
    "enas_micro": {
        "batch_size": 144,
        "epochs": 630,
        "lr": 0.05,
        "schedule.lr_min": 1e-4,
        "schedule.restarts": 5,
        "schedule.restart_factor": 2,
        "nesterov": True,
        "weight_decay": 4e-4,
        "cutout": 0.5,
        "cutout_at": "corner",
        "dropout": 0.2,
        "drop_path": 0.4,
        "drop_path_by": "step",
        "drop_path_by_depth": True,
        "auxiliary_weight": 0.4,
    },
    "ffn": {
        "batch_size": 256,
        "eval_batch_size": 8192,
        "epochs": 3,
        "lr": 0.3,
        "weight_decay": 0.0,
        "channels_last": False,
    },
}
"""Liu et al. 2019, section 3.1.2 and appendix A.3; Zoph et al. 2018, appendix A, and its released configuration; the
scripts released with Pham et al. 2018."""

OWN_SPACE = {"enas_macro", "enas_micro"}  # recipes of networks with dropout; the space bears the recipe's name

OFF = {
    "accumulate": 1,
    "cutout": 0,
    "label_smoothing": 0,
    "dropout": 0,
    "drop_path": 0,
    "auxiliary_weight": 0,
    "ema_decay": 0,
    "held_out": 0,
    "keep": "last",
    "precision": "fp32",
    "compile": False,
    "schedule.warmup": 0,
    "schedule.restarts": 0,
}


def settings(recipe):
    """Return a recipe as its YAML files have it, without what makes test problems small."""
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        return dict(leaves(OmegaConf.to_container(compose("config", [f"trainer={recipe}"]).trainer), ""))


def test_every_trick_of_the_plain_recipe_is_off():
    plain = settings("plain")
    assert {name: plain[name] for name in OFF} == OFF
    assert {plain[name] for name in ("batch_size", "epochs", "lr", "momentum", "clip")} == {96, 600, 0.025, 0.9, 5}


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_differs_from_the_plain_one_in_its_tricks(recipe):
    plain, own = settings("plain"), settings(recipe)
    assert {name: value for name, value in own.items() if value != plain[name]} == TRICKS[recipe]


def small_space(name, task):
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        node = OmegaConf.to_container(compose("config", [f"space={name}", "space.final.channels=4"]).space)
    return make(node, task)


@pytest.mark.parametrize("recipe", RECIPES)
def test_a_recipe_trains_and_resumes(recipe):
    problem, states = Problem(f"trainer={recipe}", "dataset.image_size=32", "dataset.limit_train=40"), []
    if recipe in OWN_SPACE:
        problem.space = small_space(recipe, problem.data.task)
    whole, lines = train(problem, tick=lambda state, values: states.append(through_a_file(state())))
    assert len(lines) == 2
    if settings(recipe)["drop_path"]:
        assert 0 < whole.drop_path.probability <= settings(recipe)["drop_path"]
    resumed, _ = train(problem, problem.network(seed=9), state=states[0])
    assert same(resumed.state_dict(), whole.state_dict())


def test_a_cell_drops_in_proportion_to_its_depth():
    """Cell i of n drops with p (i + 1) / n in the released configuration of NASNet."""
    problem, seen = Problem("space.nodes=1", "space.final.layers=4"), []
    genotype = {"normal": [["sep_conv_3x3", 0], ["sep_conv_3x3", 1]], "normal_concat": [2]}
    genotype |= {"reduce": genotype["normal"], "reduce_concat": [2]}
    network = problem.space.build(genotype, "final")
    network.drop_path.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[1]))
    network(torch.randn(2, 1, 8, 8))
    assert seen == [0.25, 0.25, 0.5, 0.5, 0.75, 0.75, 1.0, 1.0]


def test_depth_scales_the_probability_only_where_it_is_asked_for():
    drop, x = Problem().network().drop_path, torch.ones(4000, 1, 1, 1)
    drop.probability = 0.4
    shares = {}
    for drop.by_depth in (False, True):
        torch.manual_seed(0)
        shares[drop.by_depth] = (drop(x, 0.25) == 0).float().mean().item()
    assert shares[False] == pytest.approx(0.4, abs=0.04) and shares[True] == pytest.approx(0.1, abs=0.03)


@pytest.mark.parametrize("recipe, cycles", [("enas_macro", 5), ("enas_micro", 6)])
def test_the_cycles_of_enas_begin_with_ten_epochs_and_double(recipe, cycles):
    own = settings(recipe)
    epochs, lr = own["epochs"], own["lr"]
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        trainer = make(OmegaConf.to_container(compose("config", [f"trainer={recipe}"]).trainer))
    rates = [trainer.schedule.rate(Place(epoch, 1, epochs)) for epoch in range(epochs)]
    starts = [i for i, rate in enumerate(rates) if rate == lr]
    assert starts == [10 * (2**i - 1) for i in range(cycles)] and epochs == 10 * (2**cycles - 1)
    assert min(rates) >= own["schedule.lr_min"] and rates[-1] == min(rates)


def test_the_cells_of_nasbench201_know_their_depth():
    task = Problem().data.task
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        space = make(OmegaConf.to_container(compose("config", ["space=nasbench201"]).space), task)
    network = space.build(space.genotype((1,) * 6), "final", cells=1)
    assert [cell.depth for cell in network.cells] == pytest.approx([1 / 3, 2 / 3, 1])


def hash_of(trainer):
    config = {"trainer": trainer, "dataset": {"limit_train": None}, "space": {"final": {}}}
    configuration = SimpleNamespace(plain=config, name=lambda group: group)
    return recipe(SimpleNamespace(configuration=configuration, device=torch.device("cpu")))["recipe"]


def test_a_setting_that_is_null_leaves_the_recipe_of_older_runs_as_it_was():
    now = settings("plain")
    before = {name: value for name, value in now.items() if name != "drop_path_by"}
    assert hash_of(now) == hash_of(before) != hash_of(now | {"drop_path_by": "step"})
    assert hash_of(settings("enas_micro")) != hash_of(settings("enas_micro") | {"drop_path_by": None})
