"""Which python3 has a package: that on the PATH, in a virtual environment or not, or the system's own."""
import functools
import os
import subprocess
import sys


@functools.lru_cache
def python_with(package):
    """The first interpreter that finds it, without importing it; None where there is none."""
    candidates = [os.path.join(folder, "python3") for folder in os.get_exec_path()]
    for candidate in dict.fromkeys((*candidates, sys.executable, "/usr/bin/python3")):
        if not os.access(candidate, os.X_OK):
            continue
        ask = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({package!r}) is None)"
        try:
            done = subprocess.run([candidate, "-c", ask], stdin=subprocess.DEVNULL, capture_output=True, timeout=20)
        except (OSError, subprocess.TimeoutExpired):
            continue
        if done.returncode == 0:
            return candidate
    return None
