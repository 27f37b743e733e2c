#!/usr/bin/env python3
"""tools/first_light.sh against programs that only pretend: whatever fails, hangs, is lost or is full, the rest is measured,
kept and told."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

from gpu_check_test import CLEAN_SANITIZER, DESCRIBE, GOOD_DUEL, PASSES, TESTS

ROOT = Path(__file__).resolve().parent.parent.parent
FILES = ("tools/first_light.sh", "tools/first_light.py", "tools/first_light_tables.py", "tools/gpu_parts.py",
         "tools/gpu_processes.py", "profiling/find_python.py")
PREDICTIONS = {"gpu": "NVIDIA H100 80GB HBM3", "method": "m", "rows": [
    {"id": "step classic bf16", "what": "w", "us": 500}, {"id": "step classic fp32", "what": "w", "us": 100},
    {"id": "operator bf16 matmul bf16[64,100] -> f32[64,128]", "what": "w", "us": 40},
    {"id": "kernel conv2d_forward f32[64,28,28,1]...", "what": "w", "us": 26},
    {"id": "probe copy_gigabytes_per_second", "what": "w", "value": 3000, "unit": "GB/s"}]}
# In every program: said in calls.txt; HERE/lost is a device that is gone, HERE/hang-NAME hangs with a child.
BEFORE = """
here=$(cd "$(dirname "$0")/.." && pwd)
echo "$(basename "$0") $*" >> "$here/calls.txt"
for file in "$here"/hang-*; do
  case "$(basename "$0") $*" in "${file##*/hang-}"*) trap "" TERM; sleep 300 & echo $! > "$here/child"; wait;; esac
done
if [ -e "$here/lost" ]; then echo "cuda: asking for the device: no CUDA-capable device is detected" >&2; exit 4; fi
"""
OP_BENCH = f"echo '{DESCRIBE}'"
PROBE = """echo '{"device": "NVIDIA H100 80GB HBM3", "copy_gigabytes_per_second": 2900, "l2_cg_gigabytes_per_second": 5000,
"l2_ca_gigabytes_per_second": 5100, "bf16_mma_tflops": 610, "node_us": 1.5, "node_overlapped_us": 0.9, "two_lanes_node_us": 1.6,
"handover_us": 0.7}'"""
KERNELS = {"kernels": [{"op": "conv2d_forward", "arrays": "f32[64,28,28,1] f32[32,3,3,1] -> f32[64,28,28,32]", "where": "d_main",
                        "calls": 2, "ms": 0.02, "gb_per_s": 1.0, "tflop_per_s": 2.0, "floor_ms": 0.01}]}
# The same product at two places of the step.
OPERATORS = [{"op": "matmul", "arrays": "bf16[64,100] -> f32[64,128]", "where": where, "calls": 1, "ms": 0.015, "floor_ms": 0.01}
             for where in ("d_main/a", "g_main/b")]
GOOD_DUEL = GOOD_DUEL.replace('{\\"precision', '{\\"operators\\": ' + json.dumps(OPERATORS).replace('"', '\\"') + ', \\"precision')
DUEL = f"""
case "$*" in
  "bench kernels"*) echo "duel: a remark {{}}" >&2; echo '{json.dumps(KERNELS)}'; exit 0;;
  "bench step"*"--kernels ours"*) ;;
  "bench step"*) mkdir -p "$XDG_CACHE_HOME/duel"; echo '{{"format": 1, "devices": {{"gpu": {{"p": {{"kernel": "cuDNN 3"}}}}}}}}' > "$XDG_CACHE_HOME/duel/kernels.json";;
esac
{GOOD_DUEL}"""
NCU = """
echo "==PROF== Connected to process 1"
echo '"ID","Kernel Name","Block Size","Grid Size","Metric Name","Metric Unit","Metric Value"'
for i in $(seq 0 11); do
  echo "step $i/9  D 0.6, G 0.7"
  echo "\\"$i\\",\\"void duel::(anonymous namespace)::kernel_$((i % 7))<(int)2>(float *)\\",\\"(256, 1, 1)\\",\\"(9, 1, 1)\\",\\"gpu__time_duration.sum\\",\\"ns\\",\\"2,500\\""
  echo "\\"$i\\",\\"void duel::(anonymous namespace)::kernel_$((i % 7))<(int)2>(float *)\\",\\"(256, 1, 1)\\",\\"(9, 1, 1)\\",\\"dram__bytes.sum\\",\\"Kbyte\\",\\"1500\\""
done
echo "==PROF== Disconnected"
"""
# A python3 that finds PyTorch, and pretends to run it.
PYTHON = f"""
case "$*" in
  *find_spec*) exit 0;;
  *compare_pytorch.py*) echo '{{"ms_median": 1.9, "versions": {{}}}}'; exit 0;;
esac
exec {sys.executable} "$@"
"""
STAGE_1 = ("device", "probe", "operators", "hashes", "steps", "kernels", "counters", "torch", "auto")
STAGE_2 = ("device 2", "memcheck", "racecheck", "losses", "stream", "compile")
BOTH = (*STAGE_1, *STAGE_2)


class FirstLight(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="first light ")
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        for name in ("bin", "path", "tools", "profiling/predictions"):
            (self.root / name).mkdir(parents=True)
        for name in FILES:
            (self.root / name).write_text((ROOT / name).read_text())
        (self.root / "profiling/predictions/h100.json").write_text(json.dumps(PREDICTIONS))
        (self.root / "profiling/compare_pytorch.py").write_text("")
        (self.root / "commit").write_text("0123456789ab\n")
        for name, text in (("duel", DUEL), ("duel_tests", TESTS.replace("WHAT", PASSES)), ("duel_op_bench", OP_BENCH),
                           ("duel_probe", PROBE)):
            self.script(f"bin/{name}", BEFORE + text)
        for name, text in (("compute-sanitizer", CLEAN_SANITIZER), ("ncu", NCU), ("python3", PYTHON)):
            self.script(f"path/{name}", text)
        self.out = self.root / "out"

    def script(self, name, text):
        (self.root / name).write_text("#!/bin/bash\n" + text)
        (self.root / name).chmod(0o755)

    def command(self, *words, seconds=200):
        return ["bash", str(self.root / "tools/first_light.sh"), "--jobs", "2", "--seconds", str(seconds), *words]

    def environment(self, **more):
        return {**os.environ, "PATH": f"{self.root / 'path'}:/usr/bin:/bin", "CUDA_HOME": str(self.root / "nothing"),
                "OUT": str(self.out), **more}

    def light(self, *words, seconds=200, **options):
        """(exit code, output, {part: status})."""
        done = subprocess.run(self.command(*words, seconds=seconds), capture_output=True, text=True, timeout=100,
                              env=self.environment(), **options)
        return done.returncode, done.stdout + done.stderr, self.statuses()

    def report(self):
        return json.loads((self.out / "first-light.json").read_text())

    def statuses(self):
        return {part["part"]: part["status"] for part in self.report()["parts"]} if self.out.is_dir() else {}

    def calls(self, of):
        return [line for line in (self.root / "calls.txt").read_text().splitlines() if line.startswith(of)]

    def test_all_is_well(self):
        code, output, parts = self.light()
        self.assertEqual((code, parts), (0, dict.fromkeys(BOTH, "passed")), output)
        lines = output.splitlines()
        self.assertLess(output.index("probe handover_us"), output.index("operator bf16 matmul"), "the table may be cut at its end")
        self.assertRegex(output, r"step classic bf16 +500 +250 +0.50 us\n")
        self.assertRegex(output, r"step classic fp32 +100 +250 +2.50 us  off by 2")
        self.assertRegex(output, r"operator bf16 matmul bf16\[64,100\] -> f32\[64,128\] +40.00 +30.00 +0.75 us\n")
        self.assertRegex(output, r"kernel conv2d_forward f32\[64,28,28,1\]\.\.\. +26.00 +20.00 +0.77 us")
        self.assertRegex(output, r"probe copy_gigabytes_per_second +3000 +2900 +0.97 GB/s")
        self.assertRegex(output, r"torch eager bf16 +- +1900 ")
        self.assertIn("one hash", lines)
        self.assertEqual(sorted(path.name for path in self.out.iterdir()),
                         ["first-light.json", "first-light.md", "kernels.json", "ncu.csv", "probe.json"])
        self.assertEqual(json.loads((self.out / "probe.json").read_text())["handover_us"], 0.7)
        report = self.report()
        self.assertEqual(report["seen"]["counters"][6],
                         {"kernel": "duel::kernel_6<(int)2>", "grid": "(9, 1, 1)", "block": "(256, 1, 1)", "us": 2.5, "DRAM MB": 1.5})
        self.assertEqual(len(report["seen"]["counters"]), 7, "one step of 7 launches, of the 12 that were counted")
        text = (self.out / "first-light.md").read_text()
        self.assertIn("| conv2d_forward | f32[64,28,28,1] f32[32,3,3,1] -> f32[64,28,28,32] | 2 | 20.00 |", text)
        self.assertIn("1 by cuDNN", text)
        ours = [call for call in self.calls("duel train") + self.calls("duel bench") if "--kernels ours" in call]
        self.assertEqual(len(ours), 4 + 3 + 1 + 4)

    def test_no_device(self):
        (self.root / "lost").touch()
        code, output, parts = self.light()
        self.assertEqual((code, parts), (4, dict.fromkeys(BOTH, "no device")), output)
        for part in BOTH:
            self.assertRegex(output, rf"first_light: {part} +no device")
        table = output[output.index("NOTHING WAS MEASURED HERE"):]
        self.assertRegex(table, r"step classic bf16 +500 +- ")
        self.assertIn("no CUDA-capable device is detected", table)
        self.assertEqual(len(self.calls("")), 1, "nothing is tried where there is no device")

    def test_a_device_that_is_lost_and_comes_back(self):
        # Gone from the second training on, until it has been looked for three times.
        self.script("bin/duel", BEFORE + f"""
        case "$*" in "train"*"--no-graph --lanes 2"*) touch "$here/lost"; echo "cuda: launching: unspecified launch failure" >&2; exit 4;; esac
        {DUEL}""")
        self.script("bin/duel_op_bench", """
        here=$(cd "$(dirname "$0")/.." && pwd)
        [ ! -e "$here/lost" ] || { echo >> "$here/looks"; [ $(wc -l < "$here/looks") -lt 4 ] || rm "$here/lost"; }
        """ + BEFORE + OP_BENCH)
        code, output, parts = self.light("--stage", "1")
        self.assertEqual((code, parts), (1, {**dict.fromkeys(STAGE_1, "passed"), "hashes": "failed", "steps": "device lost",
                                             "kernels": "device lost"}), output)
        self.assertIn("does not open any more: cuda: asking for the device: no CUDA-capable device", output)
        self.assertIn("unspecified launch failure", (self.out / "first-light.log").read_text())
        self.assertIn("did not pass: hashes, steps, kernels", output)

    def test_one_program_that_fails_on_the_device_hides_nothing(self):
        self.script("bin/duel", BEFORE + f"""
        case "$*" in *"--precision tf32"*) echo "cuda: matmul: an illegal memory access was encountered" >&2; exit 4;; esac
        {DUEL}""")
        code, output, parts = self.light()
        self.assertEqual((code, parts), (1, {**dict.fromkeys(BOTH, "passed"), "steps": "failed"}), output)
        self.assertEqual(sorted(self.report()["seen"]["steps"]), ["bf16", "fp32"])
        self.assertIn("tf32: exit code 4: cuda: matmul: an illegal memory access", output)

    def test_a_part_that_hangs_is_killed_with_its_children(self):
        (self.root / "hang-duel_probe").touch()
        begin = time.monotonic()
        code, output, parts = self.light("--stage", "1", seconds=20)
        self.assertLess(time.monotonic() - begin, 20)
        self.assertEqual((code, parts), (1, {**dict.fromkeys(STAGE_1, "passed"), "probe": "timed out"}), output)
        self.assert_ended((self.root / "child").read_text())

    def assert_ended(self, pid):
        for _ in range(50):
            try:
                state = Path(f"/proc/{int(pid)}/stat").read_text().rpartition(")")[2].split()[0]
            except OSError:
                return
            if state == "Z":  # nobody in this container may be there to bury it
                return
            time.sleep(0.05)
        self.fail(f"process {pid} still runs")

    def test_other_bytes(self):
        self.script("bin/duel", BEFORE + DUEL.replace("bytes of", "bytes of $*").replace("verb=$1;", 'verb=$1; words="$*";')
                    .replace("bytes of $*", "bytes of ${words#*--lanes}"))
        code, output, parts = self.light("--stage", "1")
        self.assertEqual((code, parts), (1, {**dict.fromkeys(STAGE_1, "passed"), "hashes": "failed"}), output)
        self.assertEqual(len(set(self.report()["seen"]["hashes"].values())), 2)
        self.assertIn("THE HASHES DIFFER", output.splitlines())

    def test_a_full_folder_is_said_and_the_table_comes_all_the_same(self):
        self.out.mkdir()
        full = 'mount -t tmpfs -o size=12k none "$OUT" || exit 77; "$@"; code=$?; cp -r "$OUT" "$OUT-seen"; exit $code'
        done = subprocess.run(["unshare", "-rm", "sh", "-c", full, "sh", *self.command()], capture_output=True, text=True,
                              timeout=100, env=self.environment())
        if done.returncode == 77 or "unshare" in done.stderr:
            self.skipTest("no small file system can be made here")
        output = done.stdout + done.stderr
        self.assertEqual(done.returncode, 0, output)
        self.assertEqual(output.count("first-light.json cannot be written: No space left on device; the run goes on"), 1, output)
        self.assertRegex(output, r"step classic bf16 +500 +250 ")
        self.assertRegex(output, r"not written in .*first-light.json")
        seen = self.root / "out-seen"
        json.loads((seen / "first-light.json").read_text())  # as it was when there was room
        self.assertFalse(list(seen.glob("*.part")))

    def test_a_file_that_cannot_be_written_leaves_the_one_before(self):
        sys.path.insert(0, str(ROOT / "tools"))
        from gpu_processes import ResultFolder
        said = []
        folder = ResultFolder(self.root / "x", said.append)
        self.assertTrue(folder.write("a", "first"))
        for _ in range(2):
            (self.root / "x/a.part").symlink_to("/dev/full")
            self.assertFalse(folder.write("a", "second"))
        self.assertEqual((folder.read("a"), list(folder.faults), len(said)), ("first", ["a"], 1))
        self.assertIn("No space left on device", said[0])
        self.assertTrue(folder.write("a", b"third"))
        self.assertEqual((folder.read("a"), folder.faults), ("third", {}))
        self.assertFalse(ResultFolder(__file__, said.append).write("a", ""))
        self.assertIn("Not a directory", said[1].replace("File exists", "Not a directory"))

    def test_the_second_start_keeps_what_the_first_one_saw(self):
        self.script("bin/duel_probe", "echo broken >&2; exit 1")
        code, output, _ = self.light("--stage", "1")
        self.assertEqual(code, 1, output)
        self.script("bin/duel_probe", BEFORE + PROBE)
        before = len(self.calls("duel train"))
        code, output, parts = self.light("--stage", "1")
        self.assertEqual((code, parts), (0, dict.fromkeys(STAGE_1, "passed")), output)
        self.assertEqual((len(self.calls("duel train")), len(self.calls("duel_probe"))), (before, 1))
        self.assertIn("kept: ", output)
        self.assertFalse((self.out / "first-light.log").exists() and "broken" in (self.out / "first-light.log").read_text())
        code, output, parts = self.light("--stage", "2")
        self.assertEqual((code, parts), (0, dict.fromkeys(BOTH, "passed")), output)
        self.assertRegex(output, r"step classic bf16 +500 +250 ")
        self.assertEqual(len(self.calls("duel bench kernels")), 1)
        self.light("--stage", "1", "--again")
        self.assertEqual(len(self.calls("duel bench kernels")), 2)
        self.assertEqual(self.statuses(), dict.fromkeys(BOTH, "passed"), "of stage 2 nothing is lost")

    def test_results_that_lie_elsewhere(self):
        self.light("--stage", "1")
        self.out.rename(self.root / "before")
        code, output, parts = self.light("--stage", "2", "--earlier", str(self.root / "before"))
        self.assertEqual((code, parts), (0, dict.fromkeys(BOTH, "passed")), output)
        self.assertTrue((self.out / "kernels.json").exists())

    def test_results_are_kept_where_the_device_is_gone(self):
        self.light("--stage", "1")
        (self.root / "lost").touch()
        code, output, parts = self.light()
        self.assertEqual((code, parts), (4, {**dict.fromkeys(BOTH, "no device"), **dict.fromkeys(STAGE_1[1:], "passed")}), output)
        self.assertRegex(output, r"step classic bf16 +500 +250 ")

    def test_results_of_another_commit_or_gpu_are_no_results(self):
        self.light("--stage", "1")
        (self.root / "commit").write_text("abcdef\n")
        self.light("--stage", "1")
        self.assertEqual(len(self.calls("duel bench kernels")), 2)
        self.assertEqual(json.loads((self.out / "0123456789ab/first-light.json").read_text())["commit"], "0123456789ab")
        self.script("bin/duel_op_bench", BEFORE + OP_BENCH.replace("H100", "H200"))
        _, output, _ = self.light("--stage", "1")
        self.assertEqual(len(self.calls("duel bench kernels")), 3, output)

    def test_a_file_that_is_no_result(self):
        for text in ("{", "[]", '{"format": 1, "commit": "0123456789ab"}'):
            self.out.mkdir(exist_ok=True)
            (self.out / "first-light.json").write_text(text)
            code, output, parts = self.light("--stage", "2")
            self.assertEqual((code, parts), (0, dict.fromkeys(STAGE_2, "passed")), output)

    def test_killed_in_the_middle(self):
        for number in (signal.SIGTERM, signal.SIGKILL):
            (self.root / "hang-duel bench kernels").touch()
            (self.root / "child").unlink(missing_ok=True)
            run = subprocess.Popen(self.command("--stage", "1", seconds=100), env=self.environment(), stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, text=True)
            while not (self.root / "child").exists():
                self.assertIsNone(run.poll())
                time.sleep(0.05)
            run.send_signal(number)
            output = run.communicate(timeout=30)[0]
            if number == signal.SIGTERM:
                self.assertEqual((run.returncode, self.statuses()["kernels"]), (128 + number, "stopped"), output)
                self.assertRegex(output, r"step classic bf16 +500 +250 ")
                self.assert_ended((self.root / "child").read_text())
            else:
                os.kill(int((self.root / "child").read_text()), signal.SIGKILL)
            self.assertEqual(self.report()["parts"][4]["status"], "passed")
            (self.root / "hang-duel bench kernels").unlink()
            before = len(self.calls("duel train"))
            code, output, parts = self.light("--stage", "1")
            self.assertEqual((code, parts), (0, dict.fromkeys(STAGE_1, "passed")), output)
            self.assertEqual(len(self.calls("duel train")), before, "the trainings are kept")
            for path in self.out.iterdir():
                path.unlink()

    def test_what_is_no_part_of_duel_may_be_absent(self):
        self.script("path/python3", PYTHON.replace("1.9", "0").replace('"ms_median": 0,', '"error": "PyTorch sees no GPU",'))
        (self.root / "path/ncu").unlink()
        code, output, parts = self.light("--stage", "1")
        if parts["counters"] == "passed":
            self.skipTest("this machine has an ncu")
        self.assertEqual((code, parts["torch"], parts["counters"]), (0, "left out", "left out"), output)
        self.assertIn("PyTorch sees no GPU", output)

    def test_counters_leave_the_clocks_alone(self):
        self.script("path/ncu", 'echo "$*" > "$(dirname "$0")/words"; exit 3')
        _, output, parts = self.light("--stage", "1")
        self.assertEqual(parts["counters"], "failed", output)
        self.assertIn("--clock-control none", (self.root / "path/words").read_text())

    def test_a_program_that_prints_anything_costs_its_own_part(self):
        self.script("bin/duel", BEFORE + 'case "$*" in "bench step"*) echo \'{"ms_median": 0.3, "operators": [{"op": 3}]}\';; *) echo hm;; esac')
        self.script("bin/duel_probe", BEFORE + 'echo \'{"device": "x"}\'')
        code, output, parts = self.light("--stage", "1")
        self.assertEqual((code, parts["probe"], parts["hashes"], parts["kernels"], parts["torch"]),
                         (1, "failed", "failed", "failed", "passed"), output)
        self.assertTrue((self.out / "first-light.md").exists())

    def test_the_stages_fit_their_commands(self):
        done = subprocess.run(self.command("--parts"), capture_output=True, text=True, env=self.environment())
        sums = {int(stage): (int(seconds), int(limit))
                for stage, seconds, limit in re.findall(r"^stage (\d)  all +(\d+) s  of (\d+)$", done.stdout, re.MULTILINE)}
        self.assertEqual({stage: limit for stage, (_, limit) in sums.items()}, {1: 270, 2: 300})
        self.assertTrue(all(seconds + 10 <= limit for seconds, limit in sums.values()), sums)

    def test_bad_arguments(self):
        for words in (["--stage", "3"], ["--seconds", "0"], ["--out", __file__]):
            done = subprocess.run(self.command(*words), capture_output=True, text=True, env=self.environment())
            self.assertEqual(done.returncode, 2, words)
        for name in ("duel", "duel_tests", "duel_op_bench", "duel_probe"):
            (self.root / "bin" / name).unlink()
        done = subprocess.run(self.command(), capture_output=True, text=True, env=self.environment())
        self.assertEqual((done.returncode, "gpu_bundle.sh" in done.stdout), (2, True), done.stdout)


if __name__ == "__main__":
    unittest.main()
