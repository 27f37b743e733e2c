"""The preset `vae` in plain PyTorch: the peer that Duel's speed is compared with. Written as torch_gan.py is.

    vae = Vae(pictures, batch=128, seed=0)
    loss = vae.step(indices)     # a tensor: the negative ELBO of a picture, in nats
"""
import copy
import math

import torch
import torch.nn as nn
import torch.nn.functional as F

LATENT = 20
FILTERS = 16
EMA_DECAY = 0.99
LOWEST_LOG_SIGMA = math.log(2) - 6  # as pictures are in -1..1


class Encoder(nn.Module):
    def __init__(self, side):
        super().__init__()
        self.layers = nn.Sequential(nn.Conv2d(1, FILTERS, 3, 1, 1), nn.ReLU(), nn.Conv2d(FILTERS, 2 * FILTERS, 4, 2, 1), nn.ReLU(),
                                    nn.Conv2d(2 * FILTERS, 4 * FILTERS, 5, 2, 2), nn.ReLU(), nn.Flatten(),
                                    nn.Linear(4 * FILTERS * (side // 4) ** 2, 2 * LATENT))

    def forward(self, x):
        return self.layers(x).float().split(LATENT, 1)


class Decoder(nn.Module):
    def __init__(self, side):
        super().__init__()
        deepest = (4 * FILTERS, side // 4, side // 4)
        self.layers = nn.Sequential(nn.Linear(LATENT, math.prod(deepest)), nn.ReLU(), nn.Unflatten(1, deepest),
                                    nn.ConvTranspose2d(4 * FILTERS, 2 * FILTERS, 6, 2, 2), nn.ReLU(),
                                    nn.ConvTranspose2d(2 * FILTERS, FILTERS, 6, 2, 2), nn.ReLU(),
                                    nn.ConvTranspose2d(FILTERS, 1, 5, 1, 2), nn.Sigmoid())

    def forward(self, z):
        return 2 * self.layers(z) - 1


class Vae:
    def __init__(self, pictures, batch, seed, precision="fp32", device="cpu", channels_last=False, **adam):
        torch.manual_seed(seed)
        self.pictures, self.batch, self.device, self.precision = pictures.to(device), batch, device, precision
        side = pictures.shape[-1]
        layout = torch.channels_last if channels_last else torch.contiguous_format
        self.networks = nn.ModuleList([Encoder(side), Decoder(side)]).to(device, memory_format=layout)
        self.layout = layout
        self.averages = copy.deepcopy(self.networks).requires_grad_(False)
        self.optimizer = torch.optim.Adam(self.networks.parameters(), lr=1e-3, betas=(0.9, 0.999), eps=1e-8, **adam)

    def step(self, indices):
        encoder, decoder = self.networks
        x = (self.pictures[indices].float() / 127.5 - 1).contiguous(memory_format=self.layout)
        with torch.autocast(self.device, torch.bfloat16, enabled=self.precision == "bf16"):
            mean, log_variance = encoder(x)
            again = decoder(mean + torch.randn_like(mean) * (0.5 * log_variance).exp()).float()
        mse = (again - x).square().mean()
        divergence = -0.5 * (1 + log_variance - mean.square() - log_variance.exp()).sum(1).mean()
        log_sigma = LOWEST_LOG_SIGMA + F.softplus(0.5 * mse.log() - LOWEST_LOG_SIGMA)
        loss = divergence + x[0].numel() * (log_sigma + 0.5 * math.log(2 * math.pi) + 0.5 * mse * (-2 * log_sigma).exp())
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.optimizer.step()
        with torch.no_grad():
            torch._foreach_lerp_(list(self.averages.parameters()), list(self.networks.parameters()), 1 - EMA_DECAY)
        return loss.detach()
