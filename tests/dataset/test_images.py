"""Whole-batch augmentation: what a batch holds, how it is distributed, and that it is a pure function."""

import numpy as np
import pytest
import torch
from pydantic import ValidationError

from nasctl.dataset._images import (
    Augment,
    Augmentation,
    ImageSplit,
    Pixels,
    ResidentImages,
    check_arrays,
    normalise,
    per_channel,
    resize,
)
from nasctl.dataset._order import Order
from nasctl.dataset.cifar10 import CIFAR
from nasctl.errors import RequestError
from tests.official import write_cifar

CPU = torch.device("cpu")
SIDE = 8
MEAN, STD = [0.49139968, 0.48215827, 0.44653124], [0.24703233, 0.24348505, 0.26158768]
CODES = torch.arange(1, SIDE * SIDE + 1, dtype=torch.uint8).view(1, 1, SIDE, SIDE)


def split(pad=0, flip=False, *, images=None, border=None, seed=0, name="train", mean=MEAN, std=STD):
    """Return a split of 500 images; by default all of them hold the codes 1..64 in each channel."""
    images = CODES.expand(500, 3, SIDE, SIDE) if images is None else images
    pixels = Pixels(images, torch.arange(len(images)), pad=pad if border is None else border, mean=mean, std=std)
    order = Order(torch.arange(len(images)), CPU, seed, name, shuffle=True)
    return ImageSplit(pixels, order, Augment(pad=pad, flip=flip))


def codes(split, size=500, step=0, epoch=0):
    """Return the uint8 crops ``(size, SIDE, SIDE)`` that a batch was made of."""
    inputs, _ = split.batch(size, epoch, step)
    return (inputs * split.images.std + split.images.mean).mul(255).round().to(torch.uint8)[:, 0]


def chi_squared(counts):
    counts = np.asarray(counts, dtype=float)
    return ((counts - counts.mean()) ** 2 / counts.mean()).sum()


def offsets(pad, flip, batches=10):
    """Return how often each (top, left) and each flip was drawn, decoded from the codes in the middle."""
    drawn = split(pad, flip)
    middle = SIDE // 2
    crops = torch.cat([codes(drawn, epoch=epoch) for epoch in range(batches)]).long()
    mirrored = crops[:, middle, middle - 1] > crops[:, middle, middle]
    crops = torch.where(mirrored[:, None, None], crops.flip(2), crops)
    place = crops[:, middle, middle] - 1  # of the code in the unpadded image
    top, left = place // SIDE - middle + pad, place % SIDE - middle + pad
    return top * (2 * pad + 1) + left, mirrored


def reference(image, top, left, flip, pad):
    padded = np.pad(image, ((0, 0), (pad, pad), (pad, pad)))
    crop = padded[:, top : top + SIDE, left : left + SIDE]
    return crop[:, :, ::-1] if flip else crop


def test_gather_equals_crops_taken_one_by_one():
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(256, (20, 3, SIDE, SIDE), generator=generator, dtype=torch.uint8)
    pixels = Pixels(images, torch.zeros(20), pad=2, mean=MEAN, std=STD)
    index, top, left = torch.arange(50) % 20, *torch.randint(5, (2, 50), generator=generator)
    flip = torch.randint(2, (50,), generator=generator).bool()
    crops = pixels.gather(index, top, left, flip)
    for crop, *drawn in zip(crops, index, top, left, flip, strict=True):
        i, y, x, f = (value.item() for value in drawn)
        assert np.array_equal(crop.numpy(), reference(images[i].numpy(), y, x, f, 2))


def test_normalising_is_that_of_torchvision():
    from torchvision.transforms.functional import normalize, to_tensor

    image = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, axis=2)
    pixels = torch.from_numpy(image).permute(2, 0, 1)[None]
    ours = normalise(pixels, per_channel(MEAN, CPU), per_channel(STD, CPU))
    assert torch.equal(ours[0], normalize(to_tensor(image), MEAN, STD))


def test_the_border_is_black_before_normalising():
    black = -per_channel(MEAN, CPU) / per_channel(STD, CPU)
    drawn = split(pad=2)
    inputs, _ = drawn.batch(500, 0, 0)
    border = codes(drawn) == 0
    corners = border[:, 0, 0] | border[:, 0, -1] | border[:, -1, 0] | border[:, -1, -1]
    assert corners.sum() > 400  # all but the crops in the centre: 1 of 25
    for channel in range(3):
        assert (inputs[:, channel][border] == black[channel]).all()


def test_crop_offsets_are_uniform():
    place, _ = offsets(pad=2, flip=True)
    counts = torch.bincount(place, minlength=25)
    assert len(counts) == 25
    assert chi_squared(counts) < 51.2  # 24 degrees of freedom, p = 0.001


def test_half_of_the_images_are_mirrored_whatever_their_offset():
    place, mirrored = offsets(pad=1, flip=True)
    assert abs(mirrored.float().mean() - 0.5) < 0.03  # 4 standard deviations of 5,000
    counts = torch.bincount(place * 2 + mirrored, minlength=18)
    assert chi_squared(counts) < 40.8  # 17 degrees of freedom, p = 0.001


def test_none_is_mirrored_where_flip_is_off():
    assert not offsets(pad=1, flip=False)[1].any()


def test_a_wider_border_than_the_pad_changes_nothing():
    assert torch.equal(codes(split(pad=1, border=3)), codes(split(pad=1)))
    assert torch.equal(codes(split(pad=0, border=3)), CODES[0].expand(500, SIDE, SIDE))


def test_a_batch_is_a_pure_function_of_its_position():
    first, again = split(2, True), split(2, True)
    forth = [first.batch(50, epoch, step) for epoch in (0, 1) for step in (0, 3)]
    back = [again.batch(50, epoch, step) for epoch in (1, 0) for step in (3, 0)][::-1]
    for (inputs, labels), (same, also) in zip(forth, back, strict=True):
        assert torch.equal(inputs, same) and torch.equal(labels, also)


@pytest.mark.parametrize("other", [{"step": 1}, {"epoch": 1}, {"seed": 1}, {"name": "full"}])
def test_other_positions_have_other_crops(other):
    place = {key: other.pop(key) for key in ("step", "epoch") if key in other}
    assert not torch.equal(codes(split(2), 100), codes(split(2, **other), 100, **place))


def test_inputs_and_labels_belong_together():
    images = torch.arange(200, dtype=torch.uint8).view(-1, 1, 1, 1).expand(200, 1, SIDE, SIDE)
    inputs, labels = split(images=images, mean=[0], std=[1 / 255]).batch(200, 0, 0)
    assert torch.equal(inputs[:, 0, 3, 3].round().long(), labels)
    assert labels.tolist() != sorted(labels.tolist())
    assert inputs.dtype == torch.float32 and labels.dtype == torch.int64


def test_the_global_random_stream_is_neither_read_nor_moved():
    torch.manual_seed(1)
    before = torch.get_rng_state()
    inputs, _ = split(2, True).batch(50, 0, 0)
    assert torch.equal(before, torch.get_rng_state())
    torch.manual_seed(2)
    assert torch.equal(inputs, split(2, True).batch(50, 0, 0)[0])


def test_no_batch_waits_for_the_device(no_waiting):
    inputs, _ = split(2, True).batch(50, 0, 1)
    assert inputs.shape == (50, 3, SIDE, SIDE)


def test_the_guard_against_waiting_notices(no_waiting):
    for wait in (torch.Tensor.item, torch.Tensor.tolist, torch.Tensor.cpu, bool, int, float):
        with pytest.raises(AssertionError, match="waited"):
            wait(torch.ones(()))


def test_resizing_is_bilinear_with_antialiasing():
    stripes = torch.tensor([255, 0, 0, 0], dtype=torch.uint8).repeat(8).expand(1, 3, 32, 32)
    small = resize(stripes, 8)
    assert small.shape == (1, 3, 8, 8) and small.dtype == torch.uint8
    assert ((small[..., 1:-1].int() - 64).abs() <= 1).all()  # the mean; without antialiasing 0
    assert torch.equal(resize(stripes, 32), stripes)
    assert len(resize(stripes.expand(2500, 3, 32, 32), 4)) == 2500


@pytest.mark.parametrize("key", ["mean", "std"])
def test_one_value_a_channel(key):
    def read(part):
        return CODES.numpy(), np.zeros(1, dtype=np.int64)

    plain = Augment(pad=0, flip=False)
    values = {"mean": [0.5], "std": [0.5]} | {key: [0.5, 0.5]}
    limits = {"limit_train": None, "limit_test": None, "image_size": None}
    images = ResidentImages(read, CPU, 0, **limits, **values, augment=Augmentation(search=plain, final=plain))
    with pytest.raises(RequestError, match=f"dataset.{key}: 2 values for 1 channels; give one a channel"):
        images.test()


@pytest.mark.parametrize("wrong", [{"pad": -1}, {"cutout": 16}, {"flip": "maybe"}])
def test_augment_refuses_what_it_does_not_know(wrong):
    with pytest.raises(ValidationError):
        Augment.model_validate({"pad": 4, "flip": True} | wrong)


@pytest.mark.parametrize(
    ("pixels", "labels", "said"),
    [
        (
            CODES.numpy() / np.float32(255),
            [0],
            r"pixels are float32 \(1, 1, 8, 8\), not uint8 .*; give values from 0 to 255",
        ),
        (CODES.numpy().astype(np.int16), [0], "pixels are int16"),
        (CODES.numpy()[0], [0], r"pixels are uint8 \(1, 8, 8\), not uint8 \(images, channels"),
        (CODES.numpy(), [0, 1], r"labels \(2,\) for 1 images; give one label an image"),
        (CODES.numpy(), [[0]], r"labels \(1, 1\) for 1 images"),
        (CODES.numpy(), [-1], "labels are int64 from -1 on; number the classes 0, 1, 2"),
        (CODES.numpy(), [0.0], "labels are float64 from 0 on"),
    ],
)
def test_arrays_that_mean_something_else_are_refused(pixels, labels, said):
    with pytest.raises(RequestError, match=said):
        check_arrays(pixels, np.array(labels))


def test_the_published_files_are_read_once_for_their_hashes(dataset, tmp_path, monkeypatch):
    write_cifar(tmp_path, monkeypatch)
    first = dataset("cifar10").fingerprint()
    assert first["published"] == "yes"
    monkeypatch.setattr(CIFAR, "_read", lambda self, part: pytest.fail("read again"))
    for seed in range(2):
        assert dataset("cifar10", seed=seed).fingerprint()["data"] == first["data"]
