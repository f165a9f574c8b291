"""Folders of photographs, on a generated folder of small JPEGs."""

import math
from random import Random

import numpy as np
import pytest
import torch
from PIL import Image

from nasctl.dataset._folder import Augment, central_box, jitter, random_box
from nasctl.errors import RequestError

PLAIN = {"area": 1, "aspect": 1, "flip": False, "jitter": 0}
CLASSES = ("n01", "n02", "n03")


def photograph(path, seed, size=(40, 30)):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (*size[::-1], 3), dtype=np.uint8)
    Image.fromarray(pixels).save(path)


@pytest.fixture
def folder(tmp_path):
    """Write 6 images a class to train and 2 to val, one of them grey."""
    for label, name in enumerate(CLASSES):
        for i in range(6):
            photograph(tmp_path / "imagenet" / "train" / name / f"{name}_{i}.JPEG", 10 * label + i)
        for i in range(2):
            photograph(tmp_path / "imagenet" / "val" / name / f"ILSVRC_{label}{i}.JPEG", 100 + 10 * label + i)
    Image.new("L", (50, 20), 200).save(tmp_path / "imagenet" / "train" / "n01" / "n01_0.JPEG")
    (tmp_path / "imagenet" / "train" / "n01" / "readme.txt").write_text("no image")
    return tmp_path / "imagenet"


@pytest.fixture
def imagenet(dataset, folder):
    def make(**changes):
        return dataset("imagenet", **{"num_classes": 3, "image_size": 16} | changes)

    return make


def test_the_task_needs_no_data(dataset):
    task = dataset("imagenet").task
    assert (task.kind, task.input_shape, task.num_outputs) == ("image_classification", (3, 224, 224), 1000)


def test_shapes_and_sizes(imagenet):
    data = imagenet()
    assert [len(part) for part in (data.train(), data.val(), data.full(), data.test())] == [9, 9, 18, 6]
    inputs, labels = data.full().batch(4, 0, 4)
    assert inputs.shape == (2, 3, 16, 16) and inputs.dtype == torch.float32
    assert labels.shape == (2,) and labels.dtype == torch.int64
    with pytest.raises(IndexError, match="step 5"):
        data.full().batch(4, 0, 5)


def test_a_batch_is_a_pure_function_of_its_position(imagenet):
    first, again = imagenet().full(), imagenet().full()
    forth = [first.batch(6, epoch, step) for epoch in (0, 1) for step in (0, 2)]
    back = [again.batch(6, epoch, step) for epoch in (1, 0) for step in (2, 0)][::-1]
    for (inputs, labels), (same, also) in zip(forth, back, strict=True):
        assert torch.equal(inputs, same) and torch.equal(labels, also)
    assert not torch.equal(forth[0][0], forth[1][0]) and not torch.equal(forth[0][0], forth[2][0])


@pytest.mark.parametrize(("part", "varied"), [("train", True), ("full", True), ("val", False)])
def test_images_are_seen_differently_in_each_epoch_of_training_only(imagenet, part, varied):
    split = getattr(imagenet(), part)()
    means = [split.batch(len(split), epoch, 0)[0].mean((1, 2, 3)) for epoch in (0, 1)]
    assert not torch.equal(*means)  # shuffled at least
    first, second = (mean.sort().values for mean in means)
    assert torch.allclose(first, second, atol=1e-4) is not varied


def test_the_test_is_in_order_and_a_central_crop(imagenet, folder):
    inputs, labels = imagenet().test().batch(6, 0, 0)
    assert labels.tolist() == [0, 1, 2, 0, 1, 2]
    with Image.open(folder / "val" / "n02" / "ILSVRC_10.JPEG") as image:
        left, top = (40 - 30 * 0.875) / 2, (30 - 30 * 0.875) / 2
        crop = image.resize((16, 16), Image.Resampling.BILINEAR, box=(left, top, 40 - left, 30 - top))
    pixels = torch.from_numpy(np.array(crop)).permute(2, 0, 1) / 255
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    assert torch.allclose(inputs[1], (pixels - mean.view(3, 1, 1)) / std.view(3, 1, 1), atol=1e-6)


def test_half_of_the_images_are_mirrored(imagenet):
    def images(flip):
        augment = {"search": PLAIN, "final": PLAIN | {"flip": flip}}
        split = imagenet(limit_train=3, augment=augment).full()
        return torch.cat([split.batch(3, epoch, 0)[0] for epoch in range(70)])

    plain, flipped = images(False), images(True)
    mirrored = (plain.flip(3) == flipped).all((1, 2, 3)) & (plain != flipped).any(3).any(2).any(1)
    same = (plain == flipped).all((1, 2, 3))
    grey = (plain == plain[:, :, :1, :1]).all((1, 2, 3))  # looks the same mirrored
    assert (mirrored | same).all()
    assert abs(mirrored.sum() / (~grey).sum() - 0.5) < 0.17  # 4 standard deviations of 140


def test_limits_keep_the_classes_balanced(imagenet):
    data = imagenet(limit_train=6, limit_test=3)
    assert sorted(data.full().batch(6, 0, 0)[1].tolist()) == [0, 0, 1, 1, 2, 2]
    assert sorted(data.test().batch(3, 0, 0)[1].tolist()) == [0, 1, 2]


def test_the_fingerprint_follows_names_and_sizes(imagenet, folder):
    first = imagenet().fingerprint()
    assert first == imagenet().fingerprint() and len(first["data"]) == 64
    photograph(folder / "train" / "n02" / "n02_9.JPEG", 3)
    more = imagenet().fingerprint()
    photograph(folder / "train" / "n02" / "n02_9.JPEG", 3, size=(80, 80))
    larger = imagenet().fingerprint()
    assert len({first["data"], more["data"], larger["data"]}) == 3
    assert first["train_indices"] != more["train_indices"]


@pytest.mark.parametrize("whole", [2**32, 0])
@pytest.mark.parametrize(("part", "name"), [("train", "train_photographs"), ("val", "test_photographs")])
def test_the_fingerprint_follows_the_content(imagenet, folder, monkeypatch, whole, part, name):
    monkeypatch.setattr("nasctl.dataset._folder.WHOLE", whole)
    first = imagenet().fingerprint()
    path = min((folder / part / "n01").glob("*.JPEG"))
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    second = imagenet().fingerprint()
    assert [key for key in first if first[key] != second[key]] == [name]
    assert first[name].startswith("blocks ") == (whole == 0)


def test_the_search_needs_no_test_folder(imagenet, folder):
    (folder / "val").rename(folder / "elsewhere")
    data = imagenet()
    assert len(data.train()) == 9 and data.fingerprint()
    with pytest.raises(RequestError, match=f"no folder {folder / 'val'}"):
        data.test()


def test_a_missing_folder_is_named(dataset, tmp_path):
    with pytest.raises(RequestError) as raised:
        dataset("imagenet").train()
    text = str(raised.value)
    assert f"no folder {tmp_path / 'imagenet' / 'train'}" in text
    assert "paths.data=DIR" in text and "dataset.folder" in text


def test_another_number_of_classes_is_refused(imagenet):
    with pytest.raises(RequestError, match=r"num_classes is 1000 but .*train holds 3 .*dataset\.num_classes=3"):
        imagenet(num_classes=1000).train()


def test_a_class_of_the_test_that_is_not_trained_is_refused(imagenet, folder):
    (folder / "val" / "n04").mkdir()
    with pytest.raises(RequestError, match=r"class folder in .*val: unknown 'n04'"):
        imagenet().test()


def test_a_file_that_is_no_image_is_named(imagenet, folder):
    (folder / "val" / "n01" / "ILSVRC_00.JPEG").write_bytes(b"\xff\xd8\xff no image")
    with pytest.raises(RequestError, match=r"ILSVRC_00\.JPEG is no image .*; replace the file or remove it"):
        imagenet().test().batch(6, 0, 0)


@pytest.mark.parametrize("key", ["mean", "std"])
def test_one_value_a_channel(dataset, key):
    with pytest.raises(RequestError, match=f"dataset.{key}: 1 values for 3 channels"):
        dataset("imagenet", **{key: [0.5]})


def test_boxes_lie_in_the_image_with_the_area_and_aspect_asked_for():
    augment = Augment(area=0.08, aspect=4 / 3, flip=True, jitter=0)
    draw = Random(0)
    boxes = np.array([random_box(400, 300, augment, draw) for _ in range(2000)])
    left, top, right, bottom = boxes.T
    assert left.min() >= 0 and top.min() >= 0 and right.max() <= 400 and bottom.max() <= 300
    share = (right - left) * (bottom - top) / 120_000
    assert 0.078 < share.min() < 0.1 and share.max() > 0.9
    aspect = np.log((right - left) / (bottom - top))
    assert np.abs(aspect).max() < math.log(4 / 3) + 0.02 and aspect.min() < -0.25 and aspect.max() > 0.25


def test_a_box_that_never_fits_becomes_the_central_square():
    whole = Augment(area=1, aspect=1, flip=False, jitter=0)
    assert random_box(400, 100, whole, Random(0)) == central_box(400, 100, 1) == (150, 0, 250, 100)
    assert central_box(256, 256, 0.875) == (16, 16, 240, 240)


def test_jitter_changes_colours_by_the_strength():
    grey = Image.new("RGB", (4, 4), (100, 100, 100))
    levels = [jitter(grey, 0.4, Random(seed)).getpixel((0, 0))[0] for seed in range(200)]
    assert 59 <= min(levels) < 70 and 130 < max(levels) <= 140
    assert jitter(grey, 0, Random(0)) is grey


def test_images_of_more_than_8_bits_a_channel_are_refused(imagenet, folder):
    Image.fromarray(np.full((20, 20), 40_000, np.uint16)).save(folder / "train" / "n02" / "n02_9.png")
    with pytest.raises(
        RequestError, match=r"n02_9\.png has pixels of mode I;16, which do not go into 8 bits a channel"
    ):
        imagenet().full().batch(19, 0, 0)


def test_a_palette_and_transparency_are_read_as_colours(imagenet, folder):
    colours = Image.new("RGB", (20, 20), (10, 20, 30))
    colours.convert("RGBA").save(folder / "train" / "n01" / "n01_8.png")
    colours.convert("P").save(folder / "train" / "n01" / "n01_9.png")
    assert imagenet().full().batch(20, 0, 0)[0].shape == (20, 3, 16, 16)


def test_a_class_without_images_is_refused(imagenet, folder):
    for path in (folder / "val" / "n03").iterdir():
        path.unlink()
    with pytest.raises(
        RequestError, match=r"val/n03 holds no image \(\.jpeg, \.jpg, \.png\); complete it or remove it"
    ):
        imagenet().test()
    (folder / "val" / "n03").rmdir()
    with pytest.raises(RequestError, match=r"val lacks the class n03 of .*train; complete it"):
        imagenet().test()


def test_architecture_steps_may_see_other_crops(imagenet):
    crop = {"area": 0.1, "aspect": 1.3, "flip": True, "jitter": 0.4}
    val, plain = imagenet(augment={"architecture": crop}).val(), imagenet().val()
    assert torch.equal(val.batch(9, 0, 0)[0], plain.batch(9, 0, 0)[0])
    assert torch.equal(val.architecture.batch(9, 0, 0)[1], plain.batch(9, 0, 0)[1])
    assert not torch.equal(val.architecture.batch(9, 0, 0)[0], plain.batch(9, 0, 0)[0])
    ordered = imagenet(search_split="order", architecture_batches="independent")
    assert ordered.train().order.indices.tolist() == list(range(9)) and len(
        ordered.val().architecture.batch(6, 0, 1)[1]
    )
