"""The embedded tumours, and what every binary data set does: loss, measure, figures."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.metrics import log_loss, roc_auc_score

from nasctl.dataset._binary import area


def test_shapes_and_sizes(dataset):
    data = dataset("breast_cancer")
    assert (data.task.kind, data.task.input_shape, data.task.num_outputs) == ("tabular_classification", (30,), 1)
    assert not data.task.categories
    assert [len(part) for part in (data.train(), data.val(), data.full(), data.test())] == [227, 171, 398, 171]


def test_numbers_are_standardised_by_what_is_not_held_out(dataset):
    data = dataset("breast_cancer")
    inputs, _ = data.full().batch(398, 0, 0)
    assert inputs.mean(0).abs().max() < 1e-5 and (inputs.std(0, correction=0) - 1).abs().max() < 1e-4
    assert data.test().batch(171, 0, 0)[0].mean(0).abs().max() > 0.05


def test_rows_keep_their_labels(dataset):
    data, (values, labels) = dataset("breast_cancer"), load_breast_cancer(return_X_y=True)
    inputs, targets = data.test().batch(171, 0, 0)
    rows = data.test().order.indices.numpy()
    assert targets.tolist() == labels[rows].tolist()
    for column in (0, 29):
        assert np.corrcoef(inputs[:, column], values[rows, column])[0, 1] == pytest.approx(1, abs=1e-6)


def test_the_loss_is_log_loss_and_figures_equal_scikit_learns(dataset):
    data, draw = dataset("breast_cancer"), torch.Generator().manual_seed(0)
    for spread in (0.3, 3, 30):
        targets = torch.randint(2, (3000,), generator=draw)
        logits = spread * (torch.randn(3000, generator=draw) + targets - 0.5)
        chance = logits.double().sigmoid().numpy()
        sums = data.measure(logits[:, None], targets)
        figures = data.metrics({name: value.tolist() for name, value in sums.items()}, 3000)
        assert figures["auc"] == pytest.approx(roc_auc_score(targets, logits), abs=2e-4)
        assert figures["error"] == pytest.approx(100 * ((chance > 0.5) != targets.numpy()).mean())
        assert figures["accuracy"] == pytest.approx(1 - figures["error"] / 100)
        if spread < 30:
            assert figures["loss"] == pytest.approx(log_loss(targets, chance), rel=1e-5)
            assert float(data.loss(logits[:, None], targets)) == pytest.approx(figures["loss"], rel=1e-5)


def test_measures_of_parts_add_up(dataset):
    data = dataset("breast_cancer")
    outputs, targets = torch.randn(100, 1, generator=torch.Generator().manual_seed(1)), torch.arange(100) % 2
    whole, a, b = (data.measure(outputs[part], targets[part]) for part in (slice(None), slice(30), slice(30, None)))
    for name in whole:
        torch.testing.assert_close(whole[name], a[name] + b[name])


def test_measures_of_many_networks_at_once(dataset):
    data = dataset("breast_cancer")
    outputs, targets = torch.randn(5, 40, 1, generator=torch.Generator().manual_seed(2)), torch.arange(40) % 2
    together = torch.func.vmap(data.measure, in_dims=(0, None))(outputs, targets)
    for i, single in enumerate(outputs):
        for name, value in data.measure(single, targets).items():
            torch.testing.assert_close(together[name][i], value)


def test_the_area_of_ordered_tied_and_absent_classes():
    assert area([[1, 0, 0], [0, 0, 1]]) == 1
    assert area([[0, 0, 1], [1, 0, 0]]) == 0
    assert area([[0, 2, 0], [0, 3, 0]]) == area([[1, 2, 0], [0, 0, 0]]) == 0.5


def test_outputs_that_are_no_number_do_not_stop_the_measure(dataset):
    data = dataset("breast_cancer")
    sums = data.measure(torch.full((4, 1), float("nan")), torch.tensor([0, 1, 0, 1]))
    assert torch.isnan(sums["loss"]) and int(sums["scores"].sum()) == 4


def test_neither_loss_nor_measure_waits_for_the_device(dataset, no_waiting):
    data = dataset("breast_cancer")
    outputs, targets = torch.zeros(4, 1), torch.ones(4, dtype=torch.int64)
    data.loss(outputs, targets), data.measure(outputs, targets)
