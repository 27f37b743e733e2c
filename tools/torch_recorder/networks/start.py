"""How weights start in a record."""

from torch import nn


def start_layers(layers):
    """Biases are not zero: one that is left out must show at once. Weights are so large that gradients stand above the
    rounding of the discriminator's last bias, in whose gradient all cancels under the relativistic loss."""
    for layer in layers:
        nn.init.xavier_uniform_(layer.weight)
        if layer.bias is not None:
            nn.init.uniform_(layer.bias, -0.1, 0.1)
