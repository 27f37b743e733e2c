"""Programs that may hang, files that may not be writable, and where CUDA's tools and libraries are: what gpu_parts.py is
built on."""

import ctypes
import glob
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

WORK_BYTES = 4 << 30  # of checkpoints and logs at most at a time, 0.1 GB a checkpoint


class Stopped(BaseException):
    """A signal asked the whole to end: what was seen is written first."""

    def __init__(self, number):
        super().__init__(f"signal {number}")
        self.exit_code = 128 + number


def raise_when_stopped():
    def stop(number, _):
        for each in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(each, signal.SIG_IGN)
        raise Stopped(number)

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, stop)


def find_program(name, folders):
    for folder in folders:
        path = Path(folder) / name
        if path.is_file() and os.access(path, os.X_OK):
            return path
    return None


def find_nvidia_tool(name, *patterns):
    """A program of CUDA's toolkit, which often is not on the PATH."""
    found = shutil.which(name)
    if found:
        return found
    homes = [os.environ.get("CUDA_HOME", ""), os.environ.get("CUDA_PATH", ""), "/usr/local/cuda"]
    candidates = [Path(home) / "bin" / name for home in filter(None, homes)]
    for pattern in patterns:
        candidates += sorted(map(Path, glob.glob(pattern)), reverse=True)
    return next((str(path) for path in candidates if path.is_file() and os.access(path, os.X_OK)), None)


def cuda_library_folders():
    """Where CUDA's and cuDNN's shared libraries are: the toolkit, or Python packages of NVIDIA's."""
    folders = [str(Path(os.environ.get("CUDA_HOME") or "/usr/local/cuda") / "lib64")]
    for path in sys.path:
        folders += sorted(glob.glob(os.path.join(glob.escape(path), "nvidia", "*", "lib")))
    return [folder for folder in folders if os.path.isdir(folder)]


def commit_of(root):
    try:
        done = subprocess.run(["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12", "--exclude=*"],
                              capture_output=True, text=True, timeout=20)
        top = subprocess.run(["git", "-C", str(root), "rev-parse", "--show-toplevel"], capture_output=True, text=True,
                             timeout=20)
        if done.returncode == 0 and Path(top.stdout.strip()).resolve() == root:
            return done.stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        pass
    file = root / "commit"
    return file.read_text().strip() if file.exists() else "unknown"


def work_folder(prefix):
    """In memory where there is room: a checkpoint waits for its bytes to be safe, which a disk makes slow."""
    for folder in ("/dev/shm", None):
        try:
            if folder is None or shutil.disk_usage(folder).free > WORK_BYTES:
                return Path(tempfile.mkdtemp(prefix=prefix, dir=folder))
        except OSError:
            if folder is None:
                raise
    raise AssertionError


class Process:
    """A command in a process group of its own, whose output goes to a file: what it printed is there if it is killed."""

    patience = 6.0  # seconds, of all processes together, that those which were killed may take to end

    def __init__(self, command, log, environment):
        self.log = log
        with open(log, "wb") as stream:
            # A group, not a session: who ends the session of this script ends its programs too.
            self.process = subprocess.Popen([str(word) for word in command], stdout=stream, stderr=subprocess.STDOUT,
                                            stdin=subprocess.DEVNULL, env=environment, preexec_fn=lead_a_group)

    def wait(self, deadline):
        """The exit code, or None where it was killed at the deadline."""
        try:
            return self.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            return None
        finally:  # children that outlive it too
            self.kill()

    def kill(self):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        begin = time.monotonic()
        try:
            self.process.wait(Process.patience)
        except subprocess.TimeoutExpired:  # it hangs in the driver, where no signal reaches it; the others have their turn
            Process.patience = max(0.05, Process.patience - (time.monotonic() - begin))

    def text(self):
        return Path(self.log).read_text(errors="replace")
PR_SET_PDEATHSIG = 1
LIBC = ctypes.CDLL(None)


def lead_a_group():
    os.setpgid(0, 0)
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # a script that is killed outright leaves nothing running


class ResultFolder:
    """Files that are whole at any time: written under another name, then renamed. One that cannot be written is said
    once, and what was there before stays."""

    def __init__(self, folder, say):
        self.folder, self.say, self.faults = Path(folder), say, {}

    def write(self, name, content):
        """Whether it was written. `content`: text or bytes."""
        path = self.folder / name
        part = path.with_name(path.name + ".part")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(part, "wb") as file:
                file.write(content.encode() if isinstance(content, str) else content)
            os.replace(part, path)
        except OSError as error:
            try:
                os.unlink(part)
            except OSError:
                pass
            if self.faults.get(name) != error.errno:
                self.say(f"{path} cannot be written: {error.strerror}; the run goes on, and its table comes on standard output")
            self.faults[name] = error.errno
            return False
        self.faults.pop(name, None)
        return True

    def read(self, name):
        """The text, or None."""
        try:
            return (self.folder / name).read_text(errors="replace")
        except OSError:
            return None


def last_line(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:400] if lines else "it printed nothing"


def cut(text, most):
    """The beginning and the end of a text that is too long."""
    return text if len(text) <= most else f"{text[:most // 4]}\n... {len(text) - most} characters left out ...\n{text[-(most - most // 4):]}"
