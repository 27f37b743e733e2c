"""What the peers' benches have in common: arguments, windows of steps, and the one line of JSON that compare.py reads."""
import argparse
import json
import os
import statistics
import sys
import time

# What else changes the speed, told in the result where it is set.
ENVIRONMENT = ("OMP_NUM_THREADS", "OMP_PROC_BIND", "ATEN_CPU_CAPABILITY", "OPENBLAS_CORETYPE", "XLA_FLAGS", "LD_PRELOAD",
               "MALLOC_MMAP_MAX_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "MALLOC_TOP_PAD_", "GLIBC_TUNABLES")


def parse_arguments(description, variants):
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--variant", choices=variants, default=variants[0])
    parser.add_argument("--preset", choices=("classic", "steady", "conv-steady", "vae"), default="classic")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--precision", choices=("fp32", "tf32", "bf16"), default="fp32")
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--threads", type=int, default=2, help="of the CPU")
    parser.add_argument("--seconds", type=float, default=3, help="about how long whole steps are timed, after a warm-up")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


def time_steps(call, synchronize, seconds, steps_per_call=1):
    """Milliseconds of a step in each of about 15 windows."""
    call()  # whatever is compiled, is compiled here
    synchronize()
    end = time.perf_counter() + min(1.0, seconds / 3)
    warm = 0
    while warm < 3 or time.perf_counter() < end:
        call()
        synchronize()
        warm += 1
    begin = time.perf_counter()
    call()
    synchronize()
    calls = max(1, int(seconds / 15 / max(1e-6, time.perf_counter() - begin)))
    windows, end = [], time.perf_counter() + seconds
    while len(windows) < 3 or time.perf_counter() < end:
        begin = time.perf_counter()
        for _ in range(calls):
            call()
        synchronize()
        windows.append((time.perf_counter() - begin) * 1e3 / calls / steps_per_call)
    return windows


def print_result(options, windows, versions):
    print(json.dumps({
        "variant": options.variant, "preset": options.preset, "precision": options.precision, "batch": options.batch,
        "device": options.device, "threads": options.threads,
        "ms_median": statistics.median(windows), "ms_min": min(windows), "ms_max": max(windows), "windows": len(windows),
        "versions": versions, "cpu": cpu_model(),
        "environment": {name: os.environ[name] for name in ENVIRONMENT if name in os.environ},
    }))


def give_up(reason):
    """This variant cannot be had here: said in one line, which compare.py shows in the table."""
    print(json.dumps({"error": reason}))
    sys.exit(0)


def cpu_model():
    """With family and model: in a virtual machine the name alone may say little."""
    fields = {}
    with open("/proc/cpuinfo") as file:
        for line in file:
            name, _, value = line.partition(":")
            fields.setdefault(name.strip(), value.strip())
    return (f"{fields.get('model name', 'unknown')} "
            f"(family {fields.get('cpu family', '?')} model {fields.get('model', '?')})")
