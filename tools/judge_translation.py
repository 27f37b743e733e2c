#!/usr/bin/env python3
"""Measures what a run of `--preset cut` or `--preset cyclegan` makes of one kind of pictures, beside doing nothing and beside matching
histograms: how near the results are to the other kind, and what is left of what was there.

    tools/judge_translation.py FROM INTO --run RUN [--extractor classifier:RUN] [--size 64x64] [--duel build/duel]

FROM and INTO are folders of photographs of either kind, best those that were not trained on.

    nothing      the pictures of FROM as they are
    histograms   each channel of a picture given the distribution that it has in all pictures of INTO
    run          what `duel translate` makes of them

Columns: the kernel distance to INTO, as `duel evaluate` has it, with its spread, and beside the table its floor between halves of
INTO; and of the edges in a picture of FROM (Canny, 1986) the share that the result has within a pixel's distance. Needs OpenCV
(apt-get install python3-opencv).
"""

import argparse
import json
import tempfile
from pathlib import Path

from judging import pictures_of, refusing, run, size_of

import cv2  # judging says where it is from
import numpy as np

EDGES = (80, 160)  # Canny's thresholds


def matched(picture, others):
    """Each channel's values in the places that they have in the distribution of all the others."""
    result = np.empty_like(picture)
    for channel in range(3):
        counts = np.bincount(picture[..., channel].ravel(), minlength=256)
        shares = (np.cumsum(counts) - counts / 2) / counts.sum()  # the middle of those that are equal
        wanted = np.cumsum(np.bincount(np.concatenate([each[..., channel].ravel() for each in others]), minlength=256))
        table = np.searchsorted(wanted / wanted[-1], shares).clip(0, 255).astype(np.uint8)
        result[..., channel] = table[picture[..., channel]]
    return result


def edges_of(picture):
    return cv2.Canny(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), *EDGES) > 0


def edges_kept(picture, result):
    """Or none, where there are no edges."""
    there = edges_of(picture)
    near = cv2.dilate(edges_of(result).astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
    return (there & near).sum() / there.sum() if there.any() else None


def write_all(folder, pictures):
    folder.mkdir()
    for name, picture in pictures.items():
        cv2.imwrite(str(folder / name), picture)
    return folder


def judge(arguments):
    size = size_of(arguments.size)
    given, others = (pictures_of(folder, size) for folder in (arguments.folder, arguments.into))
    with tempfile.TemporaryDirectory() as scratch:
        scratch = Path(scratch)
        truth = write_all(scratch / "into", others)
        folders = {"nothing": write_all(scratch / "nothing", given),
                   "histograms": write_all(scratch / "histograms", {name: matched(each, others.values())
                                                                    for name, each in given.items()})}
        if arguments.run:
            folders["run"] = scratch / "run"
            run(arguments.duel, "translate", folders["nothing"], "--run", arguments.run, "--out", folders["run"])
        print(f"{len(given)} pictures of {arguments.folder}, {len(others)} of {arguments.into}, {arguments.size}, "
              f"extractor {arguments.extractor}")
        print(f"{'':<11} {'kernel distance':>24} {'edges kept':>11}")
        floor = None
        for way, folder in folders.items():
            told = json.loads(run(arguments.duel, "evaluate", "--pictures", folder, "--data", truth, "--size", arguments.size,
                                  "--held-out", 0, "--extractor", arguments.extractor, "--json"))
            figure = told["figures"]["kernel_distance"]
            floor = floor or figure
            results = {name: cv2.imread(str(folder / name), cv2.IMREAD_COLOR) for name in given}
            kept = [share for share in (edges_kept(each, results[name]) for name, each in given.items()) if share is not None]
            print(f"{way:<11} {figure['value']:13.4f} +- {figure['spread'] or 0:.4f} {100 * np.mean(kept):10.1f}%")
        if floor["floor"] is not None:
            print(f"floor: {floor['floor']:.4f} +- {floor['floor_spread'] or 0:.4f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", metavar="FROM", help="photographs of the one kind")
    parser.add_argument("into", metavar="INTO", help="photographs of the other")
    parser.add_argument("--run", help="folder of a run of --preset cut or cyclegan")
    parser.add_argument("--extractor", default="pixels", help="as of `duel evaluate` (%(default)s)")
    parser.add_argument("--size", default="64x64", help="that was trained on (%(default)s)")
    parser.add_argument("--duel", default="build/duel", help="the program (%(default)s)")
    refusing(judge, parser)


if __name__ == "__main__":
    main()
