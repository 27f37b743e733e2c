#!/usr/bin/env python3
"""The first minutes of Duel on a GPU, in two stages, each of which fits a command of five minutes: a device opens; every
operator; four trainings whose checkpoints must have one hash; the time of a step, and of each kernel, beside what was
predicted; the counters of one whole step; PyTorch beside it, where it is installed; then the libraries' kernels. Stage 2:
the sanitizer, losses beside the CPU's, streamed pictures, torch.compile. --parts lists them with their limits.

Every part has a time limit and none hides another. Results go to --out, else $OUT, else first-light in the current folder,
whole after every part: first-light.json, first-light.md (the report), first-light.log (of what did not pass), probe.json (for
`duel roofline --ceilings`), kernels.json (the measured choices), ncu.csv. A later start that finds them there, or in --earlier
where the folder is emptied between two starts, keeps what passed on the same GPU with the same commit, and runs the rest.

Exit codes: 0 every part passed; 1 one did not; 2 usage, or there is no program to run; 4 there is no device;
128 + N: signal N ended it.
"""

import collections
import gzip
import json
import os
import sys
from pathlib import Path

from first_light_tables import (FIGURES, METRICS, counter_table, find_measured, is_of_the_whole, kernel_table, measured_values,
                                number, one_period, read_counters, short_hash, step_table, whole)
from gpu_parts import (DEVICE_EXIT_CODE, NO_LIBRARIES, ROOT, Part, Parts, add_common_arguments, known_ceilings, make_parser, missing,
                       out_folder, part_table, slug)
from gpu_processes import ResultFolder, cut, find_nvidia_tool, last_line, raise_when_stopped

sys.path.append(str(ROOT / "profiling"))
from find_python import python_with  # noqa: E402

FORMAT = 1
# Seconds: a stage's sum leaves 10 of its 270 or 300 for unpacking and for a program that does not die at once. A part may
# use what those before it left, so that the libraries, whose first plans take longest, come last.
StagePart = collections.namedtuple("StagePart", "stage name what seconds sample", defaults=(1,))
PARTS = (
    StagePart(1, "device", "a GPU opens (duel_op_bench --describe); its clocks (nvidia-smi)", 25),
    StagePart(1, "probe", "bandwidth of memory and L2, one product loop, the time between nodes of a graph (duel_probe)", 15),
    StagePart(1, "operators", "every operator case, and the other tests that take a backend, on cuda", 50),
    StagePart(1, "hashes", "40 steps in bf16, eager and captured, on one lane and two, 1 and 7 a launch: one hash", 40),
    StagePart(1, "steps", "whole steps of classic with our kernels: bf16, tf32, fp32 (duel bench step)", 25),
    StagePart(1, "kernels", "each operator of the bf16 step alone, our kernels (duel bench kernels)", 20),
    StagePart(1, "counters", "time, bytes and occupancy of every kernel of one eager step (ncu)", 30),
    StagePart(1, "torch", "the same step in PyTorch: eager, and in a CUDA graph", 30),
    StagePart(1, "auto", "the bf16 step with the libraries' kernels where they are quicker, and what was chosen", 25),
    StagePart(2, "device 2", "a GPU opens", 15),
    StagePart(2, "memcheck", "1 in 4 operator cases under compute-sanitizer --tool memcheck", 65, 4),
    StagePart(2, "racecheck", "the same under compute-sanitizer --tool racecheck", 65, 4),
    StagePart(2, "losses", "100 steps of classic on the CPU and on cuda: the losses beside each other", 30),
    StagePart(2, "stream", "resident and streamed pictures: the same bytes, and the time of a step of both", 25),
    StagePart(2, "compile", "the bf16 step in PyTorch through torch.compile", 85),
)
STAGE_SECONDS = {1: 270, 2: 300}
PRECISIONS = ("bf16", "tf32", "fp32")
WAYS = {  # of the four trainings
    "eager, 1 lane": ["--no-graph", "--lanes", "1"],
    "eager, 2 lanes": ["--no-graph", "--lanes", "2"],
    "graph, 1 step a launch, 1 lane": ["--steps-per-launch", "1", "--lanes", "1"],
    "graph, 7 steps a launch, 2 lanes": ["--steps-per-launch", "7", "--lanes", "2"],
}
SEVERITY = ("passed", "left out", "missing", "timed out", "failed")
GOOD = ("passed", "left out")  # left out: what is no part of Duel is not here
SHOWN = 60  # rows of the table on standard output; the report has all
MOST_BYTES = 15 << 20  # of a file


class FirstLight(Parts):
    program_name = "first_light"
    needed_programs = ("duel", "duel_tests", "duel_op_bench", "duel_probe")

    def __init__(self, arguments):
        self.arguments = arguments
        chosen = [part for part in PARTS if part.stage in arguments.stages]
        super().__init__([Part(*part[1:]) for part in chosen], arguments.programs, arguments.seconds, arguments.tests, arguments.jobs)
        self.out = ResultFolder(arguments.out, self.say)
        self.result = {"format": FORMAT, **self.result, "seen": {}}
        for name in FILES:  # what a kill left
            (self.out.folder / f"{name}.part").unlink(missing_ok=True)
        self.earlier = self.read_earlier()
        for name in (part.name for part in PARTS):  # also the other stage's, so that it stays in the report
            if name in self.earlier:
                self.keep({**self.earlier[name]["outcome"], "kept": True})
                if self.earlier[name]["seen"] is not None:
                    self.result["seen"][name] = self.earlier[name]["seen"]

    # ---- the results of an earlier start

    def read_earlier(self):
        """{part: how it ended and what it saw} of what passed with this commit, and what did not in the other stage."""
        found = {}
        for folder in filter(None, (self.arguments.earlier, self.out.folder)):
            other = ResultFolder(folder, self.say)
            try:
                result = json.loads(other.read("first-light.json") or "{}")
                if not result:
                    continue
                if result["format"] != FORMAT or result["commit"] != self.result["commit"]:
                    self.say(f"{other.folder} holds results of {result['commit']}, another commit: they are put aside")
                    self.put_aside(other.folder, str(result["commit"]))
                    continue
                mine = {part.name for part in self.parts}
                for outcome in result["parts"]:
                    if outcome["part"] not in mine or (outcome["status"] == "passed" and not self.arguments.again):
                        found[outcome["part"]] = {"outcome": outcome, "seen": result["seen"].get(outcome["part"])}
                self.result.update({key: result[key] for key in ("gpu", "device", "libraries") if result.get(key)})
                self.logs.update({name: log for name, log in split_log(other.read("first-light.log") or "") if name in found})
                choices = other.read("kernels.json")
                if choices:
                    self.choices_file().parent.mkdir(parents=True, exist_ok=True)
                    self.choices_file().write_text(choices)
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                self.say(f"{other.folder}/first-light.json is not as this program writes it ({error}): begun anew")
        return found

    def put_aside(self, folder, name):
        if folder != self.out.folder:
            return
        for path in [path for path in folder.iterdir() if path.is_file() and path.name in FILES]:
            try:
                (folder / name).mkdir(exist_ok=True)
                os.replace(path, folder / name / path.name)
            except OSError as error:
                self.say(f"{path} stays where it is: {error.strerror}")

    def attempt(self, part):
        before = self.earlier.get(part.name)
        if before and before["outcome"]["status"] == "passed" and not part.name.startswith("device"):
            return {**before["outcome"], "kept": True}
        self.result["seen"].pop(part.name, None)
        return super().attempt(part)

    def keep(self, outcome):
        order = [part.name for part in PARTS]
        parts = {each["part"]: each for each in self.result["parts"]}
        parts[outcome["part"]] = outcome
        self.result["parts"] = sorted(parts.values(), key=lambda each: order.index(each["part"]))

    def record(self, name, value):
        self.result["seen"][name] = value

    # ---- parts

    def device(self):
        before = self.result["gpu"]
        outcome = super().device()
        if outcome["status"] == "passed":
            if before and self.result["gpu"] != before:
                self.say(f"the earlier results are of another GPU, {before}: begun anew")
                self.earlier, self.result["seen"], self.result["parts"] = {}, {}, []
            clocks = self.command("smi", find_nvidia_tool("nvidia-smi") or "nvidia-smi",
                                  "--query-gpu=driver_version,clocks.sm,clocks.mem,clocks.max.sm,power.draw,power.limit,temperature.gpu",
                                  "--format=csv", part=self.device_part) if find_nvidia_tool("nvidia-smi") else None
            self.record(self.device_part, {"smi": clocks["text"].splitlines() if clocks and "text" in clocks else None})
        return outcome

    def device_2(self):
        self.device_part = "device 2"
        return self.device()

    def probe(self):
        outcome, figures = self.json_command("probe", "duel_probe", part="probe", environment={**self.plain, **NO_LIBRARIES})
        if figures is None:
            return outcome
        absent = [name for name in FIGURES if not isinstance(figures.get(name), (int, float))]
        if absent:
            return {"status": "failed", "summary": f"it printed no {', '.join(absent)}", "log": outcome["text"]}
        self.record("probe", figures)
        self.out.write("probe.json", json.dumps(figures, indent=1) + "\n")
        return {"status": "passed", "summary": f"copy {figures['copy_gigabytes_per_second']:.0f} GB/s, L2 "
                                               f"{figures['l2_cg_gigabytes_per_second']:.0f} GB/s, bf16 "
                                               f"{figures['bf16_mma_tflops']:.0f} TFLOP/s, a node {figures['node_us']:.2f} us"}

    def several(self, part, cases):
        """Runs all of them, {name: a call with (name, deadline) that returns (outcome, value)}; one that fails hides no
        other. Their values; what is said of those that failed; and the worst outcome."""
        values, faults, worst, logs, messages = {}, [], {"status": "passed"}, [], []
        for number, (name, call) in enumerate(cases.items()):
            outcome, value = call(name, self.deadline(part, len(cases) - number))
            if value is not None:
                values[name] = value
                self.record(part, values)
                continue
            faults.append(f"{name}: {outcome['summary']}")
            logs.append(f"---- {name}\n{outcome.get('log', '')}\n")
            messages += outcome.get("messages", [])
            worst = max(worst, outcome, key=lambda each: SEVERITY.index(each["status"]))
        return values, faults, {"status": worst["status"], "log": "".join(logs), "messages": messages}

    def hashes(self):
        if self.programs["duel"] is None:
            return missing("duel")
        values, faults, worst = self.several("hashes", {
            way: lambda name, deadline: self.train_hash(
                f"train-{list(WAYS).index(name)}", ["--preset", "classic", "--precision", "bf16", *WAYS[name]], "hashes", deadline)
            for way in WAYS})
        said = [f"{len(values)} of {len(WAYS)} trainings ended", *faults]
        if len(set(values.values())) > 1:
            return {**worst, "status": "failed", "summary": "; ".join(["THE HASHES DIFFER", *said])}
        if faults:
            return {**worst, "summary": "; ".join(said)}
        return {"status": "passed", "summary": f"four times {short_hash(next(iter(values.values())))}"}

    def steps(self):
        if self.programs["duel"] is None:
            return missing("duel")
        values, faults, worst = self.several("steps", {
            precision: lambda name, deadline: self.bench_step(
                f"step-{name}", "steps", name, 64, "--kernels", "ours", deadline=deadline,
                environment={**self.plain, **NO_LIBRARIES})
            for precision in PRECISIONS})
        said = [f"{name} {1e3 * row['ms_median']:.1f} us" for name, row in values.items()]
        return {**worst, "summary": "; ".join(said + faults)}

    def bench_kernels(self, part, milliseconds, environment, *words):
        outcome, report = self.json_command(part, "duel", "bench", "kernels", "--preset", "classic", "--device", "cuda", "--data",
                                            "synthetic", "--precision", "bf16", "--ceilings", known_ceilings(self.result["gpu"]),
                                            "--milliseconds", milliseconds, "--json", *words, part=part, environment=environment)
        return outcome, report and report.get("kernels")

    def kernels(self):
        outcome, rows = self.bench_kernels("kernels", 30, {**self.plain, **NO_LIBRARIES}, "--kernels", "ours")
        if rows is None:
            return outcome
        self.record("kernels", rows)
        total = sum(row["calls"] * row["ms"] for row in rows)
        return {"status": "passed" if rows else "failed", "summary": f"{len(rows)} operators, {1e3 * total:.0f} us in a step"}

    def counters(self):
        ncu = find_nvidia_tool("ncu", "/opt/nvidia/nsight-compute/*/ncu")
        if ncu is None:
            return {"status": "left out", "summary": "no ncu on the PATH or in CUDA's toolkit"}
        if self.programs["duel"] is None:
            return missing("duel")
        steps = self.result["seen"].get("steps", {})
        calls = next((row["operator_calls"] for row in steps.values() if "operator_calls" in row), 80)
        # Clocks as they are: to lock them would change the card for others. The launches are those behind the set-up and
        # three steps or more of warming up; enough that one whole step is among them and the next one's begin is seen.
        outcome = self.command("counters", ncu, "--clock-control", "none", "--metrics", ",".join(METRICS), "--launch-skip", 4 * calls,
                               "--launch-count", 13 * calls // 10 + 10, "--csv", self.programs["duel"], "train", "--preset", "classic",
                               "--device", "cuda", "--data", "synthetic", "--precision", "bf16", "--kernels", "ours", "--no-graph",
                               "--lanes", "1", "--steps", 9, "--out", self.work / "counters", "--set", "output.samples_every=0",
                               "--set", "output.checkpoint_every=0", environment={**self.plain, **NO_LIBRARIES})
        text = outcome.get("text") or outcome.get("log") or ""
        table = text[text.index('"ID"'):] if '"ID"' in text else ""
        rows = one_period(read_counters(table))
        if table:
            write_bounded(self.out, "ncu.csv", table)
        if rows:
            self.record("counters", rows)
        total = sum(row.get("us", 0) for row in rows)
        if outcome["status"] == "passed" and not rows:
            return {"status": "failed", "summary": f"ncu printed no counters: {last_line(text)}", "log": text}
        return {**outcome, "summary": f"{len(rows)} launches, {total:.0f} us" +
                ("" if outcome["status"] == "passed" else f"; {outcome['summary']}")}

    def torch_step(self, variant, deadline, part="torch"):
        outcome, row = self.json_command(f"torch-{variant}", python_with("torch"), ROOT / "profiling/compare_pytorch.py", "--variant",
                                         variant, "--precision", "bf16", "--device", "cuda", "--seconds", 2, part=part,
                                         deadline=deadline, environment=self.plain)
        if row and "ms_median" not in row:
            return {"status": "left out", "summary": str(row.get("error", "no time was printed"))}, None
        return outcome, row

    def torch(self):
        if python_with("torch") is None:
            return {"status": "left out", "summary": "no python3 on the PATH has PyTorch"}
        values, faults, worst = self.several("torch", {"eager": self.torch_step, "graph": self.torch_step})
        return {**worst, "summary": "; ".join([f"{name} {1e3 * row['ms_median']:.0f} us" for name, row in values.items()] + faults)}

    def compile(self):
        if python_with("torch") is None:
            return {"status": "left out", "summary": "no python3 on the PATH has PyTorch"}
        outcome, row = self.torch_step("compile", None, "compile")
        if row is None:
            return outcome
        self.record("compile", {"compile": row})
        return {"status": "passed", "summary": f"{1e3 * row['ms_median']:.0f} us"}

    def auto(self):
        if self.programs["duel"] is None:
            return missing("duel")
        self.result["libraries"] = self.libraries()
        outcome, row = self.bench_step("auto", "auto", "bf16", 64)
        if row is None:
            return outcome
        self.record("auto", {"bf16": row})
        return {"status": "passed", "summary": f"{1e3 * row['ms_median']:.1f} us; {self.count_choices()}"}

    def count_choices(self):
        counts = collections.Counter()
        try:
            for problems in json.loads(self.choices_file().read_text())["devices"].values():
                counts.update(str(decision["kernel"]).partition(" ")[0] for decision in problems.values())
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return "no choices were remembered"
        return ", ".join(f"{count} by {name}" for name, count in counts.most_common())

    # ---- what is written

    def write(self, part):
        if self.choices_file().exists():
            write_bounded(self.out, "kernels.json", self.choices_file().read_text())
        if not self.logs:
            (self.out.folder / "first-light.log").unlink(missing_ok=True)
        else:
            self.out.write("first-light.log", "".join(f"==== {name}\n{cut(log, 900_000)}\n" for name, log in self.logs.items()))
        self.out.write("first-light.md", "\n".join(self.report()) + "\n")
        self.out.write("first-light.json", json.dumps(self.result, indent=1) + "\n")

    def predictions(self):
        """Those of this GPU, else of the one that there are predictions of."""
        folder = ROOT / "profiling/predictions"
        files = sorted(folder.glob("*.json"), key=lambda path: path.stem not in slug(self.result["gpu"]))
        for file in files:
            try:
                predicted = json.loads(file.read_text())
                if isinstance(predicted["rows"], list):
                    return predicted
            except (OSError, ValueError, KeyError, TypeError) as error:
                self.say(f"{file}: {type(error).__name__}: {error}")
        return {"gpu": "none", "rows": []}

    def beside_predictions(self):
        """Rows of (id, predicted or None, measured or None, unit): whole steps and the device first, then operators."""
        measured, taken, rows = measured_values(self.result["seen"]), set(), []
        for row in self.predictions()["rows"]:
            value, unit = (row["us"], "us") if "us" in row else (row.get("value"), row.get("unit", ""))
            key = find_measured(row["id"], measured)
            taken.add(key)
            rows.append((row["id"], value, measured.get(key, (None, unit))[0], unit))
        rows += [(key, None, value, unit) for key, (value, unit) in measured.items() if key not in taken and is_of_the_whole(key)]
        return sorted(rows, key=lambda row: not is_of_the_whole(row[0]))

    def comparison(self, most=None):
        rows = self.beside_predictions()
        predicted = self.predictions()
        yield (f"Predicted for {predicted['gpu']}" + (f", measured on {self.result['gpu']}" if self.result["gpu"] else "") +
               ("; NOTHING WAS MEASURED HERE" if all(row[2] is None for row in rows) else ""))
        yield f"{'':58} {'predicted':>10} {'measured':>10} {'ratio':>6}"
        for name, value, got, unit in rows[:most]:
            ratio = got / value if value and got else None
            remark = "" if ratio is None or 0.5 <= ratio <= 2 else "  off by 2 and more"
            yield (f"{name if len(name) <= 58 else name[:55] + '...':58} {number(value):>10} {number(got):>10} "
                   f"{f'{ratio:.2f}' if ratio else '':>6} {unit}{remark}").rstrip()
        if most is not None and len(rows) > most:
            yield f"... and {len(rows) - most} more in first-light.md"

    def hash_lines(self):
        hashes = self.result["seen"].get("hashes", {})
        for way in WAYS:
            yield f"{way:34} {short_hash(hashes.get(way))}"
        if hashes:
            yield "one hash" if len(set(hashes.values())) == 1 else "THE HASHES DIFFER"

    def report(self):
        result = self.result
        yield f"# First light on {result['gpu'] or 'no device'}, commit {result['commit']}, {result['date']}"
        yield ""
        facts = {**result["device"], **(result.get("libraries") or {})}
        yield "; ".join(f"{key}: {value}" for key, value in facts.items() if isinstance(value, str) and key != "backend")
        for part in ("device", "device 2"):
            for line in (result["seen"].get(part) or {}).get("smi") or []:
                yield f"    {line}"
        yield ""
        yield from part_table(result["parts"])
        yield from ("", "## Predicted and measured", "", "```", *whole(self.comparison), "```")
        yield from ("", "## Four trainings", "", "```", *self.hash_lines(), "```")
        for part in result["parts"]:
            if part.get("messages"):
                yield from ("", f"## {part['part']}", "", "```", *part["messages"], "```")
        for table in (step_table, kernel_table, counter_table):
            yield from whole(table, result["seen"])

    def finish(self, stop):
        """The table for people: standard output may be all that is left of the run."""
        failed = [part["part"] for part in self.result["parts"] if part["status"] not in GOOD]
        lines = [""]
        if self.result["gpu"]:  # else each has just said that there is no device
            for part in self.result["parts"]:
                kept = "  (kept from before)" if part.get("kept") else ""
                lines.append(f"{part['part']:<11} {part['status']:<11} {part['summary'][:200]}{kept}")
            lines += ["", *self.hash_lines(), ""]
        lines += whole(self.comparison, SHOWN)
        lines += ["", f"did not pass: {', '.join(failed)}" if failed else "all passed"]
        print("\n".join(lines), flush=True)
        if self.out.faults:
            self.say(f"not written in {self.out.folder}: {', '.join(self.out.faults)}")
        else:
            self.say(f"results: {self.out.folder}/first-light.md and .json")
        if stop is not None:
            return stop.exit_code
        if self.no_device is not None:
            self.say(f"no device: {self.no_device}")
            return DEVICE_EXIT_CODE
        return 1 if failed else 0


FILES = ("first-light.json", "first-light.md", "first-light.log", "probe.json", "kernels.json", "kernels.json.gz", "ncu.csv",
         "ncu.csv.gz")


def write_bounded(out, name, text):
    """Packed where it would be too large."""
    if len(text) <= MOST_BYTES:
        out.write(name, text)
    else:
        packed = gzip.compress(text.encode())
        out.write(f"{name}.gz", packed if len(packed) <= MOST_BYTES else gzip.compress(text[:4 * MOST_BYTES].encode()))


def split_log(text):
    for piece in text.split("==== ")[1:]:
        name, _, log = piece.partition("\n")
        yield name, log


def list_of_parts():
    for part in PARTS:
        yield f"stage {part.stage}  {part.name:<10} {part.seconds:>4} s  {part.what}"
    for stage, limit in STAGE_SECONDS.items():
        yield f"stage {stage}  {'all':<10} {sum(part.seconds for part in PARTS if part.stage == stage):>4} s  of {limit}"


def main():
    parser = make_parser("first_light.sh", __doc__)
    add_common_arguments(parser)
    parser.add_argument("--stage", type=int, choices=STAGE_SECONDS, help="this one alone; by default both, one after the other")
    parser.add_argument("--again", action="store_true", help="also what passed before")
    parser.add_argument("--earlier", type=Path, metavar="DIR", help="a folder with the results of an earlier start")
    arguments = parser.parse_args()
    if arguments.parts:
        print("\n".join(list_of_parts()))
        return 0
    arguments.stages = [arguments.stage] if arguments.stage else list(STAGE_SECONDS)
    arguments.out = out_folder(parser, arguments.out, os.environ.get("OUT"), os.environ.get("OUT_DIR"), "first-light")
    light = FirstLight(arguments)
    if not any(light.programs.values()):
        light.say("there is no duel and no duel_op_bench here: unpack a bundle of tools/gpu_bundle.sh, build with -DDUEL_CUDA=ON, "
                  "or name their folder with --programs")
        return 2
    raise_when_stopped()
    return light.finish(light.run_parts())


if __name__ == "__main__":
    sys.exit(main())
