"""host/recipes/cut.h: pictures of one kind made of pictures of another, in one direction."""

import torch

from ..networks import translator
from ..networks.start import start_layers
from .recipe import Draw, Phase
from .unpaired import Unpaired


class Projector(translator.PlaceProjector):
    def start(self):
        start_layers(layer for layers in self.maps for layer in layers)


class Cut(Unpaired):
    def __init__(self, config, classes):
        super().__init__(config, classes)
        self.contrast, self.temperature = config["loss.contrast"], config["loss.temperature"]
        config.know("loss.cycle")
        self.channels = translator.channels_of_features(config.picture()[0], config["model.filters"], config["model.blocks"])

    def networks(self):
        return {"generator": self.generator(), "projector": Projector(self.channels, self.config["model.features"]),
                "discriminator": self.discriminator()}

    def cells(self):
        """Of each map."""
        _, height, width = self.config.picture()
        extents = [(height, width)] * 2 + [(height // 2, width // 2)] + [(height // 4, width // 4)] * (len(self.channels) - 3)
        return [translator.cells_of(self.config["loss.places"], *each) for each in extents]

    def phases(self, draw):
        def pass_sources(networks, pictures):
            with torch.no_grad():
                made, _ = networks["generator"](pictures)
            return networks.through("discriminator", made)[1]

        def pass_targets(networks, pictures):
            return networks.through("discriminator", pictures)[1]

        def pass_given(networks, pictures):
            (made, _), kinks = networks.through("generator", pictures)
            return kinks + networks.through("generator", made)[1] + networks.through("discriminator", made)[1]

        draws = self.pictures_draw(draw, "g_sources", pass_given)
        if self.identity > 0:
            draws += self.pictures_draw(draw, "g_targets", pass_given)
        pictures = 2 if self.identity > 0 else 1
        for number, cells in enumerate(self.cells()):
            draws.append(Draw(f"places{number + 1}",
                              lambda count, cells=cells: draw.shares(pictures * count, *cells, 2)))
        return [Phase("d_main", ("discriminator",), "d_loss",
                      self.pictures_draw(draw, "d_sources", pass_sources)
                      + self.pictures_draw(draw, "d_targets", pass_targets), self.discriminator_loss, self.rates[0]),
                Phase("g_main", ("generator", "projector"), "g_loss", draws, self.generator_loss, self.rates[1],
                      averages={"generator": self.decay})]

    def discriminator_loss(self, networks, draws, step):
        with torch.no_grad():
            fake, _ = networks["generator"](self.pictures(networks, draws, "d_sources"))
        loss, logits, real = self.judged(networks, "discriminator", self.pictures(networks, draws, "d_targets"), fake)
        return loss + self.penalty(logits, real, step)

    def contrasts(self, networks, draws, given, made):
        """Of each picture."""
        places = [translator.places_in_cells(draws[f"places{number + 1}"].to(networks.dtype)) for number in range(len(given))]
        keys, queries = (networks["projector"]([translator.features_at(each, its) for each, its in zip(maps, places)])
                         for maps in (given, made))
        total = 0
        for query, key, (rows, columns) in zip(queries, keys, self.cells()):
            losses = translator.contrast_losses(query, key.detach(), rows * columns, self.temperature)
            total = total + losses.reshape(-1, rows * columns).mean(1) / len(given)
        return total

    def generator_loss(self, networks, draws, step):
        given = self.pictures(networks, draws, "g_sources")
        count = len(given)
        if self.identity > 0:
            given = torch.cat([given, self.pictures(networks, draws, "g_targets")])
        made, maps = networks["generator"](given)
        losses = self.contrasts(networks, draws, maps, networks["generator"](made)[1])
        loss = self.adversary(networks, "discriminator", made[:count]) + self.contrast * losses[:count].mean()
        return loss + self.contrast * self.identity * losses[count:].mean() if self.identity > 0 else loss
