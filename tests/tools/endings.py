#!/usr/bin/env python3
"""Ends trainings in the middle, continues them, and compares them with one that nobody disturbed.

    python3 tests/tools/endings.py build/duel --kills 200 --pairs 200 --disks 60 [--seed 1]

kills   SIGKILL at a random time, up to three times before the run may end
pairs   two of the signals that ask to stop, the second up to 100 ms behind the first
disks   a file system (tmpfs, which takes root's rights to mount) with too little room, then with enough

Each run is continued by the command that began it (--resume=auto) until it ends by itself. Then every checkpoint must have
the bytes that the undisturbed run had at that step, every sheet too, and metrics.jsonl each row once; of what is written
only the seconds may differ. Exits with 0 where all was so, and with 77 where nothing could be tried.
"""

import argparse
import collections
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

STEPS = 300
TRAIN = (
    "train --data synthetic --threads 1 --kernels ours --batch 4 --set data.synthetic_count=32 "
    "--set data.synthetic_height=8 --set data.synthetic_width=8 --set model.latent=8 --set model.generator_widths=[16] "
    "--set model.discriminator_channels=[4] --set model.discriminator_widths=[8] --set output.samples_every=100 "
    f"--set output.metrics_every=5 --set output.log_every=50 --set output.sample_rows=2 --set output.sample_columns=2 "
    f"--steps {STEPS} "
).split()
OFTEN = "--set output.checkpoint_every=20 --set output.keep_last=3".split()
ALWAYS = "--set output.checkpoint_every=1 --set output.keep_last=0".split()
SIGNALS = ["INT", "TERM", "HUP", "QUIT", "USR1", "USR2", "ALRM", "XCPU", "PWR"]


class Trial:
    def __init__(self, duel, folder):
        self.duel, self.folder = duel, folder
        self.environment = dict(os.environ, XDG_CACHE_HOME=str(folder / "cache"), OMP_WAIT_POLICY="passive")
        self.whole = folder / "whole"
        self.wait(self.start(self.whole, ALWAYS), 0)
        begin = time.monotonic()
        self.wait(self.start(folder / "often", OFTEN), 0)
        self.seconds = time.monotonic() - begin
        self.sheets = self.bytes_of(self.whole / "samples")
        self.rows = self.rows_of(self.whole)

    def start(self, run, more=OFTEN):
        self.log = open(self.folder / "output", "w+b")
        return subprocess.Popen([self.duel, *TRAIN, "--out", run, *more, "--resume=auto"], stdout=self.log,
                                stderr=subprocess.STDOUT, env=self.environment)

    def output(self):
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def wait(self, process, *expected):
        code = process.wait(timeout=120)
        if code not in expected:
            raise AssertionError(f"exit code {code} instead of {expected}:\n{self.output()}")
        return code

    @staticmethod
    def bytes_of(folder):
        return {path.name: path.read_bytes() for path in folder.iterdir()}

    @staticmethod
    def rows_of(run):
        rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
        for row in rows:
            del row["seconds"]
        return rows

    def continue_and_compare(self, run):
        self.wait(self.start(run), 0)
        checkpoints = sorted((run / "checkpoints").glob("step_*"))
        assert checkpoints and checkpoints[-1].name == f"step_{STEPS:09}", checkpoints
        assert (run / "checkpoints/latest").read_text() == f"step_{STEPS:09}\n"
        for checkpoint in checkpoints:
            for name in ["state.safetensors", "state.json"]:
                there = self.whole / "checkpoints" / checkpoint.name / name
                assert (checkpoint / name).read_bytes() == there.read_bytes(), f"{checkpoint}/{name} differs"
        assert self.bytes_of(run / "samples") == self.sheets, "sheets differ"
        assert self.rows_of(run) == self.rows, "metrics.jsonl differs"
        left = [path for path in run.rglob("*.tmp-*")]
        assert not left, f"left over: {left}"
        shutil.rmtree(run)

    def kill(self, dice):
        run = self.folder / "killed"
        times = dice.randint(1, 3)
        for _ in range(times):
            process = self.start(run)
            time.sleep(dice.uniform(0, 1.1 * self.seconds))
            process.kill()
            self.wait(process, 0, -signal.SIGKILL)
        checkpoint = (run / "checkpoints/latest").exists()
        state = "with a checkpoint" if checkpoint else "without one" if (run / "config.toml").exists() else "nothing yet"
        self.continue_and_compare(run)
        return f"killed, {state}"

    def pair(self, dice):
        run = self.folder / "stopped"
        process = self.start(run)
        time.sleep(dice.uniform(0, 1.1 * self.seconds))
        names = [dice.choice(SIGNALS), dice.choice(SIGNALS)]
        for name, pause in zip(names, [dice.choice([0, dice.uniform(0, 0.1)]), 0]):
            process.send_signal(getattr(signal, "SIG" + name))
            time.sleep(pause)
        numbers = [int(getattr(signal, "SIG" + name)) for name in names]
        code = self.wait(process, 0, 130, *[-number for number in numbers])
        said = re.search(r"interrupted by SIG\w+ at step (\d+)", self.output())
        if code == 130:
            assert said, self.output()
            assert (run / "checkpoints/latest").read_text() == f"step_{int(said[1]):09}\n", "the checkpoint is missing"
        if code < 0:
            assert not run.exists(), f"ended by signal {-code} when the run had begun"
        self.continue_and_compare(run)
        return {0: "had ended", 130: "checkpoint written, exit 130"}.get(code, "before the program began")

    def disk(self, dice, kibibytes):
        mount = self.folder / "disk"
        mount.mkdir(exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={kibibytes}k", "duel", mount], check=True)
        try:
            code = self.wait(self.start(mount / "run"), 0, 3)
            if code == 3:
                assert "No space left" in self.output() or "no room" in self.output(), self.output()
            kept = (mount / "run/checkpoints/latest").exists()
            subprocess.run(["mount", "-o", "remount,size=64m", mount], check=True)
            self.continue_and_compare(mount / "run")
        finally:
            subprocess.run(["umount", mount], check=True)
        return f"exit {code}, {'a checkpoint is kept' if kept else 'no checkpoint'}"


def can_mount(folder):
    probe = folder / "probe"
    probe.mkdir()
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    if shutil.which("mount") is None or subprocess.run(["mount", "-t", "tmpfs", "duel", probe], **quiet).returncode != 0:
        return False
    subprocess.run(["umount", probe], check=True)
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("duel", type=pathlib.Path)
    for name in ["kills", "pairs", "disks", "seed"]:
        parser.add_argument(f"--{name}", type=int, default=0)
    arguments = parser.parse_args()
    dice = random.Random(arguments.seed)
    with tempfile.TemporaryDirectory(prefix="duel-endings-") as name:
        folder = pathlib.Path(name)
        trial = Trial(arguments.duel.resolve(), folder)
        need = sum(path.stat().st_size for path in (folder / "often").rglob("*") if path.is_file()) // 1024
        disks = arguments.disks if arguments.disks and can_mount(folder) else 0
        if disks < arguments.disks:
            print("endings: no file system can be mounted here, so no disk was filled")
        trials = [("kills", trial.kill, [()] * arguments.kills), ("pairs", trial.pair, [()] * arguments.pairs),
                  ("disks", trial.disk, [(4 + (need + 200) * i // disks,) for i in range(disks)])]
        faults = 0
        for kind, attempt, cases in trials:
            outcomes = collections.Counter()
            for number, case in enumerate(cases):
                try:
                    outcomes[attempt(dice, *case)] += 1
                except (AssertionError, OSError, subprocess.SubprocessError, ValueError) as error:
                    faults += 1
                    outcomes["FAULT"] += 1
                    print(f"endings: {kind} {number} {case}: {error}")
                    for run in ["killed", "stopped"]:
                        shutil.rmtree(folder / run, ignore_errors=True)
            for outcome, count in sorted(outcomes.items()):
                print(f"{kind:6} {count:4}  {outcome}")
        print(f"endings: {sum(len(cases) for _, _, cases in trials)} runs, {faults} faults")
        if faults:
            return 1
        return 0 if any(cases for _, _, cases in trials) else 77


if __name__ == "__main__":
    sys.exit(main())
