"""engine/models/msr_resnet.h"""

import torch.nn.functional as F
from torch import nn

from .start import start_mixed
from ..arrays import arrays_of, shuffled_arrays_of


class MsrResnet(nn.Module):
    """[N,C,H,W] -> [N,C,scale H,scale W]"""

    def __init__(self, channels, filters, blocks, scale):
        super().__init__()
        self.scale, self.factor = scale, 3 if scale == 3 else 2
        self.act, self.relu = nn.LeakyReLU(0.1), nn.ReLU()

        def conv(taken, made):
            return nn.Conv2d(taken, made, 3, padding=1)

        self.first = conv(channels, filters)
        self.blocks = nn.ModuleList(nn.ModuleList([conv(filters, filters), conv(filters, filters)]) for _ in range(blocks))
        self.enlarge = nn.ModuleList(conv(filters, self.factor ** 2 * filters) for _ in range(2 if scale == 4 else 1))
        self.large, self.last = conv(filters, filters), conv(filters, channels)

    def start(self):
        start_mixed(self)

    def forward(self, pictures):
        x = self.act(self.first(pictures))
        for first, second in self.blocks:
            x = x + second(self.relu(first(x)))
        for enlarge in self.enlarge:
            x = self.act(F.pixel_shuffle(enlarge(x), self.factor))
        base = F.interpolate(pictures, scale_factor=self.scale, mode="bilinear", align_corners=False)
        return self.last(self.act(self.large(x))) + base

    def arrays(self):
        arrays = arrays_of("first", self.first)
        for i, (first, second) in enumerate(self.blocks):
            arrays += arrays_of(f"block{i + 1}/first", first) + arrays_of(f"block{i + 1}/second", second)
        for i, enlarge in enumerate(self.enlarge):
            arrays += shuffled_arrays_of(f"enlarge{i + 1}", enlarge, self.factor)
        return arrays + arrays_of("large", self.large) + arrays_of("last", self.last)
