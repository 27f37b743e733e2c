"""Training in float64, and every tensor of it; beside it, how far float32 is from that.

A gradient jumps at the kink of a ReLU. Where the value that goes in is zero but for rounding, float32 cannot tell its
side, and two right programs differ by all that passes there, which looks like an error. So a picture, latent or mixture
that comes so near a kink is drawn anew. What another program then gets in float32 is right to a few millionths, or wrong.
"""

import contextlib
import copy

import torch
from torch import nn

from .recipes import recipe_of

NEAR = 8  # times the largest deviation of float32 at that place: a program may round more than PyTorch does
MOST_DRAWS = 50


class Networks:
    """A recipe's networks in one type of arithmetic."""

    def __init__(self, recipe, dtype):
        self.dtype, self.modules = dtype, recipe.networks()
        for network in self.modules.values():
            network.start()
            network.to(dtype)

    def __getitem__(self, name):
        return self.modules[name]

    def take_weights(self, other):
        for name, network in self.modules.items():
            network.load_state_dict(other[name].state_dict())

    @contextlib.contextmanager
    def unchanged(self):
        """What batch norm keeps is afterwards what it was before."""
        kept = [(buffer, buffer.clone()) for network in self.modules.values() for buffer in network.buffers()]
        yield
        for buffer, value in kept:
            buffer.copy_(value)

    def pictures(self, pixels):
        """[N,C,H,W] in [-1,1] of bytes [N,H,W,C]."""
        return pixels.permute(0, 3, 1, 2).to(self.dtype) / 127.5 - 1

    def through(self, name, *inputs):
        """What a network makes of its inputs, and each value on its way into an activation with a kink."""
        kinks = []
        hooks = [module.register_forward_pre_hook(lambda _, values: kinks.append(values[0]))
                 for module in self.modules[name].modules() if isinstance(module, (nn.ReLU, nn.LeakyReLU))]
        try:
            return self.modules[name](*inputs), kinks
        finally:
            for hook in hooks:
                hook.remove()


class Random:
    """Rows of what recipes draw, by one seed."""

    def __init__(self, config, seed, classes):
        self.generator, self.classes = torch.Generator().manual_seed(seed), classes
        channels, height, width = config.picture()
        self.extents, self.latent = (height, width, channels), config["model.latent"]

    def pixels(self, count, smaller=1, channels=None):
        height, width, all_channels = self.extents
        extents = height // smaller, width // smaller, channels or all_channels
        return torch.randint(0, 256, (count, *extents), generator=self.generator, dtype=torch.uint8)

    def normal_pictures(self, count):
        return torch.randn(count, *self.extents, generator=self.generator)

    def labels(self, count):
        return torch.randint(0, self.classes, (count,), generator=self.generator)

    def latents(self, count):
        return torch.randn(count, self.latent, generator=self.generator)

    def shares(self, *extents):
        return torch.rand(*extents, generator=self.generator)


class Recording:
    def __init__(self, config, seed, classes):
        self.config, self.tensors = config, {}
        self.deviations, self.drawn_again, self.left_near = {}, 0, 0
        self.recipe, random = recipe_of(config, classes), Random(config, seed, classes)
        self.phases = self.recipe.phases(random)
        self.batch, self.clip_norm = config["train.batch"], config["optimizer.clip_norm"]
        self.beta1, self.beta2 = config["optimizer.beta1"], config.schedule("optimizer.beta2")
        torch.manual_seed(seed)  # of the starting weights
        self.exact, self.rounded = Networks(self.recipe, torch.float64), Networks(self.recipe, torch.float32)
        self.averages = {name: copy.deepcopy(self.exact[name]) for phase in self.phases for name in phase.averages}
        self.adam = {name: torch.optim.AdamW(network.parameters(), eps=config["optimizer.epsilon"],
                                             weight_decay=config["optimizer.weight_decay"])
                     for name, network in self.exact.modules.items()}
        config.refuse_what_was_not_asked()
        for name, network in self.exact.modules.items():
            self.store_network("initial/", name, network.arrays())

    # What is stored is copied: the next step overwrites it in place.
    def store(self, name, tensor):
        types = {torch.uint8: torch.uint8, torch.int64: torch.int32}
        array = tensor.detach().to(types.get(tensor.dtype, torch.float32))
        self.tensors[name] = array.contiguous().clone().numpy()

    def store_network(self, prefix, network, arrays, value_of=lambda tensor: tensor):
        for array in arrays:
            self.store(f"{prefix}{network}/{array.name}", array.to_duel(value_of(array.tensor)))

    # --- what is drawn ---

    def draw(self, draw, draws):
        """draws[draw.name]: a batch, in which each row is drawn until float32 can tell the side of every kink."""
        rows = draw.rows(self.batch)
        places = torch.arange(len(rows))
        for _ in range(MOST_DRAWS if draw.passes else 0):
            looked_at = torch.arange(len(rows)) if draw.mixes_rows else places
            places = looked_at[self.is_near_a_kink(draw, rows[looked_at], draws, looked_at)]
            self.drawn_again += len(places)
            if len(places) == 0:
                break
            rows[places] = draw.rows(len(places))
        else:
            self.left_near += len(places) if draw.passes else 0
        draws[draw.name] = rows

    def is_near_a_kink(self, draw, rows, draws, places):
        """For each row. float32's largest deviation so far counts, for that of few rows may be small by chance."""
        near = torch.zeros(len(rows), dtype=torch.bool)
        with torch.no_grad(), self.exact.unchanged(), self.rounded.unchanged():
            exact, rounded = (draw.passes(networks, rows, draws, places) for networks in (self.exact, self.rounded))
        for i, (values, others) in enumerate(zip(exact, rounded)):
            deviation = (others.double() - values).abs().max().item()
            self.deviations[draw.name, i] = max(deviation, self.deviations.get((draw.name, i), 0))
            near |= (values.abs() < NEAR * self.deviations[draw.name, i]).flatten(1).any(1)
        return near

    # --- what is computed ---

    def loss_and_gradients(self, networks, phase, draws, step):
        loss = phase.loss(networks, draws, step)
        parameters = [p for name in phase.updates for p in networks[name].parameters()]
        gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
        return loss.detach(), [torch.zeros_like(p) if g is None else g for p, g in zip(parameters, gradients)]

    def take_phase(self, phase, prefix, group, step):
        """Draws, loss and gradients are stored, and after the update the weights. `group` goes before the kind of tensor."""
        self.rounded.take_weights(self.exact)
        draws = {}
        for draw in phase.draws:
            self.draw(draw, draws)
        for name, rows in draws.items():
            self.store(prefix + name, rows)

        loss, gradients = self.loss_and_gradients(self.exact, phase, draws, step)
        rounded_loss, rounded_gradients = self.loss_and_gradients(self.rounded, phase, draws, step)
        self.store(prefix + phase.loss_name, loss.reshape(1))
        self.store(f"{prefix}float32/{phase.loss_name}", (rounded_loss.double() - loss).abs().reshape(1))
        parameters = [p for name in phase.updates for p in self.exact[name].parameters()]
        differences = {}
        for parameter, gradient, rounded in zip(parameters, gradients, rounded_gradients):
            difference = (rounded.double() - gradient).abs()
            differences[parameter] = torch.stack([difference.square().sum().sqrt(), difference.max()])
            parameter.grad = gradient
        for name in phase.updates:
            arrays = self.exact[name].arrays()
            self.store_network(f"{prefix}{group}gradient/", name, arrays, lambda p: p.grad)
            for array in arrays:
                self.store(f"{prefix}float32/{group}gradient/{name}/{array.name}", differences[array.tensor])

        norm = torch.sqrt(sum(gradient.square().sum() for gradient in gradients)).item()
        if 0 < self.clip_norm < norm:  # clip_grad_norm_ would divide by norm + 1e-6
            for parameter in parameters:
                parameter.grad *= self.clip_norm / norm
        for name in phase.updates:
            for settings in self.adam[name].param_groups:
                settings.update(lr=phase.learning_rate.at(step), betas=(self.beta1, self.beta2.at(step)))
            self.adam[name].step()
            self.store_network(f"{prefix}{group}weight/", name, self.exact[name].arrays())
        for name, decay in phase.averages.items():
            self.take_average(prefix + group, name, decay.at(step))
        phase.behind()

    def take_average(self, prefix, name, decay):
        average = self.averages[name]
        with torch.no_grad():
            for mean, weight in zip(average.parameters(), self.exact[name].parameters()):
                mean.mul_(decay).add_(weight, alpha=1 - decay)
        self.store_network(f"{prefix}average/", name, average.arrays())

    def step(self, number):
        """`number` counts from 1."""
        updated = set()
        if hasattr(self.recipe, "begin"):
            self.recipe.begin(number - 1)
        for phase in self.phases:
            # Of a network's updates in a step, those behind the first phase's are told by their phase.
            group = f"{phase.name}/" if updated.intersection(phase.updates) else ""
            updated.update(phase.updates)
            if phase.runs_at(number - 1):
                self.take_phase(phase, f"step{number}/", group, number - 1)
        for name, network in self.exact.modules.items():
            if hasattr(network, "running"):
                self.store_network(f"step{number}/state/", name, network.running())
        if hasattr(self.recipe, "state"):
            for name, tensor in self.recipe.state().items():
                self.store(f"step{number}/state/{name}", tensor)
