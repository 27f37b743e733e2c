"""engine/models/classic.h: dense layers from latents to pictures, convolutions and dense layers from pictures to logits.
`classes`: how many, 0 for none; labels are then left out."""

import math

from torch import nn

from .classes import ClassInput, ClassProjection
from .start import start_layers
from ..arrays import arrays_of


def activation(name, leaky_slope):
    return {"relu": nn.ReLU(), "leaky_relu": nn.LeakyReLU(leaky_slope), "tanh": nn.Tanh(), "sigmoid": nn.Sigmoid()}[name]


class Generator(nn.Module):
    """latents [N,L], labels [N] -> [N,C,H,W]"""

    def __init__(self, picture, latent, widths, act, classes):
        super().__init__()
        self.picture, self.act, self.classes = picture, act, ClassInput(classes, latent)
        ends = [self.classes.columns, *widths, math.prod(picture)]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(ends, ends[1:]))

    def start(self):
        start_layers(self.layers)

    def forward(self, z, labels=None):
        x = self.classes(z, labels)
        for layer in self.layers[:-1]:
            x = self.act(layer(x))
        return self.layers[-1](x).tanh().view(-1, *self.picture)

    def arrays(self):
        last = len(self.layers) - 1
        return self.classes.arrays() + [array for i, layer in enumerate(self.layers) for array in
                                        arrays_of(f"dense{i + 1}", layer, made=self.picture if i == last else None)]


class Discriminator(nn.Module):
    """[N,C,H,W], labels [N] -> logits [N,1]"""

    def __init__(self, picture, channels, kernel, widths, act, classes):
        super().__init__()
        self.act = act
        depths = [picture[0], *channels]
        self.convolutions = nn.ModuleList(nn.Conv2d(a, b, kernel, padding=kernel // 2) for a, b in zip(depths, depths[1:]))
        self.deepest = (depths[-1], *picture[1:])
        ends = [math.prod(self.deepest), *widths, 1]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(ends, ends[1:]))
        self.classes = ClassProjection(classes, ends[-2])

    def start(self):
        start_layers([*self.convolutions, *self.layers])
        self.classes.start()

    def forward(self, x, labels=None):
        for convolution in self.convolutions:
            x = self.act(convolution(x))
        x = x.flatten(1)
        for layer in self.layers[:-1]:
            x = self.act(layer(x))
        return self.classes(x, self.layers[-1](x), labels)  # logits have no activation

    def arrays(self):
        return ([array for i, layer in enumerate(self.convolutions) for array in arrays_of(f"conv{i + 1}", layer)] +
                [array for i, layer in enumerate(self.layers)
                 for array in arrays_of(f"dense{i + 1}", layer, taken=None if i else self.deepest)] + self.classes.arrays())
