#!/usr/bin/env python3
"""Records a GAN's training in plain PyTorch, for `duel parity` to replay: configuration, weights, pictures and noise, then
the losses, gradients and weights of each step, in one safetensors file (host/parity/trajectory.h says what is in it). All of
it is computed in float64; how far PyTorch's own float32 is from that, from the same weights, is written beside it.

A gradient jumps at the kink of a ReLU. Where the value that goes in is zero but for rounding, float32 cannot tell its
side, and two right programs differ by all that passes there, which looks like an error. So a picture, latent or mixture
that comes so near a kink is drawn anew. What another program then gets in float32 is right to a few millionths, or wrong.

    tools/record_pytorch.py --config FILE.toml --steps 5 --seed 0 --out trajectory.safetensors [--set KEY=VALUE ...]

The configuration is that of `duel train --config`. Pictures are random bytes of the extents data.synthetic_*, whatever
data.source says; device, precision and threads are for the replay to choose. Runs on Debian 12's python3-torch (1.13) and
on current PyTorch; Python 3.11 or later.
"""

import argparse
import copy
import difflib
import json
import struct
import sys
import tomllib

# Every key, as in the preset `classic`; those of a table are written table.key. tests/tools/record_pytorch_test.py
# holds them to the program's own.
CLASSIC = {
    "preset": "classic", "recipe": "gan", "seed": 0, "precision": "fp32", "device": "auto", "threads": 0, "kernels": "auto",
    "data.source": "fashion-mnist", "data.labels": False, "data.synthetic_count": 4096, "data.synthetic_height": 28,
    "data.synthetic_width": 28, "data.synthetic_channels": 1,
    "model.networks": "classic", "model.latent": 100, "model.filters": 32, "model.features": 128,
    "model.generator_widths": [128, 256, 512, 1024], "model.generator_activation": "relu",
    "model.discriminator_channels": [32, 64], "model.discriminator_kernel": 3, "model.discriminator_widths": [128],
    "model.discriminator_activation": "relu", "model.leaky_slope": 0.2,
    "loss.kind": "bce", "loss.r1": 0.0, "loss.r2": 0.0, "loss.gradient_penalty": 0.0,
    "loss.penalty_every": 1,
    "optimizer.learning_rate": 1e-3, "optimizer.generator_learning_rate": 1e-4, "optimizer.discriminator_learning_rate": 1e-4, "optimizer.beta1": 0.9,
    "optimizer.beta2": 0.999, "optimizer.epsilon": 1e-7, "optimizer.clip_norm": 0.0, "optimizer.ema_decay": 0.99,
    "optimizer.weight_decay": 0.0, "optimizer.d_updates": 1,
    "train.batch": 64, "train.epochs": 100, "train.steps": 0,
    "schedule.residency": "auto", "schedule.launch": "graph", "schedule.steps_per_launch": 0,
    "schedule.lanes": 0,
    "schedule.memory": "check",
    "output.log_every": 50, "output.metrics_every": 10, "output.samples_every": 250, "output.checkpoint_every": 500,
    "output.keep_last": 3, "output.keep_every": 0, "output.sample_rows": 8, "output.sample_columns": 8,
}
STEADY = {
    "preset": "steady", "model.discriminator_activation": "leaky_relu", "loss.kind": "relativistic", "loss.r1": 0.5,
    "loss.r2": 0.5, "optimizer.generator_learning_rate": 5e-4, "optimizer.discriminator_learning_rate": 5e-4,
    "optimizer.beta1": 0.0, "optimizer.beta2": 0.99,
}
PRESETS = {"classic": CLASSIC, "steady": {**CLASSIC, **STEADY}}
LOSSES = ("bce", "lsgan", "hinge", "relativistic", "wgan")
ACTIVATIONS = ("relu", "leaky_relu", "tanh", "sigmoid")

NEAR = 8  # times the largest deviation of float32 at that place: a program may round more than PyTorch does
MOST_DRAWS = 50


# --- configuration --------------------------------------------------------------------------------------------------

def flattened(table, prefix=""):
    """{"model": {"latent": 5}} as {"model.latent": 5}."""
    flat = {}
    for key, value in table.items():
        flat.update(flattened(value, prefix + key + ".") if isinstance(value, dict) else {prefix + key: value})
    return flat


def parsed_setting(setting):
    """KEY=VALUE; what is no TOML is a bare word."""
    key, equals, text = setting.partition("=")
    if not key or not equals or not text:
        sys.exit(f"record_pytorch: --set {setting} must be KEY=VALUE, for example train.batch=5")
    try:
        return key, tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return key, text


def resolve(given):
    """All keys: the preset's (by default steady's) with those given on top, each of the preset's type."""
    preset = given.get("preset", "steady")
    if preset not in PRESETS:
        sys.exit(f"record_pytorch: preset = {preset!r} must be classic or steady")
    config = dict(PRESETS[preset])
    for key, value in given.items():
        if key not in config:
            near = difflib.get_close_matches(key, config, 1)
            sys.exit(f"record_pytorch: unknown key {key}" + (f"; did you mean {near[0]}?" if near else ""))
        kind = type(config[key])
        if kind is float and type(value) is int:
            value = float(value)
        if type(value) is not kind:
            sys.exit(f"record_pytorch: {key} = {value!r} must be of the type of {config[key]!r}")
        config[key] = value
    for key in ("data.labels", "model.networks", "loss.penalty_every", "optimizer.weight_decay", "optimizer.d_updates"):
        if config[key] != CLASSIC[key]:
            sys.exit(f"record_pytorch: {key} = {config[key]!r}: only {CLASSIC[key]!r} is recorded")
    for key, allowed in (("loss.kind", LOSSES), ("model.generator_activation", ACTIVATIONS),
                         ("model.discriminator_activation", ACTIVATIONS)):
        if config[key] not in allowed:
            sys.exit(f"record_pytorch: {key} = {config[key]!r} must be one of {', '.join(allowed)}")
    return config


def to_toml(config):
    lines, table = [], ""
    for key, value in config.items():
        here, _, name = key.rpartition(".")
        if here != table:
            table = here
            lines.append(f"[{table}]")
        lines.append(f"{name} = {json.dumps(value)}")  # these types look alike in JSON and TOML
    return "\n".join(lines) + "\n"


# --- safetensors ----------------------------------------------------------------------------------------------------

def write_safetensors(path, tensors, metadata):
    """Writes numpy arrays of f32 and u8, with the package safetensors where it is installed."""
    try:
        from safetensors.numpy import save_file
    except ImportError:
        save_file = write_by_hand
    save_file(tensors, path, metadata)


def write_by_hand(tensors, path, metadata):
    header, offset = {"__metadata__": metadata}, 0
    ordered = sorted(tensors, key=lambda name: -tensors[name].itemsize)  # so that each one is aligned
    for name in ordered:
        end = offset + tensors[name].nbytes
        kind = {"float32": "F32", "uint8": "U8"}[str(tensors[name].dtype)]
        header[name] = {"dtype": kind, "shape": list(tensors[name].shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name in ordered:
            file.write(tensors[name].tobytes())


# --- networks -------------------------------------------------------------------------------------------------------
# Everything about layouts is here. Duel: pictures [N,H,W,C], dense weights [in, out], filters [K,R,S,C], and a picture
# flattens with its channels fastest. PyTorch: [N,C,H,W], [out, in], [K,C,R,S], and its channels come slowest.

class Layer:
    """A module of PyTorch, and its parameters under Duel's names and in Duel's layouts."""

    def __init__(self, name, module, flattens=None, unflattens=None):
        """flattens: (C, H, W) of what this dense layer gets flattened; unflattens: of the picture that it makes."""
        self.name, self.module, self.flattens, self.unflattens = name, module, flattens, unflattens

    def parameters(self):
        return [(self.name + "/weight", self.module.weight, self.weight_to_duel),
                (self.name + "/bias", self.module.bias, self.bias_to_duel)]

    def weight_to_duel(self, w):
        if w.dim() == 4:
            return w.permute(0, 2, 3, 1)                                                       # [K,C,R,S] -> [K,R,S,C]
        if self.flattens:
            w = w.reshape(len(w), *self.flattens).permute(0, 2, 3, 1).reshape(len(w), -1)      # [out, CHW] -> [out, HWC]
        if self.unflattens:
            inputs = w.shape[1]
            w = w.reshape(*self.unflattens, inputs).permute(1, 2, 0, 3).reshape(-1, inputs)    # [CHW, in] -> [HWC, in]
        return w.t()

    def bias_to_duel(self, b):
        return b.reshape(self.unflattens).permute(1, 2, 0).reshape(-1) if self.unflattens else b


def build_networks(config):
    """Two lists of layers, and two modules made of them: latents -> [N,C,H,W], and [N,C,H,W] -> logits [N,1]."""
    import torch
    from torch import nn

    def activation(name):
        return {"relu": nn.ReLU(), "leaky_relu": nn.LeakyReLU(config["model.leaky_slope"]), "tanh": nn.Tanh(),
                "sigmoid": nn.Sigmoid()}[name]

    picture = tuple(config["data.synthetic_" + extent] for extent in ("channels", "height", "width"))
    pixels = picture[0] * picture[1] * picture[2]

    layers, modules, width = [], [], config["model.latent"]
    for next_width in config["model.generator_widths"]:
        layers.append(Layer(f"dense{len(layers) + 1}", nn.Linear(width, next_width)))
        modules += [layers[-1].module, activation(config["model.generator_activation"])]
        width = next_width
    layers.append(Layer(f"dense{len(layers) + 1}", nn.Linear(width, pixels), unflattens=picture))
    generator = nn.Sequential(*modules, layers[-1].module, nn.Tanh(), nn.Unflatten(1, picture)), layers

    layers, modules, channels = [], [], picture[0]
    kernel = config["model.discriminator_kernel"]
    for i, filters in enumerate(config["model.discriminator_channels"]):
        layers.append(Layer(f"conv{i + 1}", nn.Conv2d(channels, filters, kernel, padding=kernel // 2)))
        modules += [layers[-1].module, activation(config["model.discriminator_activation"])]
        channels = filters
    modules.append(nn.Flatten())
    flattens, width = (channels, *picture[1:]), channels * picture[1] * picture[2]
    for i, next_width in enumerate([*config["model.discriminator_widths"], 1]):
        layers.append(Layer(f"dense{i + 1}", nn.Linear(width, next_width), flattens=flattens))
        modules += [layers[-1].module, activation(config["model.discriminator_activation"])]
        flattens, width = None, next_width
    discriminator = nn.Sequential(*modules[:-1]), layers  # logits have no activation

    with torch.no_grad():
        for layer in generator[1] + discriminator[1]:
            nn.init.xavier_uniform_(layer.module.weight)
            nn.init.uniform_(layer.module.bias, -0.1, 0.1)  # not zero: a bias that is left out must show at once
    return generator, discriminator


# --- a step ---------------------------------------------------------------------------------------------------------

class Networks:
    """Both networks in one type of arithmetic, and what each phase of a step computes with them."""

    def __init__(self, config, dtype):
        import torch
        self.torch, self.config, self.dtype = torch, config, dtype
        (self.generator, g_layers), (self.discriminator, d_layers) = build_networks(config)
        self.layers = {"generator": g_layers, "discriminator": d_layers}
        self.generator.to(dtype)
        self.discriminator.to(dtype)

    def take_weights(self, other):
        self.generator.load_state_dict(other.generator.state_dict())
        self.discriminator.load_state_dict(other.discriminator.state_dict())

    def pictures(self, pixels):
        """[N,C,H,W] in [-1,1] of bytes [N,H,W,C]."""
        return pixels.permute(0, 3, 1, 2).to(self.dtype) / 127.5 - 1

    def fakes(self, latents):
        with self.torch.no_grad():
            return self.generator(latents.to(self.dtype))

    def mixtures(self, reals, fakes, shares):
        share = shares.to(self.dtype).reshape(-1, 1, 1, 1)
        return share * reals + (1 - share) * fakes

    def squared_gradients(self, logits, pictures):
        """|d logit / d picture|^2 of each picture."""
        gradient, = self.torch.autograd.grad(logits.sum(), pictures, create_graph=True)
        return gradient.square().flatten(1).sum(1)

    def discriminator_loss(self, draws):
        config, F = self.config, self.torch.nn.functional
        real_pictures = self.pictures(draws["d_reals"]).requires_grad_()
        fake_pictures = self.fakes(draws["d_latents"]).requires_grad_()
        real, fake = self.discriminator(real_pictures), self.discriminator(fake_pictures)
        loss = {"bce": lambda: (F.softplus(-real).mean() + F.softplus(fake).mean()) / 2,
                "lsgan": lambda: ((real - 1).square().mean() + fake.square().mean()) / 2,
                "hinge": lambda: F.relu(1 - real).mean() + F.relu(1 + fake).mean(),
                "relativistic": lambda: F.softplus(fake - real).mean(),
                "wgan": lambda: fake.mean() - real.mean()}[config["loss.kind"]]()
        if config["loss.r1"] > 0:
            loss = loss + config["loss.r1"] / 2 * self.squared_gradients(real, real_pictures).mean()
        if config["loss.r2"] > 0:
            loss = loss + config["loss.r2"] / 2 * self.squared_gradients(fake, fake_pictures).mean()
        if config["loss.gradient_penalty"] > 0:
            mixed = self.mixtures(real_pictures, fake_pictures, draws["shares"]).detach().requires_grad_()
            norms = self.torch.sqrt(self.squared_gradients(self.discriminator(mixed), mixed) + 1e-12)
            loss = loss + config["loss.gradient_penalty"] * (norms - 1).square().mean()
        return loss

    def generator_loss(self, draws):
        F, kind = self.torch.nn.functional, self.config["loss.kind"]
        fake = self.discriminator(self.generator(draws["g_latents"].to(self.dtype)))
        if kind == "relativistic":
            with self.torch.no_grad():
                real = self.discriminator(self.pictures(draws["g_reals"]))
            return F.softplus(real - fake).mean()
        return {"bce": lambda: F.softplus(-fake).mean(),
                "lsgan": lambda: (fake - 1).square().mean() / 2,
                "hinge": lambda: -fake.mean(),
                "wgan": lambda: -fake.mean()}[kind]()

    def loss_and_gradients(self, name, draws):
        loss = {"generator": self.generator_loss, "discriminator": self.discriminator_loss}[name](draws)
        parameters = list(getattr(self, name).parameters())
        gradients = self.torch.autograd.grad(loss, parameters, allow_unused=True)
        return loss.detach(), [self.torch.zeros_like(p) if g is None else g for p, g in zip(parameters, gradients)]

    def through(self, network, inputs):
        """What a network makes of its inputs, and each value on its way into an activation with a kink."""
        kinks = []
        for module in network:
            if isinstance(module, (self.torch.nn.ReLU, self.torch.nn.LeakyReLU)):
                kinks.append(inputs)
            inputs = module(inputs)
        return inputs, kinks

    def kinks(self, name, rows, draws, places):
        """What gradients pass at a kink where these rows of the draw `name` go through: a list of distances from it."""
        if name == "g_latents":
            pictures, kinks = self.through(self.generator, rows.to(self.dtype))
            return kinks + self.through(self.discriminator, pictures)[1]
        if name == "shares":
            reals, fakes = self.pictures(draws["d_reals"][places]), self.fakes(draws["d_latents"][places])
            return self.through(self.discriminator, self.mixtures(reals, fakes, rows))[1]
        is_real = name == "d_reals"
        logits, kinks = self.through(self.discriminator, self.pictures(rows) if is_real else self.fakes(rows))
        return kinks + ([1 - logits if is_real else 1 + logits] if self.config["loss.kind"] == "hinge" else [])


class Recording:
    """Two networks in training in float64, and every tensor of it; beside it, how far float32 is from that."""

    def __init__(self, config, seed):
        import torch
        self.torch, self.config, self.tensors = torch, config, {}
        self.deviations, self.drawn_again, self.left_near = {}, 0, 0
        self.random = torch.Generator().manual_seed(seed)
        torch.manual_seed(seed)  # of the starting weights
        self.exact, self.rounded = Networks(config, torch.float64), Networks(config, torch.float32)
        self.average = copy.deepcopy([layer.module for layer in self.exact.layers["generator"]])
        self.adam = {name: torch.optim.Adam(getattr(self.exact, name).parameters(),
                                            config[f"optimizer.{name}_learning_rate"],
                                            betas=(config["optimizer.beta1"], config["optimizer.beta2"]),
                                            eps=config["optimizer.epsilon"])
                     for name in ("generator", "discriminator")}
        for name, layers in self.exact.layers.items():
            self.store_network(f"initial/{name}/", layers, lambda p: p)

    # What is stored is copied: the next step overwrites it in place.
    def store(self, name, tensor):
        array = tensor.detach().cpu()
        array = array if array.dtype == self.torch.uint8 else array.to(self.torch.float32)
        self.tensors[name] = array.contiguous().clone().numpy()

    def store_network(self, prefix, layers, value_of):
        for layer in layers:
            for name, parameter, to_duel in layer.parameters():
                self.store(prefix + name, to_duel(value_of(parameter)))

    # --- what is drawn ---

    def draw_pixels(self, count):
        extents = [self.config["data.synthetic_" + extent] for extent in ("height", "width", "channels")]
        return self.torch.randint(0, 256, (count, *extents), generator=self.random, dtype=self.torch.uint8)

    def draw_latents(self, count):
        return self.torch.randn(count, self.config["model.latent"], generator=self.random)

    def draw_shares(self, count):
        return self.torch.rand(count, generator=self.random)

    def draw(self, name, draw, draws):
        """draws[name]: a batch, in which each row is drawn until float32 can tell the side of every kink."""
        rows = draw(self.config["train.batch"])
        places = self.torch.arange(len(rows))
        for _ in range(MOST_DRAWS):
            places = places[self.is_near_a_kink(name, rows[places], draws, places)]
            self.drawn_again += len(places)
            if len(places) == 0:
                break
            rows[places] = draw(len(places))
        else:
            self.left_near += len(places)
        draws[name] = rows

    def is_near_a_kink(self, name, rows, draws, places):
        """For each row. float32's largest deviation so far counts, for that of few rows may be small by chance."""
        near = self.torch.zeros(len(rows), dtype=self.torch.bool)
        with self.torch.no_grad():
            exact, rounded = (networks.kinks(name, rows, draws, places) for networks in (self.exact, self.rounded))
        for i, (values, others) in enumerate(zip(exact, rounded)):
            deviation = (others.double() - values).abs().max().item()
            self.deviations[name, i] = max(deviation, self.deviations.get((name, i), 0))
            near |= (values.abs() < NEAR * self.deviations[name, i]).flatten(1).any(1)
        return near

    def discriminator_draws(self):
        draws = {}
        self.draw("d_reals", self.draw_pixels, draws)
        self.draw("d_latents", self.draw_latents, draws)
        if self.config["loss.gradient_penalty"] > 0:
            self.draw("shares", self.draw_shares, draws)
        return draws

    def generator_draws(self):
        draws = {}
        self.draw("g_latents", self.draw_latents, draws)
        if self.config["loss.kind"] == "relativistic":
            draws["g_reals"] = self.draw_pixels(self.config["train.batch"])  # only logits are used: no kink matters
        return draws

    # --- what is computed ---

    def phase(self, prefix, name, draw):
        """A phase of the network `name`: draws, loss and gradients are stored, and after the update the weights."""
        layers, parameters = self.exact.layers[name], list(getattr(self.exact, name).parameters())
        self.rounded.take_weights(self.exact)
        draws = draw()
        for kind, rows in draws.items():
            self.store(prefix + kind, rows)

        loss, gradients = self.exact.loss_and_gradients(name, draws)
        rounded_loss, rounded_gradients = self.rounded.loss_and_gradients(name, draws)
        self.store(f"{prefix}{name[0]}_loss", loss.reshape(1))
        self.store(f"{prefix}float32/{name[0]}_loss", (rounded_loss.double() - loss).abs().reshape(1))
        differences = {}
        for parameter, gradient, rounded in zip(parameters, gradients, rounded_gradients):
            difference = (rounded.double() - gradient).abs()
            differences[parameter] = self.torch.stack([difference.square().sum().sqrt(), difference.max()])
            parameter.grad = gradient
        self.store_network(f"{prefix}gradient/{name}/", layers, lambda p: p.grad)
        for layer in layers:
            for tensor, parameter, _ in layer.parameters():
                self.store(f"{prefix}float32/gradient/{name}/{tensor}", differences[parameter])

        norm = self.torch.sqrt(sum(gradient.square().sum() for gradient in gradients)).item()
        limit = self.config["optimizer.clip_norm"]
        if 0 < limit < norm:  # clip_grad_norm_ would divide by norm + 1e-6
            for parameter in parameters:
                parameter.grad *= limit / norm
        self.adam[name].step()
        self.store_network(f"{prefix}weight/{name}/", layers, lambda p: p)

    def step(self, number):
        torch, prefix = self.torch, f"step{number}/"
        self.phase(prefix, "discriminator", self.discriminator_draws)
        self.phase(prefix, "generator", self.generator_draws)

        decay = self.config["optimizer.ema_decay"]
        with torch.no_grad():
            for module, layer in zip(self.average, self.exact.layers["generator"]):
                for mean, weight in zip(module.parameters(), layer.module.parameters()):
                    mean.mul_(decay).add_(weight, alpha=1 - decay)
        averages = [Layer(layer.name, module, layer.flattens, layer.unflattens)
                    for module, layer in zip(self.average, self.exact.layers["generator"])]
        self.store_network(prefix + "average/generator/", averages, lambda p: p)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", required=True, help="TOML, as for `duel train --config`")
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0, help="of weights, pictures and noise")
    parser.add_argument("--out", required=True, help="the .safetensors file")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="over the file; may be repeated")
    arguments = parser.parse_args()
    if arguments.steps < 1:
        sys.exit(f"record_pytorch: --steps {arguments.steps} must be at least 1")
    try:
        with open(arguments.config, "rb") as file:
            given = flattened(tomllib.load(file))
    except (OSError, tomllib.TOMLDecodeError) as error:
        sys.exit(f"record_pytorch: {arguments.config}: {error}")
    given.update(parsed_setting(setting) for setting in arguments.set)
    # What the file says is what the replay needs: this seed, these pictures, no more steps than there are.
    given.update({"seed": arguments.seed, "data.source": "synthetic", "train.steps": arguments.steps})
    config = resolve(given)
    try:
        import torch
    except ImportError:
        sys.exit("record_pytorch: PyTorch is missing; on Debian: apt-get install python3-torch; else: pip install torch")

    recording = Recording(config, arguments.seed)
    for number in range(1, arguments.steps + 1):
        recording.step(number)
    metadata = {"format": "duel trajectory 2", "config": to_toml(config), "steps": str(arguments.steps),
                "recorder": f"PyTorch {torch.__version__} in float64",
                "near_kinks": str(recording.left_near)}
    write_safetensors(arguments.out, recording.tensors, metadata)
    print(f"{arguments.out}: {arguments.steps} steps, {len(recording.tensors)} tensors; {recording.drawn_again} rows were "
          f"drawn anew for being near a kink, and {recording.left_near} still are")


if __name__ == "__main__":
    main()
