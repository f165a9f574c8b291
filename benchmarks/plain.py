"""Networks of two papers, written as their text reads: what tests hold ours equal to, and benchmarks time it against.

They share no code with ours. In a relaxed network every option of every edge is a module of its own; all are
computed, ``none`` too, and summed with their weights.
"""

import torch
from torch import nn

DARTS_OPTIONS = (
    "none",
    "max_pool_3x3",
    "avg_pool_3x3",
    "skip_connect",
    "sep_conv_3x3",
    "sep_conv_5x5",
    "dil_conv_3x3",
    "dil_conv_5x5",
)
NB201_OPTIONS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")


class Zero(nn.Module):
    """No operation: zeros of the output's size."""

    def __init__(self, stride):
        super().__init__()
        self.stride = stride

    def forward(self, x):
        n, c, h, w = x.shape
        return x.new_zeros(n, c, h // self.stride, w // self.stride)


class PoolNorm(nn.Module):
    """Pooling, then a norm."""

    def __init__(self, pool, c):
        super().__init__()
        self.pool, self.norm = pool, nn.BatchNorm2d(c, affine=False)

    def forward(self, x):
        return self.norm(self.pool(x))


class Half(nn.Module):
    """A strided skip: two 1x1 convolutions on the even and on the odd pixels."""

    def __init__(self, c_in, c_out, affine=False):
        super().__init__()
        self.conv_even = nn.Conv2d(c_in, c_out // 2, 1, stride=2, bias=False)
        self.conv_odd = nn.Conv2d(c_in, c_out // 2, 1, stride=2, bias=False)
        self.norm = nn.BatchNorm2d(c_out, affine=affine)

    def forward(self, x):
        x = torch.relu(x)
        return self.norm(torch.cat([self.conv_even(x), self.conv_odd(x[:, :, 1:, 1:])], 1))


class Separable(nn.Module):
    """ReLU, depthwise, pointwise, norm; twice, and only the first one strides."""

    def __init__(self, c, kernel, stride, affine=False):
        super().__init__()
        self.depthwise1 = nn.Conv2d(c, c, kernel, stride=stride, padding=kernel // 2, groups=c, bias=False)
        self.pointwise1 = nn.Conv2d(c, c, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(c, affine=affine)
        self.depthwise2 = nn.Conv2d(c, c, kernel, stride=1, padding=kernel // 2, groups=c, bias=False)
        self.pointwise2 = nn.Conv2d(c, c, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(c, affine=affine)

    def forward(self, x):
        x = self.norm1(self.pointwise1(self.depthwise1(torch.relu(x))))
        return self.norm2(self.pointwise2(self.depthwise2(torch.relu(x))))


class Dilated(nn.Module):
    """ReLU, depthwise with holes, pointwise, norm; once."""

    def __init__(self, c, kernel, stride, affine=False):
        super().__init__()
        reach = kernel - 1  # half the extent of a kernel of dilation 2
        self.depthwise = nn.Conv2d(c, c, kernel, stride=stride, padding=reach, dilation=2, groups=c, bias=False)
        self.pointwise = nn.Conv2d(c, c, 1, bias=False)
        self.norm = nn.BatchNorm2d(c, affine=affine)

    def forward(self, x):
        return self.norm(self.pointwise(self.depthwise(torch.relu(x))))


class ConvNorm(nn.Module):
    """ReLU, convolution, norm."""

    def __init__(self, c_in, c_out, kernel, stride, affine):
        super().__init__()
        self.conv = nn.Conv2d(c_in, c_out, kernel, stride=stride, padding=(kernel - 1) // 2, bias=False)
        self.norm = nn.BatchNorm2d(c_out, affine=affine)

    def forward(self, x):
        return self.norm(self.conv(torch.relu(x)))


def darts_options(c, stride, affine=False):
    """Return the operations by name; in a network of its own (``affine``) no norm follows a pooling."""
    max_pool, avg_pool = nn.MaxPool2d(3, stride, 1), nn.AvgPool2d(3, stride, 1, count_include_pad=False)
    return {
        "none": Zero(stride),
        "max_pool_3x3": max_pool if affine else PoolNorm(max_pool, c),
        "avg_pool_3x3": avg_pool if affine else PoolNorm(avg_pool, c),
        "skip_connect": nn.Identity() if stride == 1 else Half(c, c, affine),
        "sep_conv_3x3": Separable(c, 3, stride, affine),
        "sep_conv_5x5": Separable(c, 5, stride, affine),
        "dil_conv_3x3": Dilated(c, 3, stride, affine),
        "dil_conv_5x5": Dilated(c, 5, stride, affine),
    }


class DartsCell(nn.Module):
    """Two inputs and four nodes; an edge runs from every earlier state to every node."""

    def __init__(self, c_input0, c_input1, c, reduction, input0_is_twice_as_large):
        super().__init__()
        self.reduction = reduction
        self.input0 = Half(c_input0, c) if input0_is_twice_as_large else ConvNorm(c_input0, c, 1, 1, False)
        self.input1 = ConvNorm(c_input1, c, 1, 1, False)
        self.edge = nn.ModuleDict()
        for j in range(2, 6):
            for i in range(j):
                self.edge[f"{i}-{j}"] = nn.ModuleDict(darts_options(c, 2 if reduction and i in (0, 1) else 1))

    def forward(self, input0, input1, rows):
        state = {0: self.input0(input0), 1: self.input1(input1)}
        e = 0
        for j in range(2, 6):
            state[j] = 0
            for i in range(j):
                for k, name in enumerate(DARTS_OPTIONS):
                    state[j] = state[j] + rows[e][k] * self.edge[f"{i}-{j}"][name](state[i])
                e += 1
        return torch.cat([state[2], state[3], state[4], state[5]], 1)


class PlainDarts(nn.Module):
    """Stacked cells, the map halved at a third and two thirds of them. ``rows``: 14 of the normal cell, then 14."""

    def __init__(self, images, classes, channels=4, cells=3):
        super().__init__()
        self.stem_conv = nn.Conv2d(images, 3 * channels, 3, padding=1, bias=False)
        self.stem_norm = nn.BatchNorm2d(3 * channels)
        self.cells = nn.ModuleList()
        c_input0 = c_input1 = 3 * channels
        shrunk = False
        for i in range(cells):
            reduction = i in (cells // 3, 2 * cells // 3)
            channels = 2 * channels if reduction else channels
            self.cells.append(DartsCell(c_input0, c_input1, channels, reduction, shrunk))
            c_input0, c_input1, shrunk = c_input1, 4 * channels, reduction
        self.classifier = nn.Linear(4 * channels, classes)

    def forward(self, x, rows):
        y0 = y1 = self.stem_norm(self.stem_conv(x))
        for cell in self.cells:
            y0, y1 = y1, cell(y0, y1, rows[14:] if cell.reduction else rows[:14])
        return self.classifier(y1.mean(3).mean(2))


class PlainGenotypeCell(nn.Module):
    """A cell of a genotype: [operation, source] twice for each node; affine norms, none after a pooling."""

    def __init__(self, edges, c_input0, c_input1, c, reduction, input0_is_twice_as_large):
        super().__init__()
        self.input0 = Half(c_input0, c, True) if input0_is_twice_as_large else ConvNorm(c_input0, c, 1, 1, True)
        self.input1 = ConvNorm(c_input1, c, 1, 1, True)
        self.sources = [source for _, source in edges]
        strides = [2 if reduction and source in (0, 1) else 1 for source in self.sources]
        self.edge = nn.ModuleList(
            darts_options(c, stride, True)[name] for (name, _), stride in zip(edges, strides, strict=True)
        )

    def forward(self, input0, input1):
        state = [self.input0(input0), self.input1(input1)]
        for k in range(0, len(self.edge), 2):
            first, second = self.edge[k], self.edge[k + 1]
            state.append(first(state[self.sources[k]]) + second(state[self.sources[k + 1]]))
        return torch.cat(state[2:6], 1)


class PlainGenotype(nn.Module):
    """The stand-alone network of a genotype, without auxiliary head and drop path: images to logits."""

    def __init__(self, genotype, images, classes, channels, cells):
        super().__init__()
        self.stem_conv = nn.Conv2d(images, 3 * channels, 3, padding=1, bias=False)
        self.stem_norm = nn.BatchNorm2d(3 * channels)
        self.cells = nn.ModuleList()
        c_input0 = c_input1 = 3 * channels
        shrunk = False
        for i in range(cells):
            reduction = i in (cells // 3, 2 * cells // 3)
            channels = 2 * channels if reduction else channels
            edges = genotype["reduce" if reduction else "normal"]
            self.cells.append(PlainGenotypeCell(edges, c_input0, c_input1, channels, reduction, shrunk))
            c_input0, c_input1, shrunk = c_input1, 4 * channels, reduction
        self.classifier = nn.Linear(4 * channels, classes)

    def forward(self, x):
        y0 = y1 = self.stem_norm(self.stem_conv(x))
        for cell in self.cells:
            y0, y1 = y1, cell(y0, y1)
        return self.classifier(y1.mean(3).mean(2))


class Nb201Cell(nn.Module):
    """Nodes 0 (the input) to 3 (the output); rows in the order 0-1, 0-2, 1-2, 0-3, 1-3, 2-3."""

    def __init__(self, c):
        super().__init__()
        self.edge = nn.ModuleDict()
        for name in ("0-1", "0-2", "1-2", "0-3", "1-3", "2-3"):
            options = {
                "none": Zero(1),
                "skip_connect": nn.Identity(),
                "nor_conv_1x1": ConvNorm(c, c, 1, 1, False),
                "nor_conv_3x3": ConvNorm(c, c, 3, 1, False),
                "avg_pool_3x3": nn.AvgPool2d(3, 1, 1, count_include_pad=False),
            }
            self.edge[name] = nn.ModuleDict({option: options[option] for option in NB201_OPTIONS})

    def mix(self, name, x, row):
        return sum(row[k] * self.edge[name][option](x) for k, option in enumerate(NB201_OPTIONS))

    def forward(self, x0, rows):
        x1 = self.mix("0-1", x0, rows[0])
        x2 = self.mix("0-2", x0, rows[1]) + self.mix("1-2", x1, rows[2])
        return self.mix("0-3", x0, rows[3]) + self.mix("1-3", x1, rows[4]) + self.mix("2-3", x2, rows[5])


class Nb201Residual(nn.Module):
    """Two 3x3 convolutions, the first one strided, beside an average of 2x2 pixels and a 1x1 convolution."""

    def __init__(self, c):
        super().__init__()
        self.conv_a = ConvNorm(c, 2 * c, 3, 2, True)
        self.conv_b = ConvNorm(2 * c, 2 * c, 3, 1, True)
        self.down = nn.Conv2d(c, 2 * c, 1, bias=False)

    def forward(self, x):
        return self.conv_b(self.conv_a(x)) + self.down(nn.functional.avg_pool2d(x, 2))


class PlainNb201(nn.Module):
    """One cell a stage, of 4, 8 and 16 channels."""

    def __init__(self, images, classes):
        super().__init__()
        self.stem_conv = nn.Conv2d(images, 4, 3, padding=1, bias=False)
        self.stem_norm = nn.BatchNorm2d(4)
        self.cell0, self.cell1, self.cell2 = Nb201Cell(4), Nb201Cell(8), Nb201Cell(16)
        self.residual0, self.residual1 = Nb201Residual(4), Nb201Residual(8)
        self.last_norm = nn.BatchNorm2d(16)
        self.classifier = nn.Linear(16, classes)

    def forward(self, x, rows):
        x = self.cell0(self.stem_norm(self.stem_conv(x)), rows)
        x = self.cell1(self.residual0(x), rows)
        x = self.cell2(self.residual1(x), rows)
        return self.classifier(torch.relu(self.last_norm(x)).mean(3).mean(2))
