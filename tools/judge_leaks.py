#!/usr/bin/env python3
"""Looks in a generator's pictures for traces of its augmentation: for the grey that fills what was moved or lost, and for places and
tints that the data lack.

    tools/judge_leaks.py DATA --run RUN [--count 1000] [--size 64x64] [--duel build/duel]

DATA is the folder of photographs that the run was trained on, or others of their kind. One table row each for

    real        half of DATA
    changed     the same, each moved, with a hole, in other tints by a chance of one in two, as augment.policy = product does it: what
                a generator would draw that had learnt all the changes
    generated   what RUN makes

Columns, as shares of the pictures: with a band along a side, or a square, of the fill's grey; and beyond the range in which
98 % of the other half of DATA lie, by the place of the middle of their edges, by their darkest and lightest tones (quantiles of 2
and 98 %), and by their saturation. A column leaks where generated pictures have gone more than a quarter of the way from real to
changed ones, and more than three standard errors of the difference: photographs differ in light themselves, so that a few tints
more are not seen. The last line says what leaks; the exit code is 0 either way. Needs OpenCV (apt-get install python3-opencv).
"""

import argparse
import math
import tempfile
from pathlib import Path

from judging import Refusal, pictures_of, refusing, run, size_of

import cv2  # judging says where it is from
import numpy as np

GREY, NEAR = 127.5, 16  # 0 where white is 1 and black is -1, and how far of it still counts
BAND, HOLE = 1 / 32, 1 / 8  # shares of a side
WIDE = 0.01  # of the other half, left out at either end of its range
CHANGES = {"move": 1 / 8, "hole": 3 / 8, "brightness": 0.3, "saturation": 0.6, "contrast": 0.3}  # host/recipes/augmentation.h
CHANCE = 0.5


def changed(picture, random):
    """As kernels/augment_pictures.h has it."""
    height, width = picture.shape[:2]
    x = picture / 127.5 - 1
    if random.random() < CHANCE:
        change = 1 + CHANGES["saturation"] * random.uniform(-1, 1)
        grey = x.mean(2, keepdims=True)
        x = grey + change * (x - grey) + CHANGES["brightness"] * random.uniform(-1, 1)
        x = x.mean() + (1 + CHANGES["contrast"] * random.uniform(-1, 1)) * (x - x.mean())
    if random.random() < CHANCE:
        by = [random.integers(-int(CHANGES["move"] * side), int(CHANGES["move"] * side) + 1) for side in (width, height)]
        x = cv2.warpAffine(x, np.float64([[1, 0, by[0]], [0, 1, by[1]]]), (width, height), flags=cv2.INTER_NEAREST)
    if random.random() < CHANCE:
        reach = [int(CHANGES["hole"] * side) // 2 for side in (height, width)]
        row, column = random.integers(height), random.integers(width)
        x[max(row - reach[0], 0):row + reach[0], max(column - reach[1], 0):column + reach[1]] = 0
    return np.rint((x.clip(-1, 1) + 1) * 127.5).astype(np.uint8)


def has_band(is_grey):
    height, width = is_grey.shape
    rows, columns = math.ceil(BAND * height), math.ceil(BAND * width)
    return any(side.all() for side in (is_grey[:rows], is_grey[-rows:], is_grey[:, :columns], is_grey[:, -columns:]))


def has_hole(is_grey):
    """A square of it; what lies beyond the picture does not count."""
    side = math.ceil(HOLE * min(is_grey.shape))
    return cv2.erode(is_grey.astype(np.uint8), np.ones((side, side), np.uint8), borderType=cv2.BORDER_CONSTANT, borderValue=0).any()


def middle_of_edges(picture):
    """(column, row), as shares of the picture's extents."""
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.float64)
    edges = np.hypot(cv2.Sobel(grey, cv2.CV_64F, 1, 0), cv2.Sobel(grey, cv2.CV_64F, 0, 1)) + 1e-9
    height, width = edges.shape
    return (edges.sum(0) @ (np.arange(width) + 0.5) / width / edges.sum(), edges.sum(1) @ (np.arange(height) + 0.5) / height / edges.sum())


def figures_of(picture):
    """Each a number or several, by the column that they belong to."""
    x = picture.astype(np.float64)
    grey = x.mean(2, keepdims=True)
    return {"places": middle_of_edges(picture), "tones": np.quantile(grey, (0.02, 0.98)), "saturation": (np.abs(x - grey).mean(),)}


def shares_of(pictures, ranges):
    """Of each column the share of the pictures that it marks."""
    marks = {name: [] for name in ("bands", "holes", *ranges)}
    for picture in pictures:
        is_grey = (np.abs(picture - GREY) <= NEAR).all(2)
        marks["bands"].append(has_band(is_grey))
        marks["holes"].append(has_hole(is_grey))
        for name, figures in figures_of(picture).items():
            low, high = ranges[name]
            marks[name].append(bool((figures < low).any() or (figures > high).any()))
    return {name: float(np.mean(each)) for name, each in marks.items()}


def ranges_of(pictures):
    figures = [figures_of(picture) for picture in pictures]
    return {name: np.quantile([each[name] for each in figures], (WIDE, 1 - WIDE), axis=0) for name in figures[0]}


def leaks(real, other, generated, counts):
    """Of one column's shares, whether the generator's has gone from `real` towards `other`."""
    error = math.sqrt(sum(max(share * (1 - share), 1 / count) / count for share, count in zip((real, generated), counts)))
    return generated - real > max(0.25 * (other - real), 3 * error)


def judge(arguments):
    size = size_of(arguments.size)
    if arguments.count < 100:
        raise Refusal(f"--count {arguments.count}: must be at least 100, or chance decides", 2)
    photographs = list(pictures_of(arguments.data, size).values())
    if len(photographs) < 200:
        raise Refusal(f"{arguments.data}: holds {len(photographs)} photographs; at least 200 are needed, or chance decides")
    order = np.random.default_rng(0).permutation(len(photographs))
    known, held = ([photographs[i] for i in half] for half in np.array_split(order, 2))
    with tempfile.TemporaryDirectory() as scratch:
        made = Path(scratch) / "made"
        run(arguments.duel, "generate", "--run", arguments.run, "--out", made, "--count", arguments.count)
        drawn = list(pictures_of(made, size).values())
    ranges, random = ranges_of(known), np.random.default_rng(1)
    rows = {"real": shares_of(held, ranges), "changed": shares_of([changed(each, random) for each in held], ranges),
            "generated": shares_of(drawn, ranges)}

    print(f"{len(held)} photographs of {arguments.data}, beside {len(known)} others of it; {len(drawn)} pictures of {arguments.run}; "
          f"{arguments.size}")
    print(" " * 10 + "".join(f"{name:>11}" for name in rows["real"]))
    for name, shares in rows.items():
        print(f"{name:<10}" + "".join(f"{100 * share:10.1f}%" for share in shares.values()))
    found = [name for name in rows["real"]
             if leaks(rows["real"][name], rows["changed"][name], rows["generated"][name], (len(held), len(drawn)))]
    print(f"leaks: {', '.join(found)}" if found else "no leak found")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", metavar="DATA", help="folder of photographs")
    parser.add_argument("--run", required=True, help="folder of a run that was trained with augment.policy = product")
    parser.add_argument("--count", type=int, default=1000, help="pictures that it makes (%(default)s)")
    parser.add_argument("--size", default="64x64", help="that was trained on (%(default)s)")
    parser.add_argument("--duel", default="build/duel", help="the program (%(default)s)")
    refusing(judge, parser)


if __name__ == "__main__":
    main()
