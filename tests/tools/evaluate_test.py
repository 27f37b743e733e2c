#!/usr/bin/env python3
"""`duel evaluate` beside the same figures written down again in numpy, from the files of pictures to the report.

    evaluate_test.py DUEL      the program; exit code 77 (skipped) where there is no numpy
"""

import json
import os
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import numpy as np
except ImportError:
    DEBIANS = "/usr/bin/python3"  # where python3-torch brings it
    if os.path.exists(DEBIANS) and os.path.realpath(DEBIANS) != os.path.realpath(sys.executable):
        os.execv(DEBIANS, [DEBIANS, *sys.argv])
    print("skipped: there is no numpy for Python; Debian's package is python3-numpy")
    sys.exit(77)

ROOT = Path(__file__).resolve().parent.parent.parent
DUEL = sys.argv[1] if len(sys.argv) > 1 else str(ROOT / "build/duel")
HEIGHT, WIDTH, COUNT = 20, 36, 200


def write_idx(path, values):
    path.write_bytes(struct.pack(">HBB", 0, 8, values.ndim) + struct.pack(f">{values.ndim}I", *values.shape)
                     + values.tobytes())


def write_split(folder, split, pictures, labels):
    folder.mkdir(exist_ok=True)
    write_idx(folder / f"{split}-images-idx3-ubyte", pictures)
    write_idx(folder / f"{split}-labels-idx1-ubyte", labels)


def drawn(random, noise):
    """Waves, of two directions by class."""
    labels = np.arange(COUNT, dtype=np.uint8) % 2
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    phase = random.uniform(0, 6, (COUNT, 1, 1))
    waves = np.where(labels[:, None, None] == 0, np.sin(x / 3 + phase), np.cos(y / 2 + phase))
    return np.clip(128 + 80 * waves + random.normal(0, noise, waves.shape), 0, 255).astype(np.uint8), labels


def squares(pictures, side):
    """Means of squares of `side` pixels, in 0..1, in single precision."""
    columns = []
    for top in range(0, HEIGHT, side):
        for left in range(0, WIDTH, side):
            square = pictures[:, top:top + side, left:left + side].reshape(len(pictures), -1)
            columns.append(square.sum(1, dtype=np.int64).astype(np.float32)
                           / (np.float32(255) * np.float32(square.shape[1])))
    return np.stack(columns, 1).astype(np.float64)


def frechet(a, b):
    first, second = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    root = np.sqrt(np.maximum(np.linalg.eigvals(first @ second).real, 0)).sum()
    return ((a.mean(0) - b.mean(0))**2).sum() + np.trace(first) + np.trace(second) - 2 * root


def kernel(a, b):
    def k(x, y):
        return (x @ y.T / x.shape[1] + 1)**3
    m, n = len(a), len(b)
    return ((k(a, a).sum() - np.trace(k(a, a))) / (m * (m - 1)) + (k(b, b).sum() - np.trace(k(b, b))) / (n * (n - 1))
            - 2 * k(a, b).mean())


def distances(a, b):
    return np.sqrt(((a[:, None] - b[None])**2).sum(-1))


def four(real, generated):
    def radii(rows, k):
        return np.sort(distances(rows, rows), 1)[:, k]  # place 0 is the row itself
    between = distances(real, generated)
    wide = between <= radii(real, 5)[:, None]
    return {"precision": (between <= radii(real, 3)[:, None]).any(0).mean(),
            "recall": (between <= radii(generated, 3)[None]).any(1).mean(),
            "density": wide.sum() / (5 * len(generated)), "coverage": wide.any(1).mean()}


def spread(pictures):
    return np.sqrt(pictures.reshape(len(pictures), -1).astype(np.float64).var(0).sum())


def nearest(pictures, training):
    a, b = squares(pictures, 2), squares(training, 2)
    both = np.minimum(distances(a, b).min(1), distances(squares(pictures[:, :, ::-1], 2), b).min(1))
    return 255 * both / np.sqrt(a.shape[1])


def expect_near(name, value, expected, tolerance=1e-6):
    assert value is not None and abs(value - expected) <= tolerance * abs(expected), f"{name}: {value}, but numpy {expected}"


def main():
    random = np.random.default_rng(1)
    training, held_out, generated = (drawn(random, noise) for noise in (20, 20, 30))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_split(folder / "data", "train", *training)
        write_split(folder / "data", "t10k", *held_out)
        write_split(folder / "pictures", "train", *generated)
        done = subprocess.run([DUEL, "evaluate", "--pictures", folder / "pictures", "--data", folder / "data",
                               "--extractor", "pixels", "--json", "--device", "cpu"], capture_output=True, text=True,
                              timeout=100)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["pictures"] == COUNT and found["fold"] == "held out", found
    figures = found["figures"]
    # All pictures of all three sets are taken, so that no order matters.
    real = squares(held_out[0], 5)
    for place, (pictures, labels) in (("value", generated), ("floor", training)):
        features = squares(pictures, 5)
        assert features.shape[1] == found["extractor"]["features"]
        expected = {"frechet_distance": frechet(features, real), "kernel_distance": kernel(features, real),
                    "spread": spread(pictures) / spread(held_out[0]), **four(real, features)}
        expected["spread_within_classes"] = np.mean(
            [spread(pictures[labels == c]) / spread(held_out[0][held_out[1] == c]) for c in (0, 1)])
        for key, number in expected.items():
            expect_near(f"{place} of {key}", figures[key][place], number)
        for c in (0, 1):
            expect_near(f"{place} of class {c}",
                        found["classes"][c]["frechet_distance" + ("" if place == "value" else "_floor")],
                        frechet(features[labels == c], real[held_out[1] == c]))
    copies = found["memorisation"]
    expect_near("median distance", copies["median_distance"], np.median(nearest(generated[0], training[0])))
    expect_near("real median distance", copies["real_median_distance"], np.median(nearest(held_out[0], training[0])))
    print(f"evaluate: {2 * 10 + 2} figures of {COUNT} pictures are numpy's")


if __name__ == "__main__":
    main()
