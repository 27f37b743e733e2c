"""engine/models/vae.h"""

import math

import torch
from torch import nn

from ..arrays import arrays_of


class Encoder(nn.Module):
    """[N,C,H,W] -> mean and log variance of the posterior, [N,L] each"""

    def __init__(self, picture, latent, filters):
        super().__init__()
        self.latent, self.act = latent, nn.ReLU()
        self.deepest = (4 * filters, picture[1] // 4, picture[2] // 4)
        self.conv1 = nn.Conv2d(picture[0], filters, 3, 1, 1)
        self.conv2 = nn.Conv2d(filters, 2 * filters, 4, 2, 1)
        self.conv3 = nn.Conv2d(2 * filters, 4 * filters, 5, 2, 2)
        self.posterior = nn.Linear(math.prod(self.deepest), 2 * latent)

    def start(self):
        pass  # as PyTorch's layers start

    def forward(self, x):
        for convolution in (self.conv1, self.conv2, self.conv3):
            x = self.act(convolution(x))
        return self.posterior(x.flatten(1)).split(self.latent, 1)

    def arrays(self):
        return (arrays_of("conv1", self.conv1) + arrays_of("conv2", self.conv2) + arrays_of("conv3", self.conv3) +
                arrays_of("posterior", self.posterior, taken=self.deepest))


class Decoder(nn.Module):
    """latents [N,L] -> [N,C,H,W]"""

    def __init__(self, picture, latent, filters):
        super().__init__()
        self.deepest, self.act = (4 * filters, picture[1] // 4, picture[2] // 4), nn.ReLU()
        self.dense = nn.Linear(latent, math.prod(self.deepest))
        self.up1 = nn.ConvTranspose2d(4 * filters, 2 * filters, 6, 2, 2)
        self.up2 = nn.ConvTranspose2d(2 * filters, filters, 6, 2, 2)
        self.last = nn.ConvTranspose2d(filters, picture[0], 5, 1, 2)

    def start(self):
        pass

    def forward(self, z):
        x = self.act(self.dense(z)).view(-1, *self.deepest)
        return 2 * torch.sigmoid(self.last(self.act(self.up2(self.act(self.up1(x)))))) - 1

    def arrays(self):
        return (arrays_of("dense", self.dense, made=self.deepest) + arrays_of("up1", self.up1) +
                arrays_of("up2", self.up2) + arrays_of("last", self.last))
