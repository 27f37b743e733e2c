#!/usr/bin/env python3
"""tools/make_tryon.py: what it writes is what it says, row by row; tools/judge_tryon.py: it knows good from bad. Needs OpenCV; without
it the test is skipped (exit code 77)."""

import csv
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
TOOL = ROOT / "tools/make_tryon.py"
sys.path.insert(0, str(ROOT / "tools"))
from synthetic_tryon.garment import torso_of, why_no_garment  # noqa: E402
from synthetic_tryon.wearing import is_folded, read_flow, spline, written_flow  # noqa: E402

FOLDERS = ("person", "body", "garment", "picture", "worn", "flow")


def draw_shirt(file, number):
    """A striped T-shirt of its own colour on a bright ground."""
    random = np.random.default_rng(number)
    picture = np.full((128, 128, 3), 225, np.uint8)
    cv2.fillPoly(picture, [np.array([[50, 14], [78, 14], [112, 30], [103, 52], [88, 46], [90, 116], [38, 116], [40, 46], [25, 52],
                                     [16, 30]])], tuple(int(x) for x in random.integers(20, 140, 3)))
    for row in range(60, 110, 16):
        cv2.line(picture, (44, row), (84, row), tuple(int(x) for x in random.integers(20, 140, 3)), 4)
    noise = random.normal(0, 3, picture.shape)
    cv2.imwrite(str(file), np.clip(picture + noise, 0, 255).astype(np.uint8))


def make(*arguments):
    return subprocess.run([sys.executable, str(TOOL), *map(str, arguments)], capture_output=True, text=True)


class MakeTryon(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.root = Path(cls.folder.name)
        (cls.root / "photographs/t-shirt").mkdir(parents=True)
        for number in range(24):
            draw_shirt(cls.root / f"photographs/t-shirt/{number}.png", number)
        cls.done = cls.make_set("set")

    @classmethod
    def make_set(cls, name, *more):
        return make("--garments", cls.root / "photographs", "--out", cls.root / name, "--pairs", 6, "--test", 3, *more)

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def picture(self, part, kind, row):
        return cv2.imread(str(self.root / "set" / part / kind / f"{row:05d}.png"), cv2.IMREAD_UNCHANGED)

    def rows(self, part):
        with open(self.root / "set" / part / "rows.csv", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def test_each_row_has_each_picture(self):
        self.assertEqual(self.done.returncode, 0, self.done.stderr)
        self.assertIn("synthetic try-on", self.done.stdout)
        channels = {"garment": 4, "worn": 1}
        for part, count in (("train", 6), ("test", 3)):
            for kind in FOLDERS:
                self.assertEqual(len(list((self.root / "set" / part / kind).iterdir())), count)
                shape = self.picture(part, kind, 0).shape
                self.assertEqual((*shape, 1)[:3], (96, 64, channels.get(kind, 3)), kind)

    def test_no_garment_and_no_person_is_in_both_parts(self):
        for column in ("person", "garment"):
            train, test = ({row[column] for row in self.rows(part)} for part in ("train", "test"))
            self.assertTrue(train and test)
            self.assertFalse(train & test)

    def test_each_pair_to_train_on_has_a_person_and_a_garment_of_its_own_shape(self):
        self.assertEqual(len({row["person"] for row in self.rows("train")}), 6)
        shapes = []
        for row in range(6):
            columns, rows = (np.flatnonzero((self.picture("train", "garment", row)[..., 3] > 127).any(axis)) for axis in (0, 1))
            shapes.append(np.ptp(columns) / np.ptp(rows))  # of photographs of one shape
        self.assertGreater(max(shapes) / min(shapes), 1.03)

    def test_the_flow_brings_the_garment_to_where_it_is_seen(self):
        for row in range(6):
            garment, truth, worn = (self.picture("train", kind, row).astype(np.float32) for kind in ("garment", "picture", "worn"))
            places = read_flow(self.picture("train", "flow", row)).astype(np.float32) * (64, 96) - 0.5
            warped = cv2.remap(garment, places[..., 0].astype(np.float32), places[..., 1].astype(np.float32), cv2.INTER_LINEAR)
            is_seen = worn > 250
            self.assertGreater(is_seen.sum(), 300)
            self.assertGreater(warped[..., 3][is_seen].mean(), 240)
            # Shading scales all channels of a pixel alike, by 0.5 to 1.2.
            right = np.abs(warped[..., :3] - truth)[is_seen].mean()
            wrong = np.abs(warped[::-1, :, :3] - truth)[is_seen].mean()
            self.assertLess(right, 30)
            self.assertLess(right, wrong)

    def test_what_is_not_of_the_garment_is_the_person_who_is_given(self):
        for row in range(6):
            person, truth, worn, body = (self.picture("train", kind, row).astype(int) for kind in ("person", "picture", "worn", "body"))
            head = (body == (0, 0, 255)).all(-1)
            self.assertGreater(head.sum(), 40)
            self.assertEqual(np.abs(person - truth)[head].max(), 0)
            ground = (body == 0).all(-1) & (worn == 0)
            self.assertLessEqual(np.abs(person - truth)[ground].max(), 1)
            torso = (body == (0, 255, 0)).all(-1)
            self.assertEqual(np.median(person[torso]), 128)

    def test_a_seed_gives_the_same_files_with_any_number_of_processes(self):
        self.assertEqual(self.make_set("again", "--jobs", 1).returncode, 0)
        for file in sorted((self.root / "set").rglob("*.*")):
            other = self.root / "again" / file.relative_to(self.root / "set")
            self.assertEqual(file.read_bytes(), other.read_bytes(), file)
        self.assertEqual(self.make_set("other", "--seed", 1).returncode, 0)
        other = self.root / "other/train/picture/00000.png"
        self.assertNotEqual(other.read_bytes(), (self.root / "set/train/picture/00000.png").read_bytes())

    def judge(self, *words):
        """The rows of its table by their names, and what it said where it failed."""
        done = subprocess.run([sys.executable, str(ROOT / "tools/judge_tryon.py"), *map(str, words)], capture_output=True, text=True)
        rows = {line[:10].strip(): [float(word.rstrip("%")) for word in line[10:].split()] for line in done.stdout.splitlines()[2:]}
        return rows, done

    def test_a_judge_knows_the_truth_from_simple_means(self):
        perfect = self.root / "perfect"  # in place of `duel`
        perfect.write_text(f"""#!{sys.executable}
import shutil, sys
words = dict(zip(sys.argv[2::2], sys.argv[3::2]))
shutil.copy(words["--person"].replace("/person/", "/picture/"), words["--out"])
""", encoding="utf-8")
        perfect.chmod(0o755)
        rows, done = self.judge(self.root / "set", "--run", "any", "--duel", perfect)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(rows["run"], [1, 0, 100])
        similarity, difference, distance, recognised = zip(*(rows[way] for way in ("true warp", "affine", "boxes")))
        self.assertEqual((distance[0], recognised[0]), (0, 100))
        self.assertGreater(distance[2], distance[1])
        self.assertGreater(distance[1], 0.1)
        self.assertGreater(similarity[0], similarity[1])
        self.assertGreater(similarity[1], rows["nothing"][0])
        self.assertLess(difference[0], rows["nothing"][1])

    def test_a_judge_says_what_it_lacks(self):
        for words, code, said in (((self.root / "none",), 3, "rows.csv: is missing"), ((self.root / "set", "--count", 0), 2, "--count 0"),
                                  ((self.root / "set", "--run", "any", "--duel", self.root / "none"), 3, "none")):
            _, done = self.judge(*words)
            self.assertEqual(done.returncode, code, done.stderr)
            self.assertIn(said, done.stderr)
            self.assertNotIn("Traceback", done.stderr)

    def test_refusals_say_what_to_do(self):
        photographs = self.root / "photographs"
        for words, code, said in ((("--garments", self.root / "none", "--out", self.root / "x"), 3, "no such folder"),
                                  (("--garments", photographs, "--out", self.root / "set"), 2, "exists already"),
                                  (("--garments", photographs, "--out", self.root / "x", "--size", "64x64"), 2, "--size 64x64"),
                                  (("--garments", photographs, "--out", self.root / "x", "--pairs", "0"), 2, "--pairs 0"),
                                  (("--garments", photographs, "--out", self.root / "x", "--kinds", "hat"), 3, "sub-folder hat")):
            done = make(*words)
            self.assertEqual(done.returncode, code, done.stderr)
            self.assertIn(said, done.stderr)
            self.assertNotIn("Traceback", done.stderr)
            self.assertFalse((self.root / "x").exists())
            self.assertFalse((self.root / "x.part").exists())


class Parts(unittest.TestCase):
    def test_a_spline_goes_through_its_points(self):
        random = np.random.default_rng(0)
        points, values = random.random((25, 2)), random.random((25, 2))
        np.testing.assert_allclose(spline(points, values)(points), values, atol=1e-8)
        affine = points @ np.array([[2, 1], [-1, 3]]) + (4, 5)
        others = random.random((9, 2))
        np.testing.assert_allclose(spline(points, affine)(others), others @ np.array([[2, 1], [-1, 3]]) + (4, 5), atol=1e-8)

    def test_a_flow_is_written_to_a_4095th_of_its_range(self):
        places = np.random.default_rng(0).uniform(-0.5, 1.5, (9, 7, 2))
        self.assertLessEqual(np.abs(read_flow(written_flow(places)) - places).max(), 1.0001 / 4095)
        np.testing.assert_allclose(read_flow(written_flow(places * 9 - 4)), np.clip(places * 9 - 4, -0.5, 1.5), atol=1.0001 / 4095)

    def test_a_fold_is_seen(self):
        rows, columns = (np.mgrid[0:12, 0:12] + 0.5) / 12
        flat = np.stack([columns, rows], -1)
        seen = np.ones((12, 12), np.float32)
        self.assertFalse(is_folded(flat, seen))
        self.assertTrue(is_folded(np.stack([np.abs(columns - 0.5), rows], -1), seen))
        seen[:, 5:7] = 0
        self.assertTrue(is_folded(flat, seen))  # twice

    def test_a_torso_is_found_beside_a_gap(self):
        """As where a garment is so thin that, turned, a row of it is less than half of any pixel."""
        mask = np.zeros((96, 64), np.uint8)
        mask[10:90, 22:42] = 1
        mask[60:62] = 0
        self.assertEqual(torso_of(mask), (32.0, 10.0))

    def test_a_torso_is_neither_a_cuff_nor_a_knot(self):
        mask = np.zeros((96, 64), np.uint8)
        mask[10:50, 12:52] = 1  # a torso that ends early in the rows that are looked at,
        mask[10:90, 2:8] = mask[10:90, 56:62] = 1  # with sleeves that hang lower,
        mask[10:20] = 1
        self.assertEqual(torso_of(mask), (32.0, 20.0))
        mask[50:90, 30:34] = 1  # and knotted at its hem
        self.assertEqual(torso_of(mask), (32.0, 20.0))

    def test_masks_that_are_no_garment_are_left_out(self):
        def mask(*boxes):
            picture = np.zeros((128, 128), np.uint8)
            for left, top, right, bottom in boxes:
                picture[top:bottom, left:right] = 1
            return picture
        self.assertIsNone(why_no_garment(mask((30, 20, 98, 110))))
        self.assertEqual(why_no_garment(mask((50, 50, 80, 80))), "area")
        self.assertEqual(why_no_garment(mask((4, 30, 124, 95))), "height")
        self.assertEqual(why_no_garment(mask((10, 10, 50, 118), (50, 98, 118, 118))), "solidity")
        self.assertEqual(why_no_garment(mask((14, 20, 70, 110), (70, 20, 114, 60))), "asymmetry")


if __name__ == "__main__":
    unittest.main()
