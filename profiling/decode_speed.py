#!/usr/bin/env python3
"""JPEGs a second that become pictures of one size (filled, the centre cropped), from files in the page cache: Duel beside
PIL, plainly and with its shrink-on-load, and torchvision, in turn, medians of the rounds.

    profiling/decode_speed.py FOLDER [--size 64] [--workers 2] [--rounds 3] [--seconds 3] [--program build/profiling/duel_decode_speed]

Duel decodes on threads of one process; the others on as many processes, as data loaders do, because threads of Python
wait for each other. A peer that is not installed is said to be missing."""

import argparse
import importlib.util
import multiprocessing
import os
import statistics
import subprocess
import time
from pathlib import Path


def by_pil(path, size):
    from PIL import Image, ImageOps
    return ImageOps.fit(ImageOps.exif_transpose(Image.open(path)).convert("RGB"), (size, size), Image.Resampling.LANCZOS).tobytes()


def by_pil_reduced(path, size):
    """draft() leaves twice the size that is wanted, as Duel does."""
    from PIL import Image, ImageOps
    image = Image.open(path)
    image.draft("RGB", (2 * size, 2 * size))
    return ImageOps.fit(ImageOps.exif_transpose(image).convert("RGB"), (size, size), Image.Resampling.LANCZOS).tobytes()


def by_torchvision(path, size):
    import torch
    from torchvision.io import ImageReadMode, decode_jpeg, read_file
    from torchvision.transforms import v2
    torch.set_num_threads(1)
    picture = decode_jpeg(read_file(path), ImageReadMode.RGB, apply_exif_orientation=True)
    scaled = v2.functional.resize(picture, [size], antialias=True)
    return v2.functional.center_crop(scaled, [size, size])


PEERS = {"PIL": (by_pil, "PIL"), "PIL, draft": (by_pil_reduced, "PIL"), "torchvision": (by_torchvision, "torchvision")}


def work(decode, files, size, first, seconds, start, counts):
    for path in files:
        decode(path, size)
    start.wait()
    end, done = time.monotonic() + seconds, 0
    while time.monotonic() < end:
        decode(files[(first + done) % len(files)], size)
        done += 1
    counts.put(done)


def peer_rate(decode, files, size, workers, seconds):
    start, counts = multiprocessing.Barrier(workers), multiprocessing.Queue()
    processes = [multiprocessing.Process(target=work, args=(decode, files, size, i * len(files) // workers, seconds, start, counts))
                 for i in range(workers)]
    for process in processes:
        process.start()
    done = sum(counts.get() for _ in processes)
    for process in processes:
        process.join()
    return done / seconds


def duel_rate(program, folder, size, workers, seconds):
    done = subprocess.run([program, folder, str(size), str(workers), str(seconds)], capture_output=True, text=True, check=True)
    return float(done.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder")
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--program", default=str(Path(__file__).resolve().parent.parent / "build/profiling/duel_decode_speed"))
    args = parser.parse_args()
    files = sorted(str(path) for path in Path(args.folder).rglob("*.jpg"))
    rates = {"Duel": []}
    for name, (_, package) in PEERS.items():
        if importlib.util.find_spec(package) is None:
            print(f"{name}: {package} is not installed for this python3")
        else:
            rates[name] = []
    for _ in range(args.rounds):
        for name, measured in rates.items():
            measured.append(duel_rate(args.program, args.folder, args.size, args.workers, args.seconds) if name == "Duel"
                            else peer_rate(PEERS[name][0], files, args.size, args.workers, args.seconds))
    print(f"{len(files)} files, to {args.size}x{args.size}, {args.workers} workers, {args.rounds} rounds; load {os.getloadavg()[0]:.1f}")
    for name, measured in rates.items():
        print(f"{name:12} {statistics.median(measured):7.0f} a second   ({min(measured):.0f} to {max(measured):.0f})")


if __name__ == "__main__":
    main()
