"""engine/models/residual.h. `classes`: how many, 0 for none; labels are then left out."""

import torch
import torch.nn.functional as F
from torch import nn

from .classes import ClassInput, Table
from ..arrays import Array, arrays_of

GROUP_CHANNELS = 16
TAPS = torch.tensor([1, 3, 3, 1], dtype=torch.float64) / 8


def filtered(x, scale, stride, padding):
    """[N,C,H,W] through the filter, along both axes."""
    weight = (torch.outer(TAPS, TAPS) * scale).to(x.dtype).expand(x.shape[1], 1, 4, 4)
    return F.conv2d(F.pad(x, padding), weight, stride=stride, groups=x.shape[1])


def twice_the_size(x):
    n, c, h, w = x.shape
    spread = x.new_zeros(n, c, h, 2, w, 2)
    spread[:, :, :, 0, :, 0] = x
    return filtered(spread.reshape(n, c, 2 * h, 2 * w), 4, 1, (2, 1, 2, 1))


def half_the_size(x):
    return filtered(x, 1, 2, (1, 1, 1, 1))


class BiasedActivation(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.bias, self.act = nn.Parameter(torch.zeros(channels)), nn.LeakyReLU(0.2)

    def forward(self, x):
        return self.act(x + self.bias.view(1, -1, 1, 1))


class Block(nn.Module):
    def __init__(self, channels):
        super().__init__()
        inner = 2 * channels
        self.expand, self.act1 = nn.Conv2d(channels, inner, 1, bias=False), BiasedActivation(inner)
        self.grouped = nn.Conv2d(inner, inner, 3, padding=1, groups=inner // GROUP_CHANNELS, bias=False)
        self.act2, self.project = BiasedActivation(inner), nn.Conv2d(inner, channels, 1, bias=False)

    def forward(self, x):
        return x + self.project(self.act2(self.grouped(self.act1(self.expand(x)))))

    def arrays(self, name):
        return (arrays_of(f"{name}/expand", self.expand) + [Array(f"{name}/expand/bias", self.act1.bias)] +
                arrays_of(f"{name}/grouped", self.grouped) + [Array(f"{name}/grouped/bias", self.act2.bias)] +
                arrays_of(f"{name}/project", self.project))


class Stage(nn.Module):
    """Blocks, and a 1x1 in front of them or behind where the width changes."""

    def __init__(self, number, channels, blocks, taken, made):
        super().__init__()
        self.name, self.is_changed_first = f"stage{number}", made == channels
        self.blocks = nn.ModuleList(Block(channels) for _ in range(blocks))
        self.change = None if taken == made else nn.Conv2d(taken, made, 1, bias=False)

    def run(self, x):
        for block in self.blocks:
            x = block(x)
        return x

    def changed(self, x):
        return self.change(x) if self.change else x

    def arrays(self):
        change = arrays_of(f"{self.name}/change", self.change) if self.change else []
        blocks = [array for i, block in enumerate(self.blocks) for array in block.arrays(f"{self.name}/block{i + 1}")]
        return change + blocks if self.is_changed_first else blocks + change


def start(net):
    """No bias or last weight of a block is zero: one that is left out must show at once."""
    for module in net.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            nn.init.xavier_uniform_(module.weight)
        elif isinstance(module, BiasedActivation):
            nn.init.uniform_(module.bias, -0.1, 0.1)


class Generator(nn.Module):
    """latents [N,L], labels [N] -> [N,C,H,W]"""

    def __init__(self, picture, latent, widths, blocks, classes):
        super().__init__()
        least = 2 ** (len(widths) - 1)
        self.classes = ClassInput(classes, latent)
        self.picture = nn.Parameter(torch.randn(widths[0], picture[1] // least, picture[2] // least))
        self.dense = nn.Linear(self.classes.columns, widths[0], bias=False)
        self.stages = nn.ModuleList(Stage(i + 1, width, blocks, widths[max(i - 1, 0)], width)
                                    for i, width in enumerate(widths))
        self.last = nn.Conv2d(widths[-1], picture[0], 1, bias=False)

    def start(self):
        start(self)

    def forward(self, z, labels=None):
        x = self.picture * self.dense(self.classes(z, labels))[:, :, None, None]
        for i, stage in enumerate(self.stages):
            x = stage.run(twice_the_size(stage.changed(x)) if i else x)
        return self.last(x)

    def arrays(self):
        return (self.classes.arrays() + [Array("basis/picture", self.picture, lambda t: t.permute(1, 2, 0))] +
                arrays_of("basis/dense", self.dense) + [array for stage in self.stages for array in stage.arrays()] +
                arrays_of("last", self.last))


class Discriminator(nn.Module):
    """[N,C,H,W], labels [N] -> logits [N,1]"""

    def __init__(self, picture, widths, blocks, classes):
        super().__init__()
        least, deepest = 2 ** (len(widths) - 1), widths[0]
        self.first = nn.Conv2d(picture[0], widths[-1], 1, bias=False)
        self.stages = nn.ModuleList(Stage(i + 1, widths[i], blocks, widths[i], widths[max(i - 1, 0)])
                                    for i in reversed(range(len(widths))))
        self.sums = nn.Conv2d(deepest, deepest, (picture[1] // least, picture[2] // least), groups=deepest, bias=False)
        self.last = nn.Linear(deepest, deepest if classes else 1, bias=False)
        self.classes = Table(classes, deepest)

    def start(self):
        start(self)

    def forward(self, x, labels=None):
        x = self.first(x)
        for i, stage in enumerate(self.stages):
            x = stage.run(x)
            if i + 1 < len(self.stages):
                x = stage.changed(half_the_size(x))
        judged = self.last(self.sums(x).flatten(1))
        return (judged * self.classes.table(labels)).sum(1, keepdim=True) if self.classes.table else judged

    def arrays(self):
        return (arrays_of("first", self.first) + [array for stage in self.stages for array in stage.arrays()] +
                arrays_of("sums", self.sums) + arrays_of("last", self.last) + self.classes.arrays())
