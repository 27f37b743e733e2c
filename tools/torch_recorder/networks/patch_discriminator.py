"""engine/models/patch_discriminator.h"""

from torch import nn

from .start import start_mixed
from ..arrays import arrays_of


class PatchDiscriminator(nn.Module):
    """[N,C,H,W] -> logits [N,1,h,w]"""

    def __init__(self, channels, filters, halvings=3, is_normalized=False):
        super().__init__()
        widths = [channels, *(filters * 2 ** min(i, 3) for i in range(halvings + 1))]
        normed = [is_normalized and i > 0 for i in range(halvings + 1)]
        self.act = nn.LeakyReLU(0.2)
        self.convolutions = nn.ModuleList(
            nn.Conv2d(taken, made, 4, 2 if i < halvings else 1, 1, bias=not normed[i])
            for i, (taken, made) in enumerate(zip(widths, widths[1:])))
        self.norms = nn.ModuleList(nn.InstanceNorm2d(made, affine=True) if has_norm else nn.Identity()
                                   for has_norm, made in zip(normed, widths[1:]))
        self.last = nn.Conv2d(widths[-1], 1, 4, 1, 1)

    def start(self):
        start_mixed(self)

    def forward(self, x):
        for convolution, norm in zip(self.convolutions, self.norms):
            x = self.act(norm(convolution(x)))
        return self.last(x)

    def arrays(self):
        arrays = []
        for i, (convolution, norm) in enumerate(zip(self.convolutions, self.norms)):
            arrays += arrays_of(f"conv{i + 1}", convolution)
            if isinstance(norm, nn.InstanceNorm2d):
                arrays += arrays_of(f"conv{i + 1}/norm", norm)
        return arrays + arrays_of("last", self.last)
