"""engine/models/classic.h: dense layers from latents to pictures, convolutions and dense layers from pictures to logits."""

import math

from torch import nn

from ..arrays import arrays_of


def activation(name, leaky_slope):
    return {"relu": nn.ReLU(), "leaky_relu": nn.LeakyReLU(leaky_slope), "tanh": nn.Tanh(), "sigmoid": nn.Sigmoid()}[name]


def start_anew(layers):
    """Not zero: a bias that is left out must show at once."""
    for layer in layers:
        nn.init.xavier_uniform_(layer.weight)
        nn.init.uniform_(layer.bias, -0.1, 0.1)


class Generator(nn.Module):
    """latents [N,L] -> [N,C,H,W]"""

    def __init__(self, picture, latent, widths, act):
        super().__init__()
        self.picture, self.act = picture, act
        ends = [latent, *widths, math.prod(picture)]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(ends, ends[1:]))

    def start(self):
        start_anew(self.layers)

    def forward(self, z):
        for layer in self.layers[:-1]:
            z = self.act(layer(z))
        return self.layers[-1](z).tanh().view(-1, *self.picture)

    def arrays(self):
        last = len(self.layers) - 1
        return [array for i, layer in enumerate(self.layers)
                for array in arrays_of(f"dense{i + 1}", layer, made=self.picture if i == last else None)]


class Discriminator(nn.Module):
    """[N,C,H,W] -> logits [N,1]"""

    def __init__(self, picture, channels, kernel, widths, act):
        super().__init__()
        self.act = act
        depths = [picture[0], *channels]
        self.convolutions = nn.ModuleList(nn.Conv2d(a, b, kernel, padding=kernel // 2) for a, b in zip(depths, depths[1:]))
        self.deepest = (depths[-1], *picture[1:])
        ends = [math.prod(self.deepest), *widths, 1]
        self.layers = nn.ModuleList(nn.Linear(a, b) for a, b in zip(ends, ends[1:]))

    def start(self):
        start_anew([*self.convolutions, *self.layers])

    def forward(self, x):
        for convolution in self.convolutions:
            x = self.act(convolution(x))
        x = x.flatten(1)
        for layer in self.layers[:-1]:
            x = self.act(layer(x))
        return self.layers[-1](x)  # logits have no activation

    def arrays(self):
        return ([array for i, layer in enumerate(self.convolutions) for array in arrays_of(f"conv{i + 1}", layer)] +
                [array for i, layer in enumerate(self.layers)
                 for array in arrays_of(f"dense{i + 1}", layer, taken=None if i else self.deepest)])
