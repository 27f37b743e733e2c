#!/usr/bin/env python3
"""Runs a compiler, and keeps what ptxas -v says of the kernels beside the object, as OBJECT.ptxas, for resources.py. All else
that the compiler says is passed on.

  ptxas_report.py COMPILER WORD... -o OBJECT WORD...
"""
import re
import subprocess
import sys
from pathlib import Path

REPORT = re.compile(r"ptxas info|\s+\d+ bytes stack frame")


def main(words):
    done = subprocess.run(words, stderr=subprocess.PIPE, text=True, errors="replace")
    lines = done.stderr.splitlines(keepends=True)
    report = "".join(line for line in lines if REPORT.match(line))
    sys.stderr.write("".join(line for line in lines if not REPORT.match(line)))
    if done.returncode == 0 and report:
        Path(words[words.index("-o") + 1] + ".ptxas").write_text(report)
    return done.returncode if done.returncode >= 0 else 1  # a signal


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
