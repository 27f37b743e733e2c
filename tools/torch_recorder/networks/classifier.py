"""engine/models/classifier.h"""

from torch import nn

from ..arrays import arrays_of, running_of


class Block(nn.Module):
    def __init__(self, channels, filters, stride):
        super().__init__()
        self.act = nn.ReLU()
        self.conv1 = nn.Conv2d(channels, filters, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(filters)
        self.conv2 = nn.Conv2d(filters, filters, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(filters)
        self.projection = None
        if stride != 1 or channels != filters:
            self.projection = nn.Conv2d(channels, filters, 1, stride, bias=False)
            self.projection_norm = nn.BatchNorm2d(filters)

    def forward(self, x):
        y = self.norm2(self.conv2(self.act(self.norm1(self.conv1(x)))))
        return self.act(y + (self.projection_norm(self.projection(x)) if self.projection else x))

    def normed_convolutions(self):
        parts = [("conv1", self.conv1, self.norm1), ("conv2", self.conv2, self.norm2)]
        return parts + ([("projection", self.projection, self.projection_norm)] if self.projection else [])


class Classifier(nn.Module):
    """[N,C,H,W] -> logits [N,K] and features"""

    def __init__(self, channels, classes, filters, blocks, stages=3, stem_stride=1):
        super().__init__()
        self.act, self.blocks = nn.ReLU(), blocks
        self.stem = nn.Conv2d(channels, filters, 3, stem_stride, 1, bias=False)
        self.stem_norm = nn.BatchNorm2d(filters)
        self.stages = nn.ModuleList()
        width = filters
        for stage in range(stages):
            for i in range(blocks):
                self.stages.append(Block(width, filters << stage, 2 if stage and not i else 1))
                width = filters << stage
        self.last = nn.Linear(width, classes)

    def start(self):
        pass  # as PyTorch's layers start

    def forward(self, x):
        features = self.maps(x)[-1].mean((2, 3))
        return self.last(features), features

    def maps(self, x):
        """At the end of each stage."""
        x, maps = self.act(self.stem_norm(self.stem(x))), []
        for i, block in enumerate(self.stages, 1):
            x = block(x)
            if i % self.blocks == 0:
                maps.append(x)
        return maps

    def normed_convolutions(self):
        """(name, convolution, norm) of each."""
        parts = [("stem", self.stem, self.stem_norm)]
        for i, block in enumerate(self.stages):
            name = f"stage{i // self.blocks + 1}/block{i % self.blocks + 1}"
            parts += [(f"{name}/{part}", convolution, norm) for part, convolution, norm in block.normed_convolutions()]
        return parts

    def arrays(self):
        arrays = []
        for name, convolution, norm in self.normed_convolutions():
            arrays += arrays_of(name, convolution) + arrays_of(f"{name}/norm", norm)
        return arrays + arrays_of("last", self.last)

    def running(self):
        return [array for name, _, norm in self.normed_convolutions() for array in running_of(f"{name}/norm", norm)]
