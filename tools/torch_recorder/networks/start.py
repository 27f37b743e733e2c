"""How weights start in a record."""

from torch import nn


def start_layers(layers):
    """Biases are not zero: one that is left out must show at once. Weights are so large that gradients stand above the
    rounding of the discriminator's last bias, in whose gradient all cancels under the relativistic loss."""
    for layer in layers:
        nn.init.xavier_uniform_(layer.weight)
        if layer.bias is not None:
            nn.init.uniform_(layer.bias, -0.1, 0.1)


def start_mixed(module):
    """The same for all layers of a network, norms among them, whose factors differ from channel to channel."""
    for layer in module.modules():
        if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
            start_layers([layer])
        elif isinstance(layer, nn.InstanceNorm2d):
            nn.init.normal_(layer.weight, 1, 0.2)
            nn.init.uniform_(layer.bias, -0.1, 0.1)
