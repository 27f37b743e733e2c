"""host/recipes/cyclegan.h: pictures of either kind made of pictures of the other."""

import torch

from .recipe import Phase
from .unpaired import Unpaired


class CycleGan(Unpaired):
    def __init__(self, config, classes):
        super().__init__(config, classes)
        self.cycle = config["loss.cycle"]
        config.know("loss.contrast", "loss.places", "loss.temperature")

    def networks(self):
        return {"generator": self.generator(), "generator_back": self.generator(),
                "discriminator": self.discriminator(), "discriminator_back": self.discriminator()}

    def phases(self, draw):
        def pass_judged(there, judge_there, judge_back):
            def passes(networks, pictures):
                with torch.no_grad():
                    made, _ = networks[there](pictures)
                return networks.through(judge_there, made)[1] + networks.through(judge_back, pictures)[1]

            return passes

        def pass_made(there, back, judge):
            def passes(networks, pictures):
                (made, _), kinks = networks.through(there, pictures)
                (again, _), more = networks.through(back, made)
                kinks = kinks + more + networks.through(judge, made)[1] + [again - pictures]
                if self.identity > 0:
                    (same, _), more = networks.through(back, pictures)
                    kinks = kinks + more + [same - pictures]
                return kinks

            return passes

        return [Phase("d_main", ("discriminator", "discriminator_back"), "d_loss",
                      self.pictures_draw(draw, "d_sources", pass_judged("generator", "discriminator", "discriminator_back"))
                      + self.pictures_draw(draw, "d_targets",
                                           pass_judged("generator_back", "discriminator_back", "discriminator")),
                      self.discriminators_loss, self.rates[0]),
                Phase("g_main", ("generator", "generator_back"), "g_loss",
                      self.pictures_draw(draw, "g_sources", pass_made("generator", "generator_back", "discriminator"))
                      + self.pictures_draw(draw, "g_targets", pass_made("generator_back", "generator", "discriminator_back")),
                      self.generators_loss, self.rates[1],
                      averages={"generator": self.decay, "generator_back": self.decay})]

    def discriminators_loss(self, networks, draws, step):
        x, y = (self.pictures(networks, draws, name) for name in ("d_sources", "d_targets"))
        with torch.no_grad():
            there, back = networks["generator"](x)[0], networks["generator_back"](y)[0]
        total = 0
        for judge, real, fake in (("discriminator", y, there), ("discriminator_back", x, back)):
            loss, logits, real = self.judged(networks, judge, real, fake)
            total = total + loss + self.penalty(logits, real, step)
        return total

    def generators_loss(self, networks, draws, step):
        x, y = (self.pictures(networks, draws, name) for name in ("g_sources", "g_targets"))
        there, back = networks["generator"](x)[0], networks["generator_back"](y)[0]
        adversary = (self.adversary(networks, "discriminator", there)
                     + self.adversary(networks, "discriminator_back", back))
        cycle = ((networks["generator_back"](there)[0] - x).abs().mean()
                 + (networks["generator"](back)[0] - y).abs().mean())
        loss = adversary + self.cycle * cycle
        if self.identity > 0:
            same = (networks["generator"](y)[0] - y).abs().mean() + (networks["generator_back"](x)[0] - x).abs().mean()
            loss = loss + self.cycle * self.identity * same
        return loss
