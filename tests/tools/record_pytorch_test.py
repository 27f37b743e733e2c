#!/usr/bin/env python3
"""tools/record_pytorch.py: its presets are the program's, and `duel parity` finds its records right.

    record_pytorch_test.py DUEL      the program; where PyTorch is missing, what needs it is skipped
"""

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

if sys.version_info < (3, 11):
    print("record_pytorch_test: skipped, the recorder needs Python 3.11 (tomllib)")
    sys.exit(77)
import tomllib

ROOT = Path(__file__).resolve().parent.parent.parent
RECORDER = ROOT / "tools/record_pytorch.py"
DUEL = sys.argv.pop(1) if len(sys.argv) > 1 else str(ROOT / "build/duel")

sys.dont_write_bytecode = True
spec = importlib.util.spec_from_file_location("record_pytorch", RECORDER)
record_pytorch = importlib.util.module_from_spec(spec)
spec.loader.exec_module(record_pytorch)


def python_with_torch():
    """This Python, or else the distribution's, where tools/setup.sh puts PyTorch."""
    for python in (sys.executable, "/usr/bin/python3"):
        if Path(python).exists() and subprocess.run([python, "-c", "import numpy, torch, tomllib"],
                                                    capture_output=True).returncode == 0:
            return python
    return None


PYTHON = python_with_torch()

ODD = ["data.synthetic_height=5", "data.synthetic_width=7", "data.synthetic_channels=3", "train.batch=5",
       "model.latent=4", "model.generator_widths=[9]", "model.discriminator_channels=[4]",
       "model.discriminator_widths=[6]"]


def run(*words):
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=300,
                          env={**os.environ, "OMP_WAIT_POLICY": "passive"})


class RecordPytorch(unittest.TestCase):
    def record(self, folder, settings, *more):
        config = Path(folder) / "config.toml"
        config.write_text('preset = "classic"\n')
        words = [word for setting in settings for word in ("--set", setting)]
        return run(PYTHON or sys.executable, RECORDER, "--config", config, "--out", Path(folder) / "t.safetensors", *words, *more)

    def test_presets_are_those_of_the_program(self):
        small = {"data.source": "synthetic", "data.synthetic_count": 64, "train.steps": 1, "model.latent": 3,
                 "model.generator_widths": [4], "model.discriminator_channels": [2], "model.discriminator_widths": [3],
                 "train.batch": 4, "device": "cpu", "threads": 1}
        words = [word for key, value in small.items() for word in ("--set", f"{key}={json.dumps(value)}")]
        for preset in ("classic", "steady"):
            with tempfile.TemporaryDirectory() as folder:
                done = run(DUEL, "train", "--preset", preset, "--out", Path(folder) / "run", *words)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                written = record_pytorch.flattened(tomllib.loads((Path(folder) / "run/config.toml").read_text()))
            self.assertEqual(written, record_pytorch.resolve({"preset": preset, **small}))
        # The keys that are small above, and that a run therefore does not tell.
        listed = dict(line.split(" = ", 1) for line in run(DUEL, "train", "--help-keys").stdout.splitlines()
                      if " = " in line and not line.startswith(" "))
        told = {key: tomllib.loads(f"value = {value}")["value"] for key, value in listed.items()}
        self.assertEqual(told, record_pytorch.resolve({"preset": "steady"}))

    def test_the_file_is_read_as_the_program_reads_it(self):
        config = record_pytorch.resolve({"preset": "steady", "optimizer.epsilon": 1e-9, "loss.r1": 1})
        self.assertEqual(record_pytorch.flattened(tomllib.loads(record_pytorch.to_toml(config))), config)
        self.assertIs(type(config["loss.r1"]), float)
        self.assertEqual(record_pytorch.parsed_setting("loss.kind=hinge"), ("loss.kind", "hinge"))
        self.assertEqual(record_pytorch.parsed_setting("model.generator_widths=[3, 4]"),
                         ("model.generator_widths", [3, 4]))

    def test_what_it_refuses(self):
        with tempfile.TemporaryDirectory() as folder:
            for setting, part in (("train.bach=3", "did you mean train.batch?"), ("train.batch=many", "train.batch"),
                                  ("loss.kind=bse", "bce, lsgan"), ("nothing", "KEY=VALUE")):
                done = self.record(folder, [setting])
                self.assertEqual(done.returncode, 1, setting)
                self.assertIn(part, done.stderr)
            self.assertIn("--steps 0", self.record(folder, [], "--steps", 0).stderr)

    @unittest.skipUnless(PYTHON, "PyTorch is missing")
    def test_records_of_every_loss_and_penalty_pass(self):
        penalties = (["loss.r1=0.7"], ["loss.r2=1.3"], ["loss.gradient_penalty=10", "loss.r1=0.5", "loss.r2=0.5"])
        for i, loss in enumerate(record_pytorch.LOSSES):
            settings = ODD + [f"loss.kind={loss}", *penalties[i % 3], "optimizer.clip_norm=0.1",
                              "model.discriminator_activation=" + record_pytorch.ACTIVATIONS[i % 4],
                              "model.generator_activation=" + record_pytorch.ACTIVATIONS[(i + 1) % 4]]
            with tempfile.TemporaryDirectory() as folder:
                done = self.record(folder, settings, "--steps", 2, "--seed", i)
                self.assertEqual(done.returncode, 0, done.stderr)
                parity = run(DUEL, "parity", "--device", "cpu", "--threads", 2, Path(folder) / "t.safetensors")
                self.assertEqual((parity.returncode, parity.stdout.splitlines()[-1:]), (0, ["parity: ok"]),
                                 parity.stdout + parity.stderr)
                self.assertEqual(parity.stdout.count("      recorder "), 2)

    @unittest.skipUnless(PYTHON, "PyTorch is missing")
    def test_no_draw_comes_near_a_kink(self):
        """Each loss that has a kink of its own or lets gradients pass at those of other draws; NEAR is so large that much
        is drawn anew."""
        script = """
import sys
sys.path.insert(0, sys.argv[1])
sys.dont_write_bytecode = True
import record_pytorch as r
config = r.resolve({"preset": "classic", "train.batch": 16, "model.latent": 4, "data.synthetic_height": 5,
                    "data.synthetic_width": 4, "model.generator_widths": [9], "model.discriminator_channels": [4],
                    "model.discriminator_widths": [6], "loss.kind": sys.argv[2], "loss.gradient_penalty": 1.0})
r.NEAR = float(sys.argv[3])
recording = r.Recording(config, 3)
recording.rounded.take_weights(recording.exact)
draws = {**recording.discriminator_draws(), **recording.generator_draws()}
every_row = recording.torch.arange(16)
least = min(values.abs().min().item() / recording.deviations[name, i]
            for name in ("d_reals", "d_latents", "shares", "g_latents")
            for i, values in enumerate(recording.exact.kinks(name, draws[name], draws, every_row)))
print(recording.drawn_again, recording.left_near, least, len(recording.deviations))
"""
        for loss, kinks in (("relativistic", 2 + 2 + 2 + 3), ("hinge", 3 + 3 + 2 + 3)):
            results = {}
            for near in (0, 3000, 1e9):
                done = run(PYTHON, "-c", script, RECORDER.parent, loss, near)
                self.assertEqual(done.returncode, 0, done.stderr)
                results[near] = [float(word) for word in done.stdout.split()]
                self.assertEqual(results[near][3], kinks)
            self.assertEqual(results[0][:2], [0, 0])
            self.assertLess(results[0][2], 3000)
            self.assertGreater(results[3000][0], 5)
            self.assertEqual(results[3000][1], 0)
            self.assertGreaterEqual(results[3000][2], 3000)
            self.assertEqual(results[1e9][1], 4 * 16)  # all that it may draw is near, and it says so

    @unittest.skipUnless(PYTHON, "PyTorch is missing")
    def test_the_writer_without_the_package(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "x.safetensors"
            script = (f"import sys; sys.path.insert(0, {str(RECORDER.parent)!r}); sys.dont_write_bytecode = True\n"
                      "import numpy, record_pytorch\n"
                      "tensors = {'b': numpy.arange(5, dtype=numpy.uint8), 'a': numpy.ones((2, 3), numpy.float32)}\n"
                      f"record_pytorch.write_by_hand(tensors, {str(path)!r}, {{'format': 'something else'}})\n")
            done = run(PYTHON, "-c", script)
            self.assertEqual(done.returncode, 0, done.stderr)
            content = path.read_bytes()
            self.assertEqual(len(content) % 8, 5)
            self.assertEqual(content[-5:], bytes(range(5)))
            refused = run(DUEL, "parity", path)  # read, and then not a trajectory
            self.assertEqual(refused.returncode, 3)
            self.assertIn("something else", refused.stderr)


if __name__ == "__main__":
    unittest.main()
