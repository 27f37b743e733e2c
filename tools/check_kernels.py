#!/usr/bin/env python3
"""Checks that kernels/cuda stays within what the emulator can compile, run and complain about.

No raw launch (<<< >>>), no raw __shared__ and no inline asm: launches go through launch.cuh, shared arrays through the
macros of platform.cuh, instructions through the two-bodied functions of instructions.cuh. No header of CUDA's but where
the emulator can put its own. And nothing that the emulator does not have: textures, __constant__ memory, grid barriers.

    tools/check_kernels.py [ROOT]        exit 1 where a rule is broken
    tools/check_kernels.py --self-test   plants a breach of each rule
"""

import re
import sys
import tempfile
from pathlib import Path

from check_layers import without_comments, without_strings

FOLDER = "kernels/cuda"
# (what is found, what to do instead, the files that may)
RULES = (
    (re.compile(r"<<<|>>>\s*\("), "raw launch: call launch() of kernels/cuda/launch.cuh", ()),
    (re.compile(r"\b__shared__\b"), "raw __shared__: use DUEL_SHARED or DUEL_DYNAMIC_SHARED", ("platform.cuh",)),
    (re.compile(r"\b(?:asm|__asm__)\b"), "inline asm: give kernels/cuda/instructions.cuh a function with two bodies",
     ("instructions.cuh",)),
    (re.compile(r"\b__constant__\b|\btex(?:1D|2D|3D)\w*\s*[<(]|\bthis_grid\s*\("),
     "the emulator has no constant memory, textures or grid barriers", ()),
    (re.compile(r"\bcudaLaunchKernel\w*\s*\("), "raw launch: call launch() of kernels/cuda/launch.cuh", ("launch.cuh",)),
    (re.compile(r"#\s*include\s*<(?:cuda|cooperative_groups|mma|cub/|thrust/)[^>]*>"),
     "a header of CUDA's: include kernels/cuda/device.cuh",
     ("platform.cuh", "context.h", "lane.h", "vendor_plan.h")),
)


def faults(root):
    for path in sorted((root / FOLDER).iterdir()):
        if path.suffix not in (".cu", ".cuh", ".h", ".cpp"):
            continue
        text = without_strings(without_comments(path.read_text(encoding="utf-8")))
        for pattern, message, exempt in RULES:
            if path.name in exempt:
                continue
            for match in pattern.finditer(text):
                yield f"{FOLDER}/{path.name}:{text.count(chr(10), 0, match.start()) + 1}: {message}"


SELF_TEST = {
    "a.cu": ("void f() {\n  k<<<1, 2>>>();\n}\n", "a.cu:2: raw launch"),
    "b.cu": ("__shared__ float x[3];\n", "b.cu:1: raw __shared__"),
    "c.cuh": ('inline void f() { asm volatile("x;"); }\n', "c.cuh:1: inline asm"),
    "d.cu": ("__constant__ float x;\n", "d.cu:1: the emulator has no"),
    "e.cu": ("void f() { cudaLaunchKernelEx(&config, k); }\n", "e.cu:1: raw launch"),
    "f.cu": ("#include <cuda_fp16.h>\n", "f.cu:1: a header of CUDA's"),
    "platform.cuh": ("#include <cuda_bf16.h>\n#define S(x) __shared__ x\n", None),
    "instructions.cuh": ('inline void f() { asm("x;"); }\n', None),
    "good.cu": ('// k<<<1, 2>>>() and __shared__ and asm\nA<B<C<int>>> x; const char* s = "<<< asm";\n', None),
}


def self_test():
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        (root / FOLDER).mkdir(parents=True)
        for file, (text, _) in SELF_TEST.items():
            (root / FOLDER / file).write_text(text)
        found = "\n".join(faults(root))
    wrong = [file for file, (_, expected) in SELF_TEST.items()
             if (expected is not None and expected not in found) or (expected is None and f"/{file}:" in found)]
    print(f"kernels: self-test: {len(SELF_TEST) - len(wrong)} of {len(SELF_TEST)} as they should be {wrong or ''}")
    return 1 if wrong else 0


def main():
    if sys.argv[1:] == ["--self-test"]:
        return self_test()
    root = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent.parent
    if not (root / FOLDER).is_dir():
        print(f"kernels: {root} has no folder {FOLDER}", file=sys.stderr)
        return 2
    found = list(faults(root))
    for fault in found:
        print(fault)
    print(f"kernels: {len(found)} faults")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
