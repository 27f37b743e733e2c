"""engine/models/unet.h"""

import torch
from torch import nn

from .start import start_mixed
from ..arrays import arrays_of


def levels_of(height, width):
    """How often both can be halved, at most 8 times."""
    levels = 0
    while levels < 8 and height % (2 << levels) == 0 and width % (2 << levels) == 0:
        levels += 1
    return levels


class Unet(nn.Module):
    """[N,C,H,W] -> [N,K,H,W]"""

    def __init__(self, inputs, outputs, filters, levels):
        super().__init__()
        widths = [filters * 2 ** min(i, 3) for i in range(levels)]
        self.leaky, self.relu = nn.LeakyReLU(0.2), nn.ReLU()
        normed = [0 < i < levels - 1 for i in range(levels)]
        self.downs = nn.ModuleList(nn.Conv2d(taken, made, 4, 2, 1, bias=not has_norm)
                                   for taken, made, has_norm in zip([inputs, *widths], widths, normed))
        self.down_norms = nn.ModuleList(nn.InstanceNorm2d(made, affine=True) if has_norm else nn.Identity()
                                        for made, has_norm in zip(widths, normed))
        back = widths[-2::-1]
        self.ups = nn.ModuleList(nn.ConvTranspose2d(taken, made, 4, 2, 1, bias=False)
                                 for taken, made in zip([widths[-1], *(2 * width for width in back)], back))
        self.up_norms = nn.ModuleList(nn.InstanceNorm2d(made, affine=True) for made in back)
        self.last = nn.ConvTranspose2d(2 * filters, outputs, 4, 2, 1)

    def start(self):
        start_mixed(self)

    def forward(self, x):
        made = []
        for down, norm in zip(self.downs, self.down_norms):
            x = norm(down(self.leaky(x) if made else x))
            made.append(x)
        x = self.relu(made.pop())
        for up, norm in zip(self.ups, self.up_norms):
            x = torch.cat((self.relu(norm(up(x))), self.relu(made.pop())), 1)
        return self.last(x).tanh()

    def arrays(self):
        arrays = []
        for i, (down, norm) in enumerate(zip(self.downs, self.down_norms)):
            arrays += arrays_of(f"down{i + 1}", down)
            if isinstance(norm, nn.InstanceNorm2d):
                arrays += arrays_of(f"down{i + 1}/norm", norm)
        for i, (up, norm) in enumerate(zip(self.ups, self.up_norms)):
            arrays += arrays_of(f"up{i + 1}", up) + arrays_of(f"up{i + 1}/norm", norm)
        return arrays + arrays_of("last", self.last)
