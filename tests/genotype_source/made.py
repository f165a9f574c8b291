"""Spaces of all families in their published sizes, and the count that the authors' formula gives a cell network."""

from __future__ import annotations

from functools import cache
from typing import Any

from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from nasctl.config.build import make
from nasctl.config.settings import conf_dir
from nasctl.core import SearchSpace, Task

IMAGES = Task("image_classification", (3, 32, 32), 10)
TASKS = {
    **dict.fromkeys(("rnn_darts", "rnn_nas_rl", "lstm", "rhn"), Task("language", (35,), 10_000)),
    "ffn": Task("tabular_classification", (30,), 2),
    "toy": Task("none", (), 1),
}
FAMILIES = (
    "darts",
    "enas_macro",
    "enas_micro",
    "ffn",
    "lstm",
    "nasbench201",
    "nats_size",
    "resnet",
    "rhn",
    "rnn_darts",
    "rnn_nas_rl",
    "toy",
)


@cache
def space(name: str) -> SearchSpace:
    """Return the space of the YAML ``name``."""
    with initialize_config_dir(str(conf_dir()), version_base="1.3"):
        node: Any = OmegaConf.to_container(compose("config", [f"space={name}"]).space, resolve=True)
    return make(node, TASKS.get(name, IMAGES))


def authors_count(genotype: Any, channels: int = 36, classes: int = 10, layers: int = 20) -> int:
    """Return the parameters of NetworkCIFAR of https://github.com/quark0/darts, cnn/model.py, without its second head.

    Written from that file's constructor calls: no convolution has a bias, each norm has two weights a channel.
    """
    c, count, before, last = channels, 27 * 3 * channels + 6 * channels, 3 * channels, 3 * channels
    for layer in range(layers):
        kind = "reduce" if layer in (layers // 3, 2 * layers // 3) else "normal"
        c *= 2 if kind == "reduce" else 1
        count += (before * c + 2 * c) + (last * c + 2 * c)
        count += sum(_operation(name, c, kind == "reduce" and state < 2) for name, state in genotype[kind])
        before, last = last, len(genotype[f"{kind}_concat"]) * c
    return count + last * classes + classes


def _operation(name: str, c: int, halves: bool) -> int:
    """Return the parameters of an operation of cnn/operations.py on ``c`` channels."""
    word, _, size = name.rpartition("_")
    side = int(size.partition("x")[0]) if "x" in size else 0
    if word in ("sep_conv", "dil_conv"):
        return (2 if word == "sep_conv" else 1) * (side**2 * c + c * c + 2 * c)
    if name == "conv_7x1_1x7":
        return 14 * c * c + 2 * c
    return c * c + 2 * c if name == "skip_connect" and halves else 0
