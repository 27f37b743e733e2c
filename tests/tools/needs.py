"""What a test needs of Python's packages, where some are the distribution's and others a virtual environment's."""

import subprocess
import sys
from pathlib import Path


def need(*packages, where):
    """Goes on where this Python has them; otherwise the distribution's runs the same script. Where neither has, the test is skipped
    (exit code 77), and `where` says what to install."""
    for python in (sys.executable, "/usr/bin/python3"):
        if Path(python).exists() and subprocess.run([python, "-c", f"import {', '.join(packages)}"], capture_output=True).returncode == 0:
            if python == sys.executable:
                return
            sys.exit(subprocess.run([python, *sys.argv]).returncode)
    print(f"skipped: {' or '.join(packages)} is missing ({where})")
    sys.exit(77)
