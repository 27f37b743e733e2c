"""engine/nn/spectral_norm.h and attention.h: layers whose weight is divided by its largest singular value."""

import torch
from torch import nn
import torch.nn.functional as F

from ..arrays import Array, arrays_of


class Normalized(nn.Module):
    """A convolution, transposed or not, whose weight [K,...] counts as a matrix of K rows; one step of the power iteration
    a pass, whose vectors are constants to the gradient."""

    def __init__(self, layer):
        super().__init__()
        self.layer = layer
        self.register_buffer("u", torch.ones(layer.weight.shape[0]))

    def normalized(self):
        weight = self.layer.weight
        matrix = weight.flatten(1)
        with torch.no_grad():
            v = F.normalize(matrix.t() @ F.normalize(self.u, dim=0), dim=0)
            u = F.normalize(matrix @ v, dim=0)
            self.u.copy_(u)
        return weight / (u @ (matrix @ v))

    def forward(self, x):
        layer, weight = self.layer, self.normalized()
        if isinstance(layer, nn.ConvTranspose2d):
            return F.conv_transpose2d(x, weight, layer.bias, layer.stride, layer.padding)
        return F.conv2d(x, weight, layer.bias, layer.stride, layer.padding)

    def running(self, name):
        return [Array(f"{name}/u", self.u)]


class Attention(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.query, self.key = (Normalized(nn.Conv2d(channels, channels // 8, 1)) for _ in range(2))
        self.value = Normalized(nn.Conv2d(channels, channels, 1))
        self.gamma = nn.Parameter(torch.zeros(1))

    def forward(self, x):
        query, key, value = (layer(x).flatten(2) for layer in (self.query, self.key, self.value))  # [N,C,HW]
        shares = torch.softmax(query.transpose(1, 2) @ key, 2)
        return x + self.gamma * (value @ shares.transpose(1, 2)).view(x.shape)

    def parts(self, name):
        return [(f"{name}/query", self.query), (f"{name}/key", self.key), (f"{name}/value", self.value)]

    def arrays(self, name):
        return ([array for part, layer in self.parts(name) for array in arrays_of(part, layer.layer)] +
                [Array(f"{name}/gamma", self.gamma)])

    def running(self, name):
        return [array for part, layer in self.parts(name) for array in layer.running(part)]
