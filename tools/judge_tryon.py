#!/usr/bin/env python3
"""Measures synthetic try-on on the test pairs of a set (tools/make_tryon.py): what a run makes of them, beside what simple means
make of them, and beside the best that a warp can do.

    tools/judge_tryon.py SET [--run RUN] [--duel build/duel] [--count 100]

    nothing     the person as it is given
    boxes       the garment, stretched from its bounding box to that of where it is worn
    affine      the garment, by the affine map that is nearest to the true warp (least squares)
    true warp   the garment, by the true warp: neither its shading nor what lies over it is known
    run         what `duel tryon` makes

The first four lay the garment over the person wherever its warp is opaque. Columns: SSIM and mean difference (of 0..255, as a share)
to the truth over the whole picture; the warp's mean distance from the true one, in pixels, where the garment is seen; and how
often the garment is recognised: of all garments of these pairs the one that was given is nearest to the picture, looked up by the
true warp, up to one brightness for all of it. Needs OpenCV (apt-get install python3-opencv).
"""

import argparse
import csv
import tempfile
from pathlib import Path

from judging import Refusal, refusing, run

import cv2  # judging says where it is from
import numpy as np

from synthetic_tryon.wearing import read_flow

FOLDERS = ("person", "body", "garment", "picture", "worn", "flow")


def ssim(a, b):
    """Wang et al. 2004, eq. 13, as `duel` has it: a Gaussian window of 11x11 pixels, sigma 1.5, wherever it lies in the picture."""
    a, b = a.astype(np.float64), b.astype(np.float64)

    def mean(x):
        return cv2.GaussianBlur(x, (11, 11), 1.5)[5:-5, 5:-5]

    mean_a, mean_b = mean(a), mean(b)
    variances = mean(a * a) - mean_a ** 2 + mean(b * b) - mean_b ** 2
    covariance = mean(a * b) - mean_a * mean_b
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    return float(((2 * mean_a * mean_b + c1) * (2 * covariance + c2) /
                  ((mean_a ** 2 + mean_b ** 2 + c1) * (variances + c2))).mean())


class Pair:
    """A row of a set's test."""

    def __init__(self, folder, row):
        self.files = {name: folder / name / f"{row['row']}.png" for name in FOLDERS}
        self.name, self.garment_name = row["row"], row["garment"]
        self.person, self.garment, self.truth, self.worn = (self.read(name) for name in ("person", "garment", "picture", "worn"))
        self.places = read_flow(self.read("flow"))  # on the garment, as shares of its extents
        self.is_worn = self.worn >= 128
        height, width = self.is_worn.shape
        rows, columns = np.mgrid[0:height, 0:width] + 0.5
        self.here = np.stack([columns / width, rows / height], -1)

    def read(self, name):
        picture = cv2.imread(str(self.files[name]), cv2.IMREAD_UNCHANGED)
        if picture is None:
            raise Refusal(f"{self.files[name]}: cannot be read")
        return picture

    def looked_up(self, garment, places):
        """Its colours and its opacity at places, f32 in 0..1."""
        height, width = garment.shape[:2]
        found = cv2.remap(garment.astype(np.float32) / 255, np.float32(places[..., 0] * width - 0.5),
                          np.float32(places[..., 1] * height - 0.5), cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
        return found[..., :3], found[..., 3:]

    def dressed_by(self, places):
        colours, opacity = self.looked_up(self.garment, places)
        return np.rint(255 * (self.person / 255 * (1 - opacity) + colours * opacity)).clip(0, 255).astype(np.uint8)

    def by_boxes(self):
        def box(mask):
            rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
            height, width = mask.shape
            return np.array([[columns[0] / width, rows[0] / height], [(columns[-1] + 1) / width, (rows[-1] + 1) / height]])

        (first, last), (to_first, to_last) = box(self.is_worn), box(self.garment[..., 3] >= 128)
        return to_first + (self.here - first) * (to_last - to_first) / (last - first)

    def by_least_squares(self):
        known = np.concatenate([self.here[self.is_worn], np.ones((self.is_worn.sum(), 1))], 1)
        affine, *_ = np.linalg.lstsq(known, self.places[self.is_worn], rcond=None)
        return self.here @ affine[:2] + affine[2]

    def distance(self, places):
        height, width = self.is_worn.shape
        return float(np.hypot(*((places - self.places) * (width, height))[self.is_worn].T).mean())

    def is_recognised(self, picture, garments):
        """Whether of garments by name its own is the nearest."""
        seen = picture[self.is_worn].astype(np.float64)
        left = {}
        for name, garment in garments.items():
            colours, opacity = self.looked_up(garment, self.places)
            its = 255.0 * (colours * opacity)[self.is_worn]
            gain = (its * seen).sum() / max((its * its).sum(), 1e-9)
            left[name] = ((seen - gain * its) ** 2).sum()
        return min(left, key=left.get) == self.garment_name


def pairs_of(folder, count):
    table = folder / "test/rows.csv"
    if not table.is_file():
        raise Refusal(f"{table}: is missing; tools/make_tryon.py makes such sets")
    with open(table, newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))[:count]
    # Where nothing of the garment is seen there is nothing to measure.
    return [pair for pair in (Pair(folder / "test", row) for row in rows) if pair.is_worn.any()]


def dressed_by(its_run, duel, pair, folder):
    to = Path(folder) / f"{pair.name}.png"
    run(duel, "tryon", "--run", its_run, "--out", to,
        *(word for name in ("person", "body", "garment") for word in (f"--{name}", pair.files[name])))
    return cv2.imread(str(to), cv2.IMREAD_COLOR)


def judge(arguments):
    if arguments.count < 1:
        raise Refusal(f"--count {arguments.count}: must be at least 1", 2)
    pairs = pairs_of(Path(arguments.set), arguments.count)
    garments = {pair.garment_name: pair.garment for pair in pairs}
    ways = {"nothing": None, "boxes": Pair.by_boxes, "affine": Pair.by_least_squares, "true warp": lambda pair: pair.places}
    results = {way: [] for way in (*ways, *(["run"] if arguments.run else []))}
    with tempfile.TemporaryDirectory() as folder:
        for pair in pairs:
            for way, scores in results.items():
                places = ways[way](pair) if ways.get(way) else None
                picture = (dressed_by(arguments.run, arguments.duel, pair, folder) if way == "run" else
                           pair.person if places is None else pair.dressed_by(places))
                scores.append((ssim(picture, pair.truth), np.abs(picture.astype(float) - pair.truth).mean() / 255,
                               np.nan if places is None else pair.distance(places), pair.is_recognised(picture, garments)))
    print(f"{arguments.set}: {len(pairs)} test pairs of {len(garments)} garments (synthetic)")
    print(f"{'':<10} {'SSIM':>7} {'mean difference':>16} {'warp, px':>9} {'recognised':>11}")
    for way, scores in results.items():
        similarity, difference, distance, recognised = np.mean(scores, 0)
        warp = "" if np.isnan(distance) else f"{distance:.2f}"
        print(f"{way:<10} {similarity:7.4f} {difference:16.4f} {warp:>9} {100 * recognised:10.1f}%")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("set", metavar="SET", help="folder that tools/make_tryon.py made")
    parser.add_argument("--run", help="folder of a run of --preset tryon")
    parser.add_argument("--duel", default="build/duel", help="the program (%(default)s)")
    parser.add_argument("--count", type=int, default=100, help="test pairs (%(default)s)")
    refusing(judge, parser)


if __name__ == "__main__":
    main()
