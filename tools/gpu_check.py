#!/usr/bin/env python3
"""Checks Duel on this machine's GPU, part by part, and writes what it saw. --parts lists the parts.

Every part has a time limit and none hides another: what fails, hangs or is missing is said, and the next one begins. For the
first minutes on a GPU there is first_light.sh, which takes less time and says how far off the predictions were.
Results go to FOLDER/<gpu>/<date>-<commit>.json and .md, written anew after each part; the logs of parts that did not pass
lie in a .log beside them, the measured choices between kernels in -kernels.json. FOLDER: --out, else $OUT, else $OUT_DIR,
else profiling/results. Where there is no device, FOLDER was named and not profiling/results, <gpu> is no-device.

A new part is a row of PARTS and a method of Check of the same name.

Exit codes: 0 every part passed; 1 one did not; 2 usage, or there is no program to run; 4 there is no device;
128 + N: signal N ended it.
"""

import collections
import json
import os
import sys

from gpu_parts import (DEVICE_EXIT_CODE, LOSS_LIMIT, LOSS_STEPS, NO_LIBRARIES, ROOT, Part, Parts, add_common_arguments, data_name,
                       fault, find_pictures, make_parser, missing, out_folder, part_table, slug)
from gpu_processes import Process, ResultFolder, cut, raise_when_stopped

RESULTS = ROOT / "profiling/results"
# The seconds are what a part may take, in all and with --quick; what it leaves is added to the next one's. All together
# fit into a command of ten minutes. Figures come before the sanitizers, which take longest and tell least of a first run.
# What is known without a GPU: the references of the operator cases take 9 s on one core, so that 8 processes wait for the
# device; under the sanitizer everything takes about ten times as long; a training writes one checkpoint of 100 MB; a first
# choice among the libraries' kernels builds their plans, up to a second each.
Row = collections.namedtuple("Row", "name what seconds quick_seconds quick_sample", defaults=(1,))
PARTS = (
    Row("device", "a GPU opens (duel_op_bench --describe)", 20, 12),
    Row("operators", "every operator case, and the other tests that take a backend, on cuda (DUEL_REQUIRE_CUDA=1)", 70, 26),
    Row("replay", "steps operator by operator, captured, several a launch, on two lanes: the same bytes, in each precision", 45, 14),
    Row("steps", "whole steps of classic: fp32, tf32 and bf16 at batch 64, 128 and 256 (duel bench step)", 45, 14),
    Row("bench", "each perf case beside the floor of its bytes and operations (duel_op_bench)", 50, 14),
    Row("vendor", "40 steps with our kernels and the libraries': the losses beside each other, and the time of a step", 40, 18),
    Row("memcheck", "the operators under compute-sanitizer --tool memcheck", 95, 26, 4),
    Row("racecheck", "the same under compute-sanitizer --tool racecheck", 95, 26, 4),
    Row("losses", "100 steps of classic on the CPU and on cuda, from the same seed: the losses beside each other", 25, 10),
    Row("stream", "resident and streamed pictures: the same bytes, and the time of a step of both", 20, 8),
    Row("train", "20 epochs of steady in bf16, its sample sheet beside the results; with --quick 2", 30, 10),
)
ALL_PARTS = tuple(row.name for row in PARTS)
# Peaks of dense products in TFLOP/s, f32 without tensor cores and bf16 with, by a part of the GPU's name. f32 and A100:
# the makers' data sheets; bf16 of Hopper: measured with a product of 8192^3.
PEAKS = (("H100 PCIe", 51.2, 630.0), ("H100", 66.9, 798.0), ("H200", 66.9, 790.0), ("A100", 19.5, 312.0))


class Check(Parts):
    program_name = "gpu_check"

    def __init__(self, arguments):
        self.arguments = arguments
        chosen = (*(arguments.only or ALL_PARTS), "device")
        super().__init__([Part(row.name, row.what, row.quick_seconds if arguments.quick else row.seconds,
                               row.quick_sample if arguments.quick else 1) for row in PARTS if row.name in chosen],
                         arguments.programs, arguments.seconds, arguments.tests, arguments.jobs, 0.3 if arguments.quick else 1)
        self.out = ResultFolder(arguments.out, self.say)
        self.result.update(mode="quick" if arguments.quick else "full", bench={})

    # ---- parts that first_light.py does not have

    def replay(self):
        """In bf16 each way to launch; in the other precisions the two that differ most."""
        if self.programs["duel"] is None:
            return missing("duel")
        eager, lanes = ["--no-graph", "--lanes", "1"], ["--steps-per-launch", "7", "--lanes", "2"]
        ways = {"bf16": [eager, ["--no-graph", "--lanes", "2"], ["--steps-per-launch", "1", "--lanes", "1"], lanes]}
        if not self.arguments.quick:
            ways.update(tf32=[eager, lanes], fp32=[eager, lanes])
        for precision, each in ways.items():
            outcome = self.train_variants("replay", [["--precision", precision, "--residency", "device", *way] for way in each])
            if outcome:
                return outcome
        return {"status": "passed", "summary": f"the same bytes in {', '.join(ways)}"}

    def bench(self):
        program = self.programs["duel_op_bench"]
        if program is None:
            return missing("duel_op_bench")
        report = self.work / "bench.json"
        command = [program, "--backend", "cuda", "--json", report]
        for name, f32, bf16 in PEAKS:
            if name.lower() in self.result["gpu"].lower():
                command += ["--tflops", f32, "--tflops-bf16", bf16]
                break
        if self.arguments.quick:
            command += ["--windows", 5, "--limit-ms", 300, "--rotate-mib", 128]
        process = Process(command, self.work / "bench.log", {**self.plain, **NO_LIBRARIES})
        code = process.wait(self.deadline("bench"))
        try:
            self.result["bench"] = json.loads(report.read_text())
        except (OSError, ValueError):
            self.result["bench"] = {}
        cases = self.result["bench"].get("cases", [])
        timed = [case for case in cases if "ms" in case]
        summary = f"{len(timed)} cases timed"
        if len(timed) < len(cases):
            summary += f", {len(cases) - len(timed)} failed"
        if code == 0 and timed:
            return {"status": "passed", "summary": summary}
        outcome = fault(code, process.text())
        outcome["summary"] = f"{summary}; {outcome['summary']}"
        return outcome

    def vendor(self):
        if self.programs["duel"] is None:
            return missing("duel")
        losses, rows = {}, {}
        for kernels in ("ours", "vendor"):
            run = self.work / f"vendor-{kernels}"
            outcome = self.command(run.name, "duel", "train", "--preset", "classic", "--device", "cuda", "--data", "synthetic",
                                   "--kernels", kernels, "--steps", 40, "--out", run, "--set", "output.metrics_every=1",
                                   part="vendor")
            if outcome["status"] != "passed":
                return {**outcome, "summary": f"{kernels}: {outcome['summary']}"}
            losses[kernels] = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
        for kernels in ("ours", "vendor", "auto"):
            outcome, rows[kernels] = self.bench_step(f"vendor-bench-{kernels}", "vendor", "bf16", 64, "--kernels", kernels)
            if outcome["status"] != "passed":
                return outcome
        apart = max(abs(a[loss] - b[loss]) / max(1.0, abs(a[loss])) for loss in ("d_loss", "g_loss")
                    for a, b in zip(losses["ours"][:LOSS_STEPS], losses["vendor"][:LOSS_STEPS], strict=True))
        self.record("vendor", {**rows, "apart": apart})
        times = ", ".join(f"{kernels} {1e3 * row['ms_median']:.1f} us" for kernels, row in rows.items())
        return {"status": "passed" if apart <= LOSS_LIMIT else "failed",
                "summary": f"losses apart by {apart:.1e} in {LOSS_STEPS} steps (at most {LOSS_LIMIT:g} is right); a step in bf16: "
                           f"{times}"}

    def steps(self):
        if self.programs["duel"] is None:
            return missing("duel")
        self.result["steps"] = table = []
        for precision in ("bf16", "tf32", "fp32"):
            for batch in (64, 128, 256):
                outcome, row = self.bench_step(f"steps-{precision}-{batch}", "steps", precision, batch)
                if outcome["status"] != "passed":
                    return {**outcome, "summary": f"{precision}, batch {batch}: {outcome['summary']} ({len(table)} of 9 timed)"}
                table.append(row)
        return {"status": "passed", "summary": ", ".join(f"{row['precision']} {row['ms_median']:.3f} ms"
                                                         for row in table if row["batch"] == 64) + " at batch 64"}

    def train(self):
        if self.programs["duel"] is None:
            return missing("duel")
        data, run = find_pictures(), self.work / "train"
        outcome = self.command("train", "duel", "train", "--preset", "steady", "--device", "cuda", "--precision", "bf16", "--data",
                               data, "--epochs", 2 if self.arguments.quick else 20, "--out", run, "--set",
                               "output.samples_every=0", "--set", "output.checkpoint_every=0", "--set", "output.metrics_every=50")
        sheets = sorted(path for path in run.glob("samples/step_*.png") if not path.stem.endswith("_raw"))
        if sheets and self.result["gpu"]:  # of an interrupted run too: it shows how far it came
            self.out.write(f"{self.stem()}-samples.png", sheets[-1].read_bytes())
        if outcome["status"] != "passed":
            return outcome
        last = json.loads((run / "metrics.jsonl").read_text().splitlines()[-1])
        self.record("train", {"data": str(data), **last})
        return {"status": "passed", "summary": f"{last['step']} steps in {last['seconds']:.1f} s, d_loss {last['d_loss']:.3f}; "
                                               f"{data_name(data)}"}

    # ---- all of it

    def stem(self):
        """Of the files of this run, in the folder of results."""
        gpu = slug(self.result["gpu"]) if self.result["gpu"] else "no-device"
        return f"{gpu}/{self.result['date'][:10]}-{self.result['commit']}"

    def write(self, part):
        if self.no_device is not None and self.arguments.out == RESULTS:
            return
        if self.no_device is None and part in ("vendor", "steps"):
            self.result["libraries"] = self.result.get("libraries") or self.libraries()
            if self.choices_file().exists():
                self.out.write(f"{self.stem()}-kernels.json", self.choices_file().read_text())
        if self.logs:
            self.out.write(f"{self.stem()}.log", "".join(f"==== {name}\n{cut(log, 1_000_000)}\n" for name, log in self.logs.items()))
        self.out.write(f"{self.stem()}.json", json.dumps(self.result, indent=1) + "\n")
        self.out.write(f"{self.stem()}.md", markdown(self.result))

    def finish(self, stop):
        print()
        for line in part_table(self.result["parts"]):
            print(line)
        if self.no_device is not None:
            self.say(f"nothing was checked: {self.no_device}")
            return DEVICE_EXIT_CODE
        if not self.out.faults:
            self.say(f"results: {self.out.folder / self.stem()}.md and .json")
        if stop is not None:
            return stop.exit_code
        return 0 if all(part["status"] == "passed" for part in self.result["parts"]) else 1


def markdown(result):
    lines = [f"# {result['gpu'] or 'no device'}, commit {result['commit']}, {result['date']}", ""]
    lines += [f"`tools/gpu_check.sh`, {result['mode']}. " +
              "; ".join(f"{key}: {value}" for key, value in result["device"].items() if key != "backend"), ""]
    lines += part_table(result["parts"])
    for part in result["parts"]:
        if part.get("messages"):
            lines += ["", f"## {part['part']}", "", "```", *part["messages"], "```"]
    if result.get("steps"):
        lines += ["", "## Whole steps of classic", "",
                  "| precision | batch | ms, median | least | most | pictures/s | floor, ms | host busy | steps a launch | lanes |",
                  "|---|---|---|---|---|---|---|---|---|---|"]
        for row in result["steps"]:
            lines.append(f"| {row['precision']} | {row['batch']} | {row['ms_median']:.3f} | {row['ms_min']:.3f} | "
                         f"{row['ms_max']:.3f} | {1e3 * row['batch'] / row['ms_median']:.0f} | {row['floor_ms']:.3f} | "
                         f"{100 * row['host_busy']:.0f} % | {row['steps_per_launch']} | {row['lanes']} |")
    bench = result["bench"]
    if bench.get("cases"):
        peak = bench.get("peak_tflop_per_s", {})
        lines += ["", "## Each kernel beside its floor", "",
                  f"Ceilings: {bench['bandwidth_gb_per_s']:.0f} GB/s ({bench['bandwidth_is']}); peaks "
                  f"{peak.get('f32') or 'not given'} (f32) and {peak.get('bf16') or 'not given'} (bf16) TFLOP/s. "
                  "q: the host queues calls no faster.", "",
                  "| case | us | GB/s | TFLOP/s | floor us | floor of | share |", "|---|---|---|---|---|---|---|"]
        for case in bench["cases"]:
            if "ms" not in case:
                lines.append(f"| {case['case']} | {case['error'].replace('|', '/')} | | | | | |")
                continue
            lines.append(f"| {case['case']} | {1e3 * case['ms']:.2f} | {case['gb_per_s']:.0f} | "
                         f"{case['tflop_per_s']:.2f} | {1e3 * case['floor_ms']:.2f} | {case['floor']} | "
                         f"{100 * case['share_of_floor']:.0f} %{' q' if case['queue_bound'] else ''} |")
    return "\n".join(lines) + "\n"


def list_of_parts():
    for part in PARTS:
        sample = f", 1 in {part.quick_sample}" if part.quick_sample > 1 else ""
        yield f"{part.name:<10} {part.seconds:>4} s  (--quick: {part.quick_seconds} s{sample})  {part.what}"
    yield f"{'all':<10} {sum(p.seconds for p in PARTS):>4} s  (--quick: {sum(p.quick_seconds for p in PARTS)} s)"


def main():
    parser = make_parser("gpu_check.sh", __doc__)
    add_common_arguments(parser)
    parser.add_argument("--quick", action="store_true", help="under 3 minutes: every fourth case under the sanitizer")
    parser.add_argument("--only", nargs="+", choices=ALL_PARTS, help="these parts alone (and device)")
    arguments = parser.parse_args()
    if arguments.parts:
        print("\n".join(list_of_parts()))
        return 0
    arguments.out = out_folder(parser, arguments.out, os.environ.get("OUT"), os.environ.get("OUT_DIR"), RESULTS)
    check = Check(arguments)
    if not any(check.programs.values()):
        check.say("there is no duel_tests and no duel_op_bench here: build with -DDUEL_CUDA=ON, unpack a bundle of "
                  "tools/gpu_bundle.sh, or name their folder with --programs")
        return 2
    raise_when_stopped()
    return check.finish(check.run_parts())


if __name__ == "__main__":
    sys.exit(main())
