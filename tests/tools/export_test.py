#!/usr/bin/env python3
"""`duel export`: that ONNX's own checker takes its files, and that other programs draw with them what Duel draws.

    export_test.py DUEL      the program

For every preset a network of a few steps is exported, and run by whatever there is: ONNX Runtime (`pip install
onnxruntime`), and PyTorch, operator by operator, with the weights out of the safetensors file. Both make the pictures of
`duel generate` to 1e-4, from latents that this script draws itself. What is missing is skipped, and named.
"""

import csv
import importlib.util
import json
import os
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
NEEDED = ("numpy", "onnx")
RUNNERS = ("onnxruntime", "torch")


def packages_of(python):
    """Those of NEEDED and RUNNERS that this Python has."""
    script = ("import importlib.util as i, sys; "
              "print(*(p for p in sys.argv[1:] if i.find_spec(p)))")
    done = subprocess.run([python, "-c", script, *NEEDED, *RUNNERS], capture_output=True, text=True)
    return set(done.stdout.split()) if done.returncode == 0 else set()


def best_python():
    """This one, or the distribution's where that has more of what is needed."""
    pythons = [python for python in (sys.executable, "/usr/bin/python3") if Path(python).exists()]
    return max(pythons, key=lambda python: len(packages_of(python)))


BEST = best_python()
if BEST != sys.executable:
    os.execv(BEST, [BEST, *sys.argv])

DUEL = sys.argv.pop(1) if len(sys.argv) > 1 else str(ROOT / "build/duel")
MISSING = [package for package in NEEDED if not importlib.util.find_spec(package)]
if MISSING:
    print(f"export: skipped, for want of {' and '.join(MISSING)}; tools/setup.sh installs them")
    sys.exit(77)

import numpy as np  # noqa: E402
import onnx.checker  # noqa: E402
import onnx.helper  # noqa: E402
import onnx.numpy_helper  # noqa: E402

TOLERANCE = 1e-4
PICTURES = 24  # drawn of each run

SIZES = {"data.synthetic_count": 64, "data.synthetic_height": 16, "data.synthetic_width": 8, "data.synthetic_channels": 3,
         "model.latent": 6, "model.filters": 4, "model.features": 8, "model.generator_widths": "[16]",
         "model.discriminator_channels": "[4]", "model.discriminator_widths": "[8]", "model.widths": "[16,8]",
         "model.blocks": 1, "optimizer.ema_decay": 0.5, "train.batch": 8, "train.steps": 4}
# High rates, so that of the few steps something is to be seen.
RATES = {"gan": {"optimizer.generator_learning_rate": 0.02, "optimizer.discriminator_learning_rate": 0.02},
         "other": {"optimizer.learning_rate": 0.02}}
PRESETS = {"classic": {}, "steady": {"data.synthetic_width": 5}, "conv-steady": {}, "photographs": {"data.synthetic_height": 32},
           "dcgan": {"data.synthetic_width": 16, "optimizer.generator_learning_rate": 0.005, "train.steps": 30}, "sagan": {"data.synthetic_width": 16, "model.filters": 8}, "residual": {},
           "vae": {"data.synthetic_width": 12}, "classify": {"data.synthetic_height": 11, "data.synthetic_width": 9}}


def run(*words, expect=0):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=300,
                          env={**os.environ, "OMP_WAIT_POLICY": "passive"})
    assert done.returncode == expect, done.stdout + done.stderr
    return done.stdout if expect == 0 else done.stderr


def train(preset, out, **more):
    rates = RATES["other" if preset in ("vae", "classify") else "gan"]
    settings = {**SIZES, **rates, **PRESETS[preset], **more}
    if preset == "classify":
        settings.pop("optimizer.ema_decay")
    run(DUEL, "train", "--preset", preset, "--data", "synthetic", "--out", out, "--threads", 2,
        *(word for key, value in settings.items() for word in ("--set", f"{key}={value}")))


def philox(counter, key):
    """Philox4x32-10 of counters [N,4] under one key of two words (kernels/philox.h)."""
    c, k = [counter[:, i].astype(np.uint64) for i in range(4)], [np.uint64(word) for word in key]
    low = np.uint64(0xFFFFFFFF)
    for _ in range(10):
        a, b = c[0] * np.uint64(0xD2511F53), c[2] * np.uint64(0xCD9E8D57)
        c = [(b >> np.uint64(32)) ^ c[1] ^ k[0], b & low, (a >> np.uint64(32)) ^ c[3] ^ k[1], a & low]
        k = [(k[0] + np.uint64(0x9E3779B9)) & low, (k[1] + np.uint64(0xBB67AE85)) & low]
    return np.stack(c, 1)


def latents(seed, count, width):
    """Those of `duel generate --seed SEED`: 64 rows of normal numbers a batch (kernels/random.h)."""
    rows = []
    for batch in range(-(-count // 64)):
        blocks = np.arange(-(-64 * width // 4))
        counter = np.stack([blocks, np.full_like(blocks, 6), np.full_like(blocks, batch), np.zeros_like(blocks)], 1)
        u = ((philox(counter, (seed, 0)) >> np.uint64(9)).astype(np.float64) + 0.5) / 2**23
        u = u.reshape(-1, 2)
        radius, angle = np.sqrt(-2 * np.log(u[:, 0])), 2 * np.pi * u[:, 1]
        numbers = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1).ravel()
        rows.append(numbers[:64 * width].reshape(64, width))
    return np.concatenate(rows)[:count].astype(np.float32)


def read_png(path):
    """[H,W,C] of 8 bits."""
    data, at, packed = path.read_bytes(), 8, b""
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        content = data[at + 8:at + 8 + length]
        if kind == b"IHDR":
            width, height, depth, colour = struct.unpack(">IIBB", content[:10])
            assert depth == 8
            channels = {0: 1, 2: 3, 4: 2, 6: 4}[colour]
        packed += content if kind == b"IDAT" else b""
        at += length + 12
    lines = np.frombuffer(zlib.decompress(packed), np.uint8).reshape(height, 1 + width * channels).astype(int)
    picture = np.zeros((height + 1, width + 1, channels), int)  # a border of zeros above and to the left
    for y in range(height):
        for x in range(width):
            left, up, corner = picture[y + 1, x], picture[y, x + 1], picture[y, x]
            guess = left + up - corner
            nearest = np.stack([abs(guess - left), abs(guess - up), abs(guess - corner)]).argmin(0)
            predicted = [0, left, up, (left + up) // 2, np.choose(nearest, [left, up, corner])][lines[y, 0]]
            picture[y + 1, x + 1] = (lines[y, 1 + x * channels:1 + (x + 1) * channels] + predicted) % 256
    return picture[1:, 1:]


def write_png(path, pixels):
    """Of [H,W,3] of 8 bits."""
    def chunk(kind, content):
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
    height, width, _ = pixels.shape
    lines = b"".join(b"\0" + line.tobytes() for line in pixels)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) +
                     chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b""))


def off(pixels, values):
    """How far the values [N,C,H,W] lie outside of what is rounded to the pixels [N,H,W,C], at most. An error below a grey
    level shows where a value lies close to a level's end, as one of so many always does."""
    values = values.transpose(0, 2, 3, 1).astype(np.float64)
    low = np.where(pixels == 0, -np.inf, (pixels - 0.5) / 127.5 - 1)
    high = np.where(pixels == 255, np.inf, (pixels + 0.5) / 127.5 - 1)
    return max(0.0, (low - values).max(), (values - high).max())


class OnnxRuntime:
    """The file as ONNX Runtime runs it."""

    def __init__(self, file, weights):
        import onnxruntime
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(file), options, providers=["CPUExecutionProvider"])

    def __call__(self, **inputs):
        names = [output.name for output in self.session.get_outputs()]
        return dict(zip(names, self.session.run(names, inputs)))


def tensors_of(path):
    """A safetensors file, read by what its format says."""
    data = path.read_bytes()
    length = struct.unpack("<Q", data[:8])[0]
    header, rest = json.loads(data[8:8 + length]), data[8 + length:]
    metadata = header.pop("__metadata__")
    assert all(entry["dtype"] == "F32" for entry in header.values())
    return metadata, {name: np.frombuffer(rest[slice(*entry["data_offsets"])], np.float32).reshape(entry["shape"])
                      for name, entry in header.items()}


class PyTorch:
    """The same graph, each operator as PyTorch has it, with the weights of the safetensors file."""

    def __init__(self, file, weights):
        import torch
        self.torch, self.graph = torch, onnx.load(str(file)).graph
        self.known = {each.name: torch.from_numpy(onnx.numpy_helper.to_array(each).copy()) for each in self.graph.initializer}
        self.taken = tensors_of(weights)[1]
        for name, tensor in self.taken.items():
            assert self.known[name].shape == tensor.shape, name
            self.known[name] = torch.from_numpy(tensor.copy())

    def __call__(self, **inputs):
        torch, f = self.torch, self.torch.nn.functional
        known = {**self.known, **{name: torch.from_numpy(array) for name, array in inputs.items()}}
        plain = {"Add": torch.add, "Mul": torch.mul, "Div": torch.div, "Relu": torch.relu, "Tanh": torch.tanh,
                 "Sigmoid": torch.sigmoid, "Exp": torch.exp, "MatMul": torch.matmul, "Clip": torch.clamp,
                 "Identity": lambda x: x, "Expand": lambda x, shape: x.expand(*shape.tolist())}

        def shaped(x, shape):
            return x.reshape([int(extent) or x.shape[axis] for axis, extent in enumerate(shape)])  # 0: as it was

        def padded(x, pads):  # before both axes, then behind both
            return f.pad(x, (pads[1], pads[3], pads[0], pads[2]))

        def padded_by(x, pads, value=None, *, mode):
            before, behind = pads.tolist()[2:4], pads.tolist()[6:]
            around = (before[1], behind[1], before[0], behind[0])
            names = {b"constant": "constant", b"edge": "replicate", b"reflect": "reflect"}
            return f.pad(x, around, names[mode], 0 if value is None else float(value))

        def transposed(x, w, b=None, *, strides, pads, group, output_padding):
            y = f.conv_transpose2d(x, w, b, strides, 0, output_padding, group)
            return y[:, :, pads[0]:y.shape[2] - pads[2], pads[1]:y.shape[3] - pads[3]]

        def unsqueezed(x, axes):
            for axis in axes.tolist():
                x = x.unsqueeze(axis)
            return x

        operators = {
            **{name: lambda *x, its=its: its(*x) for name, its in plain.items()},
            "Gemm": lambda a, b, c=None, *, transA, transB: f.linear(a.T if transA else a, b if transB else b.T, c),
            "Conv": lambda x, w, b=None, *, strides, pads, group: f.conv2d(padded(x, pads), w, b, strides, 0, 1, group),
            "ConvTranspose": transposed,
            "BatchNormalization": lambda x, g, b, m, v, *, epsilon: f.batch_norm(x, m, v, g, b, False, 0, epsilon),
            "InstanceNormalization": lambda x, g, b, *, epsilon: f.instance_norm(x, weight=g, bias=b, eps=epsilon),
            "Pad": padded_by,
            "LeakyRelu": lambda x, *, alpha: f.leaky_relu(x, alpha),
            "Softmax": lambda x, *, axis: x.softmax(axis),
            "Gather": lambda x, index, *, axis: x[index],
            "Concat": lambda *x, axis: torch.cat(x, axis),
            "Slice": lambda x, a, b, axes: x.narrow(int(axes), int(a), int(b) - int(a)),
            "Transpose": lambda x, *, perm: x.permute(*perm),
            "Reshape": shaped, "Unsqueeze": unsqueezed,
            "ReduceSum": lambda x, axes, *, keepdims: x.sum(tuple(axes.tolist()), bool(keepdims)),
            "ReduceLogSumExp": lambda x, *, axes, keepdims: x.logsumexp(tuple(axes), bool(keepdims)),
            "Shape": lambda x, *, start, end: torch.tensor(x.shape[start:end]),
            "Cast": lambda x, *, to: x.to({1: torch.float32, 2: torch.uint8}[to]),
        }
        for node in self.graph.node:
            attributes = {each.name: onnx.helper.get_attribute_value(each) for each in node.attribute}
            known[node.output[0]] = operators[node.op_type](*(known[name] for name in node.input), **attributes)
        return {output.name: known[output.name].numpy() for output in self.graph.output}


def runner_class(name):
    return {"onnxruntime": OnnxRuntime, "torch": PyTorch}[name]


class Export(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def export(self, *words, network="net"):
        """The ONNX file, checked, and the safetensors file beside it."""
        files = [self.folder / f"{network}{ending}" for ending in (".onnx", ".safetensors")]
        for file in files:
            run(DUEL, "export", "--run", self.folder / "run", "--to", file, *words)
        onnx.checker.check_model(str(files[0]), full_check=True)
        model = onnx.load(str(files[0]))
        self.assertEqual((model.ir_version, model.opset_import[0].version), (8, 17))
        return files

    def runners(self, files):
        """Those that there are, by name."""
        return [(name, runner_class(name)(*files)) for name in RUNNERS if importlib.util.find_spec(name)]

    def check_pictures(self, preset, **more):
        train(preset, self.folder / "run", **more)
        run(DUEL, "generate", "--run", self.folder / "run", "--count", PICTURES, "--seed", 5, "--out", self.folder / "drawn",
            "--threads", 2)
        pixels = np.stack([read_png(self.folder / f"drawn/{i:07}.png") for i in range(PICTURES)])
        self.assertGreater(len(np.unique(pixels)), 32, "such pictures tell nothing")
        files = self.export()
        for name, runner in self.runners(files):
            with self.subTest(runner=name):
                inputs = {"latents": latents(5, PICTURES, SIZES["model.latent"])}
                table = self.folder / "drawn/labels.csv"
                if table.exists():
                    names = json.loads(tensors_of(files[1])[0]["classes"])
                    rows = [row["label"] for row in csv.DictReader(table.read_text().splitlines())]
                    inputs["classes"] = np.array([names.index(row) for row in rows], np.int64)
                drawn = runner(**inputs)
                worst = off(pixels, drawn["pictures_nchw"])
                print(f"{preset}: {name} is off by {worst:.1e}, of {drawn['pictures'].size} numbers", flush=True)
                self.assertLess(worst, TOLERANCE)
                self.assertEqual((drawn["pictures"].dtype, drawn["pictures"].shape), (np.uint8, pixels.shape))
                self.assertLessEqual(np.abs(drawn["pictures"].astype(int) - pixels).max(), 1)
                self.assertGreater((drawn["pictures"] == pixels).mean(), 0.99)
                one = runner(**{key: array[3:4] for key, array in inputs.items()})  # a batch of another size
                self.assertLess(np.abs(one["pictures_nchw"] - drawn["pictures_nchw"][3:4]).max(), 1e-5)

    def test_classic(self):
        self.check_pictures("classic")

    def test_steady(self):
        self.check_pictures("steady")

    def test_conv_steady(self):
        self.check_pictures("conv-steady")

    def test_conv_steady_in_bf16(self):
        dry = subprocess.run([DUEL, "train", "--data", "synthetic", "--precision", "bf16", "--dry-run", "--out", self.folder / "dry"],
                             capture_output=True, text=True, timeout=300)
        if "needs a CPU with AVX512-BF16" in dry.stderr:
            self.skipTest("this processor has no bf16")
        self.check_pictures("conv-steady", precision="bf16")

    def test_photographs(self):
        self.check_pictures("photographs")

    def test_dcgan(self):
        self.check_pictures("dcgan")

    def test_sagan(self):
        self.check_pictures("sagan")

    def test_residual(self):
        self.check_pictures("residual")

    def test_vae(self):
        self.check_pictures("vae")

    def test_shares_of_classes(self):
        self.check_shares("conv-steady")

    def check_shares(self, preset):
        train(preset, self.folder / "run")
        files = self.export("--mixes")
        names = json.loads(tensors_of(files[1])[0]["classes"])
        run(DUEL, "generate", "--run", self.folder / "run", "--count", PICTURES, "--out", self.folder / "drawn",
            "--class-mix", f"{names[0]}:0.25,{names[2]}:0.75")
        pixels = np.stack([read_png(self.folder / f"drawn/{i:07}.png") for i in range(PICTURES)])
        shares = np.zeros((PICTURES, len(names)), np.float32)
        shares[:, 0], shares[:, 2] = 0.25, 0.75
        for name, runner in self.runners(files):
            with self.subTest(runner=name):
                drawn = runner(latents=latents(0, PICTURES, SIZES["model.latent"]), classes=shares)
                self.assertLess(off(pixels, drawn["pictures_nchw"]), TOLERANCE)

    def test_classify(self):
        train("classify", self.folder / "run")
        height, width = (PRESETS["classify"][f"data.synthetic_{key}"] for key in ("height", "width"))
        shape = (PICTURES, height, width, SIZES["data.synthetic_channels"])
        pictures = np.random.default_rng(1).integers(0, 256, shape, np.uint8)
        (self.folder / "pictures").write_bytes(struct.pack(">4B4I", 0, 0, 8, 4, *shape) + pictures.tobytes())
        told = json.loads(run(DUEL, "classify", "--run", self.folder / "run", self.folder / "pictures", "--json"))["pictures"]
        files = self.export()
        names = json.loads(tensors_of(files[1])[0]["classes"])
        for name, runner in self.runners(files):
            with self.subTest(runner=name):
                answer = runner(pictures=pictures)
                self.assertEqual(len(answer["features"]), PICTURES)
                right = np.array([each["probability"] for each in told])
                worst = abs(answer["probabilities"].max(1) - right).max()
                print(f"classify: {name} is off by {worst:.1e}", flush=True)
                self.assertLess(worst, TOLERANCE)
                self.assertEqual([names[i] for i in answer["probabilities"].argmax(1)], [each["class"] for each in told])

    def test_cut(self):
        pictures = np.random.default_rng(3).integers(0, 256, (2, 8, 16, 16, 3), np.uint8)
        for name, folder in zip(("from", "into"), pictures):
            (self.folder / name).mkdir()
            for i, pixels in enumerate(folder):
                write_png(self.folder / name / f"{i}.png", pixels)
        settings = {"model.filters": 4, "model.blocks": 1, "model.features": 8, "loss.places": 16, "train.batch": 4, "train.steps": 4,
                    "optimizer.ema_decay": 0.5, "optimizer.generator_learning_rate": 0.02}
        run(DUEL, "train", "--preset", "cut", "--data", self.folder / "from", "--into", self.folder / "into", "--size", "16x16",
            "--out", self.folder / "run", "--threads", 2,
            *(word for key, value in settings.items() for word in ("--set", f"{key}={value}")))
        run(DUEL, "translate", self.folder / "from", "--run", self.folder / "run", "--out", self.folder / "made")
        pixels = np.stack([read_png(self.folder / f"made/{i}.png") for i in range(len(pictures[0]))])
        self.assertGreater(len(np.unique(pixels)), 32, "such pictures tell nothing")
        for name, runner in self.runners(self.export()):
            with self.subTest(runner=name):
                worst = off(pixels, runner(pictures=pictures[0])["pictures_nchw"])
                print(f"cut: {name} is off by {worst:.1e}, of {pixels.size} numbers", flush=True)
                self.assertLess(worst, TOLERANCE)

    def test_single_networks(self):
        """What no command of Duel's prints is the same by both runners at least; tests/host/export_test.cpp compares it
        with the engine."""
        pictures = np.random.default_rng(2).integers(0, 256, (5, 16, 16, 3), np.uint8)
        for preset, network, outputs in (("sagan", "discriminator", ["logits"]), ("vae", "encoder", ["mean", "log_variance"])):
            self.folder = Path(tempfile.mkdtemp(dir=self.folder))
            train(preset, self.folder / "run", **{"data.synthetic_width": 16})
            answers = [runner(pictures=pictures) for _, runner in self.runners(self.export("--network", network))]
            for answer in answers:
                self.assertEqual(list(answer), outputs)
                for output in outputs:
                    self.assertLess(np.abs(answer[output] - answers[0][output]).max(), 1e-3)

    def test_metadata(self):
        train("conv-steady", self.folder / "run")
        files = self.export()
        model = onnx.load(str(files[0]))
        told = {each.key: each.value for each in model.metadata_props}
        of_weights = tensors_of(files[1])[0]
        for key, value in (("recipe", "gan"), ("preset", "conv-steady"), ("step", "4"), ("network", "generator"),
                           ("weights", "moving average"), ("picture_size", "16x8x3")):
            self.assertEqual((told[key], of_weights[key]), (value, value))
        self.assertEqual(told["weights_crc32c"], of_weights["weights_crc32c"])
        self.assertEqual((told["duel_version"], model.producer_name), (model.producer_version, "duel"))
        self.assertEqual(json.loads(told["ranges"])["pictures"], "0..255")
        self.assertEqual(len(json.loads(told["classes"])), 8)
        raw = self.export("--raw", network="raw")
        self.assertNotEqual(tensors_of(raw[1])[0]["weights_crc32c"], told["weights_crc32c"])
        self.assertEqual(tensors_of(raw[1])[0]["weights"], "as trained")


if __name__ == "__main__":
    unittest.main()
