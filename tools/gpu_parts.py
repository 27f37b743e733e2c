"""What gpu_check.py and first_light.py share: parts with a time limit each.

A part is a row (Part) and a method of the same name, which returns a dictionary with "status" and "summary", and with
"messages" and "log" where it did not pass. None hides another: what fails, hangs or is missing is said, and the next one
begins. Time that a part leaves is the next one's.
"""

import argparse
import collections
import datetime
import hashlib
import json
import os
import re
import shutil
import sys
import time
from pathlib import Path

from gpu_processes import (Process, Stopped, commit_of, cuda_library_folders, find_nvidia_tool, find_program, last_line,
                           work_folder)

ROOT = Path(__file__).resolve().parent.parent
PROGRAM_FOLDERS = ("", "bin", "tests", "profiling", "build", "build/tests", "build/profiling")
# Of the tests, those under the sanitizer are one in `sample`.
Part = collections.namedtuple("Part", "name what seconds sample", defaults=(1,))
# The names that tests/kernels give to tests of the backend `cuda`.
CUDA_TESTS = "*/cuda*"  # cuda, and cuda_tf32: f32 products on tensor cores
SANITIZER_EXIT_CODE = 86
DEVICE_EXIT_CODE = 4  # of our programs: no device, or not enough of its memory, or what a call of CUDA's said
NO_LIBRARIES = {"DUEL_CUDA_LIBRARIES": "/nonexistent"}  # for what runs our kernels alone: cuDNN takes seconds to load
LOOK_SECONDS = 12  # to see whether the device still opens
# How far the losses of two devices may lie apart, relative to the greater of 1 and the loss: in the first steps, and in all.
# Rounding grows from step to step: one thread and two of the same CPU differ by 3e-5 after 30 steps and 7e-3 after 100.
LOSS_STEPS, LOSS_LIMIT, LOSS_LIMIT_IN_ALL = 30, 1e-3, 0.1


def slug(gpu):
    """The GPU's name as a folder: without the size and the kind of its memory."""
    words = re.findall(r"[a-z0-9]+", gpu.lower())
    words = [word for word in words if not re.fullmatch(r"\d+gb|\d+gib|hbm\w*", word)]
    return "-".join(words) or "unnamed-gpu"


def known_ceilings(gpu):
    return next((name for name in ("h100", "h200", "a100") if name in gpu.lower()), "measured")


# In a process of its own: a library can take seconds to load, or bring its process down.
ASK_VERSIONS = """
import ctypes
for name, file, call in (("cuBLASLt", "libcublasLt.so", "cublasLtGetVersion"), ("cuDNN", "libcudnn.so", "cudnnGetVersion")):
    for major in (13, 12, 9):
        try:
            function = getattr(ctypes.CDLL(f"{file}.{major}"), call)
        except (OSError, AttributeError):
            continue
        function.restype = ctypes.c_size_t
        print(name, function(), f"{file}.{major}", flush=True)
        break
    else:
        print(name, "not found", flush=True)
"""


class Parts:
    """Runs parts one after the other. A program's own class adds methods, and says what is written after each."""

    program_name = "gpu_parts"
    needed_programs = ("duel", "duel_tests", "duel_op_bench")
    device_part = "device"

    def __init__(self, parts, programs, seconds=None, tests=CUDA_TESTS, jobs=1, seconds_a_bench=1.0):
        folders = [Path(programs or ROOT) / folder for folder in PROGRAM_FOLDERS]
        self.programs = {name: find_program(name, folders) for name in self.needed_programs}
        # Three environments: as this script's own, for tools that bring libraries of their own, such as the sanitizer;
        # the same for our programs; and with the folders of CUDA's libraries, for those that use them.
        self.work = work_folder(f"duel-{self.program_name.replace('_', '-')}-")
        self.plain = {**os.environ, "DUEL_REQUIRE_CUDA": "1", "OMP_WAIT_POLICY": "passive", "PYTHONUNBUFFERED": "1",
                      "XDG_CACHE_HOME": str(self.work / "cache")}
        paths = [os.environ.get("LD_LIBRARY_PATH", ""), *cuda_library_folders()]
        self.environment = {**self.plain, "LD_LIBRARY_PATH": ":".join(filter(None, paths))}
        self.parts, self.tests, self.jobs, self.seconds_a_bench = list(parts), tests, jobs, seconds_a_bench
        self.deadlines = self.make_deadlines(seconds)
        self.no_device = None  # why there is none
        self.lost = None       # why it does not open any more
        self.logs = {}
        self.result = {
            "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "commit": commit_of(ROOT),
            "gpu": "",
            "device": {},
            "parts": [],
        }

    def say(self, text):
        try:
            print(f"{self.program_name}: {text}", flush=True)
        except OSError:  # nobody reads it any more; the files are still written
            pass

    def make_deadlines(self, seconds):
        """When each part must be over."""
        scale = seconds / sum(part.seconds for part in self.parts) if seconds else 1
        deadlines, at = {}, time.monotonic()
        for part in self.parts:
            at += scale * part.seconds
            deadlines[part.name] = at
        self.end = at
        return deadlines

    def deadline(self, part, shares=1):
        """Of a part, or of the first of so many commands that share what is left of it."""
        now, end = time.monotonic(), self.deadlines[part]
        return end if shares == 1 else now + max(0.0, end - now) / shares

    # ---- the loop

    def run_parts(self):
        """Whether all of them had their turn; a signal ends it."""
        try:
            for part in self.parts:
                self.run_part(part)
        except Stopped as stop:
            self.say(f"stopped by {stop}")
            return stop
        finally:
            shutil.rmtree(self.work, ignore_errors=True)
        return None

    def run_part(self, part):
        begin, stop = time.monotonic(), None
        try:
            outcome = self.attempt(part)
        except Stopped as error:
            outcome, stop = {"status": "stopped", "summary": f"by {error}"}, error
        except Exception as error:  # a fault of this script must not hide the other parts either
            outcome = {"status": "failed", "summary": f"{self.program_name} itself: {type(error).__name__}: {error}"}
        outcome = {"part": part.name, "seconds": round(time.monotonic() - begin, 1), **outcome}
        kept = "kept: " if outcome.get("kept") else ""
        self.say(f"{part.name:<10} {outcome['status']:<11} {outcome['seconds']:>6.1f} s  {kept}{outcome['summary']}")
        for line in outcome.get("messages", [])[:12]:
            self.say(f"    {line}")
        outcome.pop("text", "")
        log = outcome.pop("log", "")
        if log:
            self.logs[part.name] = log
        elif not outcome.get("kept"):
            self.logs.pop(part.name, None)
        self.keep(outcome)
        try:
            self.write(part.name)
        except Exception as error:  # nor must a result that no report was written for
            self.say(f"the report failed: {type(error).__name__}: {error}")
        if stop is not None:
            raise stop

    def keep(self, outcome):
        self.result["parts"].append(outcome)

    def attempt(self, part):
        if self.no_device is not None:
            return {"status": "no device", "summary": "not run"}
        if self.lost is not None:
            self.lost = self.look()
            if self.lost is not None:
                return {"status": "device lost", "summary": f"not run: {self.lost}"}
        outcome = getattr(self, part.name.replace(" ", "_"))()
        if outcome["status"] == "no device":
            self.no_device = outcome["summary"]
        elif outcome["status"] in ("failed", "timed out") and part is not self.parts[-1]:
            # One kernel that faults ends its process alone; a device that is gone is said once, and looked for again.
            self.lost = self.look()
            if self.lost is not None:
                outcome["summary"] += f"; the device does not open any more: {self.lost}"
        return outcome

    def look(self):
        """Why the device does not open; None where it does."""
        if self.programs["duel_op_bench"] is None:
            return None
        process = Process([self.programs["duel_op_bench"], "--backend", "cuda", "--describe"], self.work / "look.log",
                          {**self.plain, **NO_LIBRARIES})
        code = process.wait(min(self.end, time.monotonic() + LOOK_SECONDS))
        if code == 0:
            return None
        return f"it did not open in {LOOK_SECONDS} s" if code is None else last_line(process.text())

    # ---- commands

    def command(self, name, program, *words, part=None, deadline=None, environment=None):
        """A part, or one command of several: it passes where that ends with 0; its last line says what was seen."""
        path = self.programs.get(program, program)
        if path is None:
            return missing(program)
        process = Process([path, *words], self.work / f"{name}.log", environment or self.environment)
        code = process.wait(deadline or self.deadline(part or name))
        if code != 0:
            return fault(code, process.text())
        return {"status": "passed", "summary": last_line(process.text()), "text": process.text()}

    def json_command(self, name, program, *words, **rest):
        """The same, and the object that it prints."""
        outcome = self.command(name, program, *words, **rest)
        if outcome["status"] != "passed":
            return outcome, None
        text = outcome["text"]
        try:  # what it said on standard error may stand before and behind it
            at = re.search(r"^\{", text, re.MULTILINE)
            return outcome, json.JSONDecoder().raw_decode(text, at.start() if at else len(text))[0]
        except ValueError:
            return {"status": "failed", "summary": f"it printed no JSON: {last_line(text)}", "log": text}, None

    # ---- parts

    def device(self):
        if self.programs["duel_op_bench"] is None:
            return missing("duel_op_bench")
        outcome = self.command("device", "duel_op_bench", "--backend", "cuda", "--describe", part=self.device_part)
        if outcome["status"] != "passed":
            if outcome.get("code") == DEVICE_EXIT_CODE:
                return {"status": "no device", "summary": outcome["summary"].partition(": ")[2]}
            return outcome
        text = outcome["text"]
        self.result["device"] = json.JSONDecoder().raw_decode(text, text.index("{"))[0]
        match = re.search(r"\((.*)\)", self.result["device"].get("device", ""))
        self.result["gpu"] = match.group(1) if match else self.result["device"].get("device", "")
        return {"status": "passed", "summary": self.result["gpu"]}

    def operators(self):
        return self.run_tests("operators", [], {**self.plain, **NO_LIBRARIES})

    def memcheck(self):
        return self.sanitize("memcheck")

    def racecheck(self):
        return self.sanitize("racecheck")

    def sanitize(self, tool):
        sanitizer = find_nvidia_tool("compute-sanitizer")
        if sanitizer is None:
            return {"status": "missing",
                    "summary": "no compute-sanitizer on the PATH or in /usr/local/cuda/bin (CUDA's toolkit has it)"}
        command = [sanitizer, "--tool", tool, "--error-exitcode", str(SANITIZER_EXIT_CODE), "--print-limit", "20"]
        if tool == "memcheck":  # a test asks for more memory than there is, to see what is said; results are checked
            command += ["--report-api-errors", "no"]
        # The sanitizer's own libraries must not be taken from Python's packages of NVIDIA's.
        return self.run_tests(tool, command, {**self.plain, **NO_LIBRARIES})

    def run_tests(self, part, before, environment):
        """The tests of the backend, in several processes: most of the time is the references' on the CPU."""
        program = self.programs["duel_tests"]
        if program is None:
            return missing("duel_tests")
        filter_argument = f"--gtest_filter={self.tests}"
        listing = Process([program, "--gtest_list_tests", filter_argument], self.work / "list.log", environment)
        code = listing.wait(self.deadline(part))
        if code != 0:
            return fault(code, listing.text())
        total = len(re.findall(r"^  \S", listing.text(), re.MULTILINE))
        if total == 0:
            return {"status": "failed", "summary": f"no test matches {self.tests}: nothing was checked"}
        # Shards are dealt out in turn, so that some of them are a sample of all operators.
        shards = next(p.sample for p in self.parts if p.name == part) * self.jobs
        processes = []
        try:
            for index in range(self.jobs):
                own = {**environment, "GTEST_TOTAL_SHARDS": str(shards), "GTEST_SHARD_INDEX": str(index), "OMP_NUM_THREADS": "2"}
                processes.append(Process([*before, program, filter_argument], self.work / f"{part}-{index}.log", own))
            codes = [process.wait(self.deadline(part)) for process in processes]
        finally:
            for process in processes:
                if process.process.returncode is None:
                    process.kill()
        text = "\n".join(process.text() for process in processes)
        return outcome_of_tests(text, codes, total, sum(len(range(index, total, shards)) for index in range(self.jobs)), bool(before))

    def losses(self):
        if self.programs["duel"] is None:
            return missing("duel")
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
        self.record("losses", {"data": str(data), "first": first, "most": most, "apart": apart})
        return {"status": "passed" if first <= LOSS_LIMIT and most <= LOSS_LIMIT_IN_ALL else "failed",
                "summary": f"apart by {first:.1e} in {LOSS_STEPS} steps (at most {LOSS_LIMIT:g} is right), {most:.1e} in "
                           f"{len(apart)} ({LOSS_LIMIT_IN_ALL:g}); {data_name(data)}"}

    def stream(self):
        if self.programs["duel"] is None:
            return missing("duel")
        outcome = self.train_variants("stream", [
            ["--precision", "bf16", "--residency", "device"],
            ["--precision", "bf16", "--residency", "stream", "--steps-per-launch", "3"]])
        if outcome:
            return outcome
        rows = {}
        for residency in ("device", "stream"):
            outcome, rows[residency] = self.bench_step(f"stream-{residency}", "stream", "bf16", 64, "--kernels", "ours",
                                                       "--residency", residency)
            if outcome["status"] != "passed":
                return outcome
        ratio = rows["stream"]["ms_median"] / rows["device"]["ms_median"]
        self.record("stream", {**rows, "ratio": ratio})
        return {"status": "passed",
                "summary": f"the same bytes; a step takes {1e3 * rows['device']['ms_median']:.1f} us resident, "
                           f"{1e3 * rows['stream']['ms_median']:.1f} us streamed ({ratio:.3f} times)"}

    def record(self, name, value):
        self.result[name] = value

    def train_hash(self, name, words, part, deadline=None):
        """Trains 40 steps with our kernels: how it ended, and the hash of the checkpoint's bytes."""
        run = self.work / name
        outcome = self.command(name, "duel", "train", "--device", "cuda", "--data", "synthetic", "--kernels", "ours", "--steps", 40,
                               "--out", run, "--set", "output.samples_every=0", *words, part=part, deadline=deadline,
                               environment={**self.plain, **NO_LIBRARIES})
        digest = None
        if outcome["status"] == "passed":
            digest = hashlib.sha256()
            with open(run / "checkpoints/step_000000040/state.safetensors", "rb") as file:
                for block in iter(lambda: file.read(1 << 22), b""):
                    digest.update(block)
        shutil.rmtree(run, ignore_errors=True)
        return outcome, digest and digest.hexdigest()

    def train_variants(self, part, variants):
        """None where the checkpoints of all these trainings have the same bytes, else what is wrong."""
        first = None
        for number, words in enumerate(variants):
            outcome, digest = self.train_hash(f"{part}-{number}", words, part)
            if digest is None:
                return {**outcome, "summary": f"{' '.join(words)}: {outcome['summary']}"}
            first = first or digest
            if digest != first:
                return {"status": "failed",
                        "summary": f"other bytes after 40 steps with {' '.join(words)} than with {' '.join(variants[0])}"}
        return None

    def bench_step(self, name, part, precision, batch, *words, **rest):
        """Whole steps of classic: how it ended, and the row of the JSON."""
        return self.json_command(name, "duel", "bench", "step", "--preset", "classic", "--device", "cuda", "--precision", precision,
                                 "--batch", batch, "--data", "synthetic", "--ceilings", known_ceilings(self.result["gpu"]),
                                 "--seconds", self.seconds_a_bench, "--json", *words, part=part, **rest)

    # ---- what the measured choices were

    def choices_file(self):
        return Path(self.environment["XDG_CACHE_HOME"]) / "duel/kernels.json"

    def libraries(self):
        """Versions of the libraries as a program of ours would find them here."""
        process = Process([sys.executable, "-c", ASK_VERSIONS], self.work / "libraries.log", self.environment)
        process.wait(min(self.end, time.monotonic() + LOOK_SECONDS))
        return dict(line.split(" ", 1) for line in process.text().splitlines() if " " in line)


def outcome_of_tests(text, codes, total, chosen, is_sanitized):
    names = {kind: set(re.findall(rf"^\[ *{kind} *\] ([^\s,]+/[^\s,]+)", text, re.MULTILINE))
             for kind in ("OK", "FAILED", "SKIPPED")}
    ended = len(names["OK"] | names["FAILED"] | names["SKIPPED"])
    outcome = {"tests": {"total": total, "chosen": chosen, "passed": len(names["OK"]), "failed": len(names["FAILED"]),
                         "skipped": len(names["SKIPPED"]), "not_run": chosen - ended}}
    errors = [int(n) for n in re.findall(r"ERROR SUMMARY: (\d+) error", text)]
    errors += [int(n) for n in re.findall(r"RACECHECK SUMMARY: \d+ hazards? displayed \((\d+) error", text)]
    summary = f"{len(names['OK'])} of {chosen} tests passed"
    if chosen < total:
        summary += f" (1 in {round(total / chosen)} of {total})"
    for kind, count in (("failed", len(names["FAILED"])), ("skipped", len(names["SKIPPED"])), ("not run", chosen - ended)):
        summary += f", {count} {kind}" if count else ""
    if is_sanitized:
        outcome["sanitizer_errors"] = sum(errors)
        warnings = sum(int(n) for n in re.findall(r"RACECHECK SUMMARY: .*?(\d+) warning", text))
        summary += f", {sum(errors)} errors found" + (f", {warnings} warnings" if warnings else "")
    if any(code not in (0, None) for code in codes) or names["FAILED"] or sum(errors):
        outcome["status"] = "failed"
    elif None in codes:
        outcome["status"] = "timed out"
    elif ended < chosen or not names["OK"] or (is_sanitized and not errors):
        outcome["status"] = "failed"  # a program that ends well and ran nothing has checked nothing
        summary += "" if errors or not is_sanitized else "; the sanitizer printed no summary"
    else:
        outcome["status"] = "passed"
    outcome["summary"] = summary
    if outcome["status"] != "passed":
        outcome["messages"] = sorted(names["FAILED"])[:20] + telling_lines(text)
        outcome["log"] = text
    return outcome


def find_pictures():
    """A folder of Fashion-MNIST: beside the bundle, or where tools/setup.sh puts it; else the synthetic set."""
    for folder in (os.environ.get("DUEL_FASHION_MNIST") or "", ROOT / "data", "/usr/share/datasets/fashion-mnist",
                   Path.home() / ".cache/duel/fashion-mnist"):
        if folder and any(Path(folder).glob("*images-idx3-ubyte*")):
            return folder
    return "synthetic"


def data_name(data):
    return "synthetic pictures" if data == "synthetic" else "Fashion-MNIST"


def missing(program):
    return {"status": "missing", "summary": f"no {program}"}


def fault(code, text):
    if code is None:
        return {"status": "timed out", "summary": "killed at its time limit", "log": text}
    ended = f"ended by signal {-code}" if code < 0 else f"exit code {code}"
    return {"status": "failed", "code": code, "summary": f"{ended}: {last_line(text)}", "log": text,
            "messages": telling_lines(text)}


def telling_lines(text):
    """The first lines that say what is wrong."""
    pattern = re.compile(r"^=========.*(Invalid|Error|hazard|Race|at .*\.(cu|cuh))|^==ERROR==|must be|error:|Failure|FAILED:|REQUIRE")
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


def positive(kind):
    def parse(text):
        value = kind(text)
        if value <= 0:
            raise ValueError
        return value

    parse.__name__ = f"positive {kind.__name__}"
    return parse


def add_common_arguments(parser):
    parser.add_argument("--out", type=Path, help="folder of results")
    parser.add_argument("--programs", type=Path, help="folder of a build or a bundle; by default the one around this file")
    parser.add_argument("--tests", default=CUDA_TESTS, help="a GoogleTest filter")
    parser.add_argument("--jobs", type=positive(int), default=max(1, min(8, (os.cpu_count() or 2) // 2)),
                        help="processes that share the GPU while correctness is tested")
    parser.add_argument("--seconds", type=positive(float), help="for all chosen parts together")
    parser.add_argument("--parts", action="store_true", help="list the parts and their time limits, and end")


def make_parser(name, text):
    return argparse.ArgumentParser(prog=name, description=text, formatter_class=argparse.RawDescriptionHelpFormatter)


def out_folder(parser, given, *others):
    """--out, else the first that is set; refused where it is no folder."""
    folder = Path(given or next(filter(None, others))).absolute()
    if folder.exists() and not folder.is_dir():
        parser.error(f"--out: {folder} is no folder")
    return folder
