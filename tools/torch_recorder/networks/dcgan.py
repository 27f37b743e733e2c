"""engine/models/dcgan.h, after PyTorch's example. `classes`: how many, 0 for none; labels are then left out."""

import math

from torch import nn

from .classes import ClassInput, ClassProjection
from ..arrays import Array, arrays_of, running_of


def halvings(height, width):
    """How often the shorter side is halved down to 4 to 7 pixels."""
    return int(math.log2(min(height, width) / 4))


def channels_at(filters, times):
    """Of a picture that was halved so often, at least once."""
    return filters * 2 ** min(times - 1, 3)


def start_normed(module):
    """Larger than the networks start with, so that no gradient vanishes, and different in each row and column."""
    for layer in module.modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.xavier_uniform_(layer.weight)
        elif isinstance(layer, nn.BatchNorm2d):
            nn.init.normal_(layer.weight, 1, 0.2)
            nn.init.uniform_(layer.bias, -0.1, 0.1)


def normed_arrays(name, layer, norm):
    return arrays_of(name, layer) + arrays_of(f"{name}/norm", norm)


class Generator(nn.Module):
    """latents [N,L], labels [N] -> [N,C,H,W]"""

    def __init__(self, picture, latent, filters, classes):
        super().__init__()
        channels, height, width = picture
        count = halvings(height, width)
        widths = [channels_at(filters, i) for i in range(count, 0, -1)]
        self.act, self.classes = nn.ReLU(), ClassInput(classes, latent)
        self.dense = nn.ConvTranspose2d(self.classes.columns, widths[0], (height >> count, width >> count), 1, 0, bias=False)
        self.ups = nn.ModuleList(nn.ConvTranspose2d(a, b, 4, 2, 1, bias=False) for a, b in zip(widths, widths[1:]))
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) for width in widths)
        self.last = nn.ConvTranspose2d(filters, channels, 4, 2, 1, bias=False)

    def start(self):
        start_normed(self)

    def forward(self, z, labels=None):
        x = self.classes(z, labels)[:, :, None, None]
        for layer, norm in zip((self.dense, *self.ups), self.norms):
            x = self.act(norm(layer(x)))
        return self.last(x).tanh()

    def arrays(self):
        weight = Array("dense/weight", self.dense.weight, lambda t: t.permute(0, 2, 3, 1).flatten(1))
        arrays = [*self.classes.arrays(), weight, *arrays_of("dense/norm", self.norms[0])]
        for i, up in enumerate(self.ups):
            arrays += normed_arrays(f"up{i + 1}", up, self.norms[i + 1])
        return arrays + arrays_of("last", self.last)

    def running(self):
        names = ["dense", *(f"up{i + 1}" for i in range(len(self.ups)))]
        return [array for name, norm in zip(names, self.norms) for array in running_of(f"{name}/norm", norm)]


class Discriminator(nn.Module):
    """[N,C,H,W], labels [N] -> logits [N,1]"""

    def __init__(self, picture, filters, classes):
        super().__init__()
        channels, height, width = picture
        count = halvings(height, width)
        widths = [channels, *(channels_at(filters, i) for i in range(1, count + 1))]
        deepest = (height >> count, width >> count)
        self.act = nn.LeakyReLU(0.2)
        self.convolutions = nn.ModuleList(nn.Conv2d(a, b, 4, 2, 1, bias=False) for a, b in zip(widths, widths[1:]))
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) for width in widths[2:])  # of all but the first
        self.last = nn.Conv2d(widths[-1], 1, deepest, 1, 0, bias=False)
        self.classes = ClassProjection(classes, widths[-1] * math.prod(deepest))

    def start(self):
        start_normed(self)
        self.classes.start()

    def forward(self, x, labels=None):
        x = self.act(self.convolutions[0](x))
        for convolution, norm in zip(self.convolutions[1:], self.norms):
            x = self.act(norm(convolution(x)))
        # The engine's pictures flatten with their channels fastest, and so do the rows of its classes.
        return self.classes(x.permute(0, 2, 3, 1).flatten(1), self.last(x).flatten(1), labels)

    def arrays(self):
        arrays = arrays_of("conv1", self.convolutions[0])
        for i, norm in enumerate(self.norms):
            arrays += normed_arrays(f"conv{i + 2}", self.convolutions[i + 1], norm)
        weight = Array("last/weight", self.last.weight, lambda t: t.permute(0, 2, 3, 1).flatten(1).t())
        return [*arrays, weight, *self.classes.arrays()]

    def running(self):
        return [array for i, norm in enumerate(self.norms) for array in running_of(f"conv{i + 2}/norm", norm)]
