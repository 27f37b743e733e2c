#!/usr/bin/env python3
"""Records what small versions of the networks of engine/models compute in PyTorch, in float64: outputs, and gradients of
the weights, of random weights and inputs. tests/engine/models_test.cpp compares them with the engine's.

usage: python3 tests/golden/networks/record.py

The networks are written as PyTorch's users write them: pictures N C H W, filters [K,C,R,S], dense layers [out,in]. What is
saved lies as the engine's arrays do: pictures N H W C, filters [K,R,S,C], dense layers [in,out]."""
import math
import pathlib
import sys

import torch
import torch.nn as nn
import torch.nn.functional as F

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2] / "tools"))
from record_pytorch import write_safetensors  # noqa: E402


def leaky(x):
    return F.leaky_relu(x, 0.2)


class Generator(nn.Module):
    def __init__(self, height, width, channels, latent, filters, classes):
        super().__init__()
        self.deepest = (4 * filters, height // 4, width // 4)
        self.classes = nn.Embedding(classes, latent) if classes else None
        self.dense = nn.Linear(latent * (2 if classes else 1), math.prod(self.deepest))
        self.up1 = nn.ConvTranspose2d(4 * filters, 2 * filters, 4, 2, 1)
        self.up2 = nn.ConvTranspose2d(2 * filters, filters, 4, 2, 1)
        self.last = nn.Conv2d(filters, channels, 3, padding=1)

    def forward(self, z, y):
        if self.classes:
            z = torch.cat([z, self.classes(y)], 1)
        x = leaky(self.dense(z)).view(-1, *self.deepest)
        return self.last(leaky(self.up2(leaky(self.up1(x)))))


class Discriminator(nn.Module):
    def __init__(self, height, width, channels, filters, features, classes):
        super().__init__()
        self.deepest = (4 * filters, height // 4, width // 4)
        self.conv1 = nn.Conv2d(channels, filters, 4, 2, 1)
        self.conv2 = nn.Conv2d(filters, 2 * filters, 4, 2, 1)
        self.conv3 = nn.Conv2d(2 * filters, 4 * filters, 3, padding=1)
        self.dense = nn.Linear(math.prod(self.deepest), features)
        self.last = nn.Linear(features, 1)
        self.classes = nn.Embedding(classes, features) if classes else None

    def forward(self, x, y):
        for conv in (self.conv1, self.conv2, self.conv3):
            x = leaky(conv(x))
        f = leaky(self.dense(x.flatten(1)))
        logits = self.last(f)
        return logits + (f * self.classes(y)).sum(1, keepdim=True) if self.classes else logits


class Vae(nn.Module):
    def __init__(self, height, width, channels, latent, filters):
        super().__init__()
        self.latent, self.deepest = latent, (4 * filters, height // 4, width // 4)
        self.conv1 = nn.Conv2d(channels, filters, 3, 1, 1)
        self.conv2 = nn.Conv2d(filters, 2 * filters, 4, 2, 1)
        self.conv3 = nn.Conv2d(2 * filters, 4 * filters, 5, 2, 2)
        self.posterior = nn.Linear(math.prod(self.deepest), 2 * latent)
        self.dense = nn.Linear(latent, math.prod(self.deepest))
        self.up1 = nn.ConvTranspose2d(4 * filters, 2 * filters, 6, 2, 2)
        self.up2 = nn.ConvTranspose2d(2 * filters, filters, 6, 2, 2)
        self.last = nn.ConvTranspose2d(filters, channels, 5, 1, 2)

    def encode(self, x):
        for conv in (self.conv1, self.conv2, self.conv3):
            x = F.relu(conv(x))
        return self.posterior(x.flatten(1)).split(self.latent, 1)

    def decode(self, z):
        x = F.relu(self.dense(z)).view(-1, *self.deepest)
        return 2 * torch.sigmoid(self.last(F.relu(self.up2(F.relu(self.up1(x)))))) - 1


class Block(nn.Module):
    def __init__(self, channels, filters, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, filters, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(filters)
        self.conv2 = nn.Conv2d(filters, filters, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(filters)
        self.projection = None
        if stride != 1 or channels != filters:
            self.projection = nn.Conv2d(channels, filters, 1, stride, bias=False)
            self.projection_norm = nn.BatchNorm2d(filters)

    def forward(self, x):
        y = self.norm2(self.conv2(F.relu(self.norm1(self.conv1(x)))))
        return F.relu(y + (self.projection_norm(self.projection(x)) if self.projection else x))


class Classifier(nn.Module):
    def __init__(self, channels, classes, filters, blocks):
        super().__init__()
        self.stem = nn.Conv2d(channels, filters, 3, 1, 1, bias=False)
        self.stem_norm = nn.BatchNorm2d(filters)
        self.stages = nn.ModuleList()
        width = filters
        for stage in range(3):
            for i in range(blocks):
                self.stages.append(Block(width, filters << stage, 2 if stage and not i else 1))
                width = filters << stage
        self.blocks = blocks
        self.last = nn.Linear(width, classes)

    def forward(self, x):
        x = F.relu(self.stem_norm(self.stem(x)))
        for block in self.stages:
            x = block(x)
        features = x.mean((2, 3))
        return self.last(features), features


# --- how the engine's arrays lie ------------------------------------------------------------------------------------

def pictures(x):
    return x.permute(0, 2, 3, 1)


def layer(name, module, taken=None, made=None):
    """(name, parameter, its array as the engine's) of a layer; `taken` and `made`: the picture (C, H, W) that a dense
    layer's inputs are taken from, and that its outputs are made into."""
    if isinstance(module, nn.BatchNorm2d):
        return [(f"{name}/gamma", module.weight, lambda t: t), (f"{name}/beta", module.bias, lambda t: t)]

    def weight(t):
        if t.dim() == 4:  # of a transposed convolution too: [in, out, R, S]
            return t.permute(0, 2, 3, 1)
        if isinstance(module, nn.Embedding):
            return t
        t = t.T
        if taken:
            t = t.reshape(*taken, -1).permute(1, 2, 0, 3).reshape(t.shape)
        if made:
            t = t.reshape(-1, *made).permute(0, 2, 3, 1).reshape(t.shape)
        return t

    def bias(t):
        return t.reshape(made).permute(1, 2, 0).reshape(-1) if made else t

    arrays = [(f"{name}/weight", module.weight, weight)]
    if getattr(module, "bias", None) is not None:
        arrays.append((f"{name}/bias", module.bias, bias))
    return arrays


def classifier_layers(net):
    layers = layer("stem", net.stem) + layer("stem/norm", net.stem_norm)
    norms = [("stem/norm", net.stem_norm)]
    for i, block in enumerate(net.stages):
        name = f"stage{i // net.blocks + 1}/block{i % net.blocks + 1}"
        parts = [("conv1", block.conv1, block.norm1), ("conv2", block.conv2, block.norm2)]
        if block.projection:
            parts.append(("projection", block.projection, block.projection_norm))
        for part, conv, norm in parts:
            layers += layer(f"{name}/{part}", conv) + layer(f"{name}/{part}/norm", norm)
            norms.append((f"{name}/{part}/norm", norm))
    return layers + layer("last", net.last), norms


# --- recording ------------------------------------------------------------------------------------------------------

def round_to_float32(net):
    """Weights that float32 holds, larger than the layers start with, so that every gradient is far from zero."""
    for parameter in net.parameters():
        parameter.data = (1.5 * parameter.data).float().double()


def draw(*shape):
    return torch.randn(*shape).float().double()


class Recording:
    def __init__(self):
        self.tensors = {}

    def add(self, name, tensor):
        self.tensors[name] = tensor.detach().contiguous().numpy().astype("float32")  # labels too

    def add_layers(self, layers, prefix=""):
        for name, parameter, lies in layers:
            self.add(f"weight/{prefix}{name}", lies(parameter.detach()))

    def add_gradients(self, loss, layers, prefix="gradient/"):
        gradients = torch.autograd.grad(loss, [parameter for _, parameter, _ in layers], retain_graph=True)
        for (name, _, lies), gradient in zip(layers, gradients):
            self.add(prefix + name, lies(gradient))

    def write(self, name):
        write_safetensors(str(HERE / f"{name}.safetensors"), self.tensors, {"pytorch": torch.__version__})


def record_conv_steady(name, classes):
    size, latent, filters, features, count = (12, 8, 3), 5, 3, 7, 4
    g = Generator(*size, latent, filters, classes).double()
    d = Discriminator(*size, filters, features, classes).double()
    z, x, y = draw(count, latent), draw(count, size[2], size[0], size[1]), torch.arange(count) * 2 % max(classes, 1)
    by_picture, by_logit = torch.randn_like(x).float().double(), draw(count, 1)
    r = Recording()
    for label, value in (("z", z), ("pictures", pictures(x)), ("labels", y), ("by_picture", pictures(by_picture)),
                         ("by_logit", by_logit)):
        r.add(f"input/{label}", value)
    for net in (g, d):
        round_to_float32(net)
    g_layers = (layer("classes", g.classes) if classes else []) + layer("dense", g.dense, made=g.deepest) + \
        layer("up1", g.up1) + layer("up2", g.up2) + layer("last", g.last)
    d_layers = layer("conv1", d.conv1) + layer("conv2", d.conv2) + layer("conv3", d.conv3) + \
        layer("dense", d.dense, taken=d.deepest) + layer("last", d.last) + (layer("classes", d.classes) if classes else [])
    r.add_layers(g_layers, "generator/")
    r.add_layers(d_layers, "discriminator/")
    made = g(z, y)
    r.add("output/pictures", pictures(made))
    r.add_gradients((made * by_picture).sum(), g_layers, "gradient/generator/")
    x.requires_grad_()
    logits = d(x, y)
    r.add("output/logits", logits)
    slope, = torch.autograd.grad(logits.sum(), x, create_graph=True)
    r.add("output/squared_gradients", slope.square().sum((1, 2, 3)))
    r.add_gradients((logits * by_logit).sum() + slope.square().sum(), d_layers, "gradient/discriminator/")
    r.write(name)


def record_vae():
    size, latent, filters, count = (8, 12, 2), 3, 3, 3
    net = Vae(*size, latent, filters).double()
    round_to_float32(net)
    x, noise = torch.tanh(draw(count, size[2], size[0], size[1])).float().double(), draw(count, latent)
    encoder = layer("conv1", net.conv1) + layer("conv2", net.conv2) + layer("conv3", net.conv3) + \
        layer("posterior", net.posterior, taken=net.deepest)
    decoder = layer("dense", net.dense, made=net.deepest) + layer("up1", net.up1) + layer("up2", net.up2) + \
        layer("last", net.last)
    r = Recording()
    r.add("input/pictures", pictures(x))
    r.add("input/noise", noise)
    r.add_layers(encoder, "encoder/")
    r.add_layers(decoder, "decoder/")
    mean, log_variance = net.encode(x)
    again = net.decode(mean + noise * torch.exp(log_variance / 2))
    divergence = (-0.5 * (1 + log_variance - mean.square() - log_variance.exp())).sum(1).mean()
    lowest = math.log(2) - 6
    log_sigma = lowest + F.softplus((x - again).square().mean().sqrt().log() - lowest)
    terms = 0.5 * ((x - again) / log_sigma.exp()).square() + log_sigma + 0.5 * math.log(2 * math.pi)
    reconstruction = terms.sum((1, 2, 3)).mean()
    for name, value in (("mean", mean), ("log_variance", log_variance), ("reconstructions", pictures(again)),
                        ("divergence", divergence.view(1)), ("reconstruction", reconstruction.view(1))):
        r.add(f"output/{name}", value)
    r.add_gradients(divergence + reconstruction, encoder, "gradient/encoder/")
    r.add_gradients(divergence + reconstruction, decoder, "gradient/decoder/")
    r.write("vae")


def record_classifier():
    height, width, channels, classes, count = 7, 6, 2, 4, 5
    net = Classifier(channels, classes, 3, 2).double()
    round_to_float32(net)
    layers, norms = classifier_layers(net)
    x, y = draw(count, channels, height, width), torch.arange(count) % classes
    r = Recording()
    r.add("input/pictures", pictures(x))
    r.add("input/labels", y)
    r.add_layers(layers)
    logits, features = net.train()(x)
    loss = F.cross_entropy(logits, y, label_smoothing=0.1)
    for name, value in (("logits", logits), ("features", features), ("loss", loss.view(1))):
        r.add(f"output/{name}", value)
    r.add_gradients(loss, layers)
    for name, norm in norms:
        r.add(f"state/{name}/running_mean", norm.running_mean)
        r.add(f"state/{name}/running_variance", norm.running_var)
    r.add("output/inferred_logits", net.eval()(x)[0])
    r.write("classifier")


torch.manual_seed(0)
record_conv_steady("conv_steady", classes=3)
record_conv_steady("conv_steady_without_classes", classes=0)
record_vae()
record_classifier()
