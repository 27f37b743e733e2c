"""host/recipes/classify.h: a classifier with batch norm, by cross entropy with smoothed labels; pictures as they are, for
augmentation draws its own numbers."""

import torch.nn.functional as F

from ..networks.classifier import Classifier
from .recipe import Draw, Phase


class Classify:
    has_labels = True

    def __init__(self, config, classes):
        self.config, self.classes = config, classes

    def networks(self):
        sizes = [self.config[f"model.{size}"] for size in ("filters", "blocks", "stages", "stem_stride")]
        return {"classifier": Classifier(self.config.picture()[0], self.classes, *sizes)}

    def phases(self, draw):
        def pass_pictures(networks, rows, draws, places):
            return networks.through("classifier", networks.pictures(rows))[1]

        smoothing = self.config["loss.label_smoothing"]
        return [Phase("main", ("classifier",), "loss",
                      [Draw("pictures/label", draw.labels), Draw("pictures", draw.pixels, pass_pictures, mixes_rows=True)],
                      lambda networks, draws, step: F.cross_entropy(
                          networks["classifier"](networks.pictures(draws["pictures"]))[0], draws["pictures/label"],
                          label_smoothing=smoothing),
                      self.config.schedule("optimizer.learning_rate"))]
