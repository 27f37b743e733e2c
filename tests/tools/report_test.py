#!/usr/bin/env python3
"""Opens `duel report`'s pages in a headless Chromium, uses them as a person does, and finds no error on the console.

    report_test.py DUEL [--screenshots FOLDER]

Runs of every recipe are trained for some steps, one is damaged, and one is being trained. Without a Chromium it is
skipped (exit code 77). --screenshots leaves pictures of the pages in FOLDER, for a person to look at.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
from headless_browser import Browser, find_browser  # noqa: E402

SYNTHETIC = ["--data", "synthetic", "--threads", "2", "--batch", "8"] + [
    part for setting in ("data.synthetic_count=128", "data.synthetic_height=16", "data.synthetic_width=12",
                         "output.metrics_every=1", "output.samples_every=10")
    for part in ("--set", setting)]
NETWORKS = [part for setting in ("model.filters=4", "model.features=8", "model.latent=8") for part in ("--set", setting)]


def duel(*arguments, fails=False):
    done = subprocess.run([DUEL, *map(str, arguments)], capture_output=True, text=True)
    if (done.returncode != 0) != fails:
        raise AssertionError(f"duel {' '.join(map(str, arguments))}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def train(run, *arguments):
    duel("train", "--out", run, *SYNTHETIC, "--steps", 60, *arguments)


def report(run, *arguments):
    page = run.parent / f"{run.name}.html"
    duel("report", "--run", run, "--out", page, *arguments)
    return page


class Report(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="duel-report-")
        root = Path(cls.folder.name)
        cls.gan, cls.other, cls.classifier, cls.vae = (root / name for name in ("gan", "other", "classifier", "vae"))
        train(cls.gan, "--preset", "conv-steady", *NETWORKS)
        train(cls.other, "--preset", "conv-steady", *NETWORKS, "--set", "loss.r1=1", "--set", "output.samples_every=20")
        train(cls.classifier, "--preset", "classify", "--set", "model.filters=4", "--set", "train.evaluate_every=20")
        train(cls.vae, "--preset", "vae", "--set", "model.filters=4", "--set", "model.latent=4", "--set", "train.evaluate_every=20")
        cls.browser = Browser(find_browser())
        cls.browser.resize(1280, 900)
        cls.browser.prefer("light")

    @classmethod
    def tearDownClass(cls):
        cls.browser.__exit__()
        cls.folder.cleanup()

    def tearDown(self):
        self.assertEqual(self.browser.complaints, [])
        self.assertEqual([url for url in self.browser.requests if not url.startswith(("file:", "data:", "about:"))], [])
        self.browser.complaints.clear()

    def open(self, page):
        self.browser.open(page)
        if SCREENSHOTS:
            self.browser.screenshot(SCREENSHOTS / f"{page.stem}.png")

    def value(self, expression):
        return self.browser.value(expression)

    def count(self, selector):
        return self.value(f"document.querySelectorAll({selector!r}).length")

    def text(self, selector):
        return self.value(f"document.querySelector({selector!r}).textContent")

    def sections(self):
        return self.value("[...document.querySelectorAll('main > section')].map((each) => each.id)")

    def test_a_gan(self):
        browser = self.browser
        self.open(report(self.gan))
        self.assertEqual(self.sections(), ["overview", "pictures", "curves", "health", "data", "configuration",
                                           "environment", "log"])
        self.assertIn("All 60 steps were trained", self.text(".verdict"))
        # Every link of the navigation leads somewhere, and no name of a node comes twice.
        self.assertTrue(self.value("[...document.querySelectorAll('nav a')].every((a) => document.querySelector(a.hash))"))
        self.assertTrue(self.value("new Set([...document.querySelectorAll('[id]')].map((n) => n.id)).size === "
                                   "document.querySelectorAll('[id]').length"))
        # Sheets: 7 of them; the last is shown, the slider and the keys go through them.
        self.assertEqual(self.count(".frame"), 7)
        self.assertEqual(self.text(".step"), "step 60")
        self.assertTrue(self.value("[...document.images].every((image) => image.complete && image.naturalWidth > 0)"))
        self.value("document.getElementById('sheet').focus()")
        browser.key("ArrowLeft")
        self.assertEqual(self.text(".step"), "step 50")
        browser.key("[", "[")
        self.assertEqual(self.text(".step"), "step 40")
        browser.click(".frame")
        self.assertEqual(self.text(".step"), "step 0")
        self.assertIn("step 0", self.text(".stage figcaption"))
        browser.click("input[name=kind]:not(:checked)")
        self.assertEqual(self.text(".step"), "step 60")
        # By class: the rows of one, a strip a sheet.
        self.assertGreater(self.count(".rows span"), 1)
        self.value("(() => { const s = document.querySelector('select'); s.value = '1'; s.dispatchEvent(new Event('change')); })()")
        self.assertEqual(self.count(".strip"), 14)  # two of the ten rows of a sheet are of the second of eight classes
        # Curves: values under the mouse and by the keyboard, time in place of steps, logarithms.
        self.assertGreaterEqual(self.count(".chart"), 5)
        self.assertTrue(self.value("[...document.querySelectorAll('.plot path, .plot line, .plot circle, .plot text')]"
                                   ".every((node) => !node.outerHTML.includes('NaN'))"))
        browser.hover(".plot")
        self.assertFalse(self.value("document.querySelector('.tip').hidden"))
        self.assertIn("discriminator", self.text(".tip"))
        self.value("document.querySelector('.plot').focus()")
        browser.key("End")
        self.assertIn("step 60", self.text("#said"))
        browser.key("Escape")
        self.assertTrue(self.value("document.querySelector('.tip').hidden"))
        before = self.text(".axis-title")
        browser.click("input[value=time]")
        self.assertNotEqual(self.text(".axis-title"), before)
        pressed = self.value("document.querySelector('.chart button').ariaPressed")
        browser.click(".chart button")
        self.assertNotEqual(self.value("document.querySelector('.chart button').ariaPressed"), pressed)
        # Options: what differs stands first; all of them can be filtered.
        self.assertIn("data.source", self.text("#configuration table"))
        browser.click("#configuration summary")
        self.value("(() => { const s = document.querySelector('[type=search]'); s.value = 'train.batch'; s.dispatchEvent(new Event('input')); })()")
        self.assertEqual(self.value("[...document.querySelectorAll('#configuration details tbody tr')].filter((r) => !r.hidden).length"), 1)

    def test_keys_and_colours(self):
        browser = self.browser
        self.open(report(self.gan, "--no-data"))
        ground = "getComputedStyle(document.body).backgroundColor"
        light = self.value(ground)
        browser.prefer("dark")
        dark = self.value(ground)
        self.assertNotEqual(light, dark)
        browser.key("t", "t")  # light, whatever the system prefers
        self.assertEqual(self.value(ground), light)
        browser.key("t", "t")
        browser.prefer("light")
        self.assertEqual(self.value(ground), dark)
        browser.key("t", "t")
        browser.key("?", "?")
        self.assertTrue(self.value("document.querySelector('dialog').open"))
        browser.key("Escape")
        self.assertFalse(self.value("document.querySelector('dialog').open"))
        # Tab goes through the page in its order, and what has the focus shows it.
        self.value("document.activeElement.blur()")
        browser.key("Tab")
        self.assertEqual(self.value("document.activeElement.className"), "skip")
        browser.key("Tab")
        self.assertEqual(self.value("document.activeElement.tagName"), "A")
        self.assertNotEqual(self.value("getComputedStyle(document.activeElement).outlineStyle"), "none")
        # Everything that can be used has a name.
        self.assertEqual(self.value("[...document.querySelectorAll('button, input, select')].filter((n) => "
                                    "!(n.textContent || n.ariaLabel || n.labels?.length)).length"), 0)

    def test_contrast(self):
        # WCAG AA: 4.5 for text, 3 for curves.
        self.open(report(self.gan, "--no-data"))
        contrast = """((names, ground) => {
          const style = getComputedStyle(document.documentElement);
          const light = (name) => [1, 3, 5].map((at) => parseInt(style.getPropertyValue(name).trim().slice(at, at + 2), 16) / 255)
            .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)).reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
          return Math.min(...names.map((name) => { const both = [light(name), light(ground)].sort((a, b) => a - b);
            return (both[1] + 0.05) / (both[0] + 0.05); }));
        })(%s, '%s')"""
        words = ["--ink", "--soft", "--accent", "--good", "--busy", "--warning", "--bad"]
        for scheme in ("dark", "light"):
            self.browser.prefer(scheme)
            for ground in ("--card", "--ground"):
                self.assertGreater(self.value(contrast % (words, ground)), 4.5, (scheme, ground))
                self.assertGreater(self.value(contrast % ([f"--series-{i}" for i in range(6)], ground)), 3, (scheme, ground))

    def test_a_narrow_window_and_paper(self):
        page = report(self.gan, "--no-data")
        self.browser.resize(360, 740)
        self.open(page)
        self.assertLessEqual(self.value("document.documentElement.scrollWidth"), 360)
        self.browser.resize(1280, 900)
        pdf = Path(self.folder.name) / "paper.pdf"
        self.browser.print_pdf(pdf)
        self.assertTrue(pdf.read_bytes().startswith(b"%PDF"))
        self.browser.prefer("dark", "print")  # paper is white
        self.assertEqual(self.value("getComputedStyle(document.body).backgroundColor"), "rgb(255, 255, 255)")
        self.assertEqual(self.value("getComputedStyle(document.querySelector('header')).display"), "none")
        self.browser.prefer("light")

    def test_a_classifier(self):
        self.open(report(self.classifier))
        self.assertIn("confusion", self.sections())
        self.assertNotIn("pictures", self.sections())
        self.assertEqual(self.count(".confusion tbody tr"), 8)
        self.assertIn("held-out pictures it calls", self.text(".verdict"))

    def test_a_vae(self):
        self.open(report(self.vae))
        self.assertIn("bits a pixel", self.text(".verdict"))
        self.assertEqual(self.count("input[name=kind]"), 3)

    def test_runs_side_by_side(self):
        page = report(self.gan, "--compare", self.other, self.vae)
        self.open(page)
        self.assertEqual(self.count(".verdict"), 3)
        self.assertIn("loss.r1", self.text("#configuration table"))
        self.assertEqual(self.count(".stage figure"), 3)
        self.value("(() => { const s = document.getElementById('sheet'); s.value = 1; s.dispatchEvent(new Event('input')); })()")
        self.assertEqual(self.text(".step"), "step 10")
        labels = "[...document.querySelectorAll('.chart')].find((c) => c.textContent.includes('R1')).querySelectorAll('.legend li').length"
        self.assertEqual(self.value(labels), 2)

    def test_a_damaged_run(self):
        name = '<img src=x onerror="console.error(1)"> & "q"'
        damaged = Path(self.folder.name) / name
        shutil.copytree(self.gan, damaged)
        (damaged / "config.toml").write_text("what = 3\n")
        metrics = (damaged / "metrics.jsonl").read_text().splitlines()
        metrics[10] = "{broken"
        (damaged / "metrics.jsonl").write_text("\n".join(metrics) + "\n")
        (damaged / "samples/step_000000010.png").write_bytes(b"no picture")
        (damaged / "samples/step_000000020.png").unlink()
        (damaged / "log.txt").write_bytes(b"\xff\xfe </script><script>console.error(2)</script>\n")
        shutil.rmtree(damaged / "checkpoints")
        (damaged / "evaluation.json").write_text('{"figures": [{"name": "<b>FID</b>", "value": 9.5, "floor": 3, "note": "</script>"}]}')
        page = Path(self.folder.name) / "damaged.html"
        duel("report", "--run", damaged, "--out", page)
        self.open(page)
        self.assertEqual(self.text("h1"), name)
        self.assertEqual(self.count("#problems li"), 3)
        self.assertEqual(self.text("#evaluation tbody th"), "<b>FID</b>")
        self.assertEqual(self.count(".frame"), 5)

    def test_a_run_that_trains(self):
        run = Path(self.folder.name) / "running"
        process = subprocess.Popen([DUEL, "train", "--out", run, *SYNTHETIC, *NETWORKS, "--steps", "1000000"], stdout=subprocess.DEVNULL)
        try:
            until = time.monotonic() + 60
            while not ((run / "metrics.jsonl").exists() and (run / "metrics.jsonl").stat().st_size > 4000):
                self.assertLess(time.monotonic(), until)
                time.sleep(0.05)
            page = report(run)
        finally:
            process.terminate()
            process.wait()
        self.open(page)
        self.assertIn("It still trains", self.text(".verdict"))

    def test_what_it_prints_and_refuses(self):
        folder = Path(self.folder.name)
        said = duel("report", "--run", self.gan, "--no-data", "--sheets-mib", "0")
        self.assertRegex(said, r"report.html: [\d.]+ MiB; gan: Finished; All 60 steps were trained")
        self.assertIn("is not a run directory", duel("report", "--run", folder, fails=True))
        self.assertIn("at most 6 are compared", duel("report", "--run", self.gan, "--compare", *[self.gan] * 6, fails=True))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("duel")
    parser.add_argument("--screenshots", type=Path)
    arguments, rest = parser.parse_known_args()
    DUEL, SCREENSHOTS = str(Path(arguments.duel).resolve()), arguments.screenshots
    if find_browser() is None:
        print("report: skipped, there is no Chromium here to open pages in; apt install chromium")
        sys.exit(77)
    try:
        with Browser(find_browser()):
            pass
    except (OSError, EOFError, RuntimeError) as problem:  # of OSError, a TimeoutError
        print(f"report: skipped, Chromium does not start here: {problem}")
        sys.exit(77)
    if SCREENSHOTS:
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    unittest.main(argv=[sys.argv[0], *rest])
