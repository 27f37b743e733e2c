#!/usr/bin/env python3
"""Records a GAN's training in plain PyTorch, for `duel parity` to replay: configuration, weights, pictures and noise, then
the losses, gradients and weights of each step, in one safetensors file (host/trajectory.h says what is in it).

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
    "preset": "classic", "seed": 0, "precision": "fp32", "device": "auto", "threads": 0, "kernels": "auto",
    "data.source": "fashion-mnist", "data.synthetic_count": 4096, "data.synthetic_height": 28,
    "data.synthetic_width": 28, "data.synthetic_channels": 1,
    "model.latent": 100, "model.generator_widths": [128, 256, 512, 1024], "model.generator_activation": "relu",
    "model.discriminator_channels": [32, 64], "model.discriminator_kernel": 3, "model.discriminator_widths": [128],
    "model.discriminator_activation": "relu", "model.leaky_slope": 0.2,
    "loss.kind": "bce", "loss.r1": 0.0, "loss.r2": 0.0, "loss.gradient_penalty": 0.0,
    "optimizer.generator_learning_rate": 1e-4, "optimizer.discriminator_learning_rate": 1e-4, "optimizer.beta1": 0.9,
    "optimizer.beta2": 0.999, "optimizer.epsilon": 1e-7, "optimizer.clip_norm": 0.0, "optimizer.ema_decay": 0.99,
    "train.batch": 64, "train.epochs": 100, "train.steps": 0,
    "schedule.residency": "auto", "schedule.launch": "graph", "schedule.steps_per_launch": 0,
    "schedule.lanes": 0,
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

class Recording:
    """Two networks in training, and every tensor of it. All in float32, or in float64 where rounding is to be absent."""

    def __init__(self, config, seed, dtype):
        import torch
        self.torch, self.config, self.tensors = torch, config, {}
        self.random = torch.Generator().manual_seed(seed)
        torch.manual_seed(seed)  # of the starting weights
        (self.generator, self.g_layers), (self.discriminator, self.d_layers) = build_networks(config)
        self.dtype = getattr(torch, dtype)
        self.generator.to(self.dtype)
        self.discriminator.to(self.dtype)
        self.average = copy.deepcopy([layer.module for layer in self.g_layers])
        settings = {"betas": (config["optimizer.beta1"], config["optimizer.beta2"]), "eps": config["optimizer.epsilon"]}
        self.g_adam = torch.optim.Adam(self.generator.parameters(), config["optimizer.generator_learning_rate"],
                                       **settings)
        self.d_adam = torch.optim.Adam(self.discriminator.parameters(),
                                       config["optimizer.discriminator_learning_rate"], **settings)
        self.store_parameters("initial/", lambda p: p)

    # What is stored is copied: the next step overwrites it in place.
    def store(self, name, tensor):
        array = tensor.detach().cpu()
        array = array if array.dtype == self.torch.uint8 else array.to(self.torch.float32)
        self.tensors[name] = array.contiguous().clone().numpy()

    def store_network(self, prefix, layers, value_of):
        for layer in layers:
            for name, parameter, to_duel in layer.parameters():
                self.store(prefix + name, to_duel(value_of(parameter)))

    def store_parameters(self, prefix, value_of):
        self.store_network(prefix + "generator/", self.g_layers, value_of)
        self.store_network(prefix + "discriminator/", self.d_layers, value_of)

    def draw_reals(self, name):
        """[N,C,H,W] in [-1,1] of random bytes, which are stored as they are."""
        extents = [self.config["data.synthetic_" + extent] for extent in ("height", "width", "channels")]
        pixels = self.torch.randint(0, 256, (self.config["train.batch"], *extents), generator=self.random,
                                    dtype=self.torch.uint8)
        self.store(name, pixels)
        return pixels.permute(0, 3, 1, 2).to(self.dtype) / 127.5 - 1

    def draw_latents(self, name):
        latents = self.torch.randn(self.config["train.batch"], self.config["model.latent"], generator=self.random)
        self.store(name, latents)
        return latents.to(self.dtype)

    def squared_gradients(self, logits, pictures):
        """|d logit / d picture|^2 of each picture."""
        gradient, = self.torch.autograd.grad(logits.sum(), pictures, create_graph=True)
        return gradient.square().flatten(1).sum(1)

    def discriminator_loss(self, real, fake):
        F = self.torch.nn.functional
        return {"bce": lambda: (F.softplus(-real).mean() + F.softplus(fake).mean()) / 2,
                "lsgan": lambda: ((real - 1).square().mean() + fake.square().mean()) / 2,
                "hinge": lambda: F.relu(1 - real).mean() + F.relu(1 + fake).mean(),
                "relativistic": lambda: F.softplus(fake - real).mean(),
                "wgan": lambda: fake.mean() - real.mean()}[self.config["loss.kind"]]()

    def generator_loss(self, fake, real):
        F = self.torch.nn.functional
        return {"bce": lambda: F.softplus(-fake).mean(),
                "lsgan": lambda: (fake - 1).square().mean() / 2,
                "hinge": lambda: -fake.mean(),
                "relativistic": lambda: F.softplus(real - fake).mean(),
                "wgan": lambda: -fake.mean()}[self.config["loss.kind"]]()

    def update(self, prefix, layers, network, adam, loss):
        """Stores gradients, clips them together, updates, stores weights."""
        parameters = list(network.parameters())
        gradients = self.torch.autograd.grad(loss, parameters, allow_unused=True)
        for parameter, gradient in zip(parameters, gradients):
            parameter.grad = self.torch.zeros_like(parameter) if gradient is None else gradient.clone()
        name = "generator/" if network is self.generator else "discriminator/"
        self.store_network(prefix + "gradient/" + name, layers, lambda p: p.grad)
        norm = self.torch.sqrt(sum(p.grad.double().square().sum() for p in parameters)).item()
        limit = self.config["optimizer.clip_norm"]
        if 0 < limit < norm:  # clip_grad_norm_ would divide by norm + 1e-6
            for parameter in parameters:
                parameter.grad *= limit / norm
        adam.step()
        self.store_network(prefix + "weight/" + name, layers, lambda p: p)

    def step(self, number):
        torch, config, prefix = self.torch, self.config, f"step{number}/"
        real = self.draw_reals(prefix + "d_reals").requires_grad_()
        fake = self.generator(self.draw_latents(prefix + "d_latents")).detach().requires_grad_()
        real_logits, fake_logits = self.discriminator(real), self.discriminator(fake)
        loss = self.discriminator_loss(real_logits, fake_logits)
        if config["loss.r1"] > 0:
            loss = loss + config["loss.r1"] / 2 * self.squared_gradients(real_logits, real).mean()
        if config["loss.r2"] > 0:
            loss = loss + config["loss.r2"] / 2 * self.squared_gradients(fake_logits, fake).mean()
        if config["loss.gradient_penalty"] > 0:
            shares = torch.rand(config["train.batch"], generator=self.random)
            self.store(prefix + "shares", shares)
            share = shares.to(self.dtype).reshape(-1, 1, 1, 1)
            mixed = (share * real + (1 - share) * fake).detach().requires_grad_()
            norms = torch.sqrt(self.squared_gradients(self.discriminator(mixed), mixed) + 1e-12)
            loss = loss + config["loss.gradient_penalty"] * (norms - 1).square().mean()
        self.store(prefix + "d_loss", loss.reshape(1))
        self.update(prefix, self.d_layers, self.discriminator, self.d_adam, loss)

        needs_reals = config["loss.kind"] == "relativistic"
        fresh_logits = self.discriminator(self.draw_reals(prefix + "g_reals")).detach() if needs_reals else None
        judged = self.discriminator(self.generator(self.draw_latents(prefix + "g_latents")))
        loss = self.generator_loss(judged, fresh_logits)
        self.store(prefix + "g_loss", loss.reshape(1))
        self.update(prefix, self.g_layers, self.generator, self.g_adam, loss)

        decay = config["optimizer.ema_decay"]
        with torch.no_grad():
            for module, layer in zip(self.average, self.g_layers):
                for mean, weight in zip(module.parameters(), layer.module.parameters()):
                    mean.mul_(decay).add_(weight, alpha=1 - decay)
        averages = [Layer(layer.name, module, layer.flattens, layer.unflattens)
                    for module, layer in zip(self.average, self.g_layers)]
        self.store_network(prefix + "average/generator/", averages, lambda p: p)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--config", required=True, help="TOML, as for `duel train --config`")
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0, help="of weights, pictures and noise")
    parser.add_argument("--out", required=True, help="the .safetensors file")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="over the file; may be repeated")
    parser.add_argument("--dtype", choices=("float32", "float64"), default="float32", help="of PyTorch's arithmetic")
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

    recording = Recording(config, arguments.seed, arguments.dtype)
    for number in range(1, arguments.steps + 1):
        recording.step(number)
    metadata = {"format": "duel trajectory 1", "config": to_toml(config), "steps": str(arguments.steps),
                "recorder": f"PyTorch {torch.__version__} in {arguments.dtype}"}
    write_safetensors(arguments.out, recording.tensors, metadata)
    print(f"{arguments.out}: {arguments.steps} steps, {len(recording.tensors)} tensors")


if __name__ == "__main__":
    main()
