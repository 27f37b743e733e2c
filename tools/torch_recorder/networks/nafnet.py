"""engine/models/nafnet.h"""

import torch
import torch.nn.functional as F
from torch import nn

from ..arrays import Array, arrays_of, shuffled_arrays_of


class PixelNorm(nn.Module):
    """Layer normalisation of each pixel of [N,C,H,W]."""

    def __init__(self, channels):
        super().__init__()
        self.gamma, self.beta = nn.Parameter(torch.ones(channels)), nn.Parameter(torch.zeros(channels))

    def forward(self, x):
        normed = F.layer_norm(x.permute(0, 2, 3, 1), self.gamma.shape, self.gamma, self.beta, 1e-6)
        return normed.permute(0, 3, 1, 2)

    def arrays(self, name):
        return [Array(f"{name}/gamma", self.gamma), Array(f"{name}/beta", self.beta)]


def gate(x):
    a, b = x.chunk(2, 1)
    return a * b


class Block(nn.Module):
    def __init__(self, channels):
        super().__init__()
        inner = 2 * channels
        self.norm1, self.norm2 = PixelNorm(channels), PixelNorm(channels)
        self.expand, self.each = nn.Conv2d(channels, inner, 1), nn.Conv2d(inner, inner, 3, padding=1, groups=inner)
        self.scale, self.project = nn.Linear(channels, channels), nn.Conv2d(channels, channels, 1)
        self.beta, self.gamma = nn.Parameter(torch.zeros(channels)), nn.Parameter(torch.zeros(channels))
        self.widen, self.narrow = nn.Conv2d(channels, inner, 1), nn.Conv2d(channels, channels, 1)

    def forward(self, x):
        y = gate(self.each(self.expand(self.norm1(x))))
        y = self.project(y * self.scale(y.mean((2, 3)))[:, :, None, None])
        y = x + self.beta.view(1, -1, 1, 1) * y
        return y + self.gamma.view(1, -1, 1, 1) * self.narrow(gate(self.widen(self.norm2(y))))

    def arrays(self, name):
        arrays = self.norm1.arrays(f"{name}/norm1") + self.norm2.arrays(f"{name}/norm2")
        for layer in ("expand", "each", "scale", "project"):
            arrays += arrays_of(f"{name}/{layer}", getattr(self, layer))
        arrays += [Array(f"{name}/beta", self.beta), Array(f"{name}/gamma", self.gamma)]
        return arrays + arrays_of(f"{name}/widen", self.widen) + arrays_of(f"{name}/narrow", self.narrow)


def blocks_of(count, channels):
    return nn.ModuleList(Block(channels) for _ in range(count))


class Nafnet(nn.Module):
    """[N,inputs,H,W] -> [N,outputs,H,W]"""

    def __init__(self, inputs, outputs, channels, down, middle, up):
        super().__init__()
        self.outputs, self.first = outputs, nn.Conv2d(inputs, channels, 3, padding=1)
        width = channels
        self.down, self.halve, self.up, self.doubling = (nn.ModuleList() for _ in range(4))
        for count in down:
            self.down.append(blocks_of(count, width))
            self.halve.append(nn.Conv2d(width, 2 * width, 2, 2))
            width *= 2
        self.middle = blocks_of(middle, width)
        for count in up:
            self.doubling.append(nn.Conv2d(width, 2 * width, 1, bias=False))
            width //= 2
            self.up.append(blocks_of(count, width))
        self.last = nn.Conv2d(channels, outputs, 3, padding=1)

    def start(self):
        """Blocks that are not the identity, so that every gradient is far from zero."""
        for parameter in self.parameters():
            if parameter.abs().sum() == 0:
                nn.init.normal_(parameter, 0, 0.5)

    def forward(self, pictures):
        x, made = self.first(pictures), []
        for blocks, halve in zip(self.down, self.halve):
            for block in blocks:
                x = block(x)
            made.append(x)
            x = halve(x)
        for block in self.middle:
            x = block(x)
        for blocks, double in zip(self.up, self.doubling):
            x = F.pixel_shuffle(double(x), 2) + made.pop()
            for block in blocks:
                x = block(x)
        return self.last(x) + pictures[:, :self.outputs]

    def arrays(self):
        def of(name, blocks):
            return [array for i, block in enumerate(blocks) for array in block.arrays(f"{name}/block{i + 1}")]

        arrays = arrays_of("first", self.first)
        for i, (blocks, halve) in enumerate(zip(self.down, self.halve)):
            arrays += of(f"down{i + 1}", blocks) + arrays_of(f"down{i + 1}/halve", halve)
        arrays += of("middle", self.middle)
        for i, (blocks, double) in enumerate(zip(self.up, self.doubling)):
            arrays += shuffled_arrays_of(f"up{i + 1}/double", double, 2) + of(f"up{i + 1}", blocks)
        return arrays + arrays_of("last", self.last)
