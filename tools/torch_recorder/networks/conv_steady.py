"""engine/models/conv_steady.h. `classes`: how many, 0 for none; labels are then left out."""

import math

from torch import nn

from .classes import ClassInput, ClassProjection
from .start import start_layers
from ..arrays import arrays_of


class Generator(nn.Module):
    """latents [N,L], labels [N] -> [N,C,H,W]"""

    def __init__(self, picture, latent, filters, classes):
        super().__init__()
        self.deepest, self.act = (4 * filters, picture[1] // 4, picture[2] // 4), nn.LeakyReLU(0.2)
        self.classes = ClassInput(classes, latent)
        self.dense = nn.Linear(self.classes.columns, math.prod(self.deepest))
        self.up1 = nn.ConvTranspose2d(4 * filters, 2 * filters, 4, 2, 1)
        self.up2 = nn.ConvTranspose2d(2 * filters, filters, 4, 2, 1)
        self.last = nn.Conv2d(filters, picture[0], 3, padding=1)

    def start(self):
        start_layers([self.dense, self.up1, self.up2, self.last])

    def forward(self, z, labels=None):
        x = self.act(self.dense(self.classes(z, labels))).view(-1, *self.deepest)
        return self.last(self.act(self.up2(self.act(self.up1(x)))))

    def arrays(self):
        return (self.classes.arrays() + arrays_of("dense", self.dense, made=self.deepest) +
                arrays_of("up1", self.up1) + arrays_of("up2", self.up2) + arrays_of("last", self.last))


class Discriminator(nn.Module):
    """[N,C,H,W], labels [N] -> logits [N,1]"""

    def __init__(self, picture, filters, features, classes):
        super().__init__()
        self.deepest, self.act = (4 * filters, picture[1] // 4, picture[2] // 4), nn.LeakyReLU(0.2)
        self.conv1 = nn.Conv2d(picture[0], filters, 4, 2, 1)
        self.conv2 = nn.Conv2d(filters, 2 * filters, 4, 2, 1)
        self.conv3 = nn.Conv2d(2 * filters, 4 * filters, 3, padding=1)
        self.dense = nn.Linear(math.prod(self.deepest), features)
        self.last = nn.Linear(features, 1)
        self.classes = ClassProjection(classes, features)

    def start(self):
        start_layers([self.conv1, self.conv2, self.conv3, self.dense, self.last])
        self.classes.start()

    def forward(self, x, labels=None):
        for convolution in (self.conv1, self.conv2, self.conv3):
            x = self.act(convolution(x))
        features = self.act(self.dense(x.flatten(1)))
        return self.classes(features, self.last(features), labels)

    def arrays(self):
        return (arrays_of("conv1", self.conv1) + arrays_of("conv2", self.conv2) + arrays_of("conv3", self.conv3) +
                arrays_of("dense", self.dense, taken=self.deepest) + arrays_of("last", self.last) +
                self.classes.arrays())
