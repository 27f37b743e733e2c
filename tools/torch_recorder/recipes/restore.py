"""host/recipes/restore.h: a network from spoilt pictures to what they should be, alone or against a discriminator of patches
(host/recipes/patch_adversary.h). Whole pictures as they are, for parts, flips and turns draw their own numbers; of missing
pixels nothing is recorded."""

import math

import torch

from ..networks.classifier import Classifier
from ..networks.msr_resnet import MsrResnet
from ..networks.nafnet import Nafnet
from ..networks.patch_discriminator import PatchDiscriminator
from ..networks.unet import Unet, levels_of
from ..networks.unet_discriminator import UnetDiscriminator
from ..refusal import Refusal
from .gan import DISCRIMINATOR_LOSSES, GENERATOR_LOSSES, squared_gradients
from .recipe import Draw, Phase

STORED = {"grey": 1, "edges": 1, "x2": 2, "x4": 4}  # inputs that are rows of the data, and what they are smaller by


class Restore:
    has_labels = False

    def __init__(self, config, classes):
        self.config, self.degrade = config, config["data.degrade"]
        is_noise = self.degrade.startswith("noise:") and "," not in self.degrade
        if self.degrade not in STORED and not is_noise:
            raise Refusal(f"data.degrade = {self.degrade} is not recorded; {', '.join(STORED)} and noise:S can be")
        self.scale = STORED.get(self.degrade, 1)
        self.channels = config.picture()[0]
        self.given = 1 if self.degrade in ("grey", "edges") else self.channels
        self.adversary, self.r1 = config.schedule("loss.adversary"), config.schedule("loss.r1")
        self.penalty_every = 1 if self.r1.is_zero() else config["loss.penalty_every"]
        self.has_perceptual = config["perceptual.run"] != "none"
        self.perceptual_weight = config.schedule("perceptual.weight")
        self.kind, self.restoration = config["loss.kind"], config["loss.restoration"]
        self.weight = config["loss.restoration_weight"]

    def networks(self):
        config, filters = self.config, self.config["model.filters"]
        channels, height, width = config.picture()
        if config["model.restorer"] == "unet":
            restorer = Unet(channels, channels, filters, levels_of(height, width))
        elif config["model.restorer"] == "nafnet":
            restorer = Nafnet(channels, channels, filters, config["model.encoder_blocks"], config["model.middle_blocks"],
                              config["model.decoder_blocks"])
        else:
            restorer = MsrResnet(channels, filters, config["model.blocks"], self.scale)
        networks = {"restorer": restorer}
        if not self.adversary.is_zero():
            taken, filters = self.given + channels, config["model.adversary_filters"]
            networks["discriminator"] = (UnetDiscriminator(taken, filters) if config["model.adversary"] == "unet" else
                                         PatchDiscriminator(taken, filters, 3, config["model.adversary_norm"] == "instance"))
        if self.has_perceptual:
            sizes = [config[f"perceptual.{size}"] for size in ("channels", "classes", "filters", "blocks", "stages",
                                                               "stem_stride")]
            networks["classifier"] = Classifier(*sizes).eval()  # as it starts: its run is not read
        return networks

    def distance(self, networks, made, pictures):
        """host/recipes/perceptual_distance.h"""
        maps, wanted = (networks["classifier"].maps(x) for x in (made, pictures))
        relative = [(a - b).square().mean() / (b.square().mean() + 1e-8) for a, b in zip(maps, wanted)]
        return sum(relative) / len(relative)

    def phases(self, draw):
        config, phases = self.config, []
        is_on = not self.adversary.is_zero()
        if is_on:
            rate = config.schedule("optimizer.discriminator_learning_rate")
            batch = Batch(self, "d_")
            phases.append(Phase("d_main", ("discriminator",), "d_loss", batch.draws(draw, judges=("real", "made")),
                                self.discriminator_loss(batch, self.penalty_every == 1 and not self.r1.is_zero()), rate))
            if self.penalty_every > 1:
                batch = Batch(self, "penalty_")
                phases.append(Phase("d_penalty", ("discriminator",), "penalty_loss", batch.draws(draw, judges=("real",)),
                                    self.penalty_loss(batch), rate, self.penalty_every))
        batch = Batch(self, "")
        phases.append(Phase("main", ("restorer",), "g_loss" if is_on else "loss",
                            batch.draws(draw, judges=("made",) if is_on else (), is_learnt=True), self.loss(batch),
                            config.schedule("optimizer.learning_rate"),
                            averages={"restorer": config.schedule("optimizer.ema_decay")}))
        return phases

    def discriminator_loss(self, batch, is_penalised):
        def loss(networks, draws, step):
            given, pictures = batch.given(networks, draws), batch.pictures(networks, draws).requires_grad_()
            with torch.no_grad():
                made = batch.made(networks, given)
            judged = [batch.beside(given, x) for x in (pictures, made)]
            if is_penalised:
                real, fake = (networks["discriminator"](x) for x in judged)
            else:  # one pass, and so one step of what it keeps beside its weights
                real, fake = networks["discriminator"](torch.cat(judged)).chunk(2)
            value = DISCRIMINATOR_LOSSES[self.kind](real, fake)
            return value + self.penalty(real, pictures, step) if is_penalised else value

        return loss

    def penalty(self, logits, pictures, step):
        return self.penalty_every * self.r1.at(step) / 2 * squared_gradients(logits, pictures).mean()

    def penalty_loss(self, batch):
        def loss(networks, draws, step):
            given, pictures = batch.given(networks, draws), batch.pictures(networks, draws).requires_grad_()
            return self.penalty(networks["discriminator"](batch.beside(given, pictures)), pictures, step)

        return loss

    def loss(self, batch):
        def loss(networks, draws, step):
            given, pictures = batch.given(networks, draws), batch.pictures(networks, draws)
            made = batch.made(networks, given)
            if self.restoration == "psnr":
                errors = (made - pictures).square().mean((1, 2, 3)) / 4
                value = 10 / math.log(10) * (errors + 1e-8).log().mean()
            else:
                value = (made - pictures).abs().mean()
            value = self.weight * value
            if self.has_perceptual:
                value = value + self.perceptual_weight.at(step) * self.distance(networks, made, pictures)
            if self.adversary.is_zero():
                return value
            fake = networks["discriminator"](batch.beside(given, made))
            with torch.no_grad():
                real = networks["discriminator"](batch.beside(given, pictures)) if self.kind == "relativistic" else None
            return value + self.adversary.at(step) * GENERATOR_LOSSES[self.kind](real, fake)

        return loss


class Batch:
    """What a phase draws: `prefix` pairs, and of noise its numbers."""

    def __init__(self, recipe, prefix):
        self.recipe, self.name, self.noise, self.deviations = recipe, prefix + "pairs", prefix + "noise", prefix + "deviations"
        self.is_stored = recipe.degrade in STORED
        numbers = [] if self.is_stored else [float(n) for n in recipe.degrade.removeprefix("noise:").split("-")]
        self.least, self.most = (numbers[0] / 127.5, numbers[-1] / 127.5) if numbers else (0, 0)

    def pictures(self, networks, draws, places=slice(None)):
        return networks.pictures(draws[self.name][places])

    def given(self, networks, draws, places=slice(None)):
        if self.is_stored:
            return networks.pictures(draws[self.name + "/input"][places])
        deviations = self.least
        if self.least != self.most:
            shares = draws[self.deviations][places].to(networks.dtype)
            deviations = (self.least + (self.most - self.least) * shares).reshape(-1, 1, 1, 1)
        noise = draws[self.noise][places].to(networks.dtype).permute(0, 3, 1, 2)
        return (self.pictures(networks, draws, places) + deviations * noise).clamp(-1, 1)

    def seen(self, given):
        """By the network: grey as colour."""
        return given.expand(-1, self.recipe.channels, -1, -1)

    def made(self, networks, given):
        made = networks["restorer"](self.seen(given))
        if self.recipe.degrade == "grey":
            made = made + (given - 0.299 * made[:, :1] - 0.587 * made[:, 1:2] - 0.114 * made[:, 2:])
        return made

    def beside(self, given, pictures):
        if self.recipe.scale > 1:
            given = torch.nn.functional.interpolate(given, scale_factor=self.recipe.scale, mode="bilinear",
                                                    align_corners=False)
        return torch.cat((given, pictures), 1)

    def draws(self, draw, judges, is_learnt=False):
        """judges: the pictures that the discriminator is shown; is_learnt: gradients pass through the restorer."""
        def pass_input(networks, draws, places):
            given = self.given(networks, draws, places)
            kinks = networks.through("restorer", self.seen(given))[1] if is_learnt else []
            made = self.made(networks, given)
            if is_learnt and self.recipe.has_perceptual:
                kinks = kinks + networks.through("classifier", made)[1]
            return kinks + networks.through("discriminator", self.beside(given, made))[1] if "made" in judges else kinks

        def pass_picture(networks, draws, places):
            given, pictures = self.given(networks, draws, places), self.pictures(networks, draws, places)
            kinks = networks.through("discriminator", self.beside(given, pictures))[1] if "real" in judges else []
            if is_learnt and self.recipe.restoration == "l1":
                kinks = kinks + [self.made(networks, given) - pictures]
            return kinks

        def of(passed, name):
            """With the rows that are tried in their places."""
            def passes(networks, rows, draws, places):
                tried = {**draws, name: draws[name].clone() if name in draws else None}
                if tried[name] is None:
                    tried[name] = torch.zeros(self.recipe.config["train.batch"], *rows.shape[1:], dtype=rows.dtype)
                tried[name][places] = rows
                return passed(networks, tried, places)

            return passes

        if self.is_stored:
            return [Draw(self.name + "/input", lambda count: draw.pixels(count, self.recipe.scale, self.recipe.given),
                         of(pass_input, self.name + "/input")),
                    Draw(self.name, draw.pixels, of(pass_picture, self.name))]

        def pass_both(networks, draws, places):
            return pass_input(networks, draws, places) + pass_picture(networks, draws, places)

        draws = [Draw(self.noise, draw.normal_pictures)]
        if self.least != self.most:
            draws.append(Draw(self.deviations, lambda count: draw.shares(count)))
        return [*draws, Draw(self.name, draw.pixels, of(pass_both, self.name))]
