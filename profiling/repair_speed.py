#!/usr/bin/env python3
"""`duel repair` of one large photograph beside ONNX Runtime with the network that `duel export` writes of the run, in turn.

    repair_speed.py RUN [--size 4000x3000] [--threads 2] [--rounds 3] [--duel build/duel]

RUN is one of --preset repair. The photograph is drawn: noise over a slope. Duel's time is that of the whole command: it starts,
decodes, repairs in tiles that overlap, blends them, and writes the file. ONNX Runtime's is of its network alone, on as many tiles,
eight at a time, that are in memory already. ONNX Runtime, NumPy and Pillow come from PyPI, in this python3 or in $ORT_PYTHON.
"""

import argparse
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OVERLAP, AT_ONCE = 24, 8

DRAW = """
import sys
import numpy
from PIL import Image
width, height = int(sys.argv[2]), int(sys.argv[3])
slope = numpy.add.outer(numpy.arange(height), numpy.arange(width))[..., None] * [0.02, 0.03, 0.01] + 20
noise = numpy.random.default_rng(1).normal(0, 20, slope.shape)
Image.fromarray(numpy.clip(slope + noise, 0, 255).astype("u1")).save(sys.argv[1], quality=95)
"""

PEER = """
import sys, time
import numpy, onnxruntime
file, threads, tiles = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = threads
session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
[given] = session.get_inputs()
x = numpy.random.default_rng(1).integers(0, 256, [%d, *given.shape[1:]], "u1")  # [N,height,width,3]
session.run(None, {given.name: x})
begin = time.perf_counter()
for first in range(0, tiles, len(x)):
    session.run(None, {given.name: x[:tiles - first]})
print(given.shape[2], time.perf_counter() - begin)
""" % AT_ONCE


def tiles_along(length, tile):
    return 1 if length <= tile else math.ceil((length - OVERLAP) / (tile - OVERLAP))


def run(words):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"repair_speed: {words[0]} failed: {done.stderr.strip()}")
    return done.stdout


def repair(words):
    """Seconds, and the most memory that it had at once in MiB."""
    begin = time.perf_counter()
    child = subprocess.Popen([str(word) for word in words], stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    if status:
        sys.exit(f"repair_speed: {words[0]} repair failed")
    return time.perf_counter() - begin, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run")
    parser.add_argument("--size", default="4000x3000", help="WIDTHxHEIGHT of the photograph")
    parser.add_argument("--tile", type=int, default=128, help="side of the tiles: that of the exported network")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--duel", default=str(ROOT / "build/duel"))
    asked = parser.parse_args()
    width, height = (int(number) for number in asked.size.split("x"))
    tiles = tiles_along(width, asked.tile) * tiles_along(height, asked.tile)
    python = os.environ.get("ORT_PYTHON", sys.executable)
    with tempfile.TemporaryDirectory() as folder:
        photograph, network = Path(folder) / "photograph.jpg", Path(folder) / "network.onnx"
        run([python, "-c", DRAW, photograph, width, height])
        run([asked.duel, "export", "--run", asked.run, "--to", network])
        rows = []
        for number in range(asked.rounds):
            ours, most = repair([asked.duel, "repair", photograph, "--run", asked.run, "--out", Path(folder) / f"out{number}",
                                 "--tile", asked.tile, "--threads", asked.threads])
            side, peer = run([python, "-c", PEER, network, asked.threads, tiles]).split()
            if int(side) != asked.tile:
                sys.exit(f"repair_speed: the exported network takes tiles of {side} pixels; give --tile {side}")
            rows.append((ours, float(peer)))
            print(f"round {number + 1}: duel repair {ours:.1f} s, {tiles} tiles of {asked.tile}; ONNX Runtime {rows[-1][1]:.1f} s",
                  flush=True)
    ratios = [peer / ours for ours, peer in rows]
    print(f"ONNX Runtime / Duel: median {statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f}); "
          f"duel had at most {most:.0f} MiB")


if __name__ == "__main__":
    main()
