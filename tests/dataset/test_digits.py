"""The embedded digits, and what every classification data set does: halves, loss, measure, fingerprint."""

import hashlib

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch.nn.functional import cross_entropy

from nasctl.errors import RequestError


def indices(split):
    return split.order.indices.tolist()


def test_shapes_and_sizes(dataset):
    data = dataset("digits")
    assert data.task.kind == "image_classification"
    assert (data.task.input_shape, data.task.num_outputs) == ((1, 8, 8), 10)
    assert [len(part) for part in (data.train(), data.val(), data.full(), data.test())] == [
        700,
        700,
        1400,
        397,
    ]
    inputs, labels = data.train().batch(64, 0, 10)
    assert inputs.shape == (60, 1, 8, 8) and labels.shape == (60,)
    assert inputs.dtype == torch.float32 and labels.dtype == torch.int64


def test_the_test_part_is_the_end_of_the_set(dataset):
    inputs, labels = dataset("digits").test().batch(397, 0, 0)
    digits = load_digits()
    assert labels.tolist() == digits.target[1400:].tolist()
    grey = (inputs * 0.3754924 + 0.30555095) * 16
    assert (grey[:, 0] - torch.from_numpy(digits.images[1400:])).abs().max() < 0.04  # rounded to 1/255


def test_the_yaml_holds_the_mean_and_deviation_of_the_first_1400(dataset):
    full = dataset("digits", augment={"final": {"pad": 0}}).full()
    inputs, _ = full.batch(1400, 0, 0)
    assert abs(inputs.mean().item()) < 1e-6
    assert abs(inputs.std(correction=0).item() - 1) < 1e-6


def test_the_halves_are_disjoint_and_cover_all(dataset):
    data = dataset("digits")
    train, val = indices(data.train()), indices(data.val())
    assert sorted(train + val) == indices(data.full()) == list(range(1400))


def test_the_halves_depend_on_the_split_seed_alone(dataset):
    prints = [dataset("digits", seed=s, split_seed=t).fingerprint() for s, t in ((0, 3), (1, 3), (0, 4))]
    assert prints[0] == prints[1]
    assert prints[0]["data"] == prints[2]["data"]
    assert prints[0]["train_indices"] != prints[2]["train_indices"]
    assert prints[0]["val_indices"] != prints[2]["val_indices"]


def test_the_split_seed_is_the_seed_unless_given(dataset):
    assert dataset("digits", seed=5).fingerprint() == dataset("digits", split_seed=5).fingerprint()
    assert dataset("digits", seed=5).fingerprint() != dataset("digits", seed=6).fingerprint()


def test_the_fingerprint_is_stable(dataset):
    found = dataset("digits").fingerprint()
    assert found["train_indices"] == hashlib.sha256(np.array(indices(dataset("digits").train()))).hexdigest()
    assert found["val_indices"] == hashlib.sha256(np.array(indices(dataset("digits").val()))).hexdigest()
    assert {name: value[:12] for name, value in found.items()} == {
        "data": "df616234229a",
        "train_indices": "1d6feff2ce67",
        "val_indices": "6c32cc1a2fd3",
    }


def test_other_portions(dataset):
    data = dataset("digits", train_portion=0.9)
    assert (len(data.train()), len(data.val())) == (1260, 140)


def test_a_part_without_examples_is_refused(dataset):
    with pytest.raises(RequestError, match=r"dataset\.train_portion \(0\.5\) of 1 examples .* dataset\.limit_train"):
        dataset("digits", limit_train=1).train()


def test_limits_and_size(dataset):
    data = dataset("digits", limit_train=100, limit_test=10, image_size=4)
    assert data.task.input_shape == (1, 4, 4)
    assert (len(data.full()), len(data.test())) == (100, 10)
    assert data.full().batch(100, 0, 0)[0].shape == (100, 1, 4, 4)
    assert sorted(data.full().batch(100, 0, 0)[1].tolist()) == sorted(load_digits().target[:100].tolist())


def test_search_and_final_training_are_augmented_each_in_its_way(dataset):
    data = dataset("digits", augment={"final": {"pad": 2, "flip": True}})
    assert (data.train().augment.pad, data.train().augment.flip) == (1, False)
    assert (data.full().augment.pad, data.full().augment.flip) == (2, True)


def test_nothing_is_read_before_a_split_is_asked_for(dataset, monkeypatch):
    def refuse():
        raise AssertionError("read")

    monkeypatch.setattr("sklearn.datasets.load_digits", refuse)
    data = dataset("digits")
    with pytest.raises(AssertionError, match="read"):
        data.train()


def test_the_loss_is_the_mean_and_the_measure_the_sum(dataset):
    outputs, targets = torch.randn(6, 10, generator=torch.Generator().manual_seed(0)), torch.arange(6)
    data = dataset("digits")
    assert torch.equal(data.loss(outputs, targets), cross_entropy(outputs, targets))
    assert torch.allclose(data.measure(outputs, targets)["loss"], 6 * cross_entropy(outputs, targets))


@pytest.mark.parametrize("share, chosen", [(0.1, 140), (0.5, 700), (0.9, 1260)])
def test_a_part_is_held_out_of_the_full_training_set(dataset, share, chosen):
    data = dataset("digits", augment={"final": {"pad": 0}})
    train, held_out = data.held_out(share)
    assert (len(train), len(held_out)) == (1400 - chosen, chosen)
    assert sorted(indices(train) + indices(held_out)) == list(range(1400))
    assert train.augment == data.full().augment and held_out.augment == data.val().augment


def test_what_is_held_out_depends_on_the_split_seed_alone(dataset):
    parts = [indices(dataset("digits", seed=s, split_seed=t).held_out(0.2)[1]) for s, t in ((0, 3), (1, 3), (0, 4))]
    assert parts[0] == parts[1] != parts[2]


@pytest.mark.parametrize("share", [0.001, 0.999])
def test_a_held_out_part_without_examples_is_refused(dataset, share):
    with pytest.raises(RequestError, match=rf"trainer\.held_out \({share}\) of 10 examples .* dataset\.limit_train"):
        dataset("digits", limit_train=10).held_out(share)


def test_measures_become_figures(dataset):
    data = dataset("digits")
    outputs = torch.eye(10)[[0, 1, 2, 3]]
    sums = data.measure(outputs, torch.tensor([0, 1, 2, 9]))
    assert sums["correct"].item() == 3
    figures = data.metrics({name: value.item() for name, value in sums.items()}, 4)
    assert figures["accuracy"] == 0.75 and figures["error"] == 25
    assert figures["loss"] == pytest.approx(sums["loss"].item() / 4)


def test_neither_batch_nor_measure_waits_for_the_device(dataset, no_waiting):
    data = dataset("digits")
    for split in (data.train(), data.val(), data.full(), data.test()):
        inputs, targets = split.batch(32, 0, 0)
        outputs = inputs.flatten(1)[:, :10]
        data.loss(outputs, targets), data.measure(outputs, targets)
