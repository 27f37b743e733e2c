"""Prints the curves of several training runs side by side, as medians over windows of 100 steps.

    python3 profiling/compare_curves.py runs/classic/metrics.jsonl profiling/results/cpu/torch-classic-seed0.jsonl

Two runs of one recipe never agree row by row: their noise differs. They are alike where the medians of every window
differ no more than those of two seeds of one program, so give two seeds of each.
"""
import argparse
import json
import math
import os
import signal
import statistics
import string
import sys

METRICS = ("d_loss", "g_loss", "d_accuracy_real", "d_accuracy_fake", "d_grad_norm", "g_grad_norm")


def load_rows(path):
    """The rows of a metrics.jsonl, or of the run directory that holds one."""
    if os.path.isdir(path):
        path = os.path.join(path, "metrics.jsonl")
    rows = []
    with open(path) as file:
        for number, line in enumerate(file, 1):
            if not line.endswith("\n"):
                break  # a run that is still going, or was cut off, is writing this one
            try:
                row = json.loads(line)
                row["step"] = int(row["step"])
            except (ValueError, KeyError, TypeError) as error:
                sys.exit(f"{path}:{number}: not a row of metrics: {error!r}")
            rows.append(row)
    return rows


def window_medians(rows, metric, width):
    """{first step of the window: median}. Step 1 is the first, so a window is steps 1..width, width+1..2*width, ..."""
    windows = {}
    for row in rows:
        value = row.get(metric)
        if value is not None and math.isfinite(value):
            windows.setdefault((row["step"] - 1) // width * width + 1, []).append(value)
    return {first: statistics.median(values) for first, values in windows.items()}


def print_table(columns, metrics, width):
    """columns: {letter: rows}."""
    medians = {metric: {letter: window_medians(rows, metric, width) for letter, rows in columns.items()}
               for metric in metrics}
    group = max(9 * len(columns), 16)
    print(" " * 12 + "".join(f" |{metric:^{group}}" for metric in metrics).rstrip())
    letters = "".join(f"{letter:>8} " for letter in columns)
    print(f"{'steps':>12}" + "".join(f" |{letters:<{group}}" for _ in metrics).rstrip())
    for first in sorted({first for by_file in medians.values() for windows in by_file.values() for first in windows}):
        line = f"{first:>6}-{first + width - 1:<5}"
        for metric in metrics:
            cells = (medians[metric][letter].get(first) for letter in columns)
            text = "".join(f"{'-' if cell is None else format(cell, '.3f'):>8} " for cell in cells)
            line += f" |{text:<{group}}"
        print(line.rstrip())


def main():
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # | head ends this program quietly
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("runs", nargs="+", metavar="RUN", help="a metrics.jsonl, or a run directory")
    parser.add_argument("--window", type=int, default=100, help="steps in a window")
    parser.add_argument("--metrics", default="d_loss,g_loss,d_accuracy_real,d_accuracy_fake",
                        help="comma-separated, of " + ", ".join(METRICS))
    options = parser.parse_intermixed_args()  # runs may stand before and after the switches
    metrics = options.metrics.split(",")
    unknown = [metric for metric in metrics if metric not in METRICS]
    if unknown or options.window < 1 or len(options.runs) > len(string.ascii_uppercase):
        parser.error(f"unknown metrics {unknown}" if unknown else "--window from 1, at most 26 runs")

    columns = {}
    for letter, path in zip(string.ascii_uppercase, options.runs):
        columns[letter] = load_rows(path)
        print(f"{letter}  {path}")
    print_table(columns, metrics, options.window)


if __name__ == "__main__":
    main()
