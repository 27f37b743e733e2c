"""engine/nn/classes.h: what a network knows of its rows' classes. Made for 0 classes, each part adds nothing."""

import math

import torch
from torch import nn

from ..arrays import arrays_of


class Table(nn.Module):
    def __init__(self, classes, width):
        super().__init__()
        self.table = nn.Embedding(classes, width) if classes else None  # starts N(0, 1)

    def arrays(self):
        return arrays_of("classes", self.table) if self.table else []


class ClassInput(Table):
    """Latents [N,L] beside the trained row of their class."""

    def __init__(self, classes, width):
        super().__init__(classes, width)
        self.columns = 2 * width if classes else width

    def forward(self, z, labels):
        return torch.cat([z, self.table(labels)], 1) if self.table else z


class ClassProjection(Table):
    """Logits, and with classes the product of each row's features with the row of its class."""

    def start(self):
        if self.table:
            nn.init.normal_(self.table.weight, 0, 1 / math.sqrt(self.table.embedding_dim))

    def forward(self, features, logits, labels):
        return logits + (features * self.table(labels)).sum(1, keepdim=True) if self.table else logits
