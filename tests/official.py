"""Small generated files in the official CIFAR formats, with their sums in torchvision's table."""

import hashlib
import pickle

import numpy as np
import torchvision.datasets

NAMES = {10: [f"data_batch_{i}" for i in range(1, 6)], 100: ["train"]}
KINDS = {10: torchvision.datasets.CIFAR10, 100: torchvision.datasets.CIFAR100}
TESTS = {10: "test_batch", 100: "test"}
KEYS = {10: "labels", 100: "fine_labels"}


def entry(classes, count, seed):
    draw = np.random.default_rng(seed)
    data = draw.integers(0, 256, (count, 3072), dtype=np.uint8)
    coarse = {} if classes == 10 else {"coarse_labels": [99] * count}
    return {"data": data, KEYS[classes]: draw.integers(0, classes, count).tolist()} | coarse


def write(path, content):
    path.write_bytes(content if isinstance(content, bytes) else pickle.dumps(content))
    return hashlib.md5(path.read_bytes()).hexdigest()


def write_cifar(root, monkeypatch, classes=10, count=20):
    """Write a small data set below ``root``; return its folder and its parts."""
    kind = KINDS[classes]
    folder = root / kind.base_folder
    folder.mkdir()
    parts = {name: entry(classes, count, seed) for seed, name in enumerate(NAMES[classes])}
    sums = [[name, write(folder / name, part)] for name, part in parts.items()]
    test = write(folder / TESTS[classes], entry(classes, 30, 99))
    meta = write(folder / kind.meta["filename"], {kind.meta["key"]: ["name"] * classes})
    monkeypatch.setattr(kind, "train_list", sums)
    monkeypatch.setattr(kind, "test_list", [[TESTS[classes], test]])
    monkeypatch.setattr(kind, "meta", kind.meta | {"md5": meta})
    return folder, list(parts.values())
