"""Runs Duel's step bench and PyTorch's in turn and prints both in one table, with Duel's goals. See compare_cpu.sh.

Ratios are formed within a round, whose runs follow each other closely, and their median over the rounds is what
counts: another program that makes one round slow then slows both sides of a ratio.
"""
import argparse
import datetime
import json
import os
import statistics
import subprocess
import sys
from dataclasses import dataclass
from typing import Callable, Optional

CASES = (("classic", "fp32"), ("steady", "fp32"), ("classic", "bf16"))
TORCH_BENCH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "torch_step_bench.py")


@dataclass
class Ratio:
    """One quotient of medians per round; and that of the least times of all, which a busy machine disturbs least."""
    rounds: list
    of_least: Optional[float]

    def median(self):
        return statistics.median(self.rounds)

    def text(self):
        return f"{self.median():.3f}" if self.rounds else "-"

    def spread(self):
        return f"{min(self.rounds):.3f} to {max(self.rounds):.3f}" if self.rounds else "-"

    def text_of_least(self):
        return f"{self.of_least:.3f}" if self.of_least else "-"


@dataclass
class Goal:
    name: str
    limit: float
    at_least: bool  # else: at most
    ratio: Callable[["Results"], Ratio]

    def met(self, ratio) -> Optional[bool]:
        if not ratio.rounds:
            return None
        return ratio.median() >= self.limit if self.at_least else ratio.median() <= self.limit


class Results:
    """What the benches printed: runs[program, preset, precision] is a list with one object per round."""

    def __init__(self):
        self.runs = {}

    def add(self, program, preset, precision, run):
        self.runs.setdefault((program, preset, precision), []).append(run)

    def median(self, *key):
        return statistics.median(run["ms_median"] for run in self.runs[key])

    def least(self, *key):
        return min(run["ms_min"] for run in self.runs[key])

    def ratio(self, above, below):
        return Ratio([a["ms_median"] / b["ms_median"] for a, b in zip(self.runs[above], self.runs[below])],
                     self.least(*above) / self.least(*below))

    def torch_over_duel(self, preset, precision):
        return self.ratio(("torch", preset, precision), ("duel", preset, precision))

    def duel_over_primitives(self, preset, precision):
        runs = [run for run in self.runs["duel", preset, precision] if run.get("primitives_ms")]
        least = min((run["primitives_ms"] for run in runs), default=None)
        return Ratio([run["ms_median"] / run["primitives_ms"] for run in runs],
                     self.least("duel", preset, precision) / least if least else None)

    def bf16_over_fp32(self):
        return self.ratio(("duel", "classic", "bf16"), ("duel", "classic", "fp32"))

    def steady_over_classic(self):
        return self.ratio(("duel", "steady", "fp32"), ("duel", "classic", "fp32"))


GOALS = (
    Goal("classic fp32: duel / sum of its oneDNN primitives", 1.2, False,
         lambda r: r.duel_over_primitives("classic", "fp32")),
    Goal("classic fp32: PyTorch / duel", 2.5, True, lambda r: r.torch_over_duel("classic", "fp32")),
    Goal("classic: duel bf16 / duel fp32", 0.6, False, Results.bf16_over_fp32),
    Goal("fp32: duel steady / duel classic", 2.6, False, Results.steady_over_classic),
    Goal("steady fp32: PyTorch / duel", 2.5, True, lambda r: r.torch_over_duel("steady", "fp32")),
)


def run_bench(command, environment):
    """The JSON object that the command prints, or the end of this program with what the command said."""
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    try:
        if done.returncode != 0:
            raise ValueError(f"exit code {done.returncode}")
        result = json.loads(done.stdout)
        if not result["ms_median"] > 0 or not result["ms_min"] > 0:
            raise ValueError("ms_median and ms_min must be positive")
        return result
    except (ValueError, KeyError, TypeError) as error:
        sys.exit(f"compare_cpu: {' '.join(command)}: {error!r}\n{done.stdout[-500:]}{done.stderr[-2000:]}")


def measure(options):
    environment = {**os.environ, "OMP_NUM_THREADS": str(options.threads)}
    results = Results()
    for number in range(1, options.rounds + 1):
        for preset, precision in CASES:
            size = ["--preset", preset, "--precision", precision, "--batch", str(options.batch),
                    "--threads", str(options.threads)]
            programs = {"duel": [options.duel, "bench", "step", *size, "--json"],
                        "torch": [options.python, TORCH_BENCH, *size]}
            for program, command in programs.items():
                run = run_bench(command, environment)
                results.add(program, preset, precision, run)
                print(f"round {number}/{options.rounds}  {program:<5}  {preset} {precision}  "
                      f"{run['ms_median']:8.2f} ms", file=sys.stderr, flush=True)
            if run["blas"] == "reference":
                sys.exit("compare_cpu: this PyTorch uses the reference BLAS, no fair peer; on Debian: "
                         "apt-get install libopenblas0-openmp")
    return results


def duel_version(duel):
    done = subprocess.run([duel, "--version"], capture_output=True, text=True)
    return done.stdout.split("\n")[0].strip() if done.returncode == 0 else "unknown"


def print_report(results, about):
    print(f"date     {about['date']}")
    print(f"CPU      {about['cpu']}, {about['processors']} processors; "
          f"load average {about['load_before']:.2f} when the runs began")
    print(f"duel     {about['duel']}, {about['threads']} threads")
    print(f"PyTorch  {about['torch']}, {about['blas']}, {about['threads']} threads"
          + "".join(f", {name}={value}" for name, value in sorted(about["environment"].items())))
    print(f"batch {about['batch']}, {about['rounds']} rounds of each in turn; ms per step: "
          "median of the rounds' medians, and least of all windows\n")

    print(f"{'':14} |{'duel':^19}|{'PyTorch':^19}|{'PyTorch':>9} |{'duel /':>11}")
    print(f"{'':14} |{'median':>9}{'min':>9} |{'median':>9}{'min':>9} |{'/ duel':>9} |{'primitives':>11}")
    for case in CASES:
        print(f"{' '.join(case):14} |"
              f"{results.median('duel', *case):9.2f}{results.least('duel', *case):9.2f} |"
              f"{results.median('torch', *case):9.2f}{results.least('torch', *case):9.2f} |"
              f"{results.torch_over_duel(*case).text():>9} |{results.duel_over_primitives(*case).text():>11}")

    print(f"\n{'goal':50} {'limit':>8} {'measured':>9}  {'':7} {'of minima':>9}  rounds")
    for goal in GOALS:
        ratio = goal.ratio(results)
        verdict = {True: "ok", False: "missed", None: "unknown"}[goal.met(ratio)]
        print(f"{goal.name:50} {'>=' if goal.at_least else '<='} {goal.limit:5.2f} {ratio.text():>9}  {verdict:<7} "
              f"{ratio.text_of_least():>9}  {ratio.spread()}")


def main():
    parser = argparse.ArgumentParser(prog="compare_cpu", description=__doc__.splitlines()[0])
    parser.add_argument("--duel", required=True)
    parser.add_argument("--python", default=sys.executable)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--json", metavar="FILE", help="also write everything that was measured")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("--rounds from 1")

    now = datetime.datetime.now(datetime.timezone.utc)
    load_before = os.getloadavg()[0]
    results = measure(options)
    torch_run = results.runs["torch", "classic", "fp32"][0]
    about = {
        "date": now.strftime("%Y-%m-%d %H:%M UTC"), "cpu": torch_run["cpu"], "processors": os.cpu_count(),
        "load_before": load_before, "duel": duel_version(options.duel), "torch": torch_run["torch"],
        "blas": torch_run["blas"], "environment": torch_run["environment"], "threads": options.threads,
        "batch": options.batch, "rounds": options.rounds,
    }
    print_report(results, about)
    if options.json:
        goals = [{"goal": goal.name, "limit": goal.limit, "at_least": goal.at_least,
                  "rounds": goal.ratio(results).rounds,
                  "of_minima": goal.ratio(results).of_least, "met": goal.met(goal.ratio(results))} for goal in GOALS]
        runs = [{"program": program, "rounds": rounds} for (program, _, _), rounds in results.runs.items()]
        with open(options.json, "w") as file:
            json.dump({"about": about, "goals": goals, "runs": runs}, file, indent=1)
            file.write("\n")


if __name__ == "__main__":
    main()
