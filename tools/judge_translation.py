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
import re
import subprocess
import sys
import tempfile
from pathlib import Path

try:
    import cv2
    import numpy as np
except ImportError as error:
    sys.exit(f"judge_translation: {error}; on Debian and Ubuntu: apt-get install python3-opencv")

ENDINGS = (".jpg", ".jpeg", ".png", ".webp")
EDGES = (80, 160)  # Canny's thresholds


class Refusal(Exception):
    def __init__(self, text, code=3):
        super().__init__(text)
        self.code = code


def pictures_of(folder, size):
    """By name, cut to the size's shape about the middle and brought to it, as `--fit cover` does."""
    if not Path(folder).is_dir():
        raise Refusal(f"{folder}: there is no such folder")
    width, height = size
    pictures = {}
    for file in sorted(Path(folder).rglob("*")):
        if file.suffix.lower() not in ENDINGS:
            continue
        picture = cv2.imread(str(file), cv2.IMREAD_COLOR)
        if picture is None:
            raise Refusal(f"{file}: cannot be read")
        scale = min(picture.shape[0] / height, picture.shape[1] / width)
        rows, columns = round(scale * height), round(scale * width)
        top, left = (picture.shape[0] - rows) // 2, (picture.shape[1] - columns) // 2
        whole = picture[top:top + rows, left:left + columns]
        pictures[f"{len(pictures):05d}.png"] = cv2.resize(whole, size, interpolation=cv2.INTER_AREA)
    if not pictures:
        raise Refusal(f"{folder}: holds no photograph")
    return pictures


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


def run(*words):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    if done.returncode != 0:
        raise Refusal(f"{words[0]} {words[1]}: {done.stderr.strip()}")
    return done.stdout


def judge(arguments):
    match = re.fullmatch(r"(\d+)x(\d+)", arguments.size)
    if not match or min(map(int, match.groups())) < 8:
        raise Refusal(f"--size {arguments.size}: must be WxH of at least 8 pixels a side, such as 64x64", 2)
    size = tuple(map(int, match.groups()))
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
    try:
        judge(parser.parse_args())
    except (Refusal, OSError) as error:
        print(f"judge_translation: {error}", file=sys.stderr)
        sys.exit(getattr(error, "code", 3))


if __name__ == "__main__":
    main()
