"""engine/models/unet_discriminator.h"""

from torch import nn
import torch.nn.functional as F

from .spectral_norm import Normalized
from .start import start_layers
from ..arrays import arrays_of

LEVELS = 3


class UnetDiscriminator(nn.Module):
    """[N,C,H,W] -> logits [N,1,H,W]"""

    def __init__(self, channels, filters):
        super().__init__()

        def normalized(taken, made, kernel, stride):
            return Normalized(nn.Conv2d(taken, made, kernel, stride, 1, bias=False))

        self.act, self.first = nn.LeakyReLU(0.2), nn.Conv2d(channels, filters, 3, 1, 1)
        self.down = nn.ModuleList(normalized(filters << i, filters << (i + 1), 4, 2) for i in range(LEVELS))
        self.up = nn.ModuleList(normalized(filters << (i + 1), filters << i, 3, 1) for i in reversed(range(LEVELS)))
        self.more = nn.ModuleList(normalized(filters, filters, 3, 1) for _ in range(2))
        self.last = nn.Conv2d(filters, 1, 3, 1, 1)

    def start(self):
        start_layers([layer for layer in self.modules() if isinstance(layer, nn.Conv2d)])

    def forward(self, x):
        x, made = self.act(self.first(x)), []
        for down in self.down:
            made.append(x)
            x = self.act(down(x))
        for up in self.up:
            x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
            x = self.act(up(x)) + made.pop()
        for more in self.more:
            x = self.act(more(x))
        return self.last(x)

    def parts(self):
        return [(f"down{i + 1}", layer) for i, layer in enumerate(self.down)] + [
            (f"up{LEVELS - i}", layer) for i, layer in enumerate(self.up)] + [
            (f"more{i + 1}", layer) for i, layer in enumerate(self.more)]

    def arrays(self):
        normalized = [array for name, part in self.parts() for array in arrays_of(name, part.layer)]
        return arrays_of("first", self.first) + normalized + arrays_of("last", self.last)

    def running(self):
        return [array for name, part in self.parts() for array in part.running(name)]
