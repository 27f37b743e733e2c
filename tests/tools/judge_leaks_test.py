#!/usr/bin/env python3
"""tools/judge_leaks.py: it tells a generator that draws what it saw changed from one that does not. Needs OpenCV; without it the test
is skipped (exit code 77).
"""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
from needs import need  # noqa: E402

need("cv2", "numpy", where="apt-get install python3-opencv")

import cv2  # noqa: E402
import numpy as np  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent.parent
TOOL = ROOT / "tools/judge_leaks.py"


def draw(folder, first, count, change):
    """Coloured boxes near the middle of a ground of noise, each then as `change` makes it."""
    folder.mkdir()
    for number in range(first, first + count):
        random = np.random.default_rng(number)
        picture = np.clip(random.normal(210, 12, (32, 32, 3)), 0, 255)
        at = random.integers(8, 12, 2)
        picture[at[0]:at[0] + 12, at[1]:at[1] + 12] = random.integers(20, 90, 3) + random.normal(0, 12, (12, 12, 3))
        cv2.imwrite(str(folder / f"{number}.png"), change(picture.clip(0, 255).astype(np.uint8), random))


def unchanged(picture, random):
    return picture


def moved(picture, random):
    by = random.integers(2, 5)
    return np.pad(picture[by:], ((0, by), (0, 0), (0, 0)), constant_values=127)


def holed(picture, random):
    row, column = random.integers(0, 26, 2)
    picture[row:row + 6, column:column + 6] = 131  # not quite, as a network would
    return picture


def elsewhere(picture, random):
    return np.roll(picture, -7, 1)  # without a band, as networks fill it in


def lighter(picture, random):
    return np.clip(picture + 40.0, 0, 255).astype(np.uint8)


def paler(picture, random):
    return np.rint(0.3 * picture + 0.7 * picture.mean(2, keepdims=True)).astype(np.uint8)


class JudgeLeaks(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        draw(self.root / "data", 0, 400, unchanged)

    def judge(self, change):
        """Of a program that generates what `change` makes of other pictures."""
        made = self.root / change.__name__
        draw(made, 1000, 200, change)
        program = self.root / "duel"
        program.write_text(f"#!{sys.executable}\nimport shutil, sys\nshutil.copytree('{made}', sys.argv[sys.argv.index('--out') + 1])\n")
        program.chmod(0o755)
        return self.run_tool(self.root / "data", "--run", "none", "--size", "32x32", "--duel", program, "--count", 200)

    @staticmethod
    def run_tool(*words):
        return subprocess.run([sys.executable, str(TOOL), *map(str, words)], capture_output=True, text=True)

    def test_nothing_is_found_where_nothing_is(self):
        done = self.judge(unchanged)
        self.assertEqual((done.returncode, done.stdout.splitlines()[-1]), (0, "no leak found"), done.stderr + done.stdout)

    def test_each_change_is_found_in_its_column(self):
        for change, column in ((moved, "bands"), (holed, "holes"), (elsewhere, "places"), (lighter, "tones"), (paler, "saturation")):
            with self.subTest(change=change.__name__):
                done = self.judge(change)
                last = done.stdout.splitlines()[-1]
                self.assertTrue(last.startswith("leaks: ") and column in last, done.stderr + done.stdout)

    def test_too_few_pictures_are_refused(self):
        draw(self.root / "few", 0, 50, unchanged)
        for words, code, said in (((self.root / "few",), 3, "holds 50 photographs; at least 200"),
                                  ((self.root / "data", "--count", 10), 2, "--count 10: must be at least 100"),
                                  ((self.root / "data", "--size", "7x7"), 2, "--size 7x7: must be"),
                                  ((self.root / "none",), 3, "there is no such folder")):
            done = self.run_tool(*words, "--run", "none")
            self.assertEqual((done.returncode, said in done.stderr, done.stderr.count("\n")), (code, True, 1), done.stderr)


if __name__ == "__main__":
    unittest.main()
