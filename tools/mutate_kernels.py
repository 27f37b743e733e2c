#!/usr/bin/env python3
"""Mutation test of the CUDA kernels: are the operator cases, run under the emulator, able to tell a wrong kernel?

Each mutant is the tree with one small change in one place of kernels/cuda: a barrier deleted, `<` made `<=`, an index
one further, a mask short of a lane, `&&` made `||`. Only the sources that the change reaches are compiled, the emulated
test program is linked anew, and the cases of their operators run: in the plain build first, and where they all pass,
under AddressSanitizer and UBSan. A mutant that passes both survives: either the cases are too weak, or the change makes
no difference. Which ones make none, or one that the emulator cannot notice, and why, stands in
tests/emulator/mutants.json; a survivor that is not listed there makes the script fail.

    tools/mutate_kernels.py [--files reduce.cu gather.cu] [--limit 120] [--jobs 2] [--seed 1]
    tools/mutate_kernels.py --list            # name the chosen mutants, build nothing
    tools/mutate_kernels.py --self-test       # the catalogue itself, on a small source

The choice is the same each time: places are ordered by a hash of seed, file, line of code and change, so that an edit
elsewhere in the file moves nothing. Not part of CI: a mutant takes 5 to 60 seconds.
"""

import argparse
import concurrent.futures
import hashlib
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KERNELS = "kernels/cuda"
EQUIVALENTS = ROOT / "tests/emulator/mutants.json"
PROGRAM = "duel_emulated_tests"

# (what it is called, what is found, what comes in its place). clang-format sees to it that binary operators stand
# between blanks and that template brackets do not.
CATALOGUE = (
    ("barrier deleted", r"\b(?:__syncthreads|__syncwarp|sync_block|sync_warp|copy_commit)\(\);", ";"),
    ("wait deleted", r"\bcopy_wait<[^;>]*>\(\);", ";"),
    ("wait one group short", r"\bcopy_wait<([^;>]*)>\(\);", r"copy_wait<\1 + 1>();"),
    ("< to <=", r" < ", " <= "),
    ("<= to <", r" <= ", " < "),
    ("> to >=", r" > ", " >= "),
    (">= to >", r" >= ", " > "),
    ("== to !=", r" == ", " != "),
    ("!= to ==", r" != ", " == "),
    ("&& to ||", r" && ", " || "),
    ("|| to &&", r" \|\| ", " && "),
    ("+ to -", r"(?<=[\w\])]) \+ ", " - "),
    ("- to +", r"(?<=[\w\])]) - ", " + "),
    ("* to +", r"(?<=[\w\])]) \* (?=[\w(])", " + "),
    ("/ to *", r"(?<=[\w\])]) / ", " * "),
    ("% to /", r"(?<=[\w\])]) % ", " / "),
    (">> to <<", r" >> ", " << "),
    ("<< to >>", r" << ", " >> "),
    ("& to |", r"(?<=[\w\])]) & (?=[\w(])", " | "),
    ("^ to &", r" \^ ", " & "),
    ("+= to =", r"(?<!; [a-z]) \+= ", " = "),  # not in a loop's head: it would only be waited for
    ("+= to -=", r" \+= ", " -= "),
    ("stride doubled", r"\b(\w+) \+= (\w*(?:[sS]tride|Threads|gridDim\.\w|blockDim\.\w)\w*)", r"\1 += 2 * \2"),
    ("index + 1", r"(?<=[\w\])])\[([^\[\]&]+)\]", r"[\1 + 1]"),
    ("thread + 1", r"\bthreadIdx\.([xyz])", r"(threadIdx.\1 + 1)"),
    ("block + 1", r"\bblockIdx\.([xyz])", r"(blockIdx.\1 + 1)"),
    ("mask without a lane", r"\b0xFFFFFFFFU?\b|\b0xffffffffu?\b|\bkWholeWarp\b|\bkAllLanes\b", "0x7FFFFFFFU"),
    ("0 to 1", r"(?<=[=:?,({] )0(?:\.0?F?)?(?=[;,:)} ])|(?<=[{(])0\.0F(?=[,)}])", "1"),
    ("1 to 0", r"(?<=[=:?,({] )1(?:\.0?F?)?(?=[;,:)} ])|(?<=[{(])1\.0F(?=[,)}])", "0"),
    ("number + 1", r"(?<=[-+*/%&<>] )(\d+)\b(?![.\w])", r"(\1 + 1)"),
    ("true to false", r"\btrue\b", "false"),
    ("false to true", r"\bfalse\b", "true"),
    ("min to max", r"\b(f?)min(f?)\(", r"\1max\2("),
    ("max to min", r"\b(f?)max(f?)\(", r"\1min\2("),
    ("condition negated", r"\bif \(([^()]*(?:\([^()]*\)[^()]*)*)\) \{", r"if (!(\1)) {"),
    ("break deleted", r"\bbreak;", ";"),
    ("continue deleted", r"\bcontinue;", ";"),
)
# Changes of a barrier and of a bound are what the emulator is for: they come first where not all can be taken.
FIRST = {"barrier deleted", "wait deleted", "wait one group short", "mask without a lane", "< to <=", "&& to ||"}

COMMENT_OR_STRING = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\'', re.DOTALL)
PREPROCESSOR = re.compile(r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", re.MULTILINE)
# A larger shared array, or a bound that the compiler checks, is no other program.
DECLARATION = re.compile(r"\b(?:static_assert|DUEL_SHARED|DUEL_SHARED_ALIGNED)\([^;]*;")
# Code that runs on the device: bodies behind these words.
DEVICE_FUNCTION = re.compile(r"\b__(?:global|device)__\b")
OPERATOR = re.compile(r"^void (\w+?)(?:_ours|_few_channels|(_grouped))?\((?:\w+::)*CudaContext&", re.MULTILINE)
NO_OPERATORS = {"spread_groups"}  # functions of that form for others to call
# Operators that run another one's kernel, whose own file does not name them.
ALSO = {"conv2d_backward_weight": "conv2d_bias_act_backward"}
INCLUDE = re.compile(r'^\s*#\s*include\s+"(kernels/cuda/[^"]+)"', re.MULTILINE)


@dataclass(frozen=True)
class Mutant:
    file: str       # from the root
    line: int
    code: str       # the line as it is
    change: str     # of the catalogue
    column: int     # in `code`
    begin: int
    end: int
    new: str

    @property
    def name(self):
        return f"{self.file}:{self.line}: {self.change}: {self.code}  ->  {self.mutated_line}"

    @property
    def mutated_line(self):
        return (self.code[: self.column] + self.new + self.code[self.column + self.end - self.begin :]).strip()

    def key(self):
        return (self.file, self.code, self.change, self.mutated_line)


def blank(pattern, text):
    return pattern.sub(lambda match: re.sub(r"[^\n]", " ", match.group()), text)


def device_code(text):
    """The text with everything blanked that is not the body of a device function; every place stays where it is."""
    text = blank(DECLARATION, blank(PREPROCESSOR, blank(COMMENT_OR_STRING, text)))
    keep = bytearray(len(text))
    for word in DEVICE_FUNCTION.finditer(text):
        # The body is the first brace that is not within parentheses; a semicolon before it: only declared.
        depth, at = 0, word.end()
        while at < len(text) and not (depth == 0 and text[at] in "{;"):
            depth += {"(": 1, ")": -1}.get(text[at], 0)
            at += 1
        if at == len(text) or text[at] == ";":
            continue
        begin, depth = at, 0
        while at < len(text):
            depth += {"{": 1, "}": -1}.get(text[at], 0)
            at += 1
            if depth == 0:
                break
        keep[begin:at] = b"\1" * (at - begin)
    return "".join(c if keep[i] or c == "\n" else " " for i, c in enumerate(text))


def mutants_of(path, text):
    code = device_code(text)
    found = {}
    for change, pattern, new in CATALOGUE:
        for match in re.finditer(pattern, code):
            line_begin = text.rfind("\n", 0, match.start()) + 1
            line_end = text.find("\n", match.start())
            if match.end() > line_end:
                continue
            mutant = Mutant(path, text.count("\n", 0, match.start()) + 1, text[line_begin:line_end], change,
                            match.start() - line_begin, match.start(), match.end(), match.expand(new))
            changed = text[: mutant.begin] + mutant.new + text[mutant.end :]
            found.setdefault(changed, mutant)
    return list(found.values())


def choose(mutants, limit, seed):
    """The same ones each time; every file and every change of the catalogue gets its turn."""

    def rank(mutant):
        return hashlib.sha256(repr((seed, mutant.key(), mutant.column)).encode()).hexdigest()

    lines = {}
    for mutant in sorted(mutants, key=rank):
        queue = lines.setdefault(mutant.file, {})
        queue.setdefault(mutant.change, []).append(mutant)
    # Within a file: one of each change in turn, the changes of FIRST twice as often. Among files: in turn, so that a
    # small file is tested whole before a large one takes what is left.
    queues = []
    for file in sorted(lines):
        queue, changes = [], lines[file]
        while any(changes.values()):
            for change in sorted(changes, key=lambda c: (c not in FIRST, c)):
                queue += [changes[change].pop(0) for _ in range(2 if change in FIRST else 1) if changes[change]]
        queues.append(queue)
    chosen = []
    while any(queues) and len(chosen) < limit:
        for queue in queues:
            if queue and len(chosen) < limit:
                chosen.append(queue.pop(0))
    return sorted(chosen, key=lambda m: (m.file, m.begin, m.change))


# ---- building and running


def run(command, timeout, **more):
    """(exit code, or None where it took too long; what it printed)."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                          start_new_session=True, **more) as process:
        try:
            output, _ = process.communicate(timeout=timeout)
            return process.returncode, output
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output, _ = process.communicate()
            return None, output


class Build:
    """One configured build of the emulated tests, whose objects a mutant's are put in the place of."""

    def __init__(self, name, folder, options, jobs):
        self.name, self.folder = name, folder
        configure = ["cmake", "-S", str(ROOT), "-B", str(folder), "-G", "Ninja", "-DDUEL_CUDA=OFF", *options]
        for command in (configure, ["ninja", "-C", str(folder), f"-j{jobs}", PROGRAM]):
            code, output = run(command, 7200)
            if code != 0:
                sys.exit(f"mutate: the {name} build failed: {shlex.join(command)}\n{output[-3000:]}")
        entries = json.loads((folder / "compile_commands.json").read_text())
        self.compile = {}  # .cu from the root -> (words of the command, object)
        for entry in entries:
            file = os.path.relpath(entry["file"], ROOT)
            if file.startswith(KERNELS) and file.endswith(".cu"):
                words = [word for word in shlex.split(entry["command"]) if Path(word).name != "ccache"]
                self.compile[file] = (words, words[words.index("-o") + 1])
        commands = subprocess.run(["ninja", "-C", str(folder), "-t", "commands", PROGRAM], capture_output=True,
                                  text=True, check=True).stdout.splitlines()
        link = next(part for part in commands[-1].split(" && ") if f" -o " in part and PROGRAM in part)
        self.link = shlex.split(link)
        self.program = self.link[self.link.index("-o") + 1]

    def make(self, overlay, sources):
        """Compiles `sources` with the headers of `overlay` before the tree's; returns (program or None, messages)."""
        objects = {}
        for source in sources:
            words, made = self.compile[source]
            new = overlay / (self.name + "-" + Path(source).name + ".o")
            path = overlay / source
            words = [words[0], f"-I{overlay}", *words[1:]]
            words[words.index("-o") + 1] = str(new)
            words = [str(path if path.exists() else ROOT / source) if word.endswith(source) else word for word in words]
            code, output = run(words, 900, cwd=self.folder)
            if code != 0:
                return None, output
            objects[made] = str(new)
        program = overlay / (self.name + "-tests")
        words = [objects.get(word, word) for word in self.link]
        words[words.index("-o") + 1] = str(program)
        code, output = run(words, 300, cwd=self.folder)
        return (program, "") if code == 0 else (None, output)


def test(program, tests, timeout):
    environment = {**os.environ, "OMP_WAIT_POLICY": "passive", "OMP_NUM_THREADS": "1"}
    return run([str(program), "--gtest_brief=1", "--gtest_fail_fast", f"--gtest_filter={tests}"], timeout,
               env=environment)


def what_killed(code, output, build):
    if code is None:
        return "time"
    if re.search(r"ERROR: AddressSanitizer|runtime error:", output):
        return "sanitizer"
    if re.search(r"\bemulat\w*: |\bemu: |divergent|deadlock|warp divergence", output):
        return "emulator"
    if code < 0:
        return "crash"
    return "result" if build == "plain" else "result, sanitized build"


class Bench:
    def __init__(self, work, jobs, compiler, sanitized):
        options = [f"-DCMAKE_CXX_COMPILER={compiler}"] if compiler else []
        self.work = work
        self.builds = [
            Build("plain", work / "plain", [*options, "-DCMAKE_BUILD_TYPE=Release"], jobs),
        ]
        if sanitized:
            self.builds.append(Build("sanitize", work / "sanitize",
                                     [*options, "-DCMAKE_BUILD_TYPE=RelWithDebInfo", "-DDUEL_SANITIZE=ON",
                                      "-DDUEL_EMULATED_TESTS=ON"], jobs))
        self.sources = {file: (ROOT / file).read_text() for file in self.builds[0].compile}
        self.lock, self.limits = threading.Lock(), {}

    def includes(self, file, seen=None):
        seen = set() if seen is None else seen
        for header in INCLUDE.findall((ROOT / file).read_text()):
            if header not in seen and (ROOT / header).exists():
                seen.add(header)
                self.includes(header, seen)
        return seen

    def sources_of(self, file):
        if file.endswith(".cu"):
            return [file]
        plain = self.builds[0]
        return sorted((source for source in self.sources if file in self.includes(source)),
                      key=lambda source: (plain.folder / plain.compile[source][1]).stat().st_size)

    def tests_of(self, sources):
        found = {op for source in sources for op in OPERATOR.findall(self.sources[source]) if op[0] not in NO_OPERATORS}
        names = sorted(name for name, grouped in found if not grouped)
        names += sorted({ALSO[name] for name in names if name in ALSO} - set(names))
        tests = [f"*OperatorTest.Contract/*__{name}__*" for name in names]
        tests += sorted(f"*OperatorTest.Contract/*__{name}__*groups*" for name, grouped in found if grouped and name not in names)
        return ":".join(tests + ["*GatherTest*"] * ("gather_rows" in names))

    def limit(self, build, tests):
        """Five times what the unchanged program takes. It has to pass, or nothing can be said."""
        with self.lock:
            if (build.name, tests) not in self.limits:
                begin = time.monotonic()
                code, output = test(build.folder / build.program, tests, 1800)
                if code != 0:
                    sys.exit(f"mutate: the tests fail without any change ({build.name}, {tests}):\n{output[-2000:]}")
                if re.search(r"PASSED\s*\] 0 tests", output):
                    sys.exit(f"mutate: no case is called {tests}, so every mutant would survive")
                self.limits[build.name, tests] = 10 + 5 * (time.monotonic() - begin)
            return self.limits[build.name, tests]

    def verdict(self, number, mutant):
        """("killed" or "stillborn" or "survived", by what)."""
        overlay = self.work / f"mutant-{number}"
        changed = overlay / mutant.file
        changed.parent.mkdir(parents=True, exist_ok=True)
        text = (ROOT / mutant.file).read_text()
        changed.write_text(text[: mutant.begin] + mutant.new + text[mutant.end :])
        sources = self.sources_of(mutant.file)
        tests = self.tests_of(sources)
        try:
            if not tests:
                return "survived", "no operator"
            # A header's mutant mostly shows in the source that is compiled fastest; the others are for those that do not.
            turns = [sources[:1], sources] if len(sources) > 1 and self.tests_of(sources[:1]) else [sources]
            for build, changed_sources in [(build, turn) for build in self.builds for turn in turns]:
                reached = self.tests_of(changed_sources)
                limit = self.limit(build, reached)
                program, messages = build.make(overlay, changed_sources)
                if program is None:
                    return "stillborn", messages.strip().splitlines()[0][:200] if messages.strip() else "link"
                code, output = test(program, reached, limit)
                if code != 0:
                    return "killed", what_killed(code, output, build.name)
            return "survived", ""
        finally:
            for path in sorted(overlay.rglob("*"), reverse=True):
                path.rmdir() if path.is_dir() else path.unlink()
            overlay.rmdir()


def known_equivalents():
    if not EQUIVALENTS.exists():
        return {}
    lists = json.loads(EQUIVALENTS.read_text())
    return {key_of(entry): (kind, entry["because"]) for kind in ("equivalent", "unseen") for entry in lists[kind]}


def row_of(mutant, verdict, by):
    return {"file": mutant.file, "line": mutant.line, "code": mutant.code.strip(), "change": mutant.change,
            "becomes": mutant.mutated_line, "verdict": verdict, "by": by}


def key_of(row):
    return (row["file"], row["code"], row["change"], row["becomes"])


COLUMNS = ("result", "emulator", "crash", "time", "sanitizer", "result, sanitized build", "equivalent", "unseen",
           "survived", "stillborn")


def table(rows, known):
    """Markdown: what became of the mutants of each file."""
    counts, files = Counter(), {}
    for row in rows:
        what = row["by"] if row["verdict"] == "killed" else row["verdict"]
        if what == "survived" and key_of(row) in known:
            what = known[key_of(row)][0]
        for counter in (counts, files.setdefault(row["file"], Counter())):
            counter[what] += 1
    yield "| file | mutants | " + " | ".join(COLUMNS) + " |"
    yield "|---|" + "---|" * (len(COLUMNS) + 1)
    for file, row in [*sorted(files.items()), ("all", counts)]:
        yield f"| {file} | {sum(row.values())} | " + " | ".join(str(row[c] or "") for c in COLUMNS) + " |"


MARKDOWN_HEAD = """# Mutants of the CUDA kernels, and what noticed them

`tools/mutate_kernels.py` changes one place of a kernel, and the operator cases run under the emulator. A column says what
noticed the change: a wrong result, an error of the emulator, a crash, no end, a sanitizer; "stillborn" did not compile.
An equivalent mutant computes what the kernel computes; one that is unseen is wrong, in a way that the emulator cannot
notice. `mutants.json` lists both with the reasons.
"""


def markdown(rows, known):
    yield from MARKDOWN_HEAD.splitlines()
    yield ""
    yield from table(rows, known)
    yield from ("", "## Those that passed", "", "| place | change | | why |", "|---|---|---|---|")
    for row in rows:
        if row["verdict"] == "survived":
            code = "`" + row["code"].split("  //")[0].replace("|", "\\|") + "`"
            kind, why = known.get(key_of(row), ("survived", "not explained"))
            yield f"| {row['file'].removeprefix(KERNELS + '/')}: {code} | {row['change']} | {kind} | {why} |"


SELF_TEST_SOURCE = '''#include "a.h"  // i < 3
static_assert(2 < 3);
int host(int i) { return i < 3 ? 0 : 1; }
__device__ int declared(int i);
__global__ void __launch_bounds__(32) f_kernel(const float* x,  // [n] a < b
                                               float* y, int n) {
  const int i = blockIdx.x * 32 + threadIdx.x;
  __syncthreads();
  y[i] = i < n ? x[i] : 0.0F;
  say("i < n");
}
'''


def self_test():
    mutants = mutants_of("kernels/cuda/f.cu", SELF_TEST_SOURCE)
    lines = {m.line for m in mutants}
    changed = {(m.line, m.change): m.mutated_line for m in mutants}
    wanted = {
        (7, "thread + 1"): "const int i = blockIdx.x * 32 + (threadIdx.x + 1);",
        (7, "* to +"): "const int i = blockIdx.x + 32 + threadIdx.x;",
        (8, "barrier deleted"): ";",
        (9, "< to <="): "y[i] = i <= n ? x[i] : 0.0F;",
        (9, "0 to 1"): "y[i] = i < n ? x[i] : 1;",
    }
    faults = [f"{key}: expected {line!r}, found {changed.get(key)!r}" for key, line in wanted.items()
              if changed.get(key) != line]
    if not lines <= {7, 8, 9}:
        faults.append(f"changes outside of device code: lines {sorted(lines)}")
    if choose(mutants, 5, 1) != choose(list(reversed(mutants)), 5, 1) or len(choose(mutants, 5, 1)) != 5:
        faults.append("the choice depends on the order")
    for fault in faults:
        print(fault)
    print(f"mutate: self-test: {len(mutants)} mutants, {len(faults)} faults")
    return 1 if faults else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", nargs="*", default=[], help="names of files in kernels/cuda; all by default")
    parser.add_argument("--limit", type=int, default=120, help="mutants in all")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--line", type=int, help="only mutants of this line (with one file)")
    parser.add_argument("--change", help="only mutants of this change")
    parser.add_argument("--plain", action="store_true", help="without the build with sanitizers: what survives, may not there")
    parser.add_argument("--compiler", default="", help="the C++ compiler; CMake's choice by default")
    parser.add_argument("--work", type=Path, default=ROOT / "build-mutants", help="folder of the two builds")
    parser.add_argument("--json", type=Path, help="write every verdict to this file, and take those that it has as given")
    parser.add_argument("--markdown", type=Path, help="write the table to this file")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--self-test", action="store_true")
    arguments = parser.parse_args()
    if arguments.self_test:
        return self_test()

    mutants = []
    for path in sorted((ROOT / KERNELS).iterdir()):
        # instructions.cuh and platform.cuh are what the emulator puts its own in the place of.
        if path.suffix not in (".cu", ".cuh") or path.name in ("instructions.cuh", "platform.cuh"):
            continue
        if not arguments.files or path.name in {Path(file).name for file in arguments.files}:
            mutants += mutants_of(f"{KERNELS}/{path.name}", path.read_text())
    if arguments.line:
        mutants = [m for m in mutants if m.line == arguments.line]
    if arguments.change:
        mutants = [m for m in mutants if m.change == arguments.change]
    chosen = choose(mutants, arguments.limit, arguments.seed)
    if arguments.list:
        for mutant in chosen:
            print(mutant.name)
        print(f"mutate: {len(chosen)} chosen of {len(mutants)}")
        return 0
    if not chosen:
        print("mutate: there is nothing to change", file=sys.stderr)
        return 2

    rows = json.loads(arguments.json.read_text()) if arguments.json and arguments.json.exists() else []
    given = {key_of(row) for row in rows}
    pending = [mutant for mutant in chosen if key_of(row_of(mutant, "", "")) not in given]
    if pending:
        bench = Bench(arguments.work, arguments.jobs, arguments.compiler, not arguments.plain)
        with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
            futures = {pool.submit(bench.verdict, i, mutant): mutant for i, mutant in enumerate(pending)}
            for number, future in enumerate(concurrent.futures.as_completed(futures), 1):
                verdict, by = future.result()
                rows.append(row_of(futures[future], verdict, by))
                print(f"{number}/{len(pending)} {verdict}{' by ' + by if by else ''}: {futures[future].name}", flush=True)
                if arguments.json:
                    arguments.json.write_text(json.dumps(rows, indent=1) + "\n")
    known = known_equivalents()
    rows.sort(key=lambda row: (row["file"], row["line"], row["change"]))
    print("\n" + "\n".join(table(rows, known)))
    if arguments.markdown:
        arguments.markdown.write_text("\n".join(markdown(rows, known)) + "\n")
    unknown = [row for row in rows if row["verdict"] == "survived" and key_of(row) not in known]
    for row in unknown:
        print(f"SURVIVED {row['file']}:{row['line']}: {row['change']}: {row['code']}  ->  {row['becomes']}")
    return 1 if unknown else 0


if __name__ == "__main__":
    sys.exit(main())
