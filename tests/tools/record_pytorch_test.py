#!/usr/bin/env python3
"""tools/record_pytorch.py: it reads configurations as the program does, and `duel parity` finds its records right.

    record_pytorch_test.py DUEL      the program; where PyTorch is missing, what needs it is skipped
"""

import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

ROOT = Path(__file__).resolve().parent.parent.parent
RECORDER = ROOT / "tools/record_pytorch.py"
DUEL = sys.argv.pop(1) if len(sys.argv) > 1 else str(ROOT / "build/duel")

sys.dont_write_bytecode = True
sys.path.insert(0, str(RECORDER.parent))
from torch_recorder import configuration  # noqa: E402
from torch_recorder.refusal import Refusal  # noqa: E402


def python_with_torch():
    """This Python, or else the distribution's, where tools/setup.sh puts PyTorch."""
    for python in (sys.executable, "/usr/bin/python3"):
        if Path(python).exists() and subprocess.run([python, "-c", "import numpy, torch"],
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
    def record(self, folder, preset, settings, *more):
        words = [word for setting in settings for word in ("--set", setting)]
        return run(PYTHON or sys.executable, RECORDER, "--duel", DUEL, "--preset", preset, "--out", Path(folder) / "t.safetensors",
                   *words, *more)

    def expect_parity(self, preset, settings, steps=2, seed=0):
        """The record, in bytes."""
        with tempfile.TemporaryDirectory() as folder:
            done = self.record(folder, preset, settings, "--steps", steps, "--seed", seed)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("and 0 still are", done.stdout)
            path = Path(folder) / "t.safetensors"
            parity = run(DUEL, "parity", "--device", "cpu", "--threads", 2, path)
            self.assertEqual((parity.returncode, parity.stdout.splitlines()[-1:]), (0, ["parity: ok"]),
                             parity.stdout + parity.stderr)
            self.assertEqual(parity.stdout.count("      recorder "), steps)
            return path.read_bytes()

    def test_every_key_is_the_programs(self):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "config.toml"
            file.write_text('preset = "steady"\n[train]\nbatch = 5\n[optimizer]\nema_decay = {half_life = 100, burn_in = 3}\n')
            config = configuration.Configuration(DUEL, "", file, ["loss.kind=hinge", "train.steps=9", "loss.r1=1"])
            listed = run(DUEL, "train", "--help-keys").stdout
        keys = {line.split(" = ")[0] for line in listed.split("\nA schedule")[0].splitlines() if " = " in line and line[0] != " "}
        self.assertEqual(set(config.values), keys)
        self.assertEqual((config["train.batch"], config["loss.kind"], config["loss.r1"], config["optimizer.beta1"]),
                         (5, "hinge", 1.0, 0.0))
        self.assertEqual(config.picture(), (1, 28, 28))
        decay = config.schedule("optimizer.ema_decay")
        self.assertEqual((decay.at(0), decay.at(1), decay.at(10 ** 6)), (0, 1 / 4, 0.5 ** (5 / 100)))

    def test_a_key_that_no_recipe_asks_for_is_refused_where_it_says_something(self):
        def told(of_the_preset, asked):
            def answer(_, *words):
                if "--json" not in words:
                    return ""
                usual = words[-1] == configuration.USUAL_PRESET
                return json.dumps({"recipe": "gan", "loss": {"novel": 0.0 if usual else of_the_preset}, "output": {"x": usual}})
            with mock.patch.object(configuration, "told_by", answer):
                config = configuration.Configuration(DUEL, "other", "", [])
                if asked:
                    config["loss.novel"]
                config.refuse_what_was_not_asked()

        with self.assertRaisesRegex(Refusal, r"loss\.novel = 0\.5 is not recorded for the recipe gan; 0\.0 is"):
            told(0.5, asked=False)
        told(0.5, asked=True)
        told(0.0, asked=False)

    def test_what_it_refuses(self):
        with tempfile.TemporaryDirectory() as folder:
            for setting, part in (("train.bach=3", "did you mean train.batch?"), ("train.batch=many", "train.batch"),
                                  ("loss.kind=bse", "bce, lsgan"), ("nothing", "key=value")):
                done = self.record(folder, "classic", [setting])
                self.assertEqual((done.returncode, done.stdout), (2, ""), setting)
                self.assertIn(part, done.stderr)
            for words, part in ((("--steps", 0), "--steps 0"), (("--classes", 0), "--classes 0"), (("--seed", -1), "--seed -1"),
                                (("--duel", "/nowhere/duel"), "--duel PROGRAM"), (("--config", "/nowhere"), "/nowhere")):
                done = self.record(folder, "classic", [], *words)
                self.assertEqual((done.returncode, len(done.stderr.splitlines())), (2, 1), done.stderr)
                self.assertTrue(done.stderr.startswith("record_pytorch: "), done.stderr)
                self.assertIn(part, done.stderr)
            self.assertIn("preset", self.record(folder, "clasic", []).stderr)

    @unittest.skipUnless(PYTHON, "PyTorch is missing")
    def test_refused_before_anything_is_recorded(self):
        with tempfile.TemporaryDirectory() as folder:
            done = self.record(folder, "classic", ["optimizer.learning_rate=0.5"], "--steps", 100000)
            self.assertEqual(done.returncode, 2)
            self.assertIn("optimizer.learning_rate = 0.5 is not recorded for the recipe gan", done.stderr)

    @unittest.skipUnless(PYTHON, "PyTorch is missing")
    def test_records_of_every_loss_and_penalty_pass(self):
        penalties = (["loss.r1=0.7"], ["loss.r2=1.3"], ["loss.gradient_penalty=10", "loss.r1=0.5", "loss.r2=0.5"])
        activations = ("relu", "leaky_relu", "tanh", "sigmoid")
        for i, loss in enumerate(("bce", "lsgan", "hinge", "relativistic", "wgan")):
            self.expect_parity("classic", ODD + [f"loss.kind={loss}", *penalties[i % 3], "optimizer.clip_norm=0.1",
                                                 "model.discriminator_activation=" + activations[i % 4],
                                                 "model.generator_activation=" + activations[(i + 1) % 4]], seed=i)

    @unittest.skipUnless(PYTHON, "PyTorch is missing")
    def test_several_updates_lazy_penalties_and_weight_decay(self):
        content = self.expect_parity("classic", ODD + ["optimizer.d_updates=2", "loss.penalty_every=2", "loss.r1=0.7",
                                                       "loss.gradient_penalty=3", "optimizer.weight_decay=0.1"], steps=3)
        for name in (b"step1/d_main_2/gradient/discriminator/dense1/weight", b"step2/d_loss_2", b"step3/penalty_loss"):
            self.assertIn(b'"' + name + b'"', content)
        self.assertNotIn(b'"step2/penalty_loss"', content)

    @unittest.skipUnless(PYTHON, "PyTorch is missing")
    def test_classes_and_the_convolutional_networks(self):
        small = ["data.synthetic_height=8", "data.synthetic_width=4", "data.synthetic_channels=2", "train.batch=5",
                 "model.latent=4", "model.filters=3", "model.features=7"]
        content = self.expect_parity("conv-steady", small, steps=3)
        self.assertIn(b'"step1/g_reals/label"', content)
        self.assertNotIn(b"/label", self.expect_parity("conv-steady", [*small, "data.labels=false"]))
        self.expect_parity("classic", ODD + ["data.labels=true", "model.discriminator_activation=tanh"])
        small = [*small[:4], "model.latent=4", "model.widths=[8,16,16]"]
        self.expect_parity("residual", [*small, "data.labels=false"])

    @unittest.skipUnless(PYTHON, "PyTorch is missing")
    def test_augmentation(self):
        content = self.expect_parity("classic", ODD + [
            "augment.policy=product", "augment.flip=true", "augment.probability={from = 0.2, to = 0.8}",
            "loss.gradient_penalty=3", "loss.penalty_every=2", "optimizer.d_updates=2"], steps=3)
        for name in (b"step2/d_augment_2", b"step3/penalty_shares_augment", b"step1/g_augment", b"step1/d_reals_mirror"):
            self.assertIn(b'"' + name + b'"', content)
        self.assertNotIn(b'penalty_augment"', content)

    @unittest.skipUnless(PYTHON, "PyTorch is missing")
    def test_networks_that_keep_more_than_weights(self):
        small = ["data.synthetic_height=16", "data.synthetic_width=24", "train.batch=4", "model.latent=4", "model.filters=8"]
        content = self.expect_parity("dcgan", [*small, "loss.kind=relativistic", "data.labels=true"])
        self.assertIn(b'"step2/state/discriminator/conv2/norm/running_mean"', content)
        for settings in (["data.labels=true", "loss.r1=0.5"], ["loss.gradient_penalty=1", "loss.penalty_every=2"]):
            content = self.expect_parity("sagan", [*small, *settings])
            self.assertIn(b'"step2/state/generator/up1/attention/query/u"', content)

    @unittest.skipUnless(PYTHON, "PyTorch is missing")
    def test_recipes_of_other_networks(self):
        small = ["data.synthetic_height=8", "data.synthetic_width=4", "train.batch=5", "model.filters=2"]
        self.assertIn(b'"step2/average/encoder/', self.expect_parity("vae", [*small, "model.latent=3"]))
        # Of two or three filters PyTorch 1.13 now and then writes beyond its memory where the processor has AVX2 and no more.
        eight = [*small, "augment.flip=false", "model.filters=8"]
        self.expect_parity("classify", [*eight, "model.stages=2", "model.stem_stride=2"])
        content = self.expect_parity("classify", eight)
        self.assertIn(b'"step2/state/classifier/stem/norm/running_mean"', content)

    @unittest.skipUnless(PYTHON, "PyTorch is missing")
    def test_restorers_alone_and_against_an_adversary(self):
        whole = ["data.size=auto", "data.synthetic_channels=3", "data.crop=0", "augment.flip=false", "augment.turn=false",
                 "train.batch=2", "model.filters=2"]
        small = [*whole, "data.synthetic_height=8", "data.synthetic_width=4"]
        self.assertIn(b'"step2/pairs/input"', self.expect_parity("enlarge", [*small, "data.degrade=x4", "model.blocks=1"]))
        # A norm over few channels leaves float32 little: so it has eight.
        content = self.expect_parity("repair", [*small, "model.filters=8", "model.encoder_blocks=[1]", "model.decoder_blocks=[1]"])
        self.assertIn(b'"step2/noise"', content)
        judged = [*whole, "data.synthetic_height=32", "data.synthetic_width=24", "model.adversary_filters=2"]
        for settings in (["loss.kind=hinge", "loss.penalty_every=1", "model.adversary_norm=instance"],
                         ["loss.kind=relativistic", "data.degrade=noise:5-50", "loss.adversary={from = 0.1, to = 1}"]):
            self.assertIn(b'"step2/d_pairs"', self.expect_parity("pix2pix", [*judged, *settings]))
        seen = [f"perceptual.{key}" for key in ("run=kinds", "weight=0.5", "channels=3", "classes=4", "filters=8", "blocks=1",
                                                "stages=2", "stem_stride=2")]
        self.expect_parity("enlarge", [*small, "data.degrade=x2", "model.blocks=1", *seen])
        crisp = [*judged, "model.blocks=1"]
        self.assertIn(b'"step2/state/discriminator/up1/u"', self.expect_parity("enlarge-crisp", crisp))
        self.assertIn(b'"step1/penalty_pairs/input"', self.expect_parity("enlarge-crisp", [
            *crisp, "loss.r1=0.01", "loss.penalty_every=4"]))

    @unittest.skipUnless(PYTHON, "PyTorch is missing")
    def test_garments_laid_on_people(self):
        # By seed 0 one row stays near a kink, so that float32 may differ there.
        content = self.expect_parity("tryon", ["data.synthetic_channels=3", "data.synthetic_height=48",
                                               "data.synthetic_width=32", "model.filters=4", "train.batch=2"], seed=1)
        self.assertIn(b'"step2/pairs/garment"', content)

    @unittest.skipUnless(PYTHON, "PyTorch is missing")
    def test_schedules(self):
        self.expect_parity("steady", ODD + [
            'optimizer.generator_learning_rate={from = 5e-4, to = 1e-4, shape = "cosine", until = 0.8, warmup = 2}',
            'loss.r1={from = 0.5, to = 0.1, shape = "exponential"}', "loss.r2={from = 0.1, to = 0.5, begin = 0.2}",
            "optimizer.ema_decay={half_life = 100, burn_in = 10}", "optimizer.beta2={from = 0.9, to = 0.99}",
            "loss.penalty_every=3"], steps=6)

    @unittest.skipUnless(PYTHON, "PyTorch is missing")
    def test_no_draw_comes_near_a_kink(self):
        """Each loss that has a kink of its own or lets gradients pass at those of other draws; NEAR is so large that much
        is drawn anew."""
        script = """
import sys
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
from torch_recorder import configuration, recording as r
settings = ["train.batch=16", "train.steps=1", "model.latent=4", "data.synthetic_height=5", "data.synthetic_width=4",
            "model.generator_widths=[9]", "model.discriminator_channels=[4]", "model.discriminator_widths=[6]",
            "loss.kind=" + sys.argv[3], "loss.gradient_penalty=1.0"]
r.NEAR = float(sys.argv[4])
recording = r.Recording(configuration.Configuration(sys.argv[2], "classic", "", settings), 3, 1)
recording.rounded.take_weights(recording.exact)
every_row, least = r.torch.arange(16), 1e9
for phase in recording.phases:
    draws = {}
    for draw in phase.draws:
        recording.draw(draw, draws)
    for draw in phase.draws:
        for i, values in enumerate(draw.passes(recording.exact, draws[draw.name], draws, every_row) if draw.passes else []):
            least = min(least, values.abs().min().item() / recording.deviations[draw.name, i])
print(recording.drawn_again, recording.left_near, least, len(recording.deviations))
"""
        for loss, kinks in (("relativistic", 2 + 2 + 2 + 3), ("hinge", 3 + 3 + 2 + 3)):
            results = {}
            for near in (0, 3000, 1e9):
                done = run(PYTHON, "-c", script, RECORDER.parent, DUEL, loss, near)
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
                      "import numpy\nfrom torch_recorder.safetensors_file import write_by_hand\n"
                      "tensors = {'b': numpy.arange(5, dtype=numpy.uint8), 'a': numpy.ones((2, 3), numpy.float32)}\n"
                      f"write_by_hand(tensors, {str(path)!r}, {{'format': 'something else'}})\n")
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
