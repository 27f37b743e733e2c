"""engine/models/translator.h and place_projector.h, and how engine/nn/patch_contrast.h compares places."""

import math

import torch
import torch.nn.functional as F
from torch import nn

from ..arrays import arrays_of


class Halve(nn.Module):
    """Through [1,2,1] / 4 along both axes, margins mirrored."""

    def forward(self, x):
        taps = torch.tensor([0.25, 0.5, 0.25], dtype=x.dtype)
        filters = torch.outer(taps, taps).expand(x.shape[1], 1, 3, 3)
        return F.conv2d(F.pad(x, (1, 1, 1, 1), mode="reflect"), filters, stride=2, groups=x.shape[1])


class Translator(nn.Module):
    """[N,C,H,W] -> [N,C,H,W], and the maps that places are compared by"""

    def __init__(self, channels, filters, blocks):
        super().__init__()
        self.relu, self.halve = nn.ReLU(), Halve()

        def conv(taken, made, kernel=3, padding=0, bias=False):
            return nn.Conv2d(taken, made, kernel, padding=padding, bias=bias)

        wide = 4 * filters
        self.first = conv(channels, filters, 7)
        self.down = nn.ModuleList([conv(filters, 2 * filters, padding=1), conv(2 * filters, wide, padding=1)])
        self.blocks = nn.ModuleList(nn.ModuleList([conv(wide, wide), conv(wide, wide)]) for _ in range(blocks))
        self.up = nn.ModuleList([conv(wide, 2 * filters, padding=1), conv(2 * filters, filters, padding=1)])
        self.last = conv(filters, channels, 7, bias=True)

    def active(self, x):
        return self.relu(F.instance_norm(x))

    def forward(self, pictures):
        def mirrored(x, margin):
            return F.pad(x, (margin,) * 4, mode="reflect")

        features = [pictures]
        x = self.active(self.first(mirrored(pictures, 3)))
        for conv in self.down:
            features.append(conv(x))
            x = self.halve(self.active(features[-1]))
        for i, (first, second) in enumerate(self.blocks):
            x = x + F.instance_norm(second(mirrored(self.active(first(mirrored(x, 1))), 1)))
            if i in (0, (len(self.blocks) - 1) // 2):
                features.append(x)
        for conv in self.up:
            x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
            x = self.active(conv(x))
        return torch.tanh(self.last(mirrored(x, 3))), features

    def arrays(self):
        arrays = arrays_of("first", self.first)
        for i, conv in enumerate(self.down):
            arrays += arrays_of(f"down{i + 1}", conv)
        for i, (first, second) in enumerate(self.blocks):
            arrays += arrays_of(f"block{i + 1}/first", first) + arrays_of(f"block{i + 1}/second", second)
        for i, conv in enumerate(self.up):
            arrays += arrays_of(f"up{i + 1}", conv)
        return arrays + arrays_of("last", self.last)


class PlaceProjector(nn.Module):
    """Rows of each map, [R,C] -> [R,width], as long as 1"""

    def __init__(self, channels, width):
        super().__init__()
        self.relu = nn.ReLU()
        self.maps = nn.ModuleList(nn.ModuleList([nn.Linear(each, width), nn.Linear(width, width)]) for each in channels)

    def forward(self, rows):
        made = [second(self.relu(first(x))) for (first, second), x in zip(self.maps, rows)]
        return [x * torch.rsqrt(x.square().sum(1, keepdim=True) + 1e-12) for x in made]

    def arrays(self):
        return [array for i, (first, second) in enumerate(self.maps)
                for array in arrays_of(f"map{i + 1}/first", first) + arrays_of(f"map{i + 1}/second", second)]


def channels_of_features(channels, filters, blocks):
    wide = 4 * filters
    return [channels, 2 * filters, wide, wide] + ([wide] if (blocks - 1) // 2 > 0 else [])


def cells_of(places, height, width):
    """(rows, columns)"""
    scale = min(1.0, math.sqrt(places / (height * width)))
    rows, columns = max(1, int(height * scale + 1e-9)), max(1, int(width * scale + 1e-9))
    rows = min(rows, max(1, places // columns))
    return rows, min(columns, places // rows)


def places_in_cells(uniform):
    """[N,rows,columns,2] of U(0, 1) as places for grid_sample."""
    rows, columns = uniform.shape[1:3]
    across = (torch.arange(columns, dtype=uniform.dtype) + uniform[..., 0]) * 2 / columns - 1
    down = (torch.arange(rows, dtype=uniform.dtype).reshape(-1, 1) + uniform[..., 1]) * 2 / rows - 1
    return torch.stack([across, down], 3)


def features_at(features, places):
    """[N rows columns, C]"""
    found = F.grid_sample(features, places, mode="bilinear", padding_mode="border", align_corners=False)
    return found.permute(0, 2, 3, 1).reshape(-1, features.shape[1])


def contrast_losses(queries, keys, places, temperature):
    """The cross-entropy of each place's own key among those of its picture."""
    queries, keys = (x.reshape(-1, places, x.shape[1]) for x in (queries, keys))
    logits = queries @ keys.transpose(1, 2) / temperature
    own = torch.arange(places).expand(len(queries), places)
    return F.cross_entropy(logits.reshape(-1, places), own.reshape(-1), reduction="none")
