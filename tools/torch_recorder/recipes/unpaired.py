"""host/recipes/unpaired.h: what cut and cyclegan have in common."""

from ..networks.patch_discriminator import PatchDiscriminator
from ..networks.start import start_layers
from ..networks.translator import Translator
from ..refusal import Refusal
from .augmentation import Augmentation
from .gan import DISCRIMINATOR_LOSSES, GENERATOR_LOSSES, squared_gradients
from .recipe import Draw


class Generator(Translator):
    def start(self):
        start_layers(module for module in self.modules() if hasattr(module, "weight"))


class Discriminator(PatchDiscriminator):
    def start(self):
        start_layers([*self.convolutions, self.last])


class Unpaired:
    has_labels = False

    def __init__(self, config, classes):
        self.config, self.kind = config, config["loss.kind"]
        if config["data.into"] != "synthetic":
            raise Refusal(f"data.into = {config['data.into']} is not recorded; synthetic is")
        self.r1, self.identity = config.schedule("loss.r1"), config["loss.identity"]
        self.augmentation = Augmentation(config)
        self.rates = [config.schedule(f"optimizer.{network}_learning_rate") for network in ("discriminator", "generator")]
        self.decay = config.schedule("optimizer.ema_decay")

    def generator(self):
        channels, _, _ = self.config.picture()
        return Generator(channels, self.config["model.filters"], self.config["model.blocks"])

    def discriminator(self):
        channels, height, width = self.config.picture()
        halvings = 1
        while halvings < 3 and min(height, width) >= 3 << (halvings + 1):
            halvings += 1
        return Discriminator(channels, self.config["model.filters"], halvings)

    def pictures(self, networks, draws, name):
        return self.augmentation.mirrored(networks.pictures(draws[name]), draws, name)

    def pictures_draw(self, draw, name, passes=None):
        """`passes`: from (networks, pictures) to what goes into kinks."""
        def pass_rows(networks, rows, draws, places):
            return passes(networks, self.augmentation.mirrored(networks.pictures(rows), draws, name, places))

        return self.augmentation.mirror_draws(draw, name) + [Draw(name, draw.pixels, pass_rows if passes else None)]

    # --- discriminators ---

    def judged(self, networks, discriminator, real, fake):
        real = real.detach().requires_grad_()
        logits = networks[discriminator](real)
        loss = DISCRIMINATOR_LOSSES[self.kind](logits, networks[discriminator](fake.detach()))
        return loss, logits, real

    def penalty(self, logits, real, step):
        if self.r1.is_zero():
            return 0
        return self.r1.at(step) / 2 * squared_gradients(logits.mean((1, 2, 3)), real).mean()

    def adversary(self, networks, discriminator, fake):
        return 2 * GENERATOR_LOSSES[self.kind](None, networks[discriminator](fake))
