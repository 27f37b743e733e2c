"""host/recipes/vae.h: an encoder and a decoder, both updated by one loss with an optimal sigma (engine/models/vae.h)."""

import math

import torch
import torch.nn.functional as F

from ..networks import vae
from .recipe import Draw, Phase

LOWEST_LOG_SIGMA = math.log(2) - 6


class Vae:
    has_labels = False

    def __init__(self, config, classes):
        self.config = config

    def networks(self):
        config = self.config
        return {name: network(config.picture(), config["model.latent"], config["model.filters"])
                for name, network in (("encoder", vae.Encoder), ("decoder", vae.Decoder))}

    def phases(self, draw):
        def pass_reals(networks, rows, draws, places):
            return networks.through("encoder", networks.pictures(rows))[1]

        def pass_noise(networks, rows, draws, places):
            _, z = self.encoded(networks, draws["reals"][places], rows)
            return networks.through("decoder", z)[1]

        decay = self.config.schedule("optimizer.ema_decay")
        return [Phase("main", ("encoder", "decoder"), "loss",
                      [Draw("reals", draw.pixels, pass_reals), Draw("noise", draw.latents, pass_noise)], self.loss,
                      self.config.schedule("optimizer.learning_rate"), averages={"encoder": decay, "decoder": decay})]

    @staticmethod
    def encoded(networks, pixels, noise):
        """The posterior (mean, log variance), and a sample of it that gradients pass through."""
        mean, log_variance = networks["encoder"](networks.pictures(pixels))
        return (mean, log_variance), mean + noise.to(networks.dtype) * torch.exp(log_variance / 2)

    def loss(self, networks, draws, step):
        x = networks.pictures(draws["reals"])
        (mean, log_variance), z = self.encoded(networks, draws["reals"], draws["noise"])
        mse = (x - networks["decoder"](z)).square().mean()
        divergence = (-0.5 * (1 + log_variance - mean.square() - log_variance.exp())).sum(1).mean()
        log_sigma = LOWEST_LOG_SIGMA + F.softplus(mse.log() / 2 - LOWEST_LOG_SIGMA)
        cost = log_sigma + 0.5 * math.log(2 * math.pi) + mse / (2 * torch.exp(2 * log_sigma))
        return divergence + x[0].numel() * cost
