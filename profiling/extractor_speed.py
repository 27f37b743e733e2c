#!/usr/bin/env python3
"""An extractor's forward pass beside ONNX Runtime's of the same network on the CPU, in turn.

    extractor_speed.py classifier:RUN|onnx:FILE [--size 64x64x3] [--threads 2] [--rounds 5] [--batches 10] [--build build]

A classifier is exported first (`duel export`), so that both run one network; batches of 64 pictures. ONNX Runtime comes from
PyPI, in this python3 or in $ORT_PYTHON.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

PEER = """
import sys, time
import numpy, onnxruntime
file, threads, batches, shape = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), [int(n) for n in sys.argv[4].split("x")]
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = threads
session = onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"])
[given] = session.get_inputs()
if "uint8" in given.type:
    x = numpy.random.default_rng(1).integers(0, 256, [64, *shape], numpy.uint8)
else:
    x = numpy.random.default_rng(1).standard_normal([64, *given.shape[1:]], numpy.float32)
names = [output.name for output in session.get_outputs()]
session.run(names, {given.name: x})
times = []
for _ in range(batches):
    begin = time.perf_counter()
    session.run(names, {given.name: x})
    times.append(1000 * (time.perf_counter() - begin))
print(min(times), sorted(times)[len(times) // 2])
"""


def two_numbers(words):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"extractor_speed: {words[0]} failed: {done.stderr.strip()}")
    return [float(number) for number in done.stdout.split()]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("extractor")
    parser.add_argument("--size", default="64x64x3", help="HEIGHTxWIDTHxCHANNELS of the pictures")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batches", type=int, default=10, help="timed in each round")
    parser.add_argument("--build", default=str(ROOT / "build"))
    asked = parser.parse_args()
    kind, _, name = asked.extractor.partition(":")
    with tempfile.TemporaryDirectory() as folder:
        file = name
        if kind == "classifier":
            file = Path(folder) / "classifier.onnx"
            subprocess.run([f"{asked.build}/duel", "export", "--run", name, "--to", file], check=True, stdout=subprocess.DEVNULL)
        rows = []
        for number in range(asked.rounds):
            ours = two_numbers([f"{asked.build}/profiling/duel_extractor_speed", asked.extractor,
                                *asked.size.split("x"), asked.threads, asked.batches])
            peer = two_numbers([os.environ.get("ORT_PYTHON", sys.executable), "-c", PEER, file, asked.threads,
                                asked.batches, asked.size])
            rows.append((ours, peer))
            print(f"round {number + 1}: Duel {ours[0]:.1f} ms at least, median {ours[1]:.1f}; ONNX Runtime {peer[0]:.1f}, "
                  f"{peer[1]:.1f}", flush=True)
    for what, place in (("least", 0), ("median", 1)):
        ratios = [ours[place] / peer[place] for ours, peer in rows]
        print(f"Duel / ONNX Runtime, {what} of a round: median {statistics.median(ratios):.2f} "
              f"({min(ratios):.2f} to {max(ratios):.2f})")


if __name__ == "__main__":
    main()
