"""host/recipes/tryon.h: a flow that lays a garment on a person, and a painter of the rest."""

import torch
import torch.nn.functional as F

from ..networks import tryon
from .recipe import Draw, Phase

CHANNELS = {"garment": 4, "person": 3, "body": 3, "worn": 1, "flow": 3, "picture": 3}
PLACES = 0.3  # the weight of distances from the true flow


def name_of(field):
    return "pairs" if field == "picture" else f"pairs/{field}"


def cut_out(colours, mask):
    return torch.cat((colours * mask, mask), 1)


def in_sizes_of(x, flows):
    """x in each flow's size, of means."""
    return [F.avg_pool2d(x, x.shape[2] // flow.shape[2]) for flow in flows]


def detail(difference):
    """What the mean of 7x7 pixels leaves of it."""
    return difference - F.avg_pool2d(difference, 7, 1, 3)


def curvature(flow):
    middle, bends = flow[..., 1:-1, 1:-1], []
    for one, other in ((flow[..., 1:-1, :-2], flow[..., 1:-1, 2:]), (flow[..., :-2, 1:-1], flow[..., 2:, 1:-1]),
                       (flow[..., :-2, :-2], flow[..., 2:, 2:]), (flow[..., :-2, 2:], flow[..., 2:, :-2])):
        bends.append(((one + other - 2 * middle).square() + 1e-6).pow(0.45).mean())
    return sum(bends) / 4


def true_flow(pictures):
    """Of the field "flow" in -1..1 the flow [N,2,H,W] that its bytes say (host/data/tryon_source.h)."""
    red, green, blue = (127.5 * pictures + 127.5).round().unbind(1)
    high, low = (blue / 16).floor(), blue % 16
    height, width = pictures.shape[2:]
    places = torch.stack([(16 * red + high) * 2 / 4095 - 0.5, (16 * green + low) * 2 / 4095 - 0.5], 1)
    places = places * torch.tensor([width, height], dtype=pictures.dtype)[:, None, None]
    rows, columns = (torch.arange(count, dtype=pictures.dtype) + 0.5 for count in (height, width))
    return places - torch.stack(torch.meshgrid(columns, rows, indexing="xy"))


def distance(flow, truth, seen):
    """The mean over pixels of how far the flow is from the true one, in pixels, where the garment is seen."""
    while flow.shape[2] < truth.shape[2]:
        flow = tryon.enlarged_flow(flow)
    return (((flow - truth).square().sum(1) + 1e-2).sqrt() * seen).mean()


class Tryon:
    has_labels = False

    def __init__(self, config, classes):
        self.config = config
        config.know("data.size")

    def networks(self):
        filters = self.config["model.filters"]
        _, height, width = self.config.picture()
        return {"flow": tryon.Flow(filters, height, width), "painter": tryon.Painter(filters)}

    def phases(self, draw):
        draws = []
        for field, channels in CHANNELS.items():
            passes = {"body": self.pass_networks, "worn": self.pass_masks, "picture": self.pass_colours}.get(field)
            draws.append(Draw(name_of(field), lambda count, channels=channels: draw.pixels(count, channels=channels),
                              self.tried(name_of(field), passes) if passes else None))
        decay = self.config.schedule("optimizer.ema_decay")
        return [Phase("main", ("flow", "painter"), "loss", draws, self.loss, self.config.schedule("optimizer.learning_rate"),
                      averages={"flow": decay, "painter": decay})]

    @staticmethod
    def tried(name, passed):
        """With the rows that are tried, and of the other draws those of the same places."""
        def passes(networks, rows, draws, places):
            return passed(networks, {**{other: drawn[places] for other, drawn in draws.items()}, name: rows})

        return passes

    @staticmethod
    def given(networks, draws):
        """The garment cut out, person and body side by side."""
        pictures = {field: networks.pictures(draws[name_of(field)]) for field in ("garment", "person", "body")}
        garment = pictures["garment"]
        return cut_out(garment[:, :3], (garment[:, 3:] + 1) / 2), torch.cat((pictures["person"], pictures["body"]), 1)

    @staticmethod
    def worn(networks, draws):
        return cut_out(networks.pictures(draws["pairs"]), (networks.pictures(draws["pairs/worn"]) + 1) / 2)

    # --- what goes into kinks ---

    def pass_networks(self, networks, draws):
        garment, person = self.given(networks, draws)
        flows, kinks = networks.through("flow", garment, person)
        for flow in flows:
            kinks = kinks + [tryon.place_kinks(flow)]
        return kinks + networks.through("painter", person, tryon.warped(garment, flows[-1]))[1]

    def warps(self, networks, draws):
        garment, person = self.given(networks, draws)
        flows = networks["flow"](garment, person)
        return flows, [tryon.warped(small, flow) for small, flow in zip(in_sizes_of(garment, flows), flows)]

    def pass_masks(self, networks, draws):
        mask = (networks.pictures(draws["pairs/worn"]) + 1) / 2
        flows, warps = self.warps(networks, draws)
        return [warp[:, 3:] - truth for warp, truth in zip(warps, in_sizes_of(mask, flows))]

    def pass_colours(self, networks, draws):
        garment, person = self.given(networks, draws)
        (flows, warps), truth = self.warps(networks, draws), networks.pictures(draws["pairs"])
        kinks = [detail(warp[:, :3] - worn[:, :3]) for warp, worn in zip(warps, in_sizes_of(self.worn(networks, draws), flows))]
        made, painted, _ = networks["painter"](person, warps[-1])
        return kinks + [made - truth, painted - truth]

    # --- what is minimised ---

    def loss(self, networks, draws, step):
        garment, person = self.given(networks, draws)
        worn, truth = self.worn(networks, draws), networks.pictures(draws["pairs"])
        flows, true = networks["flow"](garment, person), true_flow(networks.pictures(draws["pairs/flow"]))
        total = 0
        for i, (flow, small, goal) in enumerate(zip(flows, in_sizes_of(garment, flows), in_sizes_of(worn, flows))):
            difference = tryon.warped(small, flow) - goal
            total = total + (i + 1) * (2 * detail(difference[:, :3]).abs().mean() + 4 * difference[:, 3:].abs().mean() +
                                       PLACES * distance(flow, true, worn[:, 3]))
        total = total + 0.4 * curvature(flows[-1])
        made, painted, taken = networks["painter"](person, tryon.warped(garment, flows[-1]))
        return total + 5 * (made - truth).abs().mean() + (painted - truth).abs().mean() + (1 - taken).mean()
