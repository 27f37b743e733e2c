"""Times whole training steps of torch_gan.py on the CPU and prints one line of JSON.

    OPENBLAS_CORETYPE=SkylakeX python3 profiling/torch_step_bench.py --preset classic --threads 2

Windows of several steps are timed after a warm-up; ms_median, ms_min and ms_max are of the windows' mean step.
"""
import argparse
import ctypes
import json
import os
import statistics
import sys
import time

try:
    import torch
except ImportError:
    sys.exit("torch_step_bench: PyTorch is missing; on Debian: apt-get install python3-torch libopenblas0-openmp")

from torch_gan import RECIPES, Gan, load_pictures, shuffled_batches

# What else changes the speed, told in the result where it is set.
ENVIRONMENT = ("OMP_NUM_THREADS", "OMP_PROC_BIND", "ATEN_CPU_CAPABILITY", "LD_PRELOAD", "MALLOC_MMAP_MAX_",
               "MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "MALLOC_TOP_PAD_", "GLIBC_TUNABLES")


def cpu_model():
    """With family and model: in a virtual machine the name alone may say little."""
    fields = {}
    with open("/proc/cpuinfo") as file:
        for line in file:
            name, _, value = line.partition(":")
            fields.setdefault(name.strip(), value.strip())
    return (f"{fields.get('model name', 'unknown')} "
            f"(family {fields.get('cpu family', '?')} model {fields.get('model', '?')})")


def blas_in_use():
    """The BLAS loaded in this process, and the cores it was tuned for. It decides the speed of the dense layers: on
    Debian the reference BLAS makes a classic step about 13 times slower than libopenblas0-openmp, and
    libopenblas0-pthread, whose threads fight with PyTorch's own, 1.6 times."""
    with open("/proc/self/maps") as file:
        libraries = {line.split()[-1] for line in file if ".so" in line}
    for path in sorted(libraries):
        if "libopenblas" in path:
            library = ctypes.CDLL(path)
            library.openblas_get_config.restype = ctypes.c_char_p
            library.openblas_get_corename.restype = ctypes.c_char_p
            version = " ".join(library.openblas_get_config().decode().split()[:2])
            threading = {1: "pthread", 2: "openmp"}.get(library.openblas_get_parallel(), "serial")
            return f"{version} {threading} {library.openblas_get_corename().decode()}"
    if any("libmkl" in path for path in libraries):
        return "MKL"
    return "reference" if any("libblas" in path for path in libraries) else "built in"


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--preset", choices=sorted(RECIPES), default="classic")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--precision", choices=("fp32", "bf16"), default="fp32")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--windows", type=int, default=15)
    parser.add_argument("--steps", type=int, default=5, help="steps in a window")
    parser.add_argument("--warmup", type=int, default=10, help="steps before the first window")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", default="/usr/share/datasets/fashion-mnist",
                        help="folder of IDX files; random pictures where it is missing")
    return parser.parse_args()


def main():
    options = parse_arguments()
    torch.set_num_threads(options.threads)
    if os.path.isdir(options.data):
        pictures = load_pictures(options.data)
    else:
        pictures = torch.randint(0, 256, (60000, 1, 28, 28), dtype=torch.uint8)
    gan = Gan(options.preset, pictures, options.batch, options.seed, options.precision)
    batches = shuffled_batches(len(pictures), options.batch, options.seed)
    fresh_batches = shuffled_batches(len(pictures), options.batch, options.seed + 1)

    for _ in range(options.warmup):
        gan.step(next(batches), next(fresh_batches))
    windows = []
    for _ in range(options.windows):
        start = time.perf_counter()
        for _ in range(options.steps):
            gan.step(next(batches), next(fresh_batches))
        windows.append((time.perf_counter() - start) * 1e3 / options.steps)

    median = statistics.median(windows)
    print(json.dumps({
        "preset": options.preset, "precision": options.precision, "batch": options.batch,
        "threads": torch.get_num_threads(),
        "ms_median": round(median, 3), "ms_min": round(min(windows), 3), "ms_max": round(max(windows), 3),
        "images_per_second": round(options.batch / median * 1e3, 1),
        "windows": options.windows, "steps_per_window": options.steps,
        "torch": torch.__version__, "blas": blas_in_use(),
        "OPENBLAS_CORETYPE": os.environ.get("OPENBLAS_CORETYPE", ""),
        "environment": {name: os.environ[name] for name in ENVIRONMENT if name in os.environ},
        "cpu": cpu_model(),
    }))


if __name__ == "__main__":
    main()
