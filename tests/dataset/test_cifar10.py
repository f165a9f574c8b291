"""CIFAR-10 and CIFAR-100 from small generated files in the official format, never from the real ones."""

import hashlib
import io
import pickle
import tarfile
from functools import partial

import numpy as np
import pytest
import torch

from nasctl.errors import RequestError, RunError
from tests.official import KINDS, entry, write, write_cifar


@pytest.fixture
def official(tmp_path, monkeypatch):
    return partial(write_cifar, tmp_path, monkeypatch)


@pytest.fixture
def no_unpickling(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("unpickled")

    monkeypatch.setattr(pickle, "load", refuse)
    monkeypatch.setattr(pickle, "loads", refuse)


def test_the_task_needs_no_data(dataset):
    assert dataset("cifar10").task.input_shape == (3, 32, 32)
    assert dataset("cifar10").task.num_outputs == 10
    assert dataset("cifar100").task.num_outputs == 100
    assert dataset("cifar10", image_size=16).task.input_shape == (3, 16, 16)


def test_the_parts_have_their_sizes_and_augments(dataset, official):
    official()
    data = dataset("cifar10")
    assert [len(part) for part in (data.train(), data.val(), data.full(), data.test())] == [50, 50, 100, 30]
    assert [(s.augment.pad, s.augment.flip) for s in (data.train(), data.full())] == [(4, True), (4, True)]
    assert data.val().augment == data.test().augment
    assert (data.val().augment.pad, data.val().augment.flip) == (0, False)


def test_test_is_in_order_and_pixels_and_labels_are_those_of_the_files(dataset, official):
    official()
    data = dataset("cifar10")
    inputs, labels = data.test().batch(30, 0, 0)
    expected = entry(10, 30, 99)
    assert labels.tolist() == expected["labels"]
    mean, std = (
        torch.tensor([0.49139968, 0.48215827, 0.44653124]),
        torch.tensor([0.24703233, 0.24348505, 0.26158768]),
    )
    pixels = (inputs * std.view(3, 1, 1) + mean.view(3, 1, 1)).mul(255).round().numpy()
    assert np.array_equal(pixels, expected["data"].reshape(-1, 3, 32, 32))
    assert torch.equal(data.test().batch(30, 1, 0)[0], inputs)


def test_validation_is_shuffled_and_not_augmented(dataset, official):
    official()
    val = dataset("cifar10").val()
    (first, a), (second, b) = val.batch(50, 0, 0), val.batch(50, 1, 0)
    assert not torch.equal(first, second)
    order, other = first.sum((1, 2, 3)).argsort(), second.sum((1, 2, 3)).argsort()
    assert torch.equal(first[order], second[other]) and torch.equal(a[order], b[other])


def test_cifar100_has_fine_labels(dataset, official):
    _, (train,) = official(100, 40)
    data = dataset("cifar100")
    _, labels = data.full().batch(40, 0, 0)
    assert sorted(labels.tolist()) == sorted(train["fine_labels"])


def test_the_first_examples_are_kept(dataset, official):
    _, parts = official()
    data = dataset("cifar10", limit_train=30, limit_test=7)
    labels = data.full().batch(30, 0, 0)[1].tolist()
    assert sorted(labels) == sorted(parts[0]["labels"] + parts[1]["labels"][:10])
    assert [len(part) for part in (data.train(), data.val(), data.test())] == [15, 15, 7]
    assert len(dataset("cifar10", limit_train=1000).full()) == 100


def test_the_search_reads_no_test_image(dataset, official, monkeypatch):
    official()
    read = []
    kind = KINDS[10]
    init = kind.__init__
    monkeypatch.setattr(
        kind, "__init__", lambda self, *a, train, **k: (read.append(train), init(self, *a, train, **k))[1]
    )
    data = dataset("cifar10")
    data.train(), data.val(), data.full(), data.fingerprint()
    assert read == [True]
    data.test(), data.test()
    assert read == [True, False]


def test_images_are_resized_once(dataset, official):
    official()
    data = dataset("cifar10", image_size=16)
    for part in (data.train(), data.val(), data.full(), data.test()):
        assert part.batch(4, 0, 0)[0].shape == (4, 3, 16, 16)


def test_the_fingerprint_tells_the_data_and_the_halves(dataset, official):
    _, parts = official()
    found = dataset("cifar10").fingerprint()
    pixels = b"".join(part["data"].tobytes() for part in parts)
    labels = np.array([label for part in parts for label in part["labels"]], dtype=np.int64).tobytes()
    assert found["data"] == hashlib.sha256(pixels + labels).hexdigest()
    assert dataset("cifar10", limit_train=30, image_size=8).fingerprint()["data"] == found["data"]


def test_a_missing_folder_is_named(dataset, tmp_path):
    with pytest.raises(RequestError) as raised:
        dataset("cifar10").train()
    text = str(raised.value)
    assert f"no folder {tmp_path / 'cifar-10-batches-py'}" in text
    assert "dataset.download=true" in text and "paths.data=DIR" in text


@pytest.mark.parametrize("name", ["data_batch_3", "test_batch", "batches.meta"])
def test_a_missing_file_is_named(dataset, official, name):
    folder, _ = official()
    (folder / name).unlink()
    with pytest.raises(RequestError, match=f"no file .*{name}; set dataset.download=true"):
        dataset("cifar10").train()


@pytest.mark.parametrize("name", ["data_batch_1", "data_batch_5", "test_batch", "batches.meta"])
def test_a_damaged_file_is_named_with_both_sums_and_not_unpickled(dataset, official, no_unpickling, name):
    folder, _ = official()
    expected = hashlib.md5((folder / name).read_bytes()).hexdigest()
    found = write(folder / name, (folder / name).read_bytes()[:-1])
    with pytest.raises(RequestError) as raised:
        dataset("cifar10").train()
    text = str(raised.value)
    assert f"{folder / name} is damaged, its md5 is {found} and not {expected}" in text
    assert "dataset.download=true" in text and "paths.data=DIR" in text


class Malice:
    """Makes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (self.path, "w")


@pytest.mark.parametrize("name", ["data_batch_1", "data_batch_5", "test_batch", "batches.meta"])
@pytest.mark.parametrize("part", ["train", "test"])
def test_a_file_of_another_sum_is_never_executed(dataset, official, tmp_path, name, part):
    folder, _ = official()
    trace = tmp_path / "executed"
    write(folder / name, {"data": Malice(str(trace))})
    with pytest.raises(RequestError, match="is damaged"):
        getattr(dataset("cifar10"), part)()
    assert not trace.exists()


def test_the_malice_of_these_tests_works(tmp_path):
    pickle.loads(pickle.dumps(Malice(str(tmp_path / "executed")))).close()
    assert (tmp_path / "executed").exists()


def test_nothing_is_fetched_unless_asked_and_needed(dataset, official, monkeypatch):
    fetched = []
    monkeypatch.setattr("torchvision.datasets.utils.download_url", lambda *a, **k: fetched.append(a))
    with pytest.raises(RequestError, match="no folder"):
        dataset("cifar10").train()
    official()
    dataset("cifar10", download=True).train()
    assert not fetched


def test_a_damaged_file_is_fetched_again_when_asked(dataset, official, monkeypatch):
    folder, _ = official()
    whole = (folder / "batches.meta").read_bytes()
    write(folder / "batches.meta", b"no pickle")

    def fetch(url, root, *, filename, md5):
        assert (url, md5) == (KINDS[10].url, KINDS[10].tgz_md5)
        with tarfile.open(root / filename, "w:gz") as archive:
            member = tarfile.TarInfo("cifar-10-batches-py/batches.meta")
            member.size = len(whole)
            archive.addfile(member, io.BytesIO(whole))

    monkeypatch.setattr("torchvision.datasets.utils.download_url", fetch)
    assert len(dataset("cifar10", download=True).full()) == 100


def test_a_failed_download_says_what_did_not_arrive(dataset, monkeypatch, tmp_path):
    def fail(*_, **__):
        raise OSError("no route to host")

    monkeypatch.setattr("torchvision.datasets.utils.download_url", fail)
    with pytest.raises(RunError, match=rf"{KINDS[10].url} did not arrive in {tmp_path} \(no route to host\)"):
        dataset("cifar10", download=True).train()
