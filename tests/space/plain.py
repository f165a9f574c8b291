"""The relaxed networks of two papers, written as their text reads and sharing no code with what they check.

Every option of every edge is computed, ``none`` too, and all are summed with their weights.
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
    def __init__(self, stride):
        super().__init__()
        self.stride = stride

    def forward(self, x):
        n, c, h, w = x.shape
        return torch.zeros(n, c, h // self.stride, w // self.stride, dtype=x.dtype)


class PoolNorm(nn.Module):
    def __init__(self, pool, c):
        super().__init__()
        self.pool, self.norm = pool, nn.BatchNorm2d(c, affine=False)

    def forward(self, x):
        return self.norm(self.pool(x))


class Half(nn.Module):
    """A strided skip: two 1x1 convolutions on the even and on the odd pixels."""

    def __init__(self, c_in, c_out):
        super().__init__()
        self.conv_even = nn.Conv2d(c_in, c_out // 2, 1, stride=2, bias=False)
        self.conv_odd = nn.Conv2d(c_in, c_out // 2, 1, stride=2, bias=False)
        self.norm = nn.BatchNorm2d(c_out, affine=False)

    def forward(self, x):
        x = torch.relu(x)
        return self.norm(torch.cat([self.conv_even(x), self.conv_odd(x[:, :, 1:, 1:])], 1))


class Separable(nn.Module):
    """ReLU, depthwise, pointwise, norm; twice, and only the first one strides."""

    def __init__(self, c, kernel, stride):
        super().__init__()
        self.depthwise1 = nn.Conv2d(c, c, kernel, stride=stride, padding=kernel // 2, groups=c, bias=False)
        self.pointwise1 = nn.Conv2d(c, c, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(c, affine=False)
        self.depthwise2 = nn.Conv2d(c, c, kernel, stride=1, padding=kernel // 2, groups=c, bias=False)
        self.pointwise2 = nn.Conv2d(c, c, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(c, affine=False)

    def forward(self, x):
        x = self.norm1(self.pointwise1(self.depthwise1(torch.relu(x))))
        return self.norm2(self.pointwise2(self.depthwise2(torch.relu(x))))


class Dilated(nn.Module):
    """ReLU, depthwise with holes, pointwise, norm; once."""

    def __init__(self, c, kernel, stride):
        super().__init__()
        reach = kernel - 1  # half the extent of a kernel of dilation 2
        self.depthwise = nn.Conv2d(c, c, kernel, stride=stride, padding=reach, dilation=2, groups=c, bias=False)
        self.pointwise = nn.Conv2d(c, c, 1, bias=False)
        self.norm = nn.BatchNorm2d(c, affine=False)

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


def darts_edge(c, stride):
    options = {
        "none": Zero(stride),
        "max_pool_3x3": PoolNorm(nn.MaxPool2d(3, stride, 1), c),
        "avg_pool_3x3": PoolNorm(nn.AvgPool2d(3, stride, 1, count_include_pad=False), c),
        "skip_connect": nn.Identity() if stride == 1 else Half(c, c),
        "sep_conv_3x3": Separable(c, 3, stride),
        "sep_conv_5x5": Separable(c, 5, stride),
        "dil_conv_3x3": Dilated(c, 3, stride),
        "dil_conv_5x5": Dilated(c, 5, stride),
    }
    return nn.ModuleDict({name: options[name] for name in DARTS_OPTIONS})


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
                self.edge[f"{i}-{j}"] = darts_edge(c, 2 if reduction and i in (0, 1) else 1)

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
    """Three cells of C=4 channels: normal, reduction, reduction. ``rows``: 14 of the normal cell, then 14."""

    def __init__(self, images, classes):
        super().__init__()
        self.stem_conv = nn.Conv2d(images, 12, 3, padding=1, bias=False)
        self.stem_norm = nn.BatchNorm2d(12)
        self.cell0 = DartsCell(12, 12, 4, False, False)
        self.cell1 = DartsCell(12, 16, 8, True, False)
        self.cell2 = DartsCell(16, 32, 16, True, True)
        self.classifier = nn.Linear(64, classes)

    def forward(self, x, rows):
        normal, reduce = rows[:14], rows[14:]
        stem = self.stem_norm(self.stem_conv(x))
        y0 = self.cell0(stem, stem, normal)
        y1 = self.cell1(stem, y0, reduce)
        y2 = self.cell2(y0, y1, reduce)
        return self.classifier(y2.mean(3).mean(2))


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
