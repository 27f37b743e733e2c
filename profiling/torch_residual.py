"""The networks and the step of the preset `residual` in plain PyTorch, at any size: the peer that Duel's speed is compared
with. Written as R3GAN's own code is, whose FIR filters are depthwise convolutions where no plugin of its is built.

    python3 profiling/torch_residual.py --side 64 --widths 64 64 64 32 16 --batch 32

prints one line of JSON. Duel's step: duel bench step --preset residual --set data.source=synthetic
--set data.synthetic_height=64 --set data.synthetic_width=64 --set data.synthetic_channels=3
--set model.widths=[64,64,64,32,16] --set model.blocks=2
"""
import argparse
import json
import math
import statistics

import torch
import torch.nn as nn
import torch.nn.functional as F

from peer_timing import time_steps

CLASSES, LATENT, BLOCKS, GROUP_CHANNELS = 10, 64, 2, 16
GAMMA, RATE, EMA_DECAY = 0.5, 5e-4, 0.998


class Resample(nn.Module):
    def __init__(self, up, channels):
        super().__init__()
        taps = torch.tensor([1.0, 3.0, 3.0, 1.0]) / 8
        self.up = up
        self.register_buffer("taps", (torch.outer(taps, taps) * (4 if up else 1)).expand(channels, 1, 4, 4).contiguous())

    def forward(self, x):
        n, c, h, w = x.shape
        taps = self.taps.to(x.dtype)
        if not self.up:
            return F.conv2d(x, taps, stride=2, padding=1, groups=c)
        spread = F.pad(x.view(n, c, h, 1, w, 1), (0, 1, 0, 0, 0, 1)).view(n, c, 2 * h, 2 * w)
        return F.conv2d(F.pad(spread, (2, 1, 2, 1)), taps, groups=c)


class BiasedActivation(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x):
        return F.leaky_relu(x + self.bias.view(1, -1, 1, 1), 0.2)


def start(layer, gain=1.0):
    nn.init.normal_(layer.weight, 0, gain / math.sqrt(layer.weight[0].numel()))
    return layer


class Block(nn.Module):
    def __init__(self, channels, blocks):
        super().__init__()
        inner, gain = 2 * channels, math.sqrt(2 / 1.04) * blocks ** -0.25
        self.layers = nn.Sequential(
            start(nn.Conv2d(channels, inner, 1, bias=False), gain), BiasedActivation(inner),
            start(nn.Conv2d(inner, inner, 3, padding=1, groups=inner // GROUP_CHANNELS, bias=False), gain),
            BiasedActivation(inner), start(nn.Conv2d(inner, channels, 1, bias=False), 0.0))

    def forward(self, x):
        return x + self.layers(x)


def change(taken, made):
    return [] if taken == made else [start(nn.Conv2d(taken, made, 1, bias=False))]


class Generator(nn.Module):
    def __init__(self, side, widths):
        super().__init__()
        smallest, blocks = side >> (len(widths) - 1), BLOCKS * len(widths)
        self.classes = start(nn.Linear(CLASSES, LATENT, bias=False))
        self.picture = nn.Parameter(torch.randn(widths[0], smallest, smallest))
        self.dense = start(nn.Linear(2 * LATENT, widths[0], bias=False))
        layers = []
        for i, width in enumerate(widths):
            layers += [*change(widths[i - 1], width), Resample(True, width)] if i else []
            layers += [Block(width, blocks) for _ in range(BLOCKS)]
        self.layers = nn.Sequential(*layers, start(nn.Conv2d(widths[-1], 3, 1, bias=False)))

    def forward(self, z, classes):
        return self.layers(self.picture * self.dense(torch.cat([z, self.classes(classes)], 1))[:, :, None, None])


class Discriminator(nn.Module):
    def __init__(self, side, widths):
        super().__init__()
        smallest, blocks, deepest = side >> (len(widths) - 1), BLOCKS * len(widths), widths[0]
        layers = [start(nn.Conv2d(3, widths[-1], 1, bias=False))]
        for i in reversed(range(len(widths))):
            layers += [Block(widths[i], blocks) for _ in range(BLOCKS)]
            layers += [Resample(False, widths[i]), *change(widths[i], widths[i - 1])] if i else []
        layers += [start(nn.Conv2d(deepest, deepest, smallest, groups=deepest, bias=False)), nn.Flatten(),
                   start(nn.Linear(deepest, deepest, bias=False))]
        self.layers = nn.Sequential(*layers)
        self.classes = start(nn.Linear(CLASSES, deepest, bias=False), 1 / math.sqrt(deepest))

    def forward(self, x, classes):
        return (self.layers(x).float() * self.classes(classes)).sum(1)


class Residual:
    def __init__(self, side, widths, batch, precision, channels_last):
        torch.manual_seed(0)
        self.batch, self.precision = batch, precision
        self.layout = torch.channels_last if channels_last else torch.contiguous_format
        self.pictures = torch.randint(0, 256, (1024, 3, side, side), dtype=torch.uint8)
        self.labels = F.one_hot(torch.randint(0, CLASSES, (1024,)), CLASSES).float()
        self.generator, self.discriminator = (kind(side, widths).to(memory_format=self.layout)
                                              for kind in (Generator, Discriminator))
        self.average = [parameter.detach().clone() for parameter in self.generator.parameters()]
        self.g_optimizer, self.d_optimizer = (torch.optim.Adam(net.parameters(), lr=RATE, betas=(0.0, 0.99), eps=1e-8, foreach=True)
                                              for net in (self.generator, self.discriminator))

    def reals(self):
        indices = torch.randint(0, len(self.pictures), (self.batch,))
        return (self.pictures[indices].float() / 127.5 - 1).contiguous(memory_format=self.layout), self.labels[indices]

    def autocast(self):
        return torch.autocast("cpu", torch.bfloat16, enabled=self.precision == "bf16")

    def step(self):
        real, classes = self.reals()
        with torch.no_grad(), self.autocast():
            fake = self.generator(torch.randn(self.batch, LATENT), classes).float()
        both = torch.cat([real, fake]).requires_grad_()
        self.d_optimizer.zero_grad()
        with self.autocast():
            logits = self.discriminator(both, torch.cat([classes, classes]))
        slope, = torch.autograd.grad(logits.sum(), both, create_graph=True)
        loss = F.softplus(logits[self.batch:] - logits[:self.batch]).mean() + GAMMA / 2 * slope.square().sum() / self.batch
        loss.backward()
        self.d_optimizer.step()

        self.discriminator.requires_grad_(False)
        self.g_optimizer.zero_grad()
        real, classes = self.reals()
        with self.autocast():
            judged = self.discriminator(self.generator(torch.randn(self.batch, LATENT), classes).float(), classes)
        with torch.no_grad(), self.autocast():
            truth = self.discriminator(real, classes)
        F.softplus(truth - judged).mean().backward()
        self.g_optimizer.step()
        self.discriminator.requires_grad_(True)
        with torch.no_grad():
            torch._foreach_lerp_(self.average, list(self.generator.parameters()), 1 - EMA_DECAY)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--widths", type=int, nargs="+", default=[64, 64, 64, 32, 16])
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=10)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    model = Residual(options.side, options.widths, options.batch, options.precision, options.channels_last)
    windows = time_steps(model.step, lambda: None, options.seconds)
    print(json.dumps({**vars(options), "ms_median": statistics.median(windows), "ms_min": min(windows),
                      "windows": len(windows), "torch": torch.__version__}))


if __name__ == "__main__":
    main()
