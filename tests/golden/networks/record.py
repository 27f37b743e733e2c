#!/usr/bin/env python3
"""Records what small versions of the networks of engine/models compute in PyTorch, in float64: outputs, and gradients of
the weights, of random weights and inputs. tests/engine/models_test.cpp compares them with the engine's.

usage: python3 tests/golden/networks/record.py

The networks are those that tools/record_pytorch.py trains. What is saved lies as the engine's arrays do."""
import math
import pathlib
import sys

import torch
import torch.nn.functional as F

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2] / "tools"))
from torch_recorder.arrays import pictures  # noqa: E402
from torch_recorder.networks import classifier, conv_steady, vae  # noqa: E402
from torch_recorder.safetensors_file import write_safetensors  # noqa: E402

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

    def add_arrays(self, prefix, arrays):
        for array in arrays:
            self.add(prefix + array.name, array.to_duel(array.tensor.detach()))

    def add_gradients(self, prefix, loss, arrays):
        gradients = torch.autograd.grad(loss, [array.tensor for array in arrays], retain_graph=True)
        for array, gradient in zip(arrays, gradients):
            self.add(prefix + array.name, array.to_duel(gradient))

    def write(self, name):
        write_safetensors(str(HERE / f"{name}.safetensors"), self.tensors, {"pytorch": torch.__version__})


def record_conv_steady(name, classes, picture=(3, 12, 8), filters=3, count=4):
    latent, features = 5, 7
    g = conv_steady.Generator(picture, latent, filters, classes).double()
    d = conv_steady.Discriminator(picture, filters, features, classes).double()
    z, x, y = draw(count, latent), draw(count, *picture), torch.arange(count) * 2 % max(classes, 1)
    by_picture, by_logit = torch.randn_like(x).float().double(), draw(count, 1)
    r = Recording()
    for label, value in (("z", z), ("pictures", pictures(x)), ("labels", y), ("by_picture", pictures(by_picture)),
                         ("by_logit", by_logit)):
        r.add(f"input/{label}", value)
    for net in (g, d):
        round_to_float32(net)
    r.add_arrays("weight/generator/", g.arrays())
    r.add_arrays("weight/discriminator/", d.arrays())
    made = g(z, y)
    r.add("output/pictures", pictures(made))
    r.add_gradients("gradient/generator/", (made * by_picture).sum(), g.arrays())
    x.requires_grad_()
    logits = d(x, y)
    r.add("output/logits", logits)
    slope, = torch.autograd.grad(logits.sum(), x, create_graph=True)
    r.add("output/squared_gradients", slope.square().sum((1, 2, 3)))
    r.add_gradients("gradient/discriminator/", (logits * by_logit).sum() + slope.square().sum(), d.arrays())
    r.write(name)


def record_vae():
    picture, latent, filters, count = (2, 8, 12), 3, 3, 3
    encoder, decoder = vae.Encoder(picture, latent, filters).double(), vae.Decoder(picture, latent, filters).double()
    round_to_float32(encoder)
    round_to_float32(decoder)
    x, noise = torch.tanh(draw(count, *picture)).float().double(), draw(count, latent)
    r = Recording()
    r.add("input/pictures", pictures(x))
    r.add("input/noise", noise)
    r.add_arrays("weight/encoder/", encoder.arrays())
    r.add_arrays("weight/decoder/", decoder.arrays())
    mean, log_variance = encoder(x)
    again = decoder(mean + noise * torch.exp(log_variance / 2))
    divergence = (-0.5 * (1 + log_variance - mean.square() - log_variance.exp())).sum(1).mean()
    lowest = math.log(2) - 6
    log_sigma = lowest + F.softplus((x - again).square().mean().sqrt().log() - lowest)
    terms = 0.5 * ((x - again) / log_sigma.exp()).square() + log_sigma + 0.5 * math.log(2 * math.pi)
    reconstruction = terms.sum((1, 2, 3)).mean()
    for name, value in (("mean", mean), ("log_variance", log_variance), ("reconstructions", pictures(again)),
                        ("divergence", divergence.view(1)), ("reconstruction", reconstruction.view(1))):
        r.add(f"output/{name}", value)
    r.add_gradients("gradient/encoder/", divergence + reconstruction, encoder.arrays())
    r.add_gradients("gradient/decoder/", divergence + reconstruction, decoder.arrays())
    r.write("vae")


def record_classifier(record, picture, *sizes):
    classes, count = 4, 5
    net = classifier.Classifier(picture[0], classes, *sizes).double()
    round_to_float32(net)
    x, y = draw(count, *picture), torch.arange(count) % classes
    r = Recording()
    r.add("input/pictures", pictures(x))
    r.add("input/labels", y)
    r.add_arrays("weight/", net.arrays())
    logits, features = net.train()(x)
    loss = F.cross_entropy(logits, y, label_smoothing=0.1)
    for name, value in (("logits", logits), ("features", features), ("loss", loss.view(1))):
        r.add(f"output/{name}", value)
    r.add_gradients("gradient/", loss, net.arrays())
    r.add_arrays("state/", net.running())
    r.add("output/inferred_logits", net.eval()(x)[0])
    r.write(record)


torch.manual_seed(0)
record_conv_steady("conv_steady", classes=3)
record_conv_steady("conv_steady_without_classes", classes=0)
record_vae()
record_classifier("classifier", (2, 7, 6), 3, 2)
record_conv_steady("conv_steady_wide", classes=2, picture=(3, 32, 48), filters=2, count=2)  # three halvings
record_conv_steady("conv_steady_64", classes=0, picture=(1, 64, 64), filters=1, count=2)  # four, and eight times F at most
record_classifier("classifier_halved", (3, 21, 18), 2, 1, 4, 2)  # by the stem and by three of four stages
