#!/usr/bin/env python3
"""tools/gpu_check.sh against programs that only pretend: what it says of parts that fail, hang or are missing."""

import json
import os
import re
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent

DESCRIBE = '{"backend": "cuda", "device": "cuda:0 (NVIDIA H100 80GB HBM3)", "gpu": "NVIDIA H100 80GB HBM3, 9.0"}'
BENCH = json.dumps({"bandwidth_gb_per_s": 3000.0, "bandwidth_is": "measured by a copy",
                    "peak_tflop_per_s": {"f32": 66.9, "bf16": 798}, "cases": [
                        {"case": "add/large", "ms": 0.5, "gb_per_s": 2400.0, "tflop_per_s": 0.1, "floor_ms": 0.4,
                         "floor": "bytes", "share_of_floor": 0.8, "queue_bound": False}]})

GOOD_BENCH = f"""
for word in "$@"; do [ "$word" = --describe ] && {{ echo '{DESCRIBE}'; exit 0; }}; done
while [ "$1" != --json ]; do shift; done
echo '{BENCH}' > "$2"
"""
# OFF is what the losses on cuda differ by.
DUEL = """
verb=$1; out=; device=
while [ $# -gt 0 ]; do
  case "$1" in --out) out=$2;; --device) device=$2;; --precision) precision=$2;; --batch) batch=$2;; --steps) steps=$2;; --residency) residency=$2;; esac
  shift
done
if [ $verb = bench ]; then
  echo "{\\"precision\\": \\"$precision\\", \\"batch\\": $batch, \\"ms_median\\": 0.25, \\"ms_min\\": 0.2, \\"ms_max\\": 0.3, \\"floor_ms\\": 0.1, \\"host_busy\\": 0.05, \\"steps_per_launch\\": 8, \\"lanes\\": 2}"
  exit 0
fi
mkdir -p $out/samples $out/checkpoints/step_000000040; echo STATE > $out/checkpoints/step_000000040/state.safetensors
 echo sheet > $out/samples/step_000000100.png; echo raw > $out/samples/step_000000100_raw.png
loss=0.5; [ $device = cuda ] && loss=OFF
for i in $(seq ${steps:-3}); do
  echo "{\\"step\\": $i, \\"seconds\\": 1.5, \\"d_loss\\": $loss, \\"g_loss\\": 0.7}" >> $out/metrics.jsonl
done
"""
DUEL = DUEL.replace("STATE", "bytes of $precision")
GOOD_DUEL = DUEL.replace("OFF", "0.5001")
NO_DEVICE = 'echo "duel_op_bench: cuda: no GPU was found; use --device cpu" >&2; exit 4'

# Four tests, dealt out to the shards as GoogleTest does. WHAT happens to the test c.
TESTS = """
[ "$DUEL_REQUIRE_CUDA" = 1 ] || exit 9
names="cases/OperatorTest.Contract/cuda__a cases/OperatorTest.Contract/cuda__b cases/OperatorTest.Contract/cuda__c x/ContextTest.Y/cuda"
case "$*" in *--gtest_list_tests*) echo cases.; for name in $names; do echo "  $name"; done; exit 0;; esac
i=0; failed=0
for name in $names; do
  if [ $((i % GTEST_TOTAL_SHARDS)) = "$GTEST_SHARD_INDEX" ]; then
    case "$name" in
      *cuda__c) WHAT ;;
      *) echo "[       OK ] $name (1 ms)" ;;
    esac
  fi
  i=$((i + 1))
done
exit $failed
"""
PASSES = 'echo "[       OK ] $name (1 ms)"'
FAILS = 'echo "y[3] is 2, but must be 1"; echo "[  FAILED  ] $name, where GetParam() = c (1 ms)"; failed=1'
HANGS = "sleep 60 & sleep 60"
CRASHES = "kill -SEGV $$"

CLEAN_SANITIZER = """
while [ "${1#--}" != "$1" ]; do shift 2; done
"$@"; code=$?
echo "========= ERROR SUMMARY: 0 errors"; exit $code
"""
COMPLAINING_SANITIZER = """
tool=$2
while [ "${1#--}" != "$1" ]; do shift 2; done
"$@"
if [ $tool = racecheck ]; then
  echo "========= Error: Race reported between Write access at f_kernel+0x10 in reduce.cu:12"
  echo "========= RACECHECK SUMMARY: 1 hazard displayed (1 error, 0 warnings)"; exit 86
fi
echo "========= ERROR SUMMARY: 0 errors"
"""

LATER_PASS = dict.fromkeys(("losses", "replay", "stream", "vendor", "bench", "steps", "train"), "passed")
ALL_PARTS = ("device", "operators", "memcheck", "racecheck", *LATER_PASS)


class GpuCheck(unittest.TestCase):
    def check(self, programs, sanitizer=CLEAN_SANITIZER, arguments=(), seconds=20, environment=(), toolkit=False, out=True):
        """Runs the script beside these programs; returns (exit code, output, {part: result})."""
        self.folder = tempfile.TemporaryDirectory(prefix="gpu check ")
        self.addCleanup(self.folder.cleanup)
        root = Path(self.folder.name)
        for folder in ("bin", "tools", "path"):
            (root / folder).mkdir()
        for name in ("gpu_check.sh", "gpu_check.py", "gpu_parts.py", "gpu_processes.py"):
            (root / "tools" / name).write_text((ROOT / "tools" / name).read_text())
        (root / "commit").write_text("0123456789ab\n")
        for name, text in programs.items():
            self.script(root / "bin" / name, text)
        if sanitizer is not None:
            self.script(root / "path/compute-sanitizer", sanitizer)
        self.out = root / "out"
        if toolkit:
            (root / "nothing/lib64").mkdir(parents=True)
        environment = {**os.environ, "PATH": f"{root / 'path'}:{os.path.dirname(sys.executable)}:/usr/bin:/bin",
                       "CUDA_HOME": str(root / "nothing"), **dict(environment)}
        done = subprocess.run(["bash", str(root / "tools/gpu_check.sh"), *(["--out", str(self.out)] if out else []), "--jobs", "2",
                               "--seconds", str(seconds), *arguments], capture_output=True, text=True, timeout=120,
                              env=environment, cwd=root)
        parts = dict(re.findall(r"^\| (\w+) \| ([\w ]+) \| [\d.]+ \|", done.stdout, re.MULTILINE))
        return done.returncode, done.stdout + done.stderr, parts

    @staticmethod
    def script(path, text):
        path.write_text("#!/bin/bash\n" + text)
        path.chmod(0o755)

    def report(self):
        (file,) = self.out.glob("nvidia-h100/*-0123456789ab.json")
        return json.loads(file.read_text()), file.with_suffix(".md").read_text()

    def test_all_is_well(self):
        code, output, parts = self.check({"duel_tests": TESTS.replace("WHAT", PASSES), "duel_op_bench": GOOD_BENCH, "duel": GOOD_DUEL})
        self.assertEqual(code, 0, output)
        self.assertEqual(parts, dict.fromkeys(ALL_PARTS, "passed"))
        report, text = self.report()
        self.assertEqual(report["parts"][1]["tests"],
                         {"total": 4, "chosen": 4, "passed": 4, "failed": 0, "skipped": 0, "not_run": 0})
        self.assertIn("| add/large | 500.00 | 2400 |", text)
        self.assertIn("80 %", text)
        self.assertIn("| tf32 | 128 | 0.250 | 0.200 | 0.300 | 512000 | 0.100 | 5 % | 8 |", text)
        self.assertAlmostEqual(report["stream"]["ratio"], 1)
        (sheet,) = self.out.glob("*/*-samples.png")
        self.assertEqual(sheet.read_text(), "sheet\n")
        self.assertFalse(list(self.out.glob("*/*.log")), "no log of what passed")

    def test_quick_takes_a_part_under_the_sanitizer_and_says_so(self):
        code, output, _ = self.check({"duel_tests": TESTS.replace("WHAT", PASSES), "duel_op_bench": GOOD_BENCH, "duel": GOOD_DUEL},
                                     arguments=["--quick"])
        self.assertEqual(code, 0, output)
        tested = {part["part"]: part for part in self.report()[0]["parts"] if "tests" in part}
        self.assertEqual({name: part["tests"]["chosen"] for name, part in tested.items()}, {"operators": 4, "memcheck": 2, "racecheck": 2})
        self.assertIn("1 in 2 of 4", tested["memcheck"]["summary"])

    def test_no_device(self):
        code, output, parts = self.check({"duel_tests": "exit 1", "duel_op_bench": NO_DEVICE})
        self.assertEqual(code, 4, output)
        self.assertEqual(parts, dict.fromkeys(ALL_PARTS, "no device"))
        self.assertIn("no GPU was found", output)
        (file,) = self.out.glob("no-device/*.json")
        self.assertEqual(json.loads(file.read_text())["parts"][0]["status"], "no device")
        self.assertFalse((Path(self.folder.name) / "profiling").exists(), "results of nothing")

    def test_a_failure_hides_nothing(self):
        code, output, parts = self.check({"duel_tests": TESTS.replace("WHAT", FAILS), "duel_op_bench": GOOD_BENCH, "duel": GOOD_DUEL})
        self.assertEqual(code, 1, output)
        self.assertEqual(parts, {"device": "passed", "operators": "failed", "memcheck": "failed",
                                 "racecheck": "failed", **LATER_PASS})
        report, text = self.report()
        self.assertEqual(report["parts"][1]["tests"]["passed"], 3)
        self.assertIn("cases/OperatorTest.Contract/cuda__c", text)
        self.assertIn("y[3] is 2, but must be 1", text)
        (log,) = self.out.glob("*/*.log")
        self.assertIn("==== operators", log.read_text())

    def test_a_crash_is_a_failure(self):
        code, output, parts = self.check({"duel_tests": TESTS.replace("WHAT", CRASHES), "duel_op_bench": GOOD_BENCH, "duel": GOOD_DUEL})
        self.assertEqual((code, parts["operators"], parts["bench"]), (1, "failed", "passed"), output)
        self.assertEqual(self.report()[0]["parts"][1]["tests"]["not_run"], 1)

    def test_time_is_limited(self):
        begin = time.monotonic()
        code, output, parts = self.check({"duel_tests": TESTS.replace("WHAT", HANGS), "duel_op_bench": GOOD_BENCH, "duel": GOOD_DUEL},
                                         seconds=9)
        self.assertLess(time.monotonic() - begin, 30)
        self.assertEqual(code, 1, output)
        self.assertEqual(parts, {"device": "passed", "operators": "timed out", "memcheck": "timed out",
                                 "racecheck": "timed out", **LATER_PASS})

    def test_the_sanitizer_finds_something(self):
        code, output, parts = self.check({"duel_tests": TESTS.replace("WHAT", PASSES), "duel_op_bench": GOOD_BENCH, "duel": GOOD_DUEL},
                                         COMPLAINING_SANITIZER)
        self.assertEqual((code, parts["operators"], parts["memcheck"], parts["racecheck"]),
                         (1, "passed", "passed", "failed"), output)
        self.assertIn("reduce.cu:12", self.report()[1])

    def test_the_sanitizer_is_missing(self):
        code, output, parts = self.check({"duel_tests": TESTS.replace("WHAT", PASSES), "duel_op_bench": GOOD_BENCH, "duel": GOOD_DUEL},
                                         sanitizer=None)
        if parts["memcheck"] == "passed" and Path("/usr/local/cuda/bin/compute-sanitizer").exists():
            self.skipTest("this machine has one")
        self.assertEqual((code, parts["operators"], parts["memcheck"], parts["racecheck"], parts["bench"]),
                         (1, "passed", "missing", "missing", "passed"), output)

    def test_a_program_that_runs_no_test_has_checked_nothing(self):
        code, output, parts = self.check({"duel_tests": "exit 0", "duel_op_bench": GOOD_BENCH, "duel": GOOD_DUEL})
        self.assertEqual((code, parts["operators"]), (1, "failed"), output)

    def test_losses_too_far_apart(self):
        code, output, parts = self.check({"duel_tests": TESTS.replace("WHAT", PASSES), "duel_op_bench": GOOD_BENCH,
                                          "duel": DUEL.replace("OFF", "0.502")})
        self.assertEqual((code, parts), (1, {**dict.fromkeys(ALL_PARTS, "passed"), "losses": "failed"}), output)
        self.assertIn("apart by 2.0e-03 in 30 steps", output)

    def test_one_program_that_fails_on_the_device_hides_nothing(self):
        duel = 'case "$*" in *"--residency stream"*) echo "cuda: an illegal memory access" >&2; exit 4;; esac\n' + GOOD_DUEL
        code, output, parts = self.check({"duel_tests": TESTS.replace("WHAT", PASSES), "duel_op_bench": GOOD_BENCH, "duel": duel})
        self.assertEqual((code, parts), (1, {**dict.fromkeys(ALL_PARTS, "passed"), "stream": "failed"}), output)
        self.assertIn("exit code 4: cuda: an illegal memory access", output)

    def test_a_device_that_is_lost(self):
        lost = 'lost=$(dirname "$0")/lost; [ ! -e "$lost" ] || { echo "cuda: no device is detected" >&2; exit 4; }\n'
        duel = lost + 'case "$*" in *--no-graph*) touch "$lost"; exit 4;; esac\n' + GOOD_DUEL
        code, output, parts = self.check({"duel_tests": lost + TESTS.replace("WHAT", PASSES), "duel_op_bench": lost + GOOD_BENCH,
                                          "duel": duel})
        self.assertEqual((code, parts), (1, {**dict.fromkeys(ALL_PARTS, "device lost"), "device": "passed", "operators": "passed",
                                             "replay": "failed"}), output)
        self.assertIn("does not open any more: cuda: no device is detected", output)

    def test_figures_come_before_the_sanitizers(self):
        _, _, parts = self.check({"duel_op_bench": GOOD_BENCH})
        names = list(parts)
        self.assertEqual(names[:3], ["device", "operators", "replay"])
        self.assertLess(max(map(names.index, ("steps", "bench", "vendor"))), names.index("memcheck"))

    def test_the_sanitizer_has_its_own_libraries(self):
        programs = {"duel_tests": 'echo "$LD_LIBRARY_PATH" > "$(dirname "$0")/tests-$#"\n' + TESTS.replace("WHAT", PASSES),
                    "duel_op_bench": GOOD_BENCH, "duel": 'echo "$LD_LIBRARY_PATH" > "$(dirname "$0")/duel-libraries"\n' + GOOD_DUEL}
        sanitizer = 'echo "$LD_LIBRARY_PATH" > "$(dirname "$0")/libraries"\n' + CLEAN_SANITIZER
        self.check(programs, sanitizer, environment={"LD_LIBRARY_PATH": "/given"}, toolkit=True)
        root = Path(self.folder.name)
        self.assertEqual((root / "path/libraries").read_text(), "/given\n")
        self.assertEqual((root / "bin/duel-libraries").read_text(), f"/given:{root}/nothing/lib64\n")

    def test_results_go_to_out(self):
        self.check({"duel_op_bench": GOOD_BENCH}, arguments=["--only", "bench"], out=False,
                   environment={"OUT": "out", "OUT_DIR": "another"})
        self.assertEqual(self.report()[0]["gpu"], "NVIDIA H100 80GB HBM3")

    def test_choices_and_versions_are_kept(self):
        duel = 'mkdir -p "$XDG_CACHE_HOME/duel"; echo "{}" > "$XDG_CACHE_HOME/duel/kernels.json"\n' + GOOD_DUEL
        self.check({"duel_tests": TESTS.replace("WHAT", PASSES), "duel_op_bench": GOOD_BENCH, "duel": duel})
        (file,) = self.out.glob("nvidia-h100/*-0123456789ab-kernels.json")
        self.assertEqual(file.read_text(), "{}\n")
        self.assertEqual(sorted(self.report()[0]["libraries"]), ["cuBLASLt", "cuDNN"])

    def test_other_bytes_are_found(self):
        programs = {"duel_tests": TESTS.replace("WHAT", PASSES), "duel_op_bench": GOOD_BENCH,
                    "duel": GOOD_DUEL.replace("bytes of", "bytes of $residency")}
        code, output, parts = self.check(programs)
        self.assertEqual((code, parts), (1, {**dict.fromkeys(ALL_PARTS, "passed"), "stream": "failed"}), output)
        self.assertIn("other bytes after 40 steps with --precision bf16 --residency stream", output)

    def test_duel_is_missing_or_fails(self):
        programs = {"duel_tests": TESTS.replace("WHAT", PASSES), "duel_op_bench": GOOD_BENCH}
        _, output, parts = self.check(programs)
        self.assertEqual([parts[part] for part in LATER_PASS],
                         ["missing", "missing", "missing", "missing", "passed", "missing", "missing"], output)
        _, output, parts = self.check({**programs, "duel": "echo 'duel: non-finite' >&2; exit 5"})
        self.assertEqual([parts[part] for part in LATER_PASS],
                         ["failed", "failed", "failed", "failed", "passed", "failed", "failed"], output)
        self.assertIn("exit code 5: duel: non-finite", output)

    def test_there_are_no_programs(self):
        code, output, _ = self.check({})
        self.assertEqual(code, 2, output)
        self.assertIn("DUEL_CUDA=ON", output)

    def test_time_in_all(self):
        done = subprocess.run([sys.executable, str(ROOT / "tools/gpu_check.py"), "--parts"], capture_output=True, text=True)
        seconds, quick = map(int, re.search(r"^all +(\d+) s  \(--quick: (\d+) s\)", done.stdout, re.MULTILINE).groups())
        self.assertLess(seconds, 9 * 60)
        self.assertLess(quick, 3 * 60)

    def test_bad_arguments(self):
        for words in (["--jobs", "0"], ["--seconds", "-1"], ["--only", "nothing"], ["--out", __file__]):
            done = subprocess.run([sys.executable, str(ROOT / "tools/gpu_check.py"), *words], capture_output=True, text=True)
            self.assertEqual(done.returncode, 2, words)
            self.assertIn("gpu_check.sh: error: ", done.stderr)

    def test_parts_by_name(self):
        code, output, parts = self.check({"duel_tests": TESTS.replace("WHAT", FAILS), "duel_op_bench": GOOD_BENCH, "duel": GOOD_DUEL},
                                         arguments=["--only", "bench"])
        self.assertEqual((code, parts), (0, {"device": "passed", "bench": "passed"}), output)


if __name__ == "__main__":
    unittest.main()
