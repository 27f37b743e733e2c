"""Runs Duel's step bench and the peers' in turn and prints one table of ratios. See compare.sh.

Ratios are formed within a round, whose runs follow each other closely, and their median over the rounds is what counts:
another program that makes one round slow then slows both sides of a ratio. A peer that is missing or fails is a row that
says why; the others run.
"""
import argparse
import datetime
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from find_python import python_with

HERE = Path(__file__).resolve().parent
PICTURES = Path("/usr/share/datasets/fashion-mnist")  # where compare_pytorch.py looks too
PACKAGES = {"compare_pytorch.py": ("torch", "PYTHON"), "compare_jax.py": ("jax", "JAX_PYTHON"),
            "compare_keras.py": ("tensorflow", "KERAS_PYTHON")}


def interpreter_of(bench):
    """Of PYTHON and its like, else the first on the PATH with the package, else one that will say what it lacks."""
    package, variable = PACKAGES[bench]
    return os.environ.get(variable) or os.environ.get("PYTHON") or python_with(package) or sys.executable


PRESETS = ("classic", "steady", "conv-steady", "vae")
PEERS = {  # name: (bench, variant)
    "torch eager": ("compare_pytorch.py", "eager"),
    "torch tutorial": ("compare_pytorch.py", "tutorial"),
    "torch tuned": ("compare_pytorch.py", "tuned"),
    "torch graph": ("compare_pytorch.py", "graph"),
    "torch compile": ("compare_pytorch.py", "compile"),
    "jax jit": ("compare_jax.py", "jit"),
    "jax scan": ("compare_jax.py", "scan"),
    "keras": ("compare_keras.py", "train_on_batch"),
}
# What the CPU backend is to reach: (name, at most or at least, limit, numerator, denominator), each (program, preset, precision)
# or, for Duel, its own sum of primitives.
GOALS = (
    ("classic fp32: Duel / sum of its products alone", "<=", 1.2, ("duel", "classic", "fp32"), "primitives"),
    ("classic fp32: PyTorch / Duel", ">=", 2.5, ("torch eager", "classic", "fp32"), ("duel", "classic", "fp32")),
    ("classic: Duel bf16 / Duel fp32", "<=", 0.6, ("duel", "classic", "bf16"), ("duel", "classic", "fp32")),
    ("fp32: Duel steady / Duel classic", "<=", 2.6, ("duel", "steady", "fp32"), ("duel", "classic", "fp32")),
    ("steady fp32: PyTorch / Duel", ">=", 2.5, ("torch eager", "steady", "fp32"), ("duel", "steady", "fp32")),
    ("conv-steady fp32: PyTorch / Duel", ">=", 2.5, ("torch eager", "conv-steady", "fp32"), ("duel", "conv-steady", "fp32")),
    ("conv-steady bf16: PyTorch / Duel", ">=", 2.0, ("torch eager", "conv-steady", "bf16"), ("duel", "conv-steady", "bf16")),
)


def parse_arguments():
    parser = argparse.ArgumentParser(prog="compare.sh", description=__doc__.splitlines()[0])
    parser.add_argument("--duel", default=str(HERE.parent / "build/duel"), help="the program")
    parser.add_argument("--device", choices=("auto", "cpu", "cuda"), default="auto")
    parser.add_argument("--cases", nargs="+", default=["classic-fp32", "steady-fp32", "classic-bf16", "conv-steady-fp32", "conv-steady-bf16"], metavar="PRESET-PRECISION")
    parser.add_argument("--peers", nargs="+", choices=PEERS, default=list(PEERS), help="only these")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3, help="of whole steps in each run")
    parser.add_argument("--limit", type=float, default=240, help="seconds after which a run is given up")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--threads", type=int, default=os.cpu_count(), help="of the CPU, for all alike")
    parser.add_argument("--json", metavar="FILE", help="also write everything that was measured")
    options = parser.parse_args()
    options.cases = [tuple(case.rsplit("-", 1)) for case in options.cases]
    if options.rounds < 1:
        parser.error("--rounds must be 1 or more")
    for case in options.cases:
        if len(case) != 2 or case[0] not in PRESETS or case[1] not in ("fp32", "tf32", "bf16"):
            parser.error(f"--cases {'-'.join(case)}: must be one of {', '.join(PRESETS)}, and fp32, tf32 or bf16: classic-bf16")
    if not os.access(options.duel, os.X_OK):
        parser.error(f"there is no program {options.duel}; build it: cmake --preset release && cmake --build --preset release")
    return options


def run(command, environment, limit):
    """The object in the last line or the whole of what the command prints; {"error": why} where it prints none."""
    try:
        done = subprocess.run([str(word) for word in command], env=environment, capture_output=True, text=True, timeout=limit)
    except subprocess.TimeoutExpired:
        return {"error": f"given up after {limit:g} s"}
    except OSError as error:
        return {"error": f"{type(error).__name__}: {error}"[:160]}
    text = done.stdout.strip()
    for candidate in (text, text.splitlines()[-1] if text else ""):
        try:
            result = json.loads(candidate)
            if "error" in result or result["ms_median"] > 0:
                return result
        except (ValueError, KeyError, TypeError):
            pass
    lines = [line.strip() for line in (done.stderr or done.stdout).splitlines() if line.strip()]
    return {"error": f"exit code {done.returncode}: {(lines or ['it printed nothing'])[-1]}"[:200]}


def resolve_device(options, environment):
    if options.device != "auto":
        return options.device
    done = subprocess.run([options.duel, "info", "--json"], capture_output=True, text=True, env=environment)
    return "cuda" if "cuda:0" in json.loads(done.stdout) else "cpu"


class Results:
    def __init__(self):
        self.runs = {}    # (program, preset, precision): one object per round
        self.errors = {}  # the same: why there is none

    def add(self, key, result):
        if "error" in result:
            self.errors[key] = result["error"]
        else:
            self.runs.setdefault(key, []).append(result)

    def ratio(self, above, below, field="ms_median"):
        """Of each round."""
        return [a[field] / b[field] for a, b in zip(self.runs.get(above, []), self.runs.get(below, []))]

    def of_primitives(self, key):
        return [one["ms_median"] / one["primitives_ms"] for one in self.runs.get(key, []) if one.get("primitives_ms")]


def measure(options, device, environment):
    results = Results()
    # The peers take random pictures where there are none. A step takes as long with these.
    pictures = Path(os.environ.get("DUEL_FASHION_MNIST") or PICTURES)
    data = [] if any(pictures.glob("train-images-idx3-ubyte*")) else ["--data", "synthetic"]
    for number in range(1, options.rounds + 1):
        for preset, precision in options.cases:
            size = ["--preset", preset, "--precision", precision, "--batch", options.batch, "--threads", options.threads,
                    "--device", device, "--seconds", options.seconds]
            commands = {"duel": [options.duel, "bench", "step", *size, *data, "--json"]}
            for name in options.peers:
                bench, variant = PEERS[name]
                commands[name] = [interpreter_of(bench), HERE / bench, "--variant", variant, *size]
            for name, command in commands.items():
                key = (name, preset, precision)
                if key in results.errors:
                    continue
                results.add(key, run(command, environment, options.limit))
                told = results.errors.get(key) or f"{results.runs[key][-1]['ms_median']:10.3f} ms"
                print(f"round {number}/{options.rounds}  {preset} {precision}  {name:<15} {told}", file=sys.stderr, flush=True)
    return results


def print_report(options, results, about):
    for name, value in about.items():
        print(f"{name:<10} {value}")
    print(f"\n{'':34}{'ms a step':>10} {'least':>10} {'/ Duel':>8}  rounds")
    for preset, precision in options.cases:
        print(f"{preset} {precision}, batch {options.batch}")
        duel = ("duel", preset, precision)
        for name in ("duel", *options.peers):
            key = (name, preset, precision)
            if key in results.errors:
                print(f"  {name:<32}{'-':>10} {'-':>10} {'-':>8}  {results.errors[key]}")
                continue
            runs, ratios = results.runs[key], results.ratio(key, duel)
            told = (f"{statistics.median(ratios):8.2f}  {min(ratios):.2f} to {max(ratios):.2f}" if ratios and name != "duel"
                    else "")
            print(f"  {name:<32}{statistics.median(r['ms_median'] for r in runs):10.3f} "
                  f"{min(r['ms_min'] for r in runs):10.3f} {told}")


def goals_of(results):
    for name, sense, limit, above, below in GOALS:
        ratios = results.of_primitives(above) if below == "primitives" else results.ratio(above, below)
        if ratios:
            ratio = statistics.median(ratios)
            yield {"goal": name, "sense": sense, "limit": limit, "ratio": ratio, "rounds": ratios,
                   "met": ratio <= limit if sense == "<=" else ratio >= limit}


def main():
    options = parse_arguments()
    environment = {**os.environ, "OMP_NUM_THREADS": str(options.threads)}
    device = resolve_device(options, environment)
    load = os.getloadavg()[0]
    results = measure(options, device, environment)
    duel_runs = [run for key, runs in results.runs.items() if key[0] == "duel" for run in runs]
    version = subprocess.run([options.duel, "--version"], capture_output=True, text=True).stdout.strip()
    about = {"date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
             "device": duel_runs[0]["device"] if duel_runs else device,
             "load": f"{load:.2f} when the runs began", "duel": version,
             "settings": f"batch {options.batch}, {options.threads} CPU threads, {options.rounds} rounds, {options.seconds:g} s a run"}
    for key, runs in results.runs.items():
        if key[0] != "duel" and key[0] not in about:
            about["CPU"] = runs[0]["cpu"]
            about[key[0]] = ", ".join(f"{name} {value}" for name, value in
                                      (*runs[0]["versions"].items(), *runs[0]["environment"].items()))
    print_report(options, results, about)
    goals = list(goals_of(results)) if device == "cpu" else []
    if goals:
        print(f"\n{'goal on the CPU':50} {'limit':>8} {'measured':>9}")
    for goal in goals:
        print(f"{goal['goal']:50} {goal['sense']} {goal['limit']:5.2f} {goal['ratio']:9.3f}  {'ok' if goal['met'] else 'missed'}")
    if any(run["versions"].get("blas") == "reference" for key, runs in results.runs.items() if key[0] != "duel" for run in runs):
        print("\nThis PyTorch uses the reference BLAS, and is no fair peer; on Debian: apt-get install libopenblas0-openmp")
    if options.json:
        report = {"about": about, "goals": goals, "errors": [{"program": k, "why": why} for k, why in results.errors.items()],
                  "runs": [{"program": program, "preset": preset, "precision": precision, "rounds": rounds}
                           for (program, preset, precision), rounds in results.runs.items()]}
        Path(options.json).write_text(json.dumps(report, indent=1) + "\n")
    return 0 if duel_runs else 1


if __name__ == "__main__":
    sys.exit(main())
