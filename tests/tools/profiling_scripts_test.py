#!/usr/bin/env python3
"""profiling/ncu.sh and compare.sh with programs that only pretend: what they are called with."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

PROFILING = Path(__file__).resolve().parent.parent.parent / "profiling"
STEP = """echo '{"ms_median": 2.0, "ms_min": 1.9, "device": "d", "cpu": "c", "versions": {}, "environment": {}}'"""


class ProfilingScripts(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="profiling scripts ")
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        (self.root / "path").mkdir()

    def script(self, name, text):
        """One that writes its words to NAME.words first."""
        path = self.root / name
        path.write_text(f'#!/bin/bash\necho "$*" >> "{path}.words"\n{text}\n')
        path.chmod(0o755)
        return path

    def words(self, name):
        path = self.root / f"{name}.words"
        return path.read_text() if path.exists() else ""

    def run_script(self, *words, **environment):
        done = subprocess.run(["bash", *map(str, words)], capture_output=True, text=True, timeout=60, env={
            "PATH": f"{self.root / 'path'}:/usr/bin:/bin", "HOME": str(self.root), **environment})
        return done.returncode, done.stdout + done.stderr

    def test_ncu_leaves_the_clocks_alone(self):
        self.script("path/ncu", "")
        code, output = self.run_script(PROFILING / "ncu.sh", "add/large", self.root / "out", OP_BENCH=str(self.script("bench", "")))
        self.assertEqual(code, 0, output)
        self.assertIn("--clock-control none", self.words("path/ncu"))

    # Debian's python3 may have PyTorch too: that of the virtual environment, which is first on the PATH, is what counts.
    def compare(self, python, *words, **environment):
        self.script("path/python3", python)
        duel = self.script("duel", f"[ $1 != info ] || {{ echo {{}}; exit; }}\n{STEP}")
        code, output = self.run_script(PROFILING / "compare.sh", "--duel", duel, "--device", "cpu", "--rounds", "1", "--cases",
                                       "classic-fp32", "--peers", "torch eager", *words, **environment)
        self.assertEqual(code, 0, output)
        return output

    ENVIRONMENT_WITH_TORCH = f"""case "$*" in
      *find_spec*) exit 0;;
      *compare_pytorch.py*) {STEP};;
      *) exec {sys.executable} "$@";;
    esac"""

    def test_compare_takes_the_python_that_has_the_package(self):
        output = self.compare(self.ENVIRONMENT_WITH_TORCH)
        self.assertIn("compare_pytorch.py --variant eager", self.words("path/python3"))
        self.assertRegex(output, r"torch eager +2\.000 ms")

    def test_compare_goes_on_to_the_next_python(self):
        (self.root / "later").mkdir()
        other = self.script("later/python3", self.ENVIRONMENT_WITH_TORCH)
        self.compare(f'case "$*" in *find_spec*) exit 1;; *) exec {sys.executable} "$@";; esac',
                     PATH=f"{self.root / 'path'}:{other.parent}:/usr/bin:/bin")
        self.assertIn("compare_pytorch.py --variant eager", self.words("later/python3"))

    def test_compare_takes_the_python_that_is_named(self):
        named = self.script("named", STEP)
        self.compare(self.ENVIRONMENT_WITH_TORCH, PYTHON=str(named))
        self.assertIn("compare_pytorch.py", self.words("named"))
        self.assertNotIn("compare_pytorch.py", self.words("path/python3"))

    def test_compare_without_fashion_mnist(self):
        self.compare(self.ENVIRONMENT_WITH_TORCH, DUEL_FASHION_MNIST=str(self.root))
        self.assertIn("bench step --preset classic", self.words("duel"))
        self.assertIn("--data synthetic", self.words("duel"))
        (self.root / "duel.words").unlink()
        (self.root / "train-images-idx3-ubyte.gz").touch()
        self.compare(self.ENVIRONMENT_WITH_TORCH, DUEL_FASHION_MNIST=str(self.root))
        self.assertIn("bench step --preset classic", self.words("duel"))
        self.assertNotIn("--data", self.words("duel"))


if __name__ == "__main__":
    unittest.main()
