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
from torch_recorder.networks import (  # noqa: E402
    classifier, conv_steady, msr_resnet, nafnet, patch_discriminator, translator, unet, vae)
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


def record_pictures(record, net, picture, count=2):
    """A network from pictures to pictures: what it makes, and the gradients of the pictures and of the weights."""
    for parameter in net.parameters():
        if parameter.abs().sum() == 0:
            parameter.data = 0.5 * torch.randn_like(parameter)
    round_to_float32(net)
    x = draw(count, *picture).requires_grad_()
    made = net(x)
    by_output = draw(*made.shape)
    r = Recording()
    r.add("input/pictures", pictures(x))
    r.add("input/by_output", pictures(by_output))
    r.add_arrays("weight/", net.arrays())
    r.add("output/pictures", pictures(made))
    loss = (made * by_output).sum()
    r.add_gradients("gradient/", loss, net.arrays())
    r.add("gradient/pictures", pictures(torch.autograd.grad(loss, x)[0]))
    r.write(record)


def record_patches(record, net, picture, count=2):
    """A discriminator of patches: its logits, and the gradients of the weights of a loss and of a gradient penalty."""
    round_to_float32(net)
    x = draw(count, *picture).requires_grad_()
    logits = net(x)
    by_logit = draw(*logits.shape)
    slope, = torch.autograd.grad(logits.sum(), x, create_graph=True)
    squares = slope.square().sum((1, 2, 3))
    r = Recording()
    r.add("input/pictures", pictures(x))
    r.add("input/by_logit", pictures(by_logit))
    r.add_arrays("weight/", net.arrays())
    r.add("output/logits", pictures(logits))
    r.add("output/squared_gradients", squares)
    r.add_gradients("gradient/", (logits * by_logit).sum() + squares.sum(), net.arrays())
    r.write(record)


def record_translator(record, channels, filters, blocks, picture, count=2):
    """What it makes, its maps of features, and the gradients of a loss of both."""
    net = translator.Translator(channels, filters, blocks).double()
    round_to_float32(net)
    x = draw(count, channels, *picture).requires_grad_()
    made, features = net(x)
    by_output = draw(*made.shape)
    loss = (made * by_output).sum() + sum(each.square().mean() for each in features[1:])
    r = Recording()
    r.add("input/pictures", pictures(x))
    r.add("input/by_output", pictures(by_output))
    r.add_arrays("weight/", net.arrays())
    r.add("output/pictures", pictures(made))
    for i, each in enumerate(features[1:]):
        r.add(f"output/map{i + 1}", pictures(each))
    r.add_gradients("gradient/", loss, net.arrays())
    r.add("gradient/pictures", pictures(torch.autograd.grad(loss, x)[0]))
    r.write(record)


def record_place_contrast():
    """Places of two maps, projected and compared."""
    cells, width, temperature = translator.cells_of(12, 6, 9), 5, 0.3
    net = translator.PlaceProjector([3], width).double()
    round_to_float32(net)
    given, made = draw(2, 3, 6, 9), draw(2, 3, 6, 9).requires_grad_()
    uniform = torch.rand(2, *cells, 2).float().double()
    places = translator.places_in_cells(uniform)
    key, query = (net([translator.features_at(each, places)])[0] for each in (given, made))
    losses = translator.contrast_losses(query, key.detach(), cells[0] * cells[1], temperature)
    by_loss = draw(*losses.shape)
    loss = (losses * by_loss).sum()
    r = Recording()
    for name, value in (("given", pictures(given)), ("made", pictures(made)), ("uniform", uniform), ("by_loss", by_loss.view(-1, 1))):
        r.add(f"input/{name}", value)
    r.add_arrays("weight/", net.arrays())
    r.add("output/places", places)
    r.add("output/losses", losses)
    r.add_gradients("gradient/", loss, net.arrays())
    r.add("gradient/made", pictures(torch.autograd.grad(loss, made)[0]))
    r.write("place_contrast")


def record_operators():
    """What operators make that no network above has, and their gradients: of the sum of the results times by_output."""
    x, grid = draw(2, 6, 5, 7).requires_grad_(), (1.3 * torch.rand(2, 5, 7, 2).mul(2).sub(1)).float().double().requires_grad_()
    gamma, beta = draw(6).requires_grad_(), draw(6).requires_grad_()
    by_output = draw(2, 6, 5, 7)
    r = Recording()
    for name, value in (("pictures", pictures(x)), ("grid", grid), ("affine", torch.stack((gamma, beta))),
                        ("by_output", pictures(by_output))):
        r.add(f"input/{name}", value)
    made = {"instance_norm": F.instance_norm(x, eps=1e-5), "group_norm": F.group_norm(x, 3, gamma, beta, 1e-5)}
    for edge in ("zeros", "border"):
        made[f"grid_sample_{edge}"] = F.grid_sample(x, grid, padding_mode=edge, align_corners=False)
    for name, y in made.items():
        r.add(f"output/{name}", pictures(y))
        loss = (y * by_output).sum()
        r.add(f"gradient/{name}/pictures", pictures(torch.autograd.grad(loss, x, retain_graph=True)[0]))
        if name.startswith("grid_sample"):
            r.add(f"gradient/{name}/grid", torch.autograd.grad(loss, grid, retain_graph=True)[0])
    for mode in ("reflect", "replicate"):
        r.add(f"output/pad2d_{mode}", pictures(F.pad(x, (1, 3, 2, 0), mode=mode)))
    r.write("operators")


torch.manual_seed(0)
record_conv_steady("conv_steady", classes=3)
record_conv_steady("conv_steady_without_classes", classes=0)
record_vae()
record_classifier("classifier", (2, 7, 6), 3, 2)
record_conv_steady("conv_steady_wide", classes=2, picture=(3, 32, 48), filters=2, count=2)  # three halvings
record_conv_steady("conv_steady_64", classes=0, picture=(1, 64, 64), filters=1, count=2)  # four, and eight times F at most
record_classifier("classifier_halved", (3, 21, 18), 2, 1, 4, 2)  # by the stem and by three of four stages
record_pictures("nafnet", nafnet.Nafnet(4, 3, 3, [1, 2], 1, [1, 0]).double(), (4, 8, 12))
for scale in (2, 3, 4):
    record_pictures(f"msr_resnet_{scale}", msr_resnet.MsrResnet(3, 4, 2, scale).double(), (3, 5, 4))
record_operators()
record_patches("patch_discriminator", patch_discriminator.PatchDiscriminator(4, 3, 2).double(), (4, 25, 16))
record_patches("patch_discriminator_normed", patch_discriminator.PatchDiscriminator(3, 4, 2, True).double(), (3, 16, 20))
record_pictures("unet", unet.Unet(4, 3, 3, 3).double(), (4, 8, 16))
record_translator("translator", 3, 2, 3, (8, 12))
record_place_contrast()
