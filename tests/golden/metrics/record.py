#!/usr/bin/env python3
"""Records what independent packages make of drawn features and pictures, for metrics_recorded_test.cpp.

    python3 record.py OUT.safetensors     needs numpy, scipy, torch, torchmetrics, pytorch-msssim, prdc, scikit-image

Fréchet distance: the formula by scipy.linalg.sqrtm; of fewer rows than they are wide, where that root is noise, from
the singular values of the centred rows themselves. Kernel distance: torchmetrics' poly_mmd, of equally many rows, as it
needs them. Precision, recall, density and coverage: prdc. Inception score: scipy.stats.entropy of the rows. PSNR and
SSIM: scikit-image. MS-SSIM: pytorch-msssim, which keeps to places where the window lies in the picture, as its authors
do (torchmetrics pads the last scale).
"""

import sys
from pathlib import Path

import numpy as np
import prdc
import pytorch_msssim
import scipy.linalg
import scipy.stats
import skimage.metrics
import torch
from torchmetrics.image.kid import poly_mmd

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "tools"))
from torch_recorder.safetensors_file import write_by_hand  # noqa: E402


def frechet(a, b):
    difference = a.mean(0) - b.mean(0)
    first, second = np.cov(a, rowvar=False), np.cov(b, rowvar=False)
    return difference @ difference + np.trace(first + second - 2 * scipy.linalg.sqrtm(first @ second).real)


def frechet_of_few(a, b):
    """tr (C_a C_b)^(1/2) is the nuclear norm of the product of the centred rows: no covariance is made."""
    x, y = a - a.mean(0), b - b.mean(0)
    product = x @ y.T / np.sqrt((len(a) - 1) * (len(b) - 1))
    difference = a.mean(0) - b.mean(0)
    return (difference @ difference + (x * x).sum() / (len(a) - 1) + (y * y).sum() / (len(b) - 1)
            - 2 * np.linalg.svd(product, compute_uv=False).sum())


def kernel(a, b):
    return poly_mmd(torch.from_numpy(a), torch.from_numpy(b)).item()


def four(a, b):
    narrow = prdc.compute_prdc(a, b, nearest_k=3)
    wide = prdc.compute_prdc(a, b, nearest_k=5)
    return [narrow["precision"], narrow["recall"], wide["density"], wide["coverage"]]


def score(probabilities):
    return np.exp(scipy.stats.entropy(probabilities, probabilities.mean(0, keepdims=True), axis=1).mean())


def pictures(random):
    y, x = np.mgrid[0:64, 0:60]
    one = np.stack([127 + 90 * np.sin(x / 7 + c) * np.cos(y / (9 + c)) for c in range(3)], -1)
    other = one + random.normal(0, 25, one.shape) + 10
    return [np.clip(np.round(each), 0, 255).astype(np.uint8) for each in (one, other)]


def large_pictures():
    """Large enough for five scales, by whole numbers, so that the test draws them anew."""
    y, x = np.mgrid[0:176, 0:192]
    one = (x * x // 8 + 3 * y + x * y // 16) % 256
    other = np.minimum(255, one * 3 // 4 + (x * 7 + y * 13) % 50)
    return [torch.from_numpy(each.astype(np.float64))[None, None] for each in (one, other)]


def window():
    """The package's own, but in double: the weights' rounding to float is 4e-6 of the result."""
    weights = np.exp(-np.arange(-5, 6)**2 / (2 * 1.5**2))
    return torch.from_numpy(weights / weights.sum()).reshape(1, 1, 1, -1)


def main(out):
    random = np.random.default_rng(20)
    mix = random.normal(size=(12, 12))
    a = (random.normal(size=(160, 12)) @ mix).astype(np.float32)
    b = (random.normal(size=(130, 12)) @ mix * 1.2 + 0.4).astype(np.float32)
    few = random.normal(size=(9, 12)).astype(np.float32) + 3
    logits = random.normal(size=(160, 7)) * 2
    probabilities = (np.exp(logits) / np.exp(logits).sum(1, keepdims=True)).astype(np.float32)
    one, other = pictures(random)
    a64, b64, few64 = (each.astype(np.float64) for each in (a, b, few))
    assert abs(frechet(a64, b64) / frechet_of_few(a64, b64) - 1) < 1e-9  # both formulas say the same where both hold
    values = {
        "frechet": frechet(a64, b64),
        "frechet_of_few": frechet_of_few(a64, few64),
        "kernel": kernel(a64[:len(b)], b64),
        "precision_recall": four(a64, b64),
        "score": score(probabilities.astype(np.float64)),
        "psnr": skimage.metrics.peak_signal_noise_ratio(one, other, data_range=255),
        "ssim": skimage.metrics.structural_similarity(one, other, data_range=255, gaussian_weights=True, sigma=1.5,
                                                      use_sample_covariance=False, channel_axis=2),
        "ms_ssim": pytorch_msssim.ms_ssim(*large_pictures(), data_range=255, win=window()).item(),
    }
    for name, value in values.items():
        print(name, value)
    arrays = {"a": a, "b": b, "few": few, "probabilities": probabilities, "one": one, "other": other}
    # As bytes: the file's numbers are f32, and 1e-6 is to be told.
    for name, value in values.items():
        arrays["value/" + name] = np.frombuffer(np.atleast_1d(np.asarray(value, np.float64)).tobytes(), np.uint8)
    write_by_hand(arrays, out, {})


if __name__ == "__main__":
    main(sys.argv[1])
