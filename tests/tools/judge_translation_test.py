#!/usr/bin/env python3
"""tools/judge_translation.py: it knows pictures of the other kind from such that only have its colours. Needs OpenCV; without it the
test is skipped (exit code 77).

    judge_translation_test.py DUEL      the program
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
DUEL = sys.argv.pop(1) if len(sys.argv) > 1 else str(ROOT / "build/duel")


def draw(folder, is_wide, count):
    """Bars on a ground of greys: wide and dark, or tall and bright."""
    folder.mkdir()
    for number in range(count):
        random = np.random.default_rng([number, is_wide])
        picture = random.normal(128, 6, (32, 32, 3)).astype(np.uint8)
        at = random.integers(6, 18, 2)
        height, width = (6, 14) if is_wide else (14, 6)
        picture[at[0]:at[0] + height, at[1]:at[1] + width] = random.integers(*((0, 60) if is_wide else (200, 255)), 3)
        cv2.imwrite(str(folder / f"{number}.png"), picture)


class JudgeTranslation(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        draw(self.root / "wide", True, 40)
        draw(self.root / "tall", False, 40)

    def judge(self, *words):
        """The rows of its table by their names."""
        done = subprocess.run([sys.executable, str(ROOT / "tools/judge_translation.py"), *map(str, words)], capture_output=True, text=True)
        rows = {}
        for line in done.stdout.splitlines()[2:]:
            if not line.startswith("floor"):
                distance, _, spread, kept = line[11:].split()
                rows[line[:11].strip()] = (float(distance), float(kept.rstrip("%")))
        return rows, done

    def test_pictures_of_the_other_kind_are_nearer_than_colours_alone(self):
        draw(self.root / "others", False, 80)
        program = self.root / "duel"  # translates by what is drawn already, and is `duel` otherwise
        program.write_text(f"""#!{sys.executable}
import os, shutil, sys
if sys.argv[1] != "translate":
    os.execv({DUEL!r}, [{DUEL!r}, *sys.argv[1:]])
out = sys.argv[sys.argv.index("--out") + 1]
os.mkdir(out)
for number, name in enumerate(sorted(os.listdir(sys.argv[2]))):
    shutil.copy(f"{self.root}/others/{{40 + number}}.png", f"{{out}}/{{name}}")
""", encoding="utf-8")
        program.chmod(0o755)
        rows, done = self.judge(self.root / "wide", self.root / "tall", "--size", "32x32", "--run", "any", "--duel", program)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(rows["nothing"][1], 100)
        self.assertLess(rows["histograms"][0], rows["nothing"][0])
        self.assertLess(rows["run"][0], rows["histograms"][0])
        self.assertGreater(rows["histograms"][1], rows["run"][1] + 20)  # edges of pictures that are not theirs

    def test_what_is_lacking_is_said(self):
        wide, tall = self.root / "wide", self.root / "tall"
        (self.root / "empty").mkdir()
        for words, code, said in (((self.root / "none", tall), 3, "none: there is no such folder"),
                                  ((wide, self.root / "empty"), 3, "holds no photograph"),
                                  ((wide, tall, "--size", "64"), 2, "--size 64"),
                                  ((wide, tall, "--duel", self.root / "no-program"), 3, "no-program")):
            _, done = self.judge(*words)
            self.assertEqual(done.returncode, code, done.stderr)
            self.assertIn(said, done.stderr)
            self.assertNotIn("Traceback", done.stderr)


if __name__ == "__main__":
    unittest.main()
