"""A space of image classifiers: the kernel and the width of each convolution are chosen."""

from torch import nn

from nasctl.core import Decision, Task, ignore
from nasctl.errors import RequestError
from nasctl.space._shared import FixedWalk, MetaCosts


class PlainCnnFormat:
    """A genotype lists kernel and channels of each convolution, as in ``3x8-5x16``."""

    family, marks = "plain_cnn", ()

    def notation(self, genotype):
        return "-".join(f"{kernel}x{width}" for kernel, width in genotype["layers"])

    def parse(self, text, remark=ignore):
        try:
            layers = [[int(number) for number in layer.split("x")] for layer in text.strip().split("-")]
        except ValueError as error:
            raise RequestError(f"genotype text: {text!r} is not of the form 3x8-5x16; correct it") from error
        return self.check({"layers": layers})

    def check(self, genotype):
        for layer in genotype["layers"]:
            if len(layer) != 2 or layer[0] % 2 == 0 or min(layer) < 1:
                raise RequestError(f"genotype: {layer} is no odd kernel with a number of channels; correct it")
        return genotype

    def canonical(self, genotype):
        return genotype

    def features(self, genotype):
        return {"layers": len(genotype["layers"])}

    def edges(self, genotype):
        names = [f"conv_{kernel}x{kernel} to {width}" for kernel, width in genotype["layers"]]
        return {"network": [(str(i), str(i + 1), name) for i, name in enumerate(names)]}


class PlainCnn(FixedWalk, MetaCosts):
    """``layers`` convolutions; parameters and multiply-accumulates are counted on the meta device."""

    format, num_operations = PlainCnnFormat(), 2

    def __init__(self, task: Task, *, layers: int, kernels: list[int], channels: list[int]) -> None:
        if task.kind != "image_classification":
            raise RequestError(f"space=plain_cnn classifies images, not {task.kind}; choose a data set of images")
        self.task = task
        options = {"kernel": tuple(map(str, kernels)), "channels": tuple(map(str, channels))}
        names = [(kind, f"{kind} {layer}") for layer in range(layers) for kind in options]
        self.decisions = tuple(Decision(name, kind, options[kind]) for kind, name in names)

    def genotype(self, arch):
        chosen = [int(decision.options[option]) for decision, option in zip(self.decisions, arch, strict=True)]
        return {"layers": [[kernel, width] for kernel, width in zip(chosen[::2], chosen[1::2], strict=True)]}

    def build(self, genotype, form, **size):
        """Return a network that maps images ``(n, c, h, w)`` to logits ``(n, classes)``."""
        layers, c_in = [], self.task.input_shape[0]
        for kernel, width in genotype["layers"]:
            layers += [nn.Conv2d(c_in, width, kernel, padding=kernel // 2), nn.BatchNorm2d(width), nn.ReLU()]
            c_in = width
        pooled = [nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(c_in, self.task.num_outputs)]
        return nn.Sequential(*layers, *pooled)
