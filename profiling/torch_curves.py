"""Trains torch_gan.py on Fashion-MNIST and writes the curves that Duel's metrics.jsonl is compared with.

    python3 profiling/torch_curves.py --preset classic --steps 1874 --seed 0 --out seed0.jsonl

One JSON row every 10 steps, under the names of Duel's rows; the accuracies are those of the discriminator's own
phase, before its update. At the end a sheet of samples is drawn from latents that the seed does not change.
"""
import argparse
import json
import math
import os
import sys
import time

try:
    import torch
    from PIL import Image
except ImportError as error:
    sys.exit(f"torch_curves: {error.name} is missing; on Debian: "
             "apt-get install python3-torch python3-pil libopenblas0-openmp")

from torch_gan import LATENT, RECIPES, SIDE, Gan, gradient_norm, load_pictures, shuffled_batches

SHEET_ROWS = SHEET_COLUMNS = 8
SHEET_SEED = 12345


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", choices=sorted(RECIPES), default="classic")
    parser.add_argument("--steps", type=int, default=1874, help="two epochs at batch 64")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--every", type=int, default=10, help="steps between rows")
    parser.add_argument("--data", default="/usr/share/datasets/fashion-mnist", help="folder of IDX files")
    parser.add_argument("--out", required=True, help="the rows")
    parser.add_argument("--sheet", help="the samples, PNG; default: beside the rows")
    return parser.parse_args()


def measure(gan, result, step, epoch, seconds):
    """The row of the step just done; the only place that waits for numbers. JSON knows no NaN: null."""
    metrics = {
        "d_loss": result.d_loss,
        "g_loss": result.g_loss,
        "d_accuracy_real": (result.real_logits > 0).float().mean(),
        "d_accuracy_fake": (result.fake_logits < 0).float().mean(),
        "d_grad_norm": gradient_norm(gan.discriminator),
        "g_grad_norm": gradient_norm(gan.generator),
    }
    row = {"step": step, "epoch": epoch, "seconds": round(seconds, 2)}
    for name, value in metrics.items():
        row[name] = float(f"{value.item():.6g}") if math.isfinite(value.item()) else None
    return row


def write_sheet(gan, path):
    latents = torch.randn(SHEET_ROWS * SHEET_COLUMNS, LATENT, generator=torch.Generator().manual_seed(SHEET_SEED))
    tiles = gan.sample(latents).reshape(SHEET_ROWS, SHEET_COLUMNS, SIDE, SIDE)
    sheet = tiles.permute(0, 2, 1, 3).reshape(SHEET_ROWS * SIDE, SHEET_COLUMNS * SIDE)
    Image.fromarray(sheet.numpy()).save(path)


def main():
    options = parse_arguments()
    torch.set_num_threads(options.threads)
    pictures = load_pictures(options.data)
    gan = Gan(options.preset, pictures, options.batch, options.seed)
    batches = shuffled_batches(len(pictures), options.batch, options.seed)
    fresh_batches = shuffled_batches(len(pictures), options.batch, options.seed + 1)
    steps_per_epoch = len(pictures) // options.batch

    start = time.monotonic()
    with open(options.out, "w") as rows:
        for step in range(1, options.steps + 1):
            result = gan.step(next(batches), next(fresh_batches))
            if step % options.every == 0 or step == options.steps:
                row = measure(gan, result, step, step // steps_per_epoch, time.monotonic() - start)
                rows.write(json.dumps(row) + "\n")
                rows.flush()
    write_sheet(gan, options.sheet or os.path.splitext(options.out)[0] + ".png")


if __name__ == "__main__":
    main()
