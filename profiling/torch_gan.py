"""The presets `classic` and `steady` in plain PyTorch: the peer that Duel's speed and curves are compared with.

Written as a good user of PyTorch would: the pictures stay in memory as uint8 and are gathered there, real and fake
go through the discriminator as one batch, the weights of a frozen network get no gradient, and nothing in a step
waits for a number (no .item()). Runs on Debian's PyTorch 1.13 and on newer ones.

    gan = Gan("classic", pictures, batch=64, seed=0)
    result = gan.step(indices, fresh_indices)     # tensors; the gradients stay in .grad until the next step
"""
import copy
import gzip
import math
import os
import struct
from dataclasses import dataclass

import numpy
import torch
import torch.nn as nn
import torch.nn.functional as F

LATENT = 100
GENERATOR_WIDTHS = (128, 256, 512, 1024)
SIDE = 28  # pixels; the two networks are made for pictures of 28 x 28, one channel


@dataclass(frozen=True)
class Recipe:
    learning_rate: float
    betas: tuple
    epsilon: float
    leaky_slope: float  # of the discriminator's activations; 0: ReLU
    gamma: float        # of R1 and R2; 0: no penalty
    ema_decay: float    # of the generator's moving average; 0: none


RECIPES = {
    "classic": Recipe(1e-4, (0.9, 0.999), 1e-7, leaky_slope=0.0, gamma=0.0, ema_decay=0.0),
    "steady": Recipe(5e-4, (0.0, 0.99), 1e-7, leaky_slope=0.2, gamma=0.5, ema_decay=0.99),
}


@dataclass
class StepResult:
    """Detached tensors of one step: two scalars, and the discriminator's logits in its own phase, [batch, 1] each."""
    d_loss: torch.Tensor
    g_loss: torch.Tensor
    real_logits: torch.Tensor
    fake_logits: torch.Tensor


def build_generator():
    layers, width = [], LATENT
    for wider in GENERATOR_WIDTHS:
        layers += [nn.Linear(width, wider), nn.ReLU()]
        width = wider
    return nn.Sequential(*layers, nn.Linear(width, SIDE * SIDE), nn.Tanh(), nn.Unflatten(1, (1, SIDE, SIDE)))


def build_discriminator(leaky_slope):
    def activation():
        return nn.LeakyReLU(leaky_slope) if leaky_slope else nn.ReLU()

    return nn.Sequential(nn.Conv2d(1, 32, 3, padding=1), activation(),
                         nn.Conv2d(32, 64, 3, padding=1), activation(),
                         nn.Flatten(),
                         nn.Linear(64 * SIDE * SIDE, 128), activation(),
                         nn.Linear(128, 1))


def initialise(network):
    """Glorot uniform weights, zero biases."""
    for module in network.modules():
        if isinstance(module, (nn.Linear, nn.Conv2d)):
            nn.init.xavier_uniform_(module.weight)
            nn.init.zeros_(module.bias)


def gradient_norm(network):
    """The norm over all parameters of the gradients that the last step left, a scalar tensor."""
    return torch.sqrt(sum(p.grad.square().sum() for p in network.parameters()))


class Gan:
    """Both networks, their optimisers, and one training step of a preset."""

    def __init__(self, preset, pictures, batch=64, seed=0, precision="fp32", device="cpu", channels_last=False, **adam):
        """pictures: uint8 [count, 1, 28, 28]; they are held on the device. precision "bf16" runs forward and losses under
        autocast. adam: further arguments of the optimisers, such as fused=True."""
        self.recipe = RECIPES[preset]
        self.device = torch.device(device)
        self.pictures = pictures.to(self.device)
        self.batch = batch
        self.bf16 = precision == "bf16"
        self._step = {"classic": self._classic_step, "steady": self._steady_step}[preset]

        torch.manual_seed(seed)
        self.generator = build_generator()
        self.discriminator = build_discriminator(self.recipe.leaky_slope)
        initialise(self.generator)
        initialise(self.discriminator)
        layout = torch.channels_last if channels_last else torch.contiguous_format
        self.generator.to(self.device)
        self.discriminator.to(self.device, memory_format=layout)
        # What samples are drawn from: the moving average where the recipe has one.
        self.average = copy.deepcopy(self.generator).requires_grad_(False) if self.recipe.ema_decay else self.generator
        settings = {"lr": self.recipe.learning_rate, "betas": self.recipe.betas, "eps": self.recipe.epsilon, **adam}
        self.g_optimizer = torch.optim.Adam(self.generator.parameters(), **settings)
        self.d_optimizer = torch.optim.Adam(self.discriminator.parameters(), **settings)

    def step(self, indices, fresh_indices=None):
        """Trains once: indices are the discriminator's reals, fresh_indices those of steady's generator loss."""
        return self._step(indices, fresh_indices)

    def sample(self, latents):
        """Pictures of the given latents, uint8 [count, 28, 28]."""
        with torch.no_grad():
            pictures = self.average(latents)[:, 0]
        return ((pictures + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)

    def _reals(self, indices):
        return self.pictures[indices].float().div_(127.5).sub_(1)

    def _noise(self):
        return torch.randn(self.batch, LATENT, device=self.device)

    def _autocast(self):
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.bf16)

    def _both(self, indices):
        """Reals, then fakes without a graph: one batch for the discriminator's phase."""
        with torch.no_grad(), self._autocast():
            fakes = self.generator(self._noise())
        return torch.cat([self._reals(indices), fakes.float()])

    @staticmethod
    def _update(network, optimizer, loss):
        """One Adam update of the network; only its own gradients are worked out, not those of pixels."""
        optimizer.zero_grad(set_to_none=True)
        loss.backward(inputs=list(network.parameters()))
        optimizer.step()
        return loss.detach()

    def _classic_step(self, indices, _):
        both = self._both(indices)
        with self._autocast():
            logits = self.discriminator(both).float()
        real, fake = logits.split(self.batch)
        # Binary cross entropy of a logit: softplus(-x) against 1, softplus(x) against 0.
        d_loss = 0.5 * (F.softplus(-real).mean() + F.softplus(fake).mean())
        d_loss = self._update(self.discriminator, self.d_optimizer, d_loss)

        self.discriminator.requires_grad_(False)
        with self._autocast():
            judged = self.discriminator(self.generator(self._noise())).float()
        g_loss = F.softplus(-judged).mean()
        g_loss = self._update(self.generator, self.g_optimizer, g_loss)
        self.discriminator.requires_grad_(True)
        return StepResult(d_loss, g_loss, real.detach(), fake.detach())

    def _steady_step(self, indices, fresh_indices):
        both = self._both(indices).requires_grad_(True)
        with self._autocast():
            logits = self.discriminator(both).float()
        real, fake = logits.split(self.batch)
        # No picture's logit depends on another picture, so one gradient of the sum serves R1 and R2.
        pixel_gradient, = torch.autograd.grad(logits.sum(), both, create_graph=True)
        penalty = pixel_gradient.square().sum() / self.batch  # R1 + R2
        d_loss = F.softplus(fake - real).mean() + 0.5 * self.recipe.gamma * penalty
        d_loss = self._update(self.discriminator, self.d_optimizer, d_loss)

        self.discriminator.requires_grad_(False)
        with self._autocast():
            with torch.no_grad():
                fresh = self.discriminator(self._reals(fresh_indices)).float()
            judged = self.discriminator(self.generator(self._noise())).float()
        g_loss = F.softplus(fresh - judged).mean()
        g_loss = self._update(self.generator, self.g_optimizer, g_loss)
        self.discriminator.requires_grad_(True)

        with torch.no_grad():
            for mean, weight in zip(self.average.parameters(), self.generator.parameters()):
                mean.lerp_(weight, 1 - self.recipe.ema_decay)
        return StepResult(d_loss, g_loss, real.detach(), fake.detach())


def read_idx(path, header):
    """A file of IDX, plain or gzip: its header's numbers and its bytes. `header`: its magic number and its extents."""
    if os.path.exists(path + ".gz"):
        with gzip.open(path + ".gz") as file:
            content = file.read()
    else:
        with open(path, "rb") as file:
            content = file.read()
    magic, extents = header
    begin = 4 * (1 + extents)
    if len(content) < begin:
        raise ValueError(f"{path}: shorter than an IDX header")
    numbers = struct.unpack_from(f">{1 + extents}i", content)
    if numbers[0] != magic or len(content) != begin + math.prod(numbers[1:]):
        raise ValueError(f"{path}: not an IDX file of magic number {magic:#x}")
    return numpy.frombuffer(content, numpy.uint8, offset=begin).reshape(numbers[1:])


def load_pictures(folder):
    """The training pictures of a folder of IDX files, plain or gzip, uint8 [count, 1, height, width]."""
    pixels = read_idx(os.path.join(folder, "train-images-idx3-ubyte"), (0x803, 3))
    return torch.from_numpy(pixels[:, None].copy())


def load_labels(folder):
    """Their labels, int64 [count]."""
    return torch.from_numpy(read_idx(os.path.join(folder, "train-labels-idx1-ubyte"), (0x801, 1)).astype(numpy.int64))


def shuffled_batches(count, batch, seed):
    """Yields index batches for ever, each epoch in a new order without replacement; a last partial batch is dropped."""
    random = torch.Generator().manual_seed(seed)
    while True:
        order = torch.randperm(count, generator=random)
        yield from order[:count - count % batch].split(batch)
