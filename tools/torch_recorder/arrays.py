"""Everything about layouts. Duel: pictures [N,H,W,C], dense weights [in,out], filters [K,R,S,C], transposed ones too (with K
their inputs), and a picture flattens with its channels fastest. PyTorch: [N,C,H,W], [out,in], [K,C,R,S], and its channels
come slowest."""

from torch import nn


class Array:
    """A parameter of PyTorch (or what it keeps beside), with Duel's name, and `to_duel`: from its layout to Duel's."""

    def __init__(self, name, tensor, to_duel=lambda t: t):
        self.name, self.tensor, self.to_duel = name, tensor, to_duel


def pictures(x):
    """[N,C,H,W] as [N,H,W,C]."""
    return x.permute(0, 2, 3, 1)


def arrays_of(name, module, taken=None, made=None):
    """The arrays of a layer; `taken` and `made`: the picture (C, H, W) that a dense layer's inputs are flattened from, and
    that its outputs are made into."""
    if isinstance(module, (nn.BatchNorm2d, nn.InstanceNorm2d)):
        return [Array(f"{name}/gamma", module.weight), Array(f"{name}/beta", module.bias)]

    def weight(t):
        if t.dim() == 4:
            return t.permute(0, 2, 3, 1)
        if isinstance(module, nn.Embedding):
            return t
        t = t.t()
        if taken:
            t = t.reshape(*taken, -1).permute(1, 2, 0, 3).reshape(t.shape)
        if made:
            t = t.reshape(-1, *made).permute(0, 2, 3, 1).reshape(t.shape)
        return t

    def bias(t):
        return t.reshape(made).permute(1, 2, 0).reshape(-1) if made else t

    arrays = [Array(f"{name}/weight", module.weight, weight)]
    if getattr(module, "bias", None) is not None:
        arrays.append(Array(f"{name}/bias", module.bias, bias))
    return arrays


def shuffled_arrays_of(name, module, factor):
    """Those of a convolution before a pixel shuffle, whose filters come as (channel, row, column), in Duel as (row, column,
    channel)."""

    def ordered(t):
        return t.reshape(-1, factor, factor, *t.shape[1:]).permute(1, 2, 0, *range(3, t.dim() + 2)).reshape(t.shape)

    return [Array(array.name, array.tensor, lambda t, to_duel=array.to_duel: to_duel(ordered(t)))
            for array in arrays_of(name, module)]


def running_of(name, norm):
    """What batch norm keeps from step to step."""
    return [Array(f"{name}/running_mean", norm.running_mean), Array(f"{name}/running_variance", norm.running_var)]
