"""engine/models/tryon.h and engine/nn/flow.h"""

import torch
import torch.nn.functional as F
from torch import nn

from .start import start_layers
from ..arrays import arrays_of

LEVELS, FINEST = 4, 2  # of the halved sizes, and of those that have a flow
START_WIDTH = 256


def enlarged_flow(flow):
    """A flow [N,2,H,W] is in pixels, so that it doubles with the picture."""
    return 2 * F.interpolate(flow, scale_factor=2, mode="bilinear", align_corners=False)


def places_of(flow):
    """[N,H,W,2] in -1..1, (column, row), where each pixel is looked up."""
    height, width = flow.shape[2:]
    rows = (2 * torch.arange(height, dtype=flow.dtype) + 1) / height - 1
    columns = (2 * torch.arange(width, dtype=flow.dtype) + 1) / width - 1
    still = torch.stack(torch.meshgrid(columns, rows, indexing="xy"), -1)
    return still + flow.permute(0, 2, 3, 1) * torch.tensor([2 / width, 2 / height], dtype=flow.dtype)


def warped(x, flow):
    return F.grid_sample(x, places_of(flow), mode="bilinear", padding_mode="zeros", align_corners=False)


def place_kinks(flow):
    """How far each place is from the middles of pixels, at which bilinear weights have a kink, in pixels."""
    size = torch.tensor([flow.shape[3], flow.shape[2]], dtype=flow.dtype)
    places = (places_of(flow) + 1) * size / 2 - 0.5
    return places - places.round()


class Encoder(nn.Module):
    """[N,C,H,W] -> features of each level from LEVELS to FINEST, the smallest first"""

    def __init__(self, inputs, filters):
        super().__init__()
        widths = [filters // 2, filters, 2 * filters, 2 * filters]
        self.act = nn.LeakyReLU(0.2)
        self.halve = nn.ModuleList(nn.Conv2d(taken, made, 4, 2, 1) for taken, made in zip([inputs, *widths], widths))
        self.more = nn.ModuleList(nn.Conv2d(width, width, 3, 1, 1) for width in widths)
        self.lateral = nn.ModuleList(nn.Conv2d(width, 2 * filters, 1) for width in widths[FINEST - 1:])

    def forward(self, x):
        made = []
        for halve, more in zip(self.halve, self.more):
            x = self.act(more(self.act(halve(x))))
            made.append(x)
        features = []
        for lateral, x in zip(reversed(self.lateral), reversed(made)):
            above = F.interpolate(features[-1], scale_factor=2, mode="nearest") if features else 0
            features.append(lateral(x) + above)
        return features

    def arrays(self, name):
        lateral = [None] * (FINEST - 1) + [*self.lateral]
        return [array for i, level in enumerate(zip(self.halve, self.more, lateral))
                for part, layer in zip(("halve", "more", "lateral"), level) if layer
                for array in arrays_of(f"{name}{i + 1}/{part}", layer)]


class Flow(nn.Module):
    """garment [N,4,H,W], person [N,6,H,W] -> the start and the flow of each level, enlarged by two and the last by four"""

    def __init__(self, filters, height, width):
        super().__init__()
        self.garment, self.person = Encoder(4, filters), Encoder(6, filters)
        self.act, channels = nn.LeakyReLU(0.2), 2 * filters
        self.smallest = height >> LEVELS, width >> LEVELS
        cells = self.smallest[0] * self.smallest[1]
        self.first = nn.ModuleList(nn.Linear(taken, made) for taken, made in
                                   ((cells * 2 * channels, START_WIDTH), (START_WIDTH, START_WIDTH), (START_WIDTH, 2 * cells)))
        steps = range(FINEST, LEVELS + 1)
        self.meet = nn.ModuleList(nn.Conv2d(2 * channels, channels, 3, 1, 1) for _ in steps)
        self.known = nn.ModuleList(nn.Conv2d(2, channels, 3, 1, 1, bias=False) for _ in steps)
        self.more = nn.ModuleList(nn.Conv2d(channels, channels, 3, 1, 1) for _ in steps)
        self.last = nn.ModuleList(nn.Conv2d(channels, 2, 3, 1, 1) for _ in steps)

    def start(self):
        start_layers([layer for layer in self.modules() if isinstance(layer, (nn.Conv2d, nn.Linear))])
        # In training these start at zero, where neighbours are equal: a kink of the flow's bends. Small, so that not all
        # places lie beyond the picture.
        for last in (*self.last, self.first[-1]):
            nn.init.normal_(last.weight, 0, 0.05)
            nn.init.uniform_(last.bias, -0.4, 0.4)

    def forward(self, garment, person):
        garments, persons = self.garment(garment), self.person(person)
        x = torch.cat((garments[0], persons[0]), 1).flatten(1)
        for i, dense in enumerate(self.first):
            x = dense(self.act(x) if i else x)
        flows = [x.unflatten(1, (2, *self.smallest))]
        for i, (meet, known, more, last, there, here) in enumerate(zip(self.meet, self.known, self.more, self.last, garments,
                                                                       persons)):
            flow = enlarged_flow(flows[-1]) if i else flows[-1]
            met = self.act(meet(torch.cat((warped(there, flow), here), 1)) + known(0.1 * flow))
            flows.append(flow + last(self.act(more(met))))
        flows = [enlarged_flow(flow) for flow in flows]
        return [*flows[:-1], enlarged_flow(flows[-1])]

    def arrays(self):
        arrays = self.garment.arrays("garment") + self.person.arrays("person")
        for i, dense in enumerate(self.first):
            taken = (dense.in_features // (self.smallest[0] * self.smallest[1]), *self.smallest) if i == 0 else None
            arrays += arrays_of(f"start{i + 1}", dense, taken, (2, *self.smallest) if dense is self.first[-1] else None)
        for i, step in enumerate(zip(self.meet, self.known, self.more, self.last)):
            for part, layer in zip(("meet", "known", "more", "last"), step):
                arrays += arrays_of(f"flow{LEVELS - i}/{part}", layer)
        return arrays


class Painter(nn.Module):
    """person, body and warped garment [N,10,H,W] -> (the picture, what is painted of it, the mask of what is taken)"""

    def __init__(self, filters):
        super().__init__()
        widths = [filters << i for i in range(LEVELS)]
        self.leaky, self.relu = nn.LeakyReLU(0.2), nn.ReLU()
        self.down = nn.ModuleList(nn.Conv2d(taken, made, 4, 2, 1) for taken, made in zip([10, *widths], widths))
        taken = [widths[-1], *(2 * width for width in widths[-2::-1])]
        self.up = nn.ModuleList(nn.ConvTranspose2d(one, other, 4, 2, 1)
                                for one, other in zip(taken, [*widths[-2::-1], 5]))

    def start(self):
        start_layers([*self.down, *self.up])

    def forward(self, person_and_body, garment):
        x, made = torch.cat((person_and_body, garment), 1), []
        for i, down in enumerate(self.down):
            x = down(self.leaky(x) if i else x)
            x = F.instance_norm(x) if 0 < i < LEVELS - 1 else x
            made.append(x)
        made.pop()
        for i, up in enumerate(self.up):
            x = torch.cat((F.instance_norm(x), made.pop()), 1) if i else x
            x = up(self.relu(x))
        painted, mask, kept = x[:, :3].tanh(), x[:, 3:4].sigmoid(), x[:, 4:].sigmoid()
        taken, behind = mask * garment[:, 3:], kept * person_and_body[:, :3] + (1 - kept) * painted
        return mask * garment[:, :3] + (1 - taken) * behind, painted, taken

    def arrays(self):
        return ([array for i, down in enumerate(self.down) for array in arrays_of(f"down{i + 1}", down)] +
                [array for i, up in enumerate(self.up) for array in arrays_of(f"up{LEVELS - i}", up)])
