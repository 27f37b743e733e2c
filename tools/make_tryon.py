#!/usr/bin/env python3
"""Makes synthetic try-on pairs: photographs' garments on drawn people, with what a try-on network is given and what it should
make of it. Any of the people can wear any of the garments, so that the truth is known of every pair.

    tools/make_tryon.py --garments FOLDER [FOLDER ...] --out SET [--pairs 5000] [--test 500] [--size 64x96] [--seed 0]

A FOLDER holds photographs of garments that lie flat, in sub-folders by kind, such as t-shirt. GrabCut cuts them out; what does not
look like a whole garment is left out. One garment in ten is in the test alone, on 50 people who are not trained on. Each pair to
train on has a person of its own, and its garment is stretched and turned a little, so that a network cannot learn the pairs by
heart. SET/train and SET/test hold

    person/N.png   a drawn person without the upper garment: the torso is grey, arms, head and trousers are as they are
    body/N.png     the parts of the body: head red, torso green, legs blue, left arm yellow, right arm magenta
    garment/N.png  the garment as it lies, opaque where it is
    picture/N.png  the truth: the person in the garment
    worn/N.png     where the garment is seen on the truth
    flow/N.png     of each pixel of the truth the place on the garment's picture, coded as synthetic_tryon/wearing.py says
    rows.csv       which person and which garment each N is

The same photographs and seed give the same files with one version of OpenCV. Needs OpenCV (apt-get install python3-opencv).
"""

import argparse
import csv
import multiprocessing
import os
import re
import shutil
import sys
import time
import zlib
from collections import Counter
from pathlib import Path

try:
    import cv2
    import numpy as np
except ImportError as error:
    sys.exit(f"make_tryon: {error}; on Debian and Ubuntu: apt-get install python3-opencv")

from synthetic_tryon.garment import Cut, cut_garment, framed_garment, varied_shape
from synthetic_tryon.person import draw_person, draw_pose
from synthetic_tryon.wearing import worn

KINDS = ("t-shirt", "longsleeve", "shirt", "outwear")
ENDINGS = (".jpg", ".jpeg", ".png", ".webp")
TEST_PEOPLE = 50
TESTED = 10  # one in so many garments


class Refusal(Exception):
    def __init__(self, text, code=2):
        super().__init__(text)
        self.code = code


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--garments", nargs="+", required=True, metavar="FOLDER", help="with sub-folders by kind")
    parser.add_argument("--kinds", default=",".join(KINDS), help="the sub-folders that are taken (%(default)s)")
    parser.add_argument("--out", required=True, metavar="SET", help="a new folder")
    parser.add_argument("--pairs", type=int, default=5000, help="to train on (5000)")
    parser.add_argument("--test", type=int, default=500, help="to measure on (500)")
    parser.add_argument("--size", default="64x96", help="WxH of the pictures, 2 to 3, multiples of 16 (64x96)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)), help="processes (one a processor)")
    return parser.parse_args()


def extents(text):
    """Height and width."""
    match = re.fullmatch(r"(\d+)x(\d+)", text)
    width, height = (int(match[1]), int(match[2])) if match else (0, 0)
    if width < 32 or width % 16 or height % 16 or 3 * width != 2 * height or height > 960:
        raise Refusal(f"--size {text}: must be WxH with W to H as 2 to 3, multiples of 16 up to 640x960, such as 64x96 or 128x192")
    return height, width


def photographs(folders, kinds):
    """(file, kind), by name."""
    found = []
    for folder in map(Path, folders):
        if not folder.is_dir():
            raise Refusal(f"{folder}: there is no such folder", 3)
        for kind in kinds:
            found += [(file, kind) for file in (folder / kind).rglob("*") if file.suffix.lower() in ENDINGS]
    if not found:
        raise Refusal(f"{', '.join(folders)}: no photograph in a sub-folder {', '.join(kinds)}", 3)
    return sorted(found, key=lambda each: (each[0].name, str(each[0])))


def is_tested(file):
    """By its name, so that a garment stays on its side when others come and go."""
    return zlib.crc32(file.stem.encode()) * 2654435761 % 2 ** 32 < 2 ** 32 // TESTED


def garment_of(work):
    file, kind = work
    return cut_garment(file, kind, zlib.crc32(file.name.encode()) & 0x7fffffff)


def write_row(work):
    """`random` follows from the row alone, whichever process draws it."""
    folder, number, person, garment, (height, width), seed = work
    is_test = folder.name == "test"
    random = np.random.default_rng([seed, number, 1 if is_test else 0])
    pose = draw_pose(person, random)
    garment = framed_garment(garment, height, width, None if is_test else varied_shape(random))
    pictures = worn(person, pose, garment, height, width, random)
    for name, picture in pictures.items():
        file = folder / name / f"{number:05d}.png"
        if not cv2.imwrite(str(file), picture, [cv2.IMWRITE_PNG_COMPRESSION, 3]):
            raise Refusal(f"{file}: cannot be written", 3)


def make_part(part, count, garments, arguments, size, pool):
    folder = Path(arguments.out + ".part") / part
    for name in ("person", "body", "garment", "picture", "worn", "flow"):
        (folder / name).mkdir(parents=True)
    is_test = part == "test"
    random = np.random.default_rng([arguments.seed, 2, 1 if is_test else 0])
    people = [draw_person(random) for _ in range(TEST_PEOPLE if is_test else count)]
    rows, work = [], []
    for number in range(count):
        person = int(random.integers(len(people))) if is_test else number
        garment = garments[int(random.integers(len(garments)))]
        rows.append((f"{number:05d}", f"{part}-{person:03d}", garment.name))
        work.append((folder, number, people[person], garment, size, arguments.seed))
    for _ in pool.imap_unordered(write_row, work, 8):
        pass
    with open(folder / "rows.csv", "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([("row", "person", "garment"), *rows])


def make(arguments):
    size = extents(arguments.size)
    for name, least in (("pairs", 1), ("test", 1), ("seed", 0), ("jobs", 1)):
        if getattr(arguments, name) < least:
            raise Refusal(f"--{name} {getattr(arguments, name)} must be at least {least}")
    out, unfinished = Path(arguments.out), Path(arguments.out + ".part")
    if out.exists():
        raise Refusal(f"--out {out}: exists already; name a new folder")
    files = photographs(arguments.garments, arguments.kinds.split(","))
    begin = time.monotonic()
    cv2.setNumThreads(1)
    with multiprocessing.Pool(arguments.jobs) as pool:
        cuts = pool.map(garment_of, files, 8)
        faults = Counter(each for each in cuts if isinstance(each, str))
        garments = {part: [each for (file, _), each in zip(files, cuts)
                           if isinstance(each, Cut) and is_tested(file) == (part == "test")] for part in ("train", "test")}
        cut = sum(len(each) for each in garments.values())
        why = ", ".join(f"{count} for their {fault}" for fault, count in sorted(faults.items()))
        print(f"{cut} of {len(files)} photographs gave a garment ({time.monotonic() - begin:.0f} s); left out: {why or 'none'}")
        for part, each in garments.items():
            if not each:
                raise Refusal(f"no garment is left to {part} on; more photographs are needed than {len(files)}", 3)
        shutil.rmtree(unfinished, ignore_errors=True)
        try:
            for part, count in (("train", arguments.pairs), ("test", arguments.test)):
                make_part(part, count, garments[part], arguments, size, pool)
            unfinished.rename(out)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)
    print(f"{out}: synthetic try-on, {arguments.pairs} pairs of as many people and {len(garments['train'])} garments to train on, "
          f"{arguments.test} of {TEST_PEOPLE} and {len(garments['test'])} others to test ({time.monotonic() - begin:.0f} s)")


def main():
    try:
        make(parse_arguments())
    except Refusal as refusal:
        print(f"make_tryon: {refusal}", file=sys.stderr)
        sys.exit(refusal.code)
    except OSError as error:
        print(f"make_tryon: {error}", file=sys.stderr)
        sys.exit(3)


if __name__ == "__main__":
    main()
