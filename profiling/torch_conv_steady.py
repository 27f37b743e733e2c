"""The preset `conv-steady` in plain PyTorch: the peer that Duel's speed is compared with. Written as torch_gan.py is.

    gan = ConvSteady(pictures, labels, batch=64, seed=0)   # labels: of 0..9, or None: without classes
    d_loss, g_loss = gan.step(indices, fresh_indices)      # of both losses' reals; tensors
"""
import copy
import math

import torch
import torch.nn as nn
import torch.nn.functional as F

CLASSES, LATENT, FILTERS, FEATURES = 10, 64, 32, 128
GAMMA, RATE, EMA_DECAY = 0.5, 5e-4, 0.998


def act(x):
    return F.leaky_relu(x, 0.2)


class Generator(nn.Module):
    def __init__(self, side, by_class):
        super().__init__()
        self.side = side // 4
        self.classes = nn.Embedding(CLASSES, LATENT) if by_class else None
        self.dense = nn.Linear(LATENT * (2 if by_class else 1), 4 * FILTERS * self.side**2)
        self.up1 = nn.ConvTranspose2d(4 * FILTERS, 2 * FILTERS, 4, 2, 1)
        self.up2 = nn.ConvTranspose2d(2 * FILTERS, FILTERS, 4, 2, 1)
        self.last = nn.Conv2d(FILTERS, 1, 3, padding=1)

    def forward(self, z, classes):
        if self.classes is not None:
            z = torch.cat([z, self.classes(classes)], 1)
        x = act(self.dense(z)).view(-1, 4 * FILTERS, self.side, self.side)
        return self.last(act(self.up2(act(self.up1(x)))))


class Discriminator(nn.Module):
    def __init__(self, side, by_class):
        super().__init__()
        self.convolutions = nn.ModuleList([nn.Conv2d(1, FILTERS, 4, 2, 1), nn.Conv2d(FILTERS, 2 * FILTERS, 4, 2, 1),
                                           nn.Conv2d(2 * FILTERS, 4 * FILTERS, 3, padding=1)])
        self.dense = nn.Linear(4 * FILTERS * (side // 4) ** 2, FEATURES)
        self.last = nn.Linear(FEATURES, 1)
        self.classes = nn.Embedding(CLASSES, FEATURES) if by_class else None
        if by_class:
            nn.init.normal_(self.classes.weight, 0, 1 / math.sqrt(FEATURES))

    def forward(self, x, classes):
        for convolution in self.convolutions:
            x = act(convolution(x))
        features = act(self.dense(x.flatten(1).float()))
        logits = self.last(features)[:, 0]
        return logits if self.classes is None else logits + (features * self.classes(classes)).sum(1)


class ConvSteady:
    def __init__(self, pictures, labels, batch, seed, precision="fp32", device="cpu", channels_last=False, **adam):
        torch.manual_seed(seed)
        self.pictures, self.batch, self.device, self.precision = pictures.to(device), batch, device, precision
        self.labels = None if labels is None else labels.to(device)
        self.layout = torch.channels_last if channels_last else torch.contiguous_format
        side, by_class = pictures.shape[-1], labels is not None
        self.generator = Generator(side, by_class).to(device, memory_format=self.layout)
        self.discriminator = Discriminator(side, by_class).to(device, memory_format=self.layout)
        self.average = copy.deepcopy(self.generator).requires_grad_(False)
        foreach = {} if "fused" in adam else {"foreach": True}
        self.g_optimizer, self.d_optimizer = (
            torch.optim.Adam(network.parameters(), lr=RATE, betas=(0.0, 0.99), eps=1e-8, **foreach, **adam)
            for network in (self.generator, self.discriminator))

    def _autocast(self):
        return torch.autocast(self.device, torch.bfloat16, enabled=self.precision == "bf16")

    def _noise(self):
        return torch.randn(self.batch, LATENT, device=self.device)

    def _reals(self, indices):
        pictures = (self.pictures[indices].float() / 127.5 - 1).contiguous(memory_format=self.layout)
        return pictures, None if self.labels is None else self.labels[indices]

    def step(self, indices, fresh_indices):
        real, classes = self._reals(indices)
        with torch.no_grad(), self._autocast():
            fake = self.generator(self._noise(), classes).float()
        both = torch.cat([real, fake]).requires_grad_()
        self.d_optimizer.zero_grad()
        with self._autocast():
            logits = self.discriminator(both, None if classes is None else torch.cat([classes, classes]))
        slope, = torch.autograd.grad(logits.sum(), both, create_graph=True)
        d_loss = F.softplus(logits[self.batch:] - logits[:self.batch]).mean() + GAMMA / 2 * slope.square().sum() / self.batch
        d_loss.backward()
        self.d_optimizer.step()

        self.discriminator.requires_grad_(False)
        self.g_optimizer.zero_grad()
        real, classes = self._reals(fresh_indices)
        with self._autocast():
            judged = self.discriminator(self.generator(self._noise(), classes).float(), classes)
        with torch.no_grad(), self._autocast():
            truth = self.discriminator(real, classes)
        g_loss = F.softplus(truth - judged).mean()
        g_loss.backward()
        self.g_optimizer.step()
        self.discriminator.requires_grad_(True)
        with torch.no_grad():
            torch._foreach_lerp_(list(self.average.parameters()), list(self.generator.parameters()), 1 - EMA_DECAY)
        return d_loss.detach(), g_loss.detach()
