#!/usr/bin/env python3
"""Checks Duel on this machine's GPU, part by part, and writes what it saw. --parts lists the parts.

Every part has a time limit and none hides another: what fails, hangs or is missing is said, and the next one begins.
Results go to FOLDER/<gpu>/<date>-<commit>.json and .md, written anew after each part; the logs of parts that did not pass
lie in a .log beside them. FOLDER: --out, else $OUT_DIR, else profiling/results. Where there is no device, FOLDER was named
and not profiling/results, <gpu> is no-device.

A new part is a row of PARTS and a method of Check of the same name.

Exit codes: 0 every part passed; 1 one did not; 2 usage, or there is no program to run; 4 there is no device.
"""

import argparse
import collections
import datetime
import glob
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "profiling/results"
PROGRAM_FOLDERS = ("", "bin", "tests", "profiling", "build", "build/tests", "build/profiling")
# The seconds are what a part may take, in all and with --quick; what it leaves is added to the next one's. All together
# fit into a command of ten minutes. Of the tests, those under the sanitizer are one in `quick_sample` with --quick.
Part = collections.namedtuple("Part", "name what seconds quick_seconds quick_sample", defaults=(1,))
PARTS = (
    Part("device", "a GPU opens (duel_op_bench --describe)", 30, 15),
    Part("operators", "every operator case, and the other tests that take a backend, on cuda (DUEL_REQUIRE_CUDA=1)", 90, 34),
    Part("memcheck", "the same under compute-sanitizer --tool memcheck", 105, 27, 4),
    Part("racecheck", "the same under compute-sanitizer --tool racecheck", 110, 27, 4),
    Part("losses", "100 steps of classic on the CPU and on cuda, from the same seed: the losses beside each other", 25, 14),
    Part("replay", "steps operator by operator, captured, several a launch, on two lanes: the same bytes, in each precision", 15, 8),
    Part("stream", "resident and streamed pictures: the same bytes, and the time of a step of both", 15, 8),
    Part("vendor", "40 steps with our kernels and the libraries': the losses beside each other, and the time of a step", 15, 8),
    Part("bench", "each perf case beside the floor of its bytes and operations (duel_op_bench)", 50, 13),
    Part("steps", "whole steps of classic: fp32, tf32 and bf16 at batch 64, 128 and 256 (duel bench step)", 45, 13),
    Part("train", "20 epochs of steady in bf16, its sample sheet beside the results; with --quick 2", 38, 12),
)
ALL_PARTS = tuple(part.name for part in PARTS)
# The names that tests/kernels give to tests of the backend `cuda`.
CUDA_TESTS = "*/cuda*"  # cuda, and cuda_tf32: f32 products on tensor cores
SANITIZER_EXIT_CODE = 86
NO_DEVICE_EXIT_CODE = 4
# Peaks of dense products in TFLOP/s, f32 without tensor cores and bf16 with, by a part of the GPU's name. f32 and A100:
# the makers' data sheets; bf16 of Hopper: measured with a product of 8192^3.
PEAKS = (("H100 PCIe", 51.2, 630.0), ("H100", 66.9, 798.0), ("H200", 66.9, 790.0), ("A100", 19.5, 312.0))

# How far the losses of two devices may lie apart, relative to the greater of 1 and the loss: in the first steps, and in all.
# Rounding grows from step to step: one thread and two of the same CPU differ by 3e-5 after 30 steps and 7e-3 after 100.
LOSS_STEPS, LOSS_LIMIT, LOSS_LIMIT_IN_ALL = 30, 1e-3, 0.1


def say(text):
    print(f"gpu_check: {text}", flush=True)


def slug(gpu):
    """The GPU's name as a folder: without the size and the kind of its memory."""
    words = re.findall(r"[a-z0-9]+", gpu.lower())
    words = [word for word in words if not re.fullmatch(r"\d+gb|\d+gib|hbm\w*", word)]
    return "-".join(words) or "unnamed-gpu"


def find_program(name, folders):
    for folder in folders:
        path = Path(folder) / name
        if path.is_file() and os.access(path, os.X_OK):
            return path
    return None


def find_sanitizer():
    found = shutil.which("compute-sanitizer")
    if found:
        return found
    homes = [os.environ.get("CUDA_HOME", ""), os.environ.get("CUDA_PATH", ""), "/usr/local/cuda"]
    for home in filter(None, homes):
        path = Path(home) / "bin/compute-sanitizer"
        if os.access(path, os.X_OK):
            return str(path)
    return None


def cuda_library_folders():
    """Where CUDA's and cuDNN's shared libraries are: the toolkit, or Python packages of NVIDIA's."""
    folders = [str(Path(os.environ.get("CUDA_HOME") or "/usr/local/cuda") / "lib64")]
    for path in sys.path:
        folders += sorted(glob.glob(os.path.join(glob.escape(path), "nvidia", "*", "lib")))
    return [folder for folder in folders if os.path.isdir(folder)]


def commit_of(root):
    try:
        done = subprocess.run(["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"],
                              capture_output=True, text=True, timeout=20)
        top = subprocess.run(["git", "-C", str(root), "rev-parse", "--show-toplevel"], capture_output=True, text=True,
                             timeout=20)
        if done.returncode == 0 and Path(top.stdout.strip()).resolve() == root:
            return done.stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        pass
    file = root / "commit"
    return file.read_text().strip() if file.exists() else "unknown"


class Process:
    """A command in a process group of its own, whose output goes to a file: what it printed is there if it is killed."""

    def __init__(self, command, log, environment):
        self.log = log
        with open(log, "wb") as stream:
            self.process = subprocess.Popen([str(word) for word in command], stdout=stream, stderr=subprocess.STDOUT,
                                            stdin=subprocess.DEVNULL, env=environment, start_new_session=True)

    def wait(self, deadline):
        """The exit code, or None where it was killed at the deadline."""
        try:
            return self.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            return None
        finally:  # children that outlive it too
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.process.wait()

    def text(self):
        return Path(self.log).read_text(errors="replace")


class Check:
    def __init__(self, arguments):
        self.arguments = arguments
        folders = ([arguments.programs / f for f in PROGRAM_FOLDERS] if arguments.programs else
                   [ROOT / f for f in PROGRAM_FOLDERS])
        self.programs = {name: find_program(name, folders) for name in ("duel", "duel_tests", "duel_op_bench")}
        self.environment = {**os.environ, "DUEL_REQUIRE_CUDA": "1", "OMP_WAIT_POLICY": "passive"}
        paths = [os.environ.get("LD_LIBRARY_PATH", ""), *cuda_library_folders()]
        self.environment["LD_LIBRARY_PATH"] = ":".join(filter(None, paths))
        self.deadlines = self.make_deadlines()
        self.work = Path(tempfile.mkdtemp(prefix="duel-gpu-check-"))
        self.result = {
            "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "commit": commit_of(ROOT),
            "mode": "quick" if arguments.quick else "full",
            "gpu": "",
            "device": {},
            "parts": [],
            "bench": {},
        }

    def make_deadlines(self):
        """When each of the chosen parts must be over."""
        chosen = [part for part in PARTS if part.name in (*(self.arguments.only or ALL_PARTS), "device")]
        limits = [part.quick_seconds if self.arguments.quick else part.seconds for part in chosen]
        scale = self.arguments.seconds / sum(limits) if self.arguments.seconds else 1
        deadlines, at = {}, time.monotonic()
        for part, limit in zip(chosen, limits):
            at += scale * limit
            deadlines[part.name] = at
        return deadlines

    def deadline(self, part):
        return self.deadlines[part]

    def command(self, name, program, *words, part=None):
        """A part, or one command of several: it passes where that ends with 0; its last line says what was seen."""
        if self.programs[program] is None:
            return {"status": "missing", "summary": f"no {program}"}
        process = Process([self.programs[program], *words], self.work / f"{name}.log", self.environment)
        code = process.wait(self.deadline(part or name))
        if code == NO_DEVICE_EXIT_CODE:
            return {"status": "no device", "summary": last_line(process.text())}
        if code != 0:
            return fault(code, process.text())
        return {"status": "passed", "summary": last_line(process.text()), "text": process.text()}

    # ---- parts: each returns a dictionary with "status" and "summary", and "messages" where it did not pass

    def device(self):
        outcome = self.command("device", "duel_op_bench", "--backend", "cuda", "--describe")
        if outcome["status"] != "passed":
            return outcome
        text = outcome["text"]
        self.result["device"] = json.loads(text[text.index("{"):])
        match = re.search(r"\((.*)\)", self.result["device"].get("device", ""))
        self.result["gpu"] = match.group(1) if match else self.result["device"].get("device", "")
        return {"status": "passed", "summary": self.result["gpu"]}

    def operators(self):
        return self.run_tests("operators", [])

    def memcheck(self):
        return self.sanitize("memcheck")

    def racecheck(self):
        return self.sanitize("racecheck")

    def sanitize(self, tool):
        sanitizer = find_sanitizer()
        if sanitizer is None:
            return {"status": "missing",
                    "summary": "no compute-sanitizer on the PATH or in /usr/local/cuda/bin (CUDA's toolkit has it)"}
        command = [sanitizer, "--tool", tool, "--error-exitcode", str(SANITIZER_EXIT_CODE), "--print-limit", "20"]
        if tool == "memcheck":  # a test asks for more memory than there is, to see what is said; results are checked
            command += ["--report-api-errors", "no"]
        return self.run_tests(tool, command)

    def run_tests(self, part, before):
        """The tests of the backend, in several processes: most of the time is the references' on the CPU."""
        program = self.programs["duel_tests"]
        if program is None:
            return {"status": "missing", "summary": "no duel_tests"}
        filter_argument = f"--gtest_filter={self.arguments.tests}"
        listing = Process([program, "--gtest_list_tests", filter_argument], self.work / "list.log", self.environment)
        code = listing.wait(self.deadline(part))
        if code != 0:
            return fault(code, listing.text())
        total = len(re.findall(r"^  \S", listing.text(), re.MULTILINE))
        if total == 0:
            return {"status": "failed", "summary": f"no test matches {self.arguments.tests}: nothing was checked"}
        jobs = self.arguments.jobs
        # Shards are dealt out in turn, so that some of them are a sample of all operators.
        sample = next(p.quick_sample for p in PARTS if p.name == part) if self.arguments.quick else 1
        shards = sample * jobs
        processes = []
        for index in range(jobs):
            environment = {**self.environment, "GTEST_TOTAL_SHARDS": str(shards), "GTEST_SHARD_INDEX": str(index),
                           "OMP_NUM_THREADS": "2"}
            processes.append(Process([*before, program, filter_argument], self.work / f"{part}-{index}.log", environment))
        codes = [process.wait(self.deadline(part)) for process in processes]
        text = "\n".join(process.text() for process in processes)
        names = {kind: set(re.findall(rf"^\[ *{kind} *\] ([^\s,]+/[^\s,]+)", text, re.MULTILINE))
                 for kind in ("OK", "FAILED", "SKIPPED")}
        chosen = sum(len(range(index, total, shards)) for index in range(jobs))
        ended = len(names["OK"] | names["FAILED"] | names["SKIPPED"])
        outcome = {"tests": {"total": total, "chosen": chosen, "passed": len(names["OK"]),
                             "failed": len(names["FAILED"]), "skipped": len(names["SKIPPED"]),
                             "not_run": chosen - ended}}
        errors = [int(n) for n in re.findall(r"ERROR SUMMARY: (\d+) error", text)]
        errors += [int(n) for n in re.findall(r"RACECHECK SUMMARY: \d+ hazards? displayed \((\d+) error", text)]
        summary = f"{len(names['OK'])} of {chosen} tests passed"
        if chosen < total:
            summary += f" (1 in {round(total / chosen)} of {total})"
        for kind, count in (("failed", len(names["FAILED"])), ("skipped", len(names["SKIPPED"])),
                            ("not run", chosen - ended)):
            summary += f", {count} {kind}" if count else ""
        if before:
            outcome["sanitizer_errors"] = sum(errors)
            warnings = sum(int(n) for n in re.findall(r"RACECHECK SUMMARY: .*?(\d+) warning", text))
            summary += f", {sum(errors)} errors found" + (f", {warnings} warnings" if warnings else "")
        if any(code not in (0, None) for code in codes) or names["FAILED"] or sum(errors):
            outcome["status"] = "failed"
        elif None in codes:
            outcome["status"] = "timed out"
        elif ended < chosen or not names["OK"] or (before and not errors):
            outcome["status"] = "failed"  # a program that ends well and ran nothing has checked nothing
            summary += "" if errors or not before else "; the sanitizer printed no summary"
        else:
            outcome["status"] = "passed"
        outcome["summary"] = summary
        if outcome["status"] != "passed":
            outcome["messages"] = sorted(names["FAILED"])[:20] + telling_lines(text)
            outcome["log"] = text
        return outcome

    def bench(self):
        program = self.programs["duel_op_bench"]
        if program is None:
            return {"status": "missing", "summary": "no duel_op_bench"}
        report = self.work / "bench.json"
        command = [program, "--backend", "cuda", "--json", report]
        for name, f32, bf16 in PEAKS:
            if name.lower() in self.result["gpu"].lower():
                command += ["--tflops", f32, "--tflops-bf16", bf16]
                break
        if self.arguments.quick:
            command += ["--windows", 5, "--limit-ms", 300, "--rotate-mib", 128]
        process = Process(command, self.work / "bench.log", self.environment)
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

    def losses(self):
        if self.programs["duel"] is None:
            return {"status": "missing", "summary": "no duel"}
        rows, data = {}, find_pictures()
        for device in ("cpu", "cuda"):
            run = self.work / f"losses-{device}"
            outcome = self.command(f"losses-{device}", "duel", "train", "--preset", "classic", "--device", device, "--data", data,
                                   "--steps", 100, "--out", run, "--set", "output.metrics_every=1", "--set",
                                   "output.samples_every=0", "--set", "output.checkpoint_every=0", part="losses")
            if outcome["status"] != "passed":
                return {**outcome, "summary": f"{device}: {outcome['summary']}"}
            rows[device] = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
        apart = [max(abs(a[loss] - b[loss]) / max(1.0, abs(a[loss])) for loss in ("d_loss", "g_loss"))
                 for a, b in zip(rows["cpu"], rows["cuda"], strict=True)]
        first, most = max(apart[:LOSS_STEPS]), max(apart)
        self.result["losses"] = {"data": str(data), "first": first, "most": most, "apart": apart}
        return {"status": "passed" if first <= LOSS_LIMIT and most <= LOSS_LIMIT_IN_ALL else "failed",
                "summary": f"apart by {first:.1e} in {LOSS_STEPS} steps (at most {LOSS_LIMIT:g} is right), {most:.1e} in "
                           f"{len(apart)} ({LOSS_LIMIT_IN_ALL:g}); {data_name(data)}"}

    def train_variants(self, part, variants):
        """Trains 40 steps with each list of words; None where all checkpoints have the same bytes, else what is wrong."""
        first = None
        for number, words in enumerate(variants):
            run = self.work / f"{part}-{number}"
            outcome = self.command(run.name, "duel", "train", "--device", "cuda", "--data", "synthetic", "--steps", 40, "--out",
                                   run, *words, part=part)
            if outcome["status"] != "passed":
                return {**outcome, "summary": f"{' '.join(words)}: {outcome['summary']}"}
            state = (run / "checkpoints/step_000000040/state.safetensors").read_bytes()
            shutil.rmtree(run)
            if first is None:
                first = state
            elif state != first:
                return {"status": "failed",
                        "summary": f"other bytes after 40 steps with {' '.join(words)} than with {' '.join(variants[0])}"}
        return None

    def replay(self):
        if self.programs["duel"] is None:
            return {"status": "missing", "summary": "no duel"}
        precisions = ("bf16",) if self.arguments.quick else ("bf16", "tf32", "fp32")
        for precision in precisions:
            same = ["--precision", precision, "--residency", "device"]
            outcome = self.train_variants("replay", [
                [*same, "--no-graph", "--lanes", "1"], [*same, "--no-graph", "--lanes", "2"],
                [*same, "--steps-per-launch", "1", "--lanes", "1"], [*same, "--steps-per-launch", "7", "--lanes", "2"]])
            if outcome:
                return outcome
        return {"status": "passed", "summary": f"the same bytes in {', '.join(precisions)}"}

    def stream(self):
        if self.programs["duel"] is None:
            return {"status": "missing", "summary": "no duel"}
        outcome = self.train_variants("stream", [
            ["--precision", "bf16", "--residency", "device"],
            ["--precision", "bf16", "--residency", "stream", "--steps-per-launch", "3"]])
        if outcome:
            return outcome
        rows = {}
        for residency in ("device", "stream"):
            outcome, rows[residency] = self.bench_step(f"stream-{residency}", "stream", "bf16", 64, "--residency", residency)
            if outcome["status"] != "passed":
                return outcome
        ratio = rows["stream"]["ms_median"] / rows["device"]["ms_median"]
        self.result["stream"] = {**rows, "ratio": ratio}
        return {"status": "passed",
                "summary": f"the same bytes; a step takes {1e3 * rows['device']['ms_median']:.1f} us resident, "
                           f"{1e3 * rows['stream']['ms_median']:.1f} us streamed ({ratio:.3f} times)"}

    def vendor(self):
        if self.programs["duel"] is None:
            return {"status": "missing", "summary": "no duel"}
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
        self.result["vendor"] = {**rows, "apart": apart}
        times = ", ".join(f"{kernels} {1e3 * row['ms_median']:.1f} us" for kernels, row in rows.items())
        return {"status": "passed" if apart <= LOSS_LIMIT else "failed",
                "summary": f"losses apart by {apart:.1e} in {LOSS_STEPS} steps (at most {LOSS_LIMIT:g} is right); a step in bf16: "
                           f"{times}"}

    def bench_step(self, name, part, precision, batch, *words):
        """Whole steps of classic: how it ended, and the row of the JSON."""
        known = next((gpu for gpu in ("h100", "h200", "a100") if gpu in self.result["gpu"].lower()), "measured")
        outcome = self.command(name, "duel", "bench", "step", "--preset", "classic", "--device", "cuda", "--precision", precision,
                               "--batch", batch, "--data", "synthetic", "--ceilings", known, "--seconds",
                               0.3 if self.arguments.quick else 1, "--json", *words, part=part)
        text = outcome.get("text", "")
        return outcome, json.loads(text[text.index("{"):text.rindex("}") + 1]) if text else None

    def steps(self):
        if self.programs["duel"] is None:
            return {"status": "missing", "summary": "no duel"}
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
            return {"status": "missing", "summary": "no duel"}
        data, run = find_pictures(), self.work / "train"
        outcome = self.command("train", "duel", "train", "--preset", "steady", "--device", "cuda", "--precision", "bf16", "--data",
                               data, "--epochs", 2 if self.arguments.quick else 20, "--out", run, "--set",
                               "output.samples_every=0", "--set", "output.checkpoint_every=0", "--set", "output.metrics_every=50")
        sheets = sorted(path for path in run.glob("samples/step_*.png") if not path.stem.endswith("_raw"))
        if sheets and self.result["gpu"]:  # of an interrupted run too: it shows how far it came
            shutil.copyfile(sheets[-1], f"{self.stem()}-samples.png")
        if outcome["status"] != "passed":
            return outcome
        last = json.loads((run / "metrics.jsonl").read_text().splitlines()[-1])
        self.result["train"] = {"data": str(data), **last}
        return {"status": "passed", "summary": f"{last['step']} steps in {last['seconds']:.1f} s, d_loss {last['d_loss']:.3f}; "
                                               f"{data_name(data)}"}

    # ---- all of it

    def run(self):
        chosen = self.arguments.only or ALL_PARTS
        no_device = None
        for part in ALL_PARTS:
            if part not in chosen and part != "device":
                continue
            begin = time.monotonic()
            if no_device is not None:
                outcome = {"status": "no device", "summary": f"not run: {no_device}"}
            else:
                try:
                    outcome = getattr(self, part)()
                except Exception as error:  # a fault of this script must not hide the other parts either
                    outcome = {"status": "failed", "summary": f"gpu_check itself: {type(error).__name__}: {error}"}
            outcome = {"part": part, "seconds": round(time.monotonic() - begin, 1), **outcome}
            say(f"{part:<10} {outcome['status']:<10} {outcome['seconds']:>6.1f} s  {outcome['summary']}")
            for line in outcome.get("messages", [])[:12]:
                say(f"    {line}")
            if outcome["status"] == "no device":
                no_device = no_device or outcome["summary"]
            outcome.pop("text", "")
            log = outcome.pop("log", "")
            self.result["parts"].append(outcome)
            if no_device is None or self.arguments.out != RESULTS:
                self.write(part, log)
        shutil.rmtree(self.work, ignore_errors=True)
        return self.finish(no_device)

    def stem(self):
        folder = self.arguments.out / (slug(self.result["gpu"]) if self.result["gpu"] else "no-device")
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{self.result['date'][:10]}-{self.result['commit']}"

    def write(self, part, log):
        stem = str(self.stem())
        if log:
            with open(f"{stem}.log", "a") as file:
                file.write(f"==== {part}\n{log[-3_000_000:]}\n")
        for suffix, text in ((".json", json.dumps(self.result, indent=1) + "\n"), (".md", markdown(self.result))):
            Path(stem + suffix + ".part").write_text(text)
            os.replace(stem + suffix + ".part", stem + suffix)

    def finish(self, no_device):
        print()
        for line in part_table(self.result["parts"]):
            print(line)
        if no_device is not None:
            say(f"nothing was checked: {no_device}")
            return NO_DEVICE_EXIT_CODE
        say(f"results: {self.stem()}.md and .json")
        return 0 if all(part["status"] == "passed" for part in self.result["parts"]) else 1


def find_pictures():
    """A folder of Fashion-MNIST: beside the bundle, or where tools/setup.sh puts it; else the synthetic set."""
    for folder in (os.environ.get("DUEL_FASHION_MNIST") or "", ROOT / "data", "/usr/share/datasets/fashion-mnist",
                   Path.home() / ".cache/duel/fashion-mnist"):
        if folder and any(Path(folder).glob("*images-idx3-ubyte*")):
            return folder
    return "synthetic"


def data_name(data):
    return "synthetic pictures" if data == "synthetic" else "Fashion-MNIST"


def last_line(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "it printed nothing"


def fault(code, text):
    if code is None:
        return {"status": "timed out", "summary": "killed at its time limit", "log": text}
    ended = f"ended by signal {-code}" if code < 0 else f"exit code {code}"
    return {"status": "failed", "summary": f"{ended}: {last_line(text)}", "log": text, "messages": telling_lines(text)}


def telling_lines(text):
    """The first lines that say what is wrong."""
    pattern = re.compile(r"^=========.*(Invalid|Error|hazard|Race|at .*\.(cu|cuh))|must be|error:|Failure|FAILED:|REQUIRE")
    found = []
    for line in text.splitlines():
        if pattern.search(line) and "ERROR SUMMARY: 0" not in line and line.strip() not in found:
            found.append(line.strip()[:200])
        if len(found) == 20:
            break
    return found


def part_table(parts):
    yield "| part | result | seconds | |"
    yield "|---|---|---|---|"
    for part in parts:
        yield f"| {part['part']} | {part['status']} | {part['seconds']:.1f} | {part['summary'].replace('|', '/')} |"


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


def positive(kind):
    def parse(text):
        value = kind(text)
        if value <= 0:
            raise ValueError
        return value

    parse.__name__ = f"positive {kind.__name__}"
    return parse


def main():
    parser = argparse.ArgumentParser(prog="gpu_check.sh", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="under 3 minutes: every fourth case under the sanitizer")
    parser.add_argument("--out", type=Path, help="folder of results")
    parser.add_argument("--programs", type=Path, help="folder of a build or a bundle; by default the one around this file")
    parser.add_argument("--only", nargs="+", choices=ALL_PARTS, help="these parts alone (and device)")
    parser.add_argument("--tests", default=CUDA_TESTS, help="a GoogleTest filter")
    parser.add_argument("--jobs", type=positive(int), default=max(1, min(8, (os.cpu_count() or 2) // 2)),
                        help="processes that share the GPU while correctness is tested")
    parser.add_argument("--seconds", type=positive(float), help="for all chosen parts together")
    parser.add_argument("--parts", action="store_true", help="list the parts and their time limits, and end")
    arguments = parser.parse_args()
    if arguments.parts:
        print("\n".join(list_of_parts()))
        return 0
    arguments.out = (arguments.out or Path(os.environ.get("OUT_DIR") or RESULTS)).absolute()
    if arguments.out.exists() and not arguments.out.is_dir():
        parser.error(f"--out: {arguments.out} is no folder")
    check = Check(arguments)
    if not any(check.programs.values()):
        say("there is no duel_tests and no duel_op_bench here: build with -DDUEL_CUDA=ON, unpack a bundle of "
            "tools/gpu_bundle.sh, or name their folder with --programs")
        return 2
    return check.run()


if __name__ == "__main__":
    sys.exit(main())
