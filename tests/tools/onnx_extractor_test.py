#!/usr/bin/env python3
"""`duel evaluate --extractor onnx:FILE` beside the same figures in numpy: the network, its file and what compares come of
other hands than Duel's.

    onnx_extractor_test.py DUEL     the program; exit code 77 (skipped) where it runs no ONNX files, or without onnx
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from evaluate_test import DUEL, HEIGHT, WIDTH, drawn, expect_near, four, frechet, kernel, np, write_split

try:
    import onnx
    from onnx import TensorProto, helper, numpy_helper
except ImportError:
    DEBIANS = "/usr/bin/python3"  # where python3-onnx brings it
    if os.path.exists(DEBIANS) and os.path.realpath(DEBIANS) != os.path.realpath(sys.executable):
        os.execv(DEBIANS, [DEBIANS, *sys.argv])
    print("skipped: there is no onnx for Python; Debian's package is python3-onnx")
    sys.exit(77)

MEAN, DEVIATION = (0.5, 0.25, 0.125), (0.5, 0.25, 2)


def duel(*words, expect=0):
    done = subprocess.run([str(word) for word in (DUEL, *words)], capture_output=True, text=True, timeout=100)
    assert done.returncode == expect, done.stdout + done.stderr
    return done


def write_network(path, weights):
    """Pictures [N,3,H,W], of any size, to the means of rectified 2x2 convolutions, [N,K]."""
    graph = helper.make_graph(
        [helper.make_node("Conv", ["pictures", "weights"], ["map"], kernel_shape=[2, 2]),
         helper.make_node("Relu", ["map"], ["positive"]),
         helper.make_node("ReduceMean", ["positive"], ["features"], axes=[2, 3], keepdims=0)],
        "tiny", [helper.make_tensor_value_info("pictures", TensorProto.FLOAT, ["n", 3, "h", "w"])],
        [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", len(weights)])],
        [numpy_helper.from_array(weights, "weights")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def features_of(pictures, weights):
    """The same of grey pictures of bytes, in double."""
    x = np.stack([(pictures / 255 - mean) / deviation for mean, deviation in zip(MEAN, DEVIATION)], 1)
    made = 0
    for row in range(2):
        for column in range(2):
            part = x[:, :, row:HEIGHT - 1 + row, column:WIDTH - 1 + column]
            made = made + np.einsum("kc,nchw->nkhw", weights[:, :, row, column].astype(np.float64), part)
    return np.maximum(made, 0).mean((2, 3))


def main():
    facts = json.loads(duel("info", "--json").stdout)
    if facts["ONNX files"].startswith("none"):
        print(f"skipped: {facts['ONNX files']}")
        sys.exit(77)
    random = np.random.default_rng(2)
    training, held_out, generated = (drawn(random, noise) for noise in (20, 20, 30))
    weights = random.normal(0, 1, (6, 3, 2, 2)).astype(np.float32)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_split(folder / "data", "train", *training)
        write_split(folder / "data", "t10k", *held_out)
        write_split(folder / "pictures", "train", *generated)
        network = folder / "tiny.onnx"
        write_network(network, weights)
        Path(f"{network}.json").write_text(json.dumps({"size": [HEIGHT, WIDTH], "mean": MEAN, "std": DEVIATION}))
        words = ("evaluate", "--pictures", folder / "pictures", "--data", folder / "data", "--extractor",
                 f"onnx:{network}", "--device", "cpu", "--threads", 2)
        found = json.loads(duel(*words, "--json").stdout)
        assert found["extractor"]["weights"] == "sha256 " + hashlib.sha256(network.read_bytes()).hexdigest()
        assert found["extractor"]["features"] == 6 and found["extractor"]["name"] == f"onnx:{network}"
        assert not found["extractor"]["has_seen_training_pictures"]
        real = features_of(held_out[0], weights)
        for place, (pictures, _) in (("value", generated), ("floor", training)):
            features = features_of(pictures, weights)
            # Distances are of nearly equal sets, so that what single precision rounds of the features shows.
            expect_near(f"{place} of frechet_distance", found["figures"]["frechet_distance"][place],
                        frechet(features, real), 1e-4)
            expect_near(f"{place} of kernel_distance", found["figures"]["kernel_distance"][place],
                        kernel(features, real), 1e-3)
            for key, number in four(real, features).items():
                expect_near(f"{place} of {key}", found["figures"][key][place], number, 1e-2)
        copies = found["memorisation_by_features"]
        known, drawn_features = features_of(training[0], weights), features_of(generated[0], weights)
        nearest = np.sqrt(((drawn_features[:, None] - known[None])**2).sum(-1)).min(1)
        expect_near("median distance by features", copies["median_distance"], np.median(nearest), 1e-4)
        expect_near("the closest pair", copies["closest"][0]["distance"], nearest.min(), 1e-2)
        assert copies["closest"][0]["generated"] < 200 and copies["training"] == 200

        os.remove(f"{network}.json")
        assert "there is no" in duel(*words, "--count", 2, "--copies", "pixels").stderr
        missing = duel(*words[:-4], "--extractor", f"onnx:{folder}/none.onnx", expect=3)
        assert "none.onnx: cannot be opened for reading" in missing.stderr, missing.stderr
        # While a run trains it is the same extractor.
        duel("train", "--preset", "classic", "--data", folder / "data", "--out", folder / "run", "--threads", 2, "--steps",
             4, "--batch", 8, "--set", "model.generator_widths=[16]", "--set", "model.discriminator_channels=[4]", "--set",
             "model.discriminator_widths=[8]", "--evaluate-every", 4, "--extractor", f"onnx:{network}", "--set",
             "evaluate.count=40")
        logged = [json.loads(line) for line in (folder / "run/metrics.jsonl").read_text().splitlines()]
        assert any("kid" in line for line in logged), logged
    print("onnx_extractor: the figures are numpy's")


if __name__ == "__main__":
    main()
