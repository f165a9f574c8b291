"""How DARTS's architecture steps see their images: which halves, which views, which batches; and today's defaults."""

from itertools import pairwise
from pathlib import Path

import pytest
import torch
import yaml
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from nasctl.config.budget import check_same
from nasctl.config.build import make
from nasctl.config.configuration import Configuration
from nasctl.config.problem import Problem
from nasctl.config.settings import conf_dir
from nasctl.config.signature import recipe
from nasctl.core import Validation
from nasctl.dataset._order import Order
from nasctl.errors import RequestError
from nasctl.estimator._streams import Examples
from nasctl.seeds import position_seed
from tests.official import write_cifar

PAPER = yaml.safe_load((conf_dir() / "experiment" / "darts_cifar10.yaml").read_text())["dataset"]
CPU = torch.device("cpu")


@pytest.fixture
def cifar(dataset, tmp_path, monkeypatch):
    write_cifar(tmp_path, monkeypatch)
    return lambda **changes: dataset("cifar10", **changes)


def labels_of(data, split, size=50):
    return split.batch(size, 0, 0)[1].tolist()


def test_the_preset_is_the_authors_code():
    assert PAPER == {
        "search_split": "order",
        "architecture_batches": "independent",
        "augment": {"architecture": {"pad": 4, "flip": True}},
    }


def test_the_default_halves_and_batches_are_bit_for_bit_those_of_before(cifar):
    data = cifar(seed=3)
    order = torch.randperm(100, generator=torch.Generator().manual_seed(position_seed(3, "split")))
    assert torch.equal(data.train().order.indices, order[:50])
    val = data.val()
    assert not isinstance(val, Validation) and torch.equal(val.order.indices, order[50:])
    drawn = torch.randperm(50, generator=torch.Generator().manual_seed(position_seed(3, "val", "order", 2)))
    images, labels = val.images, val.images.labels[order[50:][drawn][16:32]]
    found, targets = val.batch(16, 2, 1)
    assert torch.equal(targets, labels) and (val.augment.pad, val.augment.flip) == (0, False)
    plain = images.padded[:, :, 4:36, 4:36][order[50:][drawn][16:32]].float() / 255
    assert torch.equal(found, plain.sub(images.mean).div(images.std))


def test_in_order_the_weights_have_the_first_part_and_the_logits_the_last(cifar):
    for seed in (0, 7):
        data = cifar(seed=seed, search_split="order", train_portion=0.7)
        assert data.train().order.indices.tolist() == list(range(70))
        assert data.val().order.indices.tolist() == list(range(70, 100))
    assert sorted(cifar(search_split="order").full().order.indices.tolist()) == list(range(100))
    _, chosen = cifar(search_split="order").held_out(0.2)  # of a retraining: drawn as before
    assert chosen.order.indices.tolist() == cifar().held_out(0.2)[1].order.indices.tolist() != list(range(80, 100))
    assert cifar(search_split="order").fingerprint()["train_indices"] != cifar().fingerprint()["train_indices"]


def codes(split, position=(0, 0), size=50):
    """Return the pixels of a batch as bytes, and its labels."""
    inputs, labels = split.batch(size, *position)
    images = split.images if not isinstance(split, Validation) else split.scored.images
    return (inputs * images.std + images.mean).mul(255).round().to(torch.uint8), labels


def test_architecture_steps_see_crops_and_mirrored_images_and_scores_do_not(cifar):
    data = cifar(augment={"architecture": {"pad": 4, "flip": True}})
    val, plain = data.val(), cifar().val()
    assert isinstance(val, Validation) and (val.architecture.augment.pad, val.architecture.augment.flip) == (4, True)
    assert torch.equal(val.batch(20, 1, 1)[0], plain.batch(20, 1, 1)[0])  # what scores
    (seen, labels), (whole, same) = codes(val.architecture), codes(plain)
    assert torch.equal(labels, same)  # the same images in the same order
    for crop, image in zip(seen, whole, strict=True):
        padded = torch.nn.functional.pad(image, [4] * 4)
        views = [padded[:, y : y + 32, x : x + 32] for y in range(9) for x in range(9)]
        assert any(torch.equal(crop, view) or torch.equal(crop, view.flip(2)) for view in views)
    assert sum(torch.equal(crop, image) for crop, image in zip(seen, whole, strict=True)) < 5
    assert data.val().scored.augment == cifar().test().augment


def test_a_border_of_architecture_steps_alone_leaves_the_other_images_as_they_are(cifar):
    small = {"search": {"pad": 1, "flip": False}, "final": {"pad": 0, "flip": False}}
    plain, wide = cifar(augment=small), cifar(augment=small | {"architecture": {"pad": 6, "flip": False}})
    for part in ("train", "val", "full"):
        assert torch.equal(getattr(plain, part)().batch(30, 0, 1)[0], getattr(wide, part)().batch(30, 0, 1)[0])
    assert codes(wide.val().architecture)[0].shape == (50, 3, 32, 32)


def test_independent_batches_are_each_the_beginning_of_a_permutation_of_their_own(cifar):
    val = cifar(seed=5, architecture_batches="independent").val()
    half = val.architecture.order.indices
    for epoch, step in ((0, 0), (0, 2), (3, 1)):
        drawn = torch.Generator().manual_seed(position_seed(5, "val", "batch", epoch, step))
        chosen = half[torch.randperm(50, generator=drawn)[:20]]
        assert torch.equal(val.architecture.batch(20, epoch, step)[1], val.architecture.images.labels[chosen])
    assert len(val.architecture.batch(20, 0, 2)[1]) == 20 and len(val.batch(20, 0, 2)[1]) == 10


def test_independent_batches_come_with_replacement_from_batch_to_batch_and_without_within_one(cifar):
    order = cifar(architecture_batches="independent").val().architecture.order
    batches = [order.batch(20, 0, step).tolist() for step in range(400)]
    assert all(len(set(batch)) == 20 for batch in batches)
    counts = torch.bincount(torch.tensor(batches).flatten())[order.indices].double()
    assert ((counts - 160) ** 2 / (160 * 0.6)).sum() * 49 / 50 < 85.4  # 49 degrees of freedom, p = 0.001
    both = [len(set(a) & set(b)) for a, b in pairwise(batches)]
    assert sum(both) / len(both) == pytest.approx(8, abs=0.4)  # 20 of 50, twice; an epoch's batches share none
    assert isinstance(cifar().val().order, Order)


def test_a_step_of_a_supernet_takes_the_architecture_view_and_a_score_the_plain_one(cifar):
    data = cifar(**PAPER)
    stream = Examples(data.val(), 20, torch.contiguous_format)
    for position in (0, 2, 7):
        epoch, step = divmod(position, 3)
        assert torch.equal(stream.architecture_batch(position)[0], data.val().architecture.batch(20, epoch, step)[0])
        assert torch.equal(stream.batch(position)[0], data.val().scored.batch(20, epoch, step)[0])
    plain = Examples(cifar().val(), 20, torch.contiguous_format)
    assert torch.equal(plain.architecture_batch(4)[0], plain.batch(4)[0])


def test_neither_equal_work_nor_the_recipe_of_a_retraining_depends_on_them():
    plain, theirs = ("+experiment=random_search_cifar10",), ("+experiment=darts_cifar10",)
    config, other = composed(*plain), composed(*theirs)
    assert config["dataset"] != other["dataset"]
    check_same(Path("run"), other, config)
    hashes = [recipe(Problem(Configuration(each), CPU, None, None, None, {}))["recipe"] for each in (config, other)]
    assert hashes[0] == hashes[1]
    halves = config | {"dataset": config["dataset"] | {"train_portion": 0.9}}
    with pytest.raises(RequestError, match=r"budget.like=run: dataset.train_portion: 0.5 there, 0.9 here"):
        check_same(Path("run"), other, halves)


def composed(*overrides):
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        node = OmegaConf.to_container(compose("config", list(overrides)), resolve=False)
    return node | {"choices": {"space": "darts", "dataset": "cifar10", "trainer": "darts"}}


def test_records_of_older_runs_have_no_entry_for_architecture_steps(cifar):
    old = {"search": {"pad": 4, "flip": True}, "final": {"pad": 4, "flip": True}}
    node = yaml.safe_load((conf_dir() / "dataset" / "cifar10.yaml").read_text()) | {"augment": old}
    assert make(node, Path("."), CPU, 0).varied is False
