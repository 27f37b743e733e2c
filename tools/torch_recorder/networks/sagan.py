"""engine/models/sagan.h. `classes`: how many, 0 for none; labels are then left out."""

import math

from torch import nn

from .classes import ClassInput, ClassProjection
from .dcgan import channels_at, halvings
from .spectral_norm import Attention, Normalized
from ..arrays import Array, arrays_of, running_of

LARGEST_ATTENTION = 32  # pixels of the shorter side


def start_normalized(network):
    """Nothing is zero that would hide what is wrong: no bias, and no attention's share."""
    for module in network.modules():
        if isinstance(module, (nn.Conv2d, nn.ConvTranspose2d)):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.uniform_(module.bias, -0.1, 0.1)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1, 0.2)
            nn.init.uniform_(module.bias, -0.1, 0.1)
        elif isinstance(module, Attention):
            nn.init.uniform_(module.gamma, 0.5, 1)


class Generator(nn.Module):
    """latents [N,L], labels [N] -> [N,C,H,W]"""

    def __init__(self, picture, latent, filters, classes):
        super().__init__()
        channels, height, width = picture
        self.count = halvings(height, width)
        widths = [channels_at(filters, i) for i in range(self.count, 0, -1)]
        self.act, self.classes = nn.ReLU(), ClassInput(classes, latent)
        smallest = (height >> self.count, width >> self.count)
        self.dense = Normalized(nn.ConvTranspose2d(self.classes.columns, widths[0], smallest, 1, 0, bias=False))
        self.ups = nn.ModuleList(Normalized(nn.ConvTranspose2d(a, b, 4, 2, 1, bias=False)) for a, b in zip(widths, widths[1:]))
        self.norms = nn.ModuleList(nn.BatchNorm2d(width) for width in widths)
        least = next(i for i in range(1, 99) if min(height, width) >> i <= LARGEST_ATTENTION)
        self.attentions = nn.ModuleDict({str(self.count - i): Attention(channels_at(filters, i)) for i in (least + 1, least)
                                         if 1 <= i < self.count})  # by the number of the layer that they follow
        self.last = Normalized(nn.ConvTranspose2d(filters, channels, 4, 2, 1))

    def start(self):
        start_normalized(self)

    def forward(self, z, labels=None):
        x = self.classes(z, labels)[:, :, None, None]
        for i, (layer, norm) in enumerate(zip((self.dense, *self.ups), self.norms)):
            x = self.act(norm(layer(x)))
            if str(i) in self.attentions:
                x = self.attentions[str(i)](x)
        return self.last(x).tanh()

    def arrays(self):
        weight = Array("dense/weight", self.dense.layer.weight, lambda t: t.permute(0, 2, 3, 1).flatten(1))
        arrays = [*self.classes.arrays(), weight, *arrays_of("dense/norm", self.norms[0])]
        for i, up in enumerate(self.ups, 1):
            arrays += arrays_of(f"up{i}", up.layer) + arrays_of(f"up{i}/norm", self.norms[i])
            if str(i) in self.attentions:
                arrays += self.attentions[str(i)].arrays(f"up{i}/attention")
        return arrays + arrays_of("last", self.last.layer)

    def running(self):
        arrays = self.dense.running("dense") + running_of("dense/norm", self.norms[0]) + self.last.running("last")
        for i, up in enumerate(self.ups, 1):
            arrays += up.running(f"up{i}") + running_of(f"up{i}/norm", self.norms[i])
            if str(i) in self.attentions:
                arrays += self.attentions[str(i)].running(f"up{i}/attention")
        return arrays


class Discriminator(nn.Module):
    """[N,C,H,W], labels [N] -> logits [N,1]"""

    def __init__(self, picture, filters, classes):
        super().__init__()
        channels, height, width = picture
        self.count = halvings(height, width)
        widths = [channels, *(channels_at(filters, i) for i in range(1, self.count + 1))]
        deepest = (height >> self.count, width >> self.count)
        self.act = nn.LeakyReLU(0.1)
        self.convolutions = nn.ModuleList(Normalized(nn.Conv2d(a, b, 4, 2, 1)) for a, b in zip(widths, widths[1:]))
        self.attentions = nn.ModuleDict({str(i): Attention(widths[i]) for i in (self.count - 1, self.count) if i >= 1})
        # The engine's rows are columns of this weight: a dense layer, normalised by its own matrix [inputs, 1].
        self.last = Normalized(nn.ConvTranspose2d(widths[-1] * math.prod(deepest), 1, 1))
        self.classes = ClassProjection(classes, widths[-1] * math.prod(deepest))

    def start(self):
        start_normalized(self)
        self.classes.start()

    def forward(self, x, labels=None):
        for i, convolution in enumerate(self.convolutions, 1):
            x = self.act(convolution(x))
            if str(i) in self.attentions:
                x = self.attentions[str(i)](x)
        # The engine's pictures flatten with their channels fastest, and so do the rows of its classes.
        features = x.permute(0, 2, 3, 1).flatten(1)
        return self.classes(features, self.last(features[:, :, None, None]).flatten(1), labels)

    def arrays(self):
        arrays = []
        for i, convolution in enumerate(self.convolutions, 1):
            arrays += arrays_of(f"conv{i}", convolution.layer)
            if str(i) in self.attentions:
                arrays += self.attentions[str(i)].arrays(f"conv{i}/attention")
        weight = Array("last/weight", self.last.layer.weight, lambda t: t.flatten(1))
        return [*arrays, weight, Array("last/bias", self.last.layer.bias), *self.classes.arrays()]

    def running(self):
        arrays = self.last.running("last")
        for i, convolution in enumerate(self.convolutions, 1):
            arrays += convolution.running(f"conv{i}")
            if str(i) in self.attentions:
                arrays += self.attentions[str(i)].running(f"conv{i}/attention")
        return arrays
