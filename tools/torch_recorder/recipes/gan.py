"""host/recipes/gan.h: a generator against a discriminator, by class or not."""

from typing import NamedTuple

import torch
import torch.nn.functional as F

from ..networks import classic, conv_steady, dcgan, residual, sagan
from .augmentation import Augmentation
from .recipe import Draw, Phase

DISCRIMINATOR_LOSSES = {
    "bce": lambda real, fake: (F.softplus(-real).mean() + F.softplus(fake).mean()) / 2,
    "lsgan": lambda real, fake: ((real - 1).square().mean() + fake.square().mean()) / 2,
    "hinge": lambda real, fake: F.relu(1 - real).mean() + F.relu(1 + fake).mean(),
    "relativistic": lambda real, fake: F.softplus(fake - real).mean(),
    "wgan": lambda real, fake: fake.mean() - real.mean()}
GENERATOR_LOSSES = {
    "bce": lambda real, fake: F.softplus(-fake).mean(),
    "lsgan": lambda real, fake: (fake - 1).square().mean() / 2,
    "hinge": lambda real, fake: -fake.mean(),
    "relativistic": lambda real, fake: F.softplus(real - fake).mean(),
    "wgan": lambda real, fake: -fake.mean()}

# Of the networks classic alone.
CLASSIC_KEYS = tuple("model." + name for name in (
    "generator_widths", "generator_activation", "discriminator_channels", "discriminator_kernel", "discriminator_widths",
    "discriminator_activation", "leaky_slope"))

HALVING = {"dcgan": dcgan, "sagan": sagan}  # engine/models/halvings.h
MIXING_GENERATORS = ("dcgan", "sagan")  # with batch norm: a row depends on the others
MIXING_DISCRIMINATORS = ("dcgan",)


def squared_gradients(logits, pictures):
    """|d logit / d picture|^2 of each picture."""
    gradient, = torch.autograd.grad(logits.sum(), pictures, create_graph=True)
    return gradient.square().flatten(1).sum(1)


class Judged(NamedTuple):
    reals: torch.Tensor
    fakes: torch.Tensor
    real: torch.Tensor  # logits
    fake: torch.Tensor


class Gan:
    def __init__(self, config, classes):
        self.config, self.kind = config, config["loss.kind"]
        self.has_labels = config["data.labels"]
        self.classes = classes if self.has_labels else 0
        self.r1, self.r2, self.gradient_penalty = (config.schedule("loss." + name)
                                                   for name in ("r1", "r2", "gradient_penalty"))
        has_penalties = not (self.r1.is_zero() and self.r2.is_zero() and self.gradient_penalty.is_zero())
        self.penalty_every = config["loss.penalty_every"] if has_penalties else 1
        self.augmentation = Augmentation(config)
        self.mixes_generated = config["model.networks"] in MIXING_GENERATORS
        self.mixes_judged = config["model.networks"] in MIXING_DISCRIMINATORS

    def networks(self):
        config, picture = self.config, self.config.picture()
        if config["model.networks"] == "conv-steady":
            config.know(*CLASSIC_KEYS)
            filters = config["model.filters"]
            return {"generator": conv_steady.Generator(picture, config["model.latent"], filters, self.classes),
                    "discriminator": conv_steady.Discriminator(picture, filters, config["model.features"], self.classes)}
        if config["model.networks"] in HALVING:
            config.know(*CLASSIC_KEYS, "model.features")
            filters, networks = config["model.filters"], HALVING[config["model.networks"]]
            return {"generator": networks.Generator(picture, config["model.latent"], filters, self.classes),
                    "discriminator": networks.Discriminator(picture, filters, self.classes)}

        if config["model.networks"] == "residual":
            config.know(*CLASSIC_KEYS)
            widths, blocks = config["model.widths"], config["model.blocks"]
            return {"generator": residual.Generator(picture, config["model.latent"], widths, blocks, self.classes),
                    "discriminator": residual.Discriminator(picture, widths, blocks, self.classes)}

        def act(network):
            return classic.activation(config[f"model.{network}_activation"], config["model.leaky_slope"])

        return {"generator": classic.Generator(picture, config["model.latent"], config["model.generator_widths"],
                                               act("generator"), self.classes),
                "discriminator": classic.Discriminator(picture, config["model.discriminator_channels"],
                                                       config["model.discriminator_kernel"],
                                                       config["model.discriminator_widths"], act("discriminator"), self.classes)}

    def begin(self, step):
        self.augmentation.step = step

    def state(self):
        return self.augmentation.state()

    def phases(self, draw):
        rate = self.config.schedule("optimizer.discriminator_learning_rate")
        phases = []
        for number in range(1, self.config["optimizer.d_updates"] + 1):
            suffix = "" if number == 1 else f"_{number}"
            batch = Batch(self, "d_reals" + suffix, "d_latents" + suffix, "shares" + suffix, "d_augment" + suffix)
            is_penalised = self.penalty_every == 1
            phases.append(Phase("d_main" + suffix, ("discriminator",), "d_loss" + suffix,
                                batch.draws(draw, is_mixed=is_penalised and not self.gradient_penalty.is_zero()),
                                self.discriminator_loss(batch, is_penalised, is_first=number == 1), rate,
                                behind=self.augmentation.adapt if number == 1 else lambda: None))
        if self.penalty_every > 1:
            batch = Batch(self, "penalty_reals", "penalty_latents", "penalty_shares", "penalty_augment")
            phases.append(Phase("d_penalty", ("discriminator",), "penalty_loss",
                                batch.draws(draw, is_mixed=not self.gradient_penalty.is_zero(), is_judged=False),
                                self.penalty_loss(batch), rate, self.penalty_every))
        phases.append(Phase("g_main", ("generator",), "g_loss", self.generator_draws(draw), self.generator_loss,
                            self.config.schedule("optimizer.generator_learning_rate"),
                            averages={"generator": self.config.schedule("optimizer.ema_decay")}))
        return phases

    # --- the discriminator's ---

    def discriminator_loss(self, batch, is_penalised, is_first):
        def loss(networks, draws, step):
            judged = batch.judged(networks, draws, is_penalised)
            if is_first and networks.dtype == torch.float64:
                self.augmentation.see(judged.real, judged.fake)
            value = DISCRIMINATOR_LOSSES[self.kind](judged.real, judged.fake)
            return value + self.penalties(networks, batch, judged, draws, step) if is_penalised else value

        return loss

    def penalty_loss(self, batch):
        def loss(networks, draws, step):
            has_logits = not (self.r1.is_zero() and self.r2.is_zero())
            judged = batch.judged(networks, draws, True) if has_logits else Judged(*batch.pair(networks, draws), None, None)
            return self.penalties(networks, batch, judged, draws, step)

        return loss

    def penalties(self, networks, batch, judged, draws, step):
        """Those that are computed every few steps weigh so much the more."""
        value = torch.zeros((), dtype=networks.dtype)
        if not self.r1.is_zero():
            value = value + self.r1.at(step) / 2 * squared_gradients(judged.real, judged.reals).mean()
        if not self.r2.is_zero():
            value = value + self.r2.at(step) / 2 * squared_gradients(judged.fake, judged.fakes).mean()
        if not self.gradient_penalty.is_zero():
            mixed = batch.mixtures(judged.reals, judged.fakes, draws[batch.share_draw]).detach().requires_grad_()
            augmented = self.augmentation.augmented(mixed, draws, batch.share_draw + "_augment")
            squares = squared_gradients(networks["discriminator"](augmented, *batch.labels(draws)), mixed)
            value = value + self.gradient_penalty.at(step) * (torch.sqrt(squares + 1e-12) - 1).square().mean()
        return self.penalty_every * value

    # --- the generator's ---

    def generator_draws(self, draw):
        def pass_latents(networks, rows, draws, places):
            labels = labels_of("g_reals", draws, places)
            pictures, kinks = networks.through("generator", rows.to(networks.dtype), *labels)
            pictures = self.augmentation.augmented(pictures, draws, "g_augment", places)
            return kinks + networks.through("discriminator", pictures, *labels)[1]

        draws = [Draw("g_reals/label", draw.labels)] if self.has_labels else []
        draws += self.augmentation.draws(draw, "g_augment")
        draws.append(Draw("g_latents", draw.latents, pass_latents, self.mixes_generated))
        if self.kind == "relativistic":
            draws += self.augmentation.draws(draw, "g_reals_augment") + self.augmentation.mirror_draws(draw, "g_reals")
            draws.append(Draw("g_reals", draw.pixels))  # only its logits are used: no kink matters
        return draws

    def generator_loss(self, networks, draws, step):
        labels, real = labels_of("g_reals", draws), None
        made = networks["generator"](draws["g_latents"].to(networks.dtype), *labels)
        if self.kind == "relativistic":
            with torch.no_grad():
                pictures = self.augmentation.mirrored(networks.pictures(draws["g_reals"]), draws, "g_reals")
                pictures = self.augmentation.augmented(pictures, draws, "g_reals_augment")
                real = networks["discriminator"](pictures, *labels)
        fake = networks["discriminator"](self.augmentation.augmented(made, draws, "g_augment"), *labels)
        return GENERATOR_LOSSES[self.kind](real, fake)


def labels_of(name, draws, places=slice(None)):
    """A list of the labels that belong to a draw's rows; an empty one where it has none."""
    return [draws[name + "/label"][places]] if name + "/label" in draws else []


class Batch:
    """The reals and fakes of one of the discriminator's phases; fakes are of the reals' classes."""

    def __init__(self, gan, real_draw, latent_draw, share_draw, augment_draw):
        self.gan, self.real_draw, self.latent_draw, self.share_draw = gan, real_draw, latent_draw, share_draw
        self.augment_draw, self.augmentation, self.count = augment_draw, gan.augmentation, gan.config["train.batch"]

    def labels(self, draws, places=slice(None)):
        return labels_of(self.real_draw, draws, places)

    def fakes(self, networks, draws, places=slice(None)):
        return self.made(networks, draws[self.latent_draw][places], draws, places)

    def made(self, networks, latents, draws, places):
        with torch.no_grad():
            return networks["generator"](latents.to(networks.dtype), *self.labels(draws, places))

    def reals(self, networks, rows, draws, places=slice(None)):
        return self.augmentation.mirrored(networks.pictures(rows), draws, self.real_draw, places)

    def augmented(self, pictures, draws, is_real, places=slice(None)):
        if self.augment_draw not in draws:  # only mixtures are judged
            return pictures
        return self.augmentation.augmented(pictures, draws, self.augment_draw, places, 0 if is_real else self.count,
                                           self.count)

    def mixtures(self, reals, fakes, shares):
        share = shares.to(reals.dtype).reshape(-1, 1, 1, 1)
        return share * reals + (1 - share) * fakes

    def pair(self, networks, draws):
        reals = self.reals(networks, draws[self.real_draw], draws)
        return reals.requires_grad_(), self.fakes(networks, draws).requires_grad_()

    def judged(self, networks, draws, is_penalised):
        """In one pass where the program makes one of it: what spectral norm keeps changes with each."""
        (reals, fakes), labels = self.pair(networks, draws), self.labels(draws)
        real, fake = (self.augmented(pictures, draws, is_real) for pictures, is_real in ((reals, True), (fakes, False)))
        discriminator, gan = networks["discriminator"], self.gan
        if gan.mixes_judged or (is_penalised and gan.r1.is_zero() != gan.r2.is_zero()):
            return Judged(reals, fakes, discriminator(real, *labels), discriminator(fake, *labels))
        both = discriminator(torch.cat([real, fake]), *(torch.cat([each, each]) for each in labels))
        return Judged(reals, fakes, *both.split(len(reals)))

    def draws(self, draw, is_mixed, is_judged=True):
        """is_judged: its logits go into the loss, not only into penalties."""
        def through(networks, pictures, draws, places):
            return networks.through("discriminator", pictures, *self.labels(draws, places))

        def hinge(logits, sign):
            return [1 + sign * logits] if is_judged and self.gan.kind == "hinge" else []

        def pass_reals(networks, rows, draws, places):
            pictures = self.augmented(self.reals(networks, rows, draws, places), draws, True, places)
            logits, kinks = through(networks, pictures, draws, places)
            return kinks + hinge(logits, -1)

        def pass_latents(networks, rows, draws, places):
            pictures = self.augmented(self.made(networks, rows, draws, places), draws, False, places)
            logits, kinks = through(networks, pictures, draws, places)
            return kinks + hinge(logits, 1)

        def pass_shares(networks, rows, draws, places):
            reals = self.reals(networks, draws[self.real_draw][places], draws, places)
            mixed = self.mixtures(reals, self.fakes(networks, draws, places), rows)
            mixed = self.augmentation.augmented(mixed, draws, self.share_draw + "_augment", places)
            return through(networks, mixed, draws, places)[1]

        draws = [Draw(self.real_draw + "/label", draw.labels)] if self.gan.has_labels else []
        if is_judged or not (self.gan.r1.is_zero() and self.gan.r2.is_zero()):
            draws += self.augmentation.draws(draw, self.augment_draw, pictures=2)
        draws += self.augmentation.draws(draw, self.share_draw + "_augment") if is_mixed else []
        draws += self.augmentation.mirror_draws(draw, self.real_draw)
        gan = self.gan
        draws += [Draw(self.real_draw, draw.pixels, pass_reals, gan.mixes_judged),
                  Draw(self.latent_draw, draw.latents, pass_latents, gan.mixes_generated)]
        return draws + ([Draw(self.share_draw, draw.shares, pass_shares, gan.mixes_judged)] if is_mixed else [])
