#!/usr/bin/env python3
"""Records training in plain PyTorch, for `duel parity` to replay: configuration, weights, pictures, labels and noise, then
the losses, gradients and weights of each step, in one safetensors file (host/parity/trajectory.h says what is in it). All of
it is computed in float64; how far PyTorch's own float32 is from that, from the same weights, is written beside it.

    tools/record_pytorch.py --config FILE.toml --steps 5 --seed 0 --out trajectory.safetensors [--set KEY=VALUE ...]

The configuration is that of `duel train` with the same --preset, --config and --set; the program itself reads it. Pictures are random bytes of the extents
data.synthetic_*, whatever data.source says, and labels are random too; schedules run over the recorded steps; device,
precision and threads are for the replay to choose. Runs on Debian 12's python3-torch (1.13) and on current PyTorch.
"""

import argparse
import shutil
import sys
from pathlib import Path

from torch_recorder.configuration import Configuration
from torch_recorder.refusal import Refusal
from torch_recorder.safetensors_file import write_safetensors

BUILT = Path(__file__).resolve().parent.parent / "build/duel"


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", help="as for `duel train --preset`")
    parser.add_argument("--config", help="TOML, as for `duel train --config`")
    parser.add_argument("--steps", type=int, default=3)
    parser.add_argument("--seed", type=int, default=0, help="of weights, pictures, labels and noise")
    parser.add_argument("--out", required=True, help="the .safetensors file")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="over the file; may be repeated")
    parser.add_argument("--classes", type=int, default=10, help="that labels count, where there are labels (10)")
    parser.add_argument("--duel", default=str(BUILT) if BUILT.exists() else shutil.which("duel") or str(BUILT), metavar="PROGRAM",
                        help="which reads the configuration: that in build/, or else the one on the PATH")
    return parser.parse_args()


def record(arguments):
    for name, least in (("steps", 1), ("classes", 1), ("seed", 0)):
        if getattr(arguments, name) < least:
            raise Refusal(f"--{name} {getattr(arguments, name)} must be at least {least}")
    # What the file says is what the replay needs: this seed, these pictures, no more steps than there are.
    settings = [*arguments.set, f"seed={arguments.seed}", "data.source=synthetic", f"train.steps={arguments.steps}"]
    config = Configuration(arguments.duel, arguments.preset, arguments.config, settings)
    try:
        import torch
    except ImportError as error:
        raise Refusal("PyTorch is missing; on Debian: apt-get install python3-torch; else: pip install torch", 1) from error
    from torch_recorder.recording import Recording

    recording = Recording(config, arguments.seed, arguments.classes)
    for number in range(1, arguments.steps + 1):
        recording.step(number)
    metadata = {"format": "duel trajectory 2", "config": config.toml, "steps": str(arguments.steps),
                "recorder": f"PyTorch {torch.__version__} in float64", "near_kinks": str(recording.left_near)}
    if recording.recipe.has_labels:
        metadata["classes"] = str(arguments.classes)
    write_safetensors(arguments.out, recording.tensors, metadata)
    print(f"{arguments.out}: {arguments.steps} steps, {len(recording.tensors)} tensors; {recording.drawn_again} rows were "
          f"drawn anew for being near a kink, and {recording.left_near} still are")


def main():
    try:
        record(parse_arguments())
    except Refusal as refusal:
        print(f"record_pytorch: {refusal}", file=sys.stderr)
        sys.exit(refusal.code)
    except OSError as error:
        print(f"record_pytorch: {error}", file=sys.stderr)
        sys.exit(3)


if __name__ == "__main__":
    main()
