"""engine/models/conv_steady.h. `classes`: how many, 0 for none; labels are then left out."""

import math

from torch import nn

from .classes import ClassInput, ClassProjection
from .start import start_layers
from ..arrays import arrays_of


class Form:
    """What a picture [C,H,W] and the filters of its full size make of the networks."""

    def __init__(self, picture, filters):
        channels, height, width = picture
        halvings = 2
        while all(extent % (2 << halvings) == 0 and extent >> halvings >= 8 for extent in (height, width)):
            halvings += 1
        self.widths = [filters * min(2**halved, 8) for halved in range(halvings + 1)]  # after so many halvings
        self.deepest = (self.widths[-1], height >> halvings, width >> halvings)


class Generator(nn.Module):
    """latents [N,L], labels [N] -> [N,C,H,W]"""

    def __init__(self, picture, latent, filters, classes):
        super().__init__()
        form, self.act = Form(picture, filters), nn.LeakyReLU(0.2)
        self.deepest = form.deepest
        self.classes = ClassInput(classes, latent)
        self.dense = nn.Linear(self.classes.columns, math.prod(form.deepest))
        widths = form.widths[::-1]
        self.up = nn.ModuleList(nn.ConvTranspose2d(a, b, 4, 2, 1) for a, b in zip(widths, widths[1:]))
        self.last = nn.Conv2d(filters, picture[0], 3, padding=1)

    def start(self):
        start_layers([self.dense, *self.up, self.last])

    def forward(self, z, labels=None):
        x = self.act(self.dense(self.classes(z, labels))).view(-1, *self.deepest)
        for convolution in self.up:
            x = self.act(convolution(x))
        return self.last(x)

    def arrays(self):
        return (self.classes.arrays() + arrays_of("dense", self.dense, made=self.deepest) + numbered("up", self.up) +
                arrays_of("last", self.last))


class Discriminator(nn.Module):
    """[N,C,H,W], labels [N] -> logits [N,1]"""

    def __init__(self, picture, filters, features, classes):
        super().__init__()
        form, self.act = Form(picture, filters), nn.LeakyReLU(0.2)
        self.deepest = form.deepest
        widths = [picture[0], *form.widths[:-1]]
        self.convs = nn.ModuleList(nn.Conv2d(a, b, 4, 2, 1) for a, b in zip(widths, widths[1:]))
        if widths[-1] < form.widths[-1]:
            self.convs.append(nn.Conv2d(widths[-1], form.widths[-1], 3, padding=1))
        self.dense = nn.Linear(math.prod(form.deepest), features)
        self.last = nn.Linear(features, 1)
        self.classes = ClassProjection(classes, features)

    def start(self):
        start_layers([*self.convs, self.dense, self.last])
        self.classes.start()

    def forward(self, x, labels=None):
        for convolution in self.convs:
            x = self.act(convolution(x))
        features = self.act(self.dense(x.flatten(1)))
        return self.classes(features, self.last(features), labels)

    def arrays(self):
        return (numbered("conv", self.convs) + arrays_of("dense", self.dense, taken=self.deepest) +
                arrays_of("last", self.last) + self.classes.arrays())


def numbered(name, layers):
    return [array for i, layer in enumerate(layers) for array in arrays_of(f"{name}{i + 1}", layer)]
