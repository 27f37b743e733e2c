#!/usr/bin/env python3
"""libduel, installed: a project in C finds it by find_package, and draws; others see its own functions alone.

    library_test.py DUEL CMAKE BUILD      the program, cmake, a build folder with DUEL_LIBRARY=ON
"""

import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
DUEL, CMAKE, BUILD = sys.argv[1:4]
del sys.argv[1:4]

# What kernels/cpu/onednn_threads.cpp takes over for oneDNN.
OPENMP = {"GOMP_parallel", "GOMP_barrier", "omp_get_max_threads", "omp_get_num_threads", "omp_get_thread_num",
          "omp_in_parallel"}
SMALL = ("--preset classic --data synthetic --steps 2 --batch 8 --threads 1 --set data.synthetic_count=64 "
         "--set data.synthetic_height=8 --set data.synthetic_width=6 --set model.generator_widths=[16]").split()


def run(*command, **options):
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          **options)
    if done.returncode != 0:
        raise AssertionError(f"{command[0]} exits with {done.returncode}:\n{done.stdout}")
    return done.stdout


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.path = Path(cls.folder.name)
        run(CMAKE, "--install", BUILD, "--prefix", cls.path / "installed", "--component", "library")
        run(CMAKE, "-S", ROOT / "tools/examples", "-B", cls.path / "draw", "-DCMAKE_C_FLAGS=-Werror",
            f"-DCMAKE_PREFIX_PATH={cls.path / 'installed'}")
        run(CMAKE, "--build", cls.path / "draw")
        cls.draw = cls.path / "draw/draw"
        run(DUEL, "train", *SMALL, "--out", cls.path / "run")

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def test_the_example_draws(self):
        text = run(self.draw, self.path / "run", cwd=self.path)
        self.assertEqual(text, "step 2 of the preset classic: pictures of 6x8, 1 channels\n")
        pictures = {(self.path / f"picture{i}.pgm").read_bytes() for i in range(8)}
        self.assertEqual(len(pictures), 8)
        for picture in pictures:
            self.assertTrue(picture.startswith(b"P5\n6 8\n255\n"))
            self.assertEqual(len(picture), len(b"P5\n6 8\n255\n") + 48)

    def test_errors_are_sentences_and_exit_codes(self):
        done = subprocess.run([self.draw, self.path / "nothing"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 3)
        self.assertEqual(done.stdout, "")
        self.assertRegex(done.stderr, r"^draw: .*nothing: .*\n$")

    def test_others_see_its_own_functions_alone(self):
        [library] = (self.path / "installed").glob("lib*/**/libduel.so")
        header = (self.path / "installed/include/duel.h").read_text()
        lines = run("nm", "-D", "--defined-only", library).splitlines()
        names = {line.split()[-1].partition("@")[0] for line in lines}
        self.assertEqual({name for name in names if not name.startswith("duel_")}, OPENMP)
        declared = set(re.findall(r"\b(duel_\w+)\(", re.sub(r"//.*", "", header)))
        self.assertEqual(names - OPENMP, declared)

    def test_onednn_finds_its_threads(self):
        bound = run(self.draw, self.path / "run", cwd=self.path,
                    env={**os.environ, "LD_DEBUG": "bindings", "LD_BIND_NOW": "1"})
        found = [line for line in bound.splitlines() if "libdnnl" in line and "`GOMP_parallel'" in line]
        if not found:
            self.skipTest("oneDNN does not ask libgomp for threads here")
        self.assertRegex(found[0], r"binding file \S*libdnnl\S* \[0\] to \S*libduel")


if __name__ == "__main__":
    unittest.main()
