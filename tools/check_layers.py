#!/usr/bin/env python3
"""Checks that includes point one way: tools -> host -> engine -> kernels, and that device libraries stay where they are.

RULES and ROOMS are the whole rule book: for each part of the tree, what its files may include, and in which order its
folders lie. Beside it: no units of engine and host (a header with its source) include each other in a circle, every
header has #pragma once and no `using namespace`, and no file is called after nothing (utils, common, misc, helpers).

    tools/check_layers.py [ROOT]        checks the tree at ROOT, this one by default; exit 1 where a rule is broken
    tools/check_layers.py --self-test   plants one breach of each rule in an empty tree and sees that it is found
"""

import argparse
import os
import re
import sys
import tempfile
from pathlib import Path

AREAS = ("kernels", "engine", "host", "tools", "tests", "profiling")
SOURCES = {".h", ".hpp", ".cuh", ".cpp", ".cc", ".c", ".cu"}
HEADERS = {".h", ".hpp", ".cuh"}
NAMELESS = {"util", "utils", "common", "misc", "helper", "helpers"}

# Parts of the tree, the most particular first: a file belongs to the first whose folder holds it.
PARTS = ("kernels/cpu", "kernels/cuda", "kernels", "engine", "host/device/cuda", "host", "tools", "tests", "profiling")

# The folders of a part, the lowest first: a file includes its own and those before it.
ROOMS = {
    "engine": ("program", "ops", "rewrite", "nn", "models"),
    "host": ("files", "config", "device", "pictures", "metrics", "data", "recipes", "run", "sample", "library", "export",
             "train", "evaluate", "latents", "augment", "restore", "explain", "parity", "bench", "report"),
}

# What each part may include: other parts, then libraries. "std" is C, C++ and the operating system; "other" is any
# library that is not listed in LIBRARIES. tests and profiling look at everything, and nothing includes them.
RULES = {
    "kernels": ({"kernels"}, {"std", "fmt"}),
    "kernels/cpu": ({"kernels", "kernels/cpu"}, {"std", "fmt", "intrinsics", "onednn"}),
    # Compiled for the CPU, a kernel finds <emulator/...> (tests/emulator) where nvcc finds CUDA.
    "kernels/cuda": ({"kernels", "kernels/cuda"}, {"std", "fmt", "cuda", "emulator"}),
    "engine": ({"kernels", "engine"}, {"std", "fmt"}),
    # Whether host/device/cuda is used is the build's choice, so the rest of the host reaches it by its headers alone.
    "host": ({"kernels", "engine", "host", "host/device/cuda"}, {"std", "fmt", "nlohmann", "isal", "other"}),
    "host/device/cuda": ({"kernels", "engine", "host", "host/device/cuda"},
                         {"std", "fmt", "nlohmann", "isal", "cuda", "other"}),
    # The one exception type is in kernels/check.h, and a bench measures operators: contracts, never backends.
    "tools": ({"kernels", "engine", "host", "tools"}, {"std", "fmt", "nlohmann", "isal", "other"}),
}
OPEN_PARTS = {"tests", "profiling"}

# By the header's name; the first that matches counts.
LIBRARIES = (
    ("onednn", re.compile(r"(oneapi/|dnnl)")),
    ("cuda", re.compile(r"(cuda|cudnn|cublas|curand|cufft|cusparse|cusolver|cutensor|nvtx|nvrtc|nvml|nvToolsExt|nccl"
                        r"|cooperative_groups|device_launch_parameters|device_functions|vector_types\.h|cub/|thrust/"
                        r"|cute/|cutlass/|mma\.h|sm_\d)")),
    ("emulator", re.compile(r"emulator/")),
    ("fmt", re.compile(r"fmt/")),
    ("nlohmann", re.compile(r"nlohmann/")),
    ("isal", re.compile(r"isa-l")),
    ("intrinsics", re.compile(r"(omp|immintrin|x86intrin|[a-z]mmintrin|cpuid|arm_neon)\.h$")),
    ("std", re.compile(r"([a-z_0-9]+$|(sys|linux|netinet|arpa|bits)/|(assert|ctype|dirent|dlfcn|errno|fcntl|float|getopt"
                       r"|inttypes|limits|math|poll|pthread|sched|setjmp|signal|spawn|stddef|stdint|stdio|stdlib|string"
                       r"|strings|termios|time|unistd)\.h$)")),
)

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include(?:_next)?[ \t]*([<"])([^>"\n]+)[>"]', re.MULTILINE)
# Comments, and the strings and characters in which the beginning of a comment means nothing.
COMMENT = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\'', re.DOTALL)
PRAGMA_ONCE = re.compile(r"^[ \t]*#[ \t]*pragma[ \t]+once\b", re.MULTILINE)
USING_NAMESPACE = re.compile(r"\busing\s+namespace\b")


def without_comments(text):
    """The text with its comments blanked; every line stays where it is."""

    def blank(match):
        found = match.group()
        return re.sub(r"[^\n]", " ", found) if found.startswith("/") else found

    return COMMENT.sub(blank, text)


def without_strings(text):
    return re.sub(r'"(?:\\.|[^"\\\n])*"', '""', text)


def part_of(path):
    """The part of the tree that `path`, given from the root with slashes, belongs to, or None."""
    return next((part for part in PARTS if path.startswith(part + "/")), None)


def room_of(path):
    """(the part, the place of its folder in ROOMS) of `path`, or None where it lies in no room."""
    top, _, rest = path.partition("/")
    room = rest.partition("/")[0]
    return (top, ROOMS[top].index(room)) if top in ROOMS and room in ROOMS[top] else None


def room_fault(path, header):
    """What is wrong with the order of rooms where the file at `path` includes `header`, or None."""
    here, there = room_of(path), room_of(header)
    if here is None or there is None or here[0] != there[0] or there[1] <= here[1]:
        return None
    top, order = here[0], " ".join(ROOMS[here[0]])
    return f"includes {header}: of {top}/'s folders ({order}) a file includes its own and those before it"


def library_of(header):
    return next((name for name, pattern in LIBRARIES if pattern.match(header)), "other")


def include_fault(part, header, quoted, is_sibling):
    """What is wrong with a file of `part` including `header`, or None."""
    if header.startswith("../") or "/../" in header or header.startswith("./"):
        return f"includes {header}: write the path from the root"
    if quoted and is_sibling and "/" not in header:
        return f"includes {header}: write the path from the root, {part}/..."
    target = part_of(header)
    if target in OPEN_PARTS and part not in OPEN_PARTS:
        return f"includes {header}: nothing includes {target}/"
    if part in OPEN_PARTS:
        return None
    parts, libraries = RULES[part]
    if target is not None:
        if target in parts:
            return None
        return f"includes {header}: {part}/ may include {', '.join(sorted(p + '/' for p in parts))} only"
    library = library_of(header)
    if library in libraries:
        return None
    name = "a library" if library == "other" else library
    return f"includes {header} ({name}): {part}/ may use {', '.join(sorted(libraries))} only"


def faults_of_file(root, path):
    """Yields (line, what is wrong) for the file at `path`, given from the root with slashes."""
    file = root / path
    if file.stem.lower() in NAMELESS:
        yield 1, f"is called {file.stem}: name it after the operator or the thing it holds"
    if file.suffix not in SOURCES:
        return
    if path.split("/")[0] in ROOMS and room_of(path) is None:
        yield 1, f"lies in no folder of {path.split('/')[0]}/: {' '.join(ROOMS[path.split('/')[0]])}"
    text = without_comments(file.read_text(encoding="utf-8", errors="replace"))
    part = part_of(path)
    for match in INCLUDE.finditer(text):
        quoted, header = match.group(1) == '"', match.group(2)
        fault = include_fault(part, header, quoted, (file.parent / header).exists()) or room_fault(path, header)
        if fault:
            yield text.count("\n", 0, match.start()) + 1, fault
    if file.suffix in HEADERS:
        if not PRAGMA_ONCE.search(text):
            yield 1, "has no #pragma once"
        for match in USING_NAMESPACE.finditer(without_strings(text)):
            yield without_strings(text).count("\n", 0, match.start()) + 1, "has `using namespace`, and is a header"


def unit_of(path):
    """A header and its source are one unit."""
    return path.rsplit(".", 1)[0]


def circles(includes):
    """The circles of `includes` (unit -> units that it includes), each as its units in order."""
    index, low, stack, found = {}, {}, [], []

    def visit(unit):
        index[unit] = low[unit] = len(index)
        stack.append(unit)
        for other in sorted(includes.get(unit, ())):
            if other not in index:
                visit(other)
            if other in stack:
                low[unit] = min(low[unit], low[other])
        if low[unit] == index[unit]:
            circle = stack[stack.index(unit):]
            del stack[len(stack) - len(circle):]
            if len(circle) > 1:
                found.append(sorted(circle))

    for unit in sorted(includes):
        if unit not in index:
            visit(unit)
    return found


def circle_faults(root, paths):
    """A line for each circle of units among `paths`."""
    includes, known = {}, set(paths)
    for path in paths:
        text = without_comments((root / path).read_text(encoding="utf-8", errors="replace"))
        for match in INCLUDE.finditer(text):
            if match.group(2) in known and unit_of(match.group(2)) != unit_of(path):
                includes.setdefault(unit_of(path), set()).add(unit_of(match.group(2)))
    for circle in circles(includes):
        path = next(path for path in paths if unit_of(path) == circle[0])
        yield f"{path}:1: these include each other in a circle: {', '.join(circle)}"


def check_tree(root):
    """Returns (the faults as lines "path:line: what", the number of files looked at)."""
    faults, count, sources = [], 0, []
    for area in AREAS:
        for folder, folders, files in os.walk(root / area):
            folders[:] = sorted(name for name in folders if not name.startswith((".", "__", "build")))
            for name in folders:
                if name.lower() in NAMELESS:
                    path = (Path(folder) / name).relative_to(root).as_posix()
                    faults.append(f"{path}:1: is called {name}: name it after what it holds")
            for name in sorted(files):
                path = (Path(folder) / name).relative_to(root).as_posix()
                count += 1
                faults += [f"{path}:{line}: {what}" for line, what in faults_of_file(root, path)]
                # Not in kernels/: a context owns what works on it, so that they know each other.
                if Path(name).suffix in SOURCES and area in ROOMS:
                    sources.append(path)
    return faults + list(circle_faults(root, sources)), count


# (file, its text, a part of the message that must come; None: the file is well)
SELF_TEST = (
    ("kernels/good.h", '// <cuda.h>\n#pragma once\n#include <fmt/format.h>\n#include <vector>\n'
                       '#include "kernels/tensor.h"\n', None),
    ("kernels/good_comment.h", '#pragma once\n/*\n#include "host/a.h"\nusing namespace std;\n*/\n'
                               'inline const char* k = "using namespace /* ";\n', None),
    ("kernels/a.cpp", "#include <cuda_runtime.h>\n", "kernels/a.cpp:1: includes cuda_runtime.h (cuda)"),
    ("kernels/b.cpp", "#include <cudnn.h>\n", "(cuda)"),
    ("kernels/c.cpp", "\n#include <dnnl.hpp>\n", "kernels/c.cpp:2: includes dnnl.hpp (onednn)"),
    ("kernels/d.cpp", '#include "engine/program/program.h"\n', "kernels/ may include kernels/ only"),
    ("kernels/e.cpp", '#include "host/config/options.h"\n', "kernels/ may include"),
    ("kernels/f.cpp", '#include "kernels/cpu/context.h"\n', "kernels/ may include"),
    ("kernels/g.cpp", "#include <nlohmann/json.hpp>\n", "(nlohmann)"),
    ("kernels/h.cpp", "#include <omp.h>\n", "(intrinsics)"),
    ("kernels/i.h", "#pragma once\n#  include  <kernels/cuda/launch.h>\n", "kernels/i.h:2: includes kernels/cuda"),
    ("kernels/cpu/good.cpp", '#include <immintrin.h>\n#include <oneapi/dnnl/dnnl.hpp>\n#include "kernels/cpu/x.h"\n',
     None),
    ("kernels/cpu/a.cpp", "#include <cublas_v2.h>\n", "(cuda)"),
    ("kernels/cpu/b.cpp", '#include "engine/ops/ops.h"\n', "kernels/cpu/ may include"),
    ("kernels/cpu/c.cpp", '#include "kernels/cuda/launch.h"\n', "kernels/cpu/ may include"),
    ("kernels/cuda/good.cu", '#include <cub/cub.cuh>\n#include <mma.h>\n#include "kernels/cuda/reduce.cuh"\n', None),
    ("kernels/cuda/a.cu", "#include <dnnl.h>\n", "(onednn)"),
    ("kernels/cuda/b.cu", '#include "host/device/cuda/stream.h"\n', "kernels/cuda/ may include"),
    ("kernels/cuda/c.cuh", "#pragma once\nusing  namespace nvcuda;\n", "kernels/cuda/c.cuh:2: has `using namespace`"),
    ("engine/ops/good.cpp", '#include <fmt/format.h>\n#include "kernels/matmul.h"\n', None),
    ("engine/ops/a.cpp", '#include "kernels/cpu/context.h"\n', "engine/ may include engine/, kernels/ only"),
    ("engine/ops/b.cpp", "#include <cuda.h>\n", "(cuda)"),
    ("engine/ops/f.cpp", "#include <nlohmann/json.hpp>\n", "(nlohmann)"),
    ("engine/ops/c.cpp", '#include "host/config/options.h"\n', "engine/ may include"),
    ("engine/ops/d.cpp", "#include <dnnl.hpp>\n", "(onednn)"),
    ("engine/ops/e.cpp", "#include <spdlog/spdlog.h>\n", "(a library)"),
    ("engine/models/f.cpp", '#include "tools/verbs/train.h"\n', "engine/ may include"),
    ("host/run/good.cpp", '#include <toml++/toml.h>\n#include "engine/ops/ops.h"\n#include "made.pb.h"\n#include <unistd.h>\n',
     None),
    ("host/run/a.cpp", "#include <cuda_runtime_api.h>\n", "(cuda)"),
    ("host/run/b.cpp", '#include "kernels/cpu/onednn.h"\n', "host/ may include"),
    ("host/run/c.cpp", '#include "tools/verbs/train.h"\n', "host/ may include"),
    ("host/recipes/d.cpp", '#include "tests/support/op_case.h"\n', "nothing includes tests/"),
    ("host/run/e.cpp", '#include "profiling/op_bench.h"\n', "nothing includes profiling/"),
    ("host/device/cuda/good.cpp", '#include <cuda_runtime.h>\n#include "host/config/options.h"\n', None),
    ("host/device/cuda/a.cpp", '#include "kernels/cuda/launch.h"\n', "host/device/cuda/ may include"),
    ("tools/good.cpp", '#include <CLI/CLI.hpp>\n#include "kernels/check.h"\n#include "host/config/options.h"\n', None),
    ("tools/a.cpp", '#include "kernels/cuda/launch.h"\n', "tools/ may include"),
    ("tools/verbs/b.cpp", "#include <nvtx3/nvToolsExt.h>\n", "(cuda)"),
    ("tools/verbs/c.cpp", '#include "../d.h"\n', "write the path from the root"),
    ("tools/e.h", "#pragma once\n", None),
    ("tools/e.cpp", '#include "e.h"\n', "write the path from the root"),
    ("tests/good.cpp", '#include <cuda.h>\n#include <dnnl.hpp>\n#include "kernels/cpu/context.h"\n', None),
    ("engine/nn/g.h", "inline int two() { return 2; }\n", "engine/nn/g.h:1: has no #pragma once"),
    ("tests/support/h.h", "// #pragma once\n", "has no #pragma once"),
    ("host/run/utils.h", "#pragma once\n", "host/run/utils.h:1: is called utils"),
    ("tools/common.sh", "\n", "is called common"),
    ("kernels/misc.cpp", "\n", "is called misc"),
    ("tests/helpers.py", "\n", "is called helpers"),
    ("profiling/utils/x.cpp", "\n", "profiling/utils:1: is called utils"),
    ("engine/stray.cpp", "\n", "engine/stray.cpp:1: lies in no folder of engine/"),
    ("engine/program/high.cpp", '#include "engine/nn/g.h"\n', "a file includes its own and those before it"),
    ("engine/models/low.cpp", '#include "engine/nn/g.h"\n', None),
    ("host/files/high.cpp", '#include "host/run/x.h"\n', "a file includes its own and those before it"),
    ("host/run/x.h", "#pragma once\n", None),
    # A circle of three units, one arrow of which is in a source; and a line of three that is none.
    ("engine/nn/round.h", '#pragma once\n#include "engine/nn/rounder.h"\n', "engine/nn/round, engine/nn/rounder, engine/nn/roundest"),
    ("engine/nn/rounder.h", '#pragma once\n#include "engine/nn/roundest.h"\n', None),
    ("engine/nn/roundest.h", "#pragma once\n", None),
    ("engine/nn/roundest.cpp", '#include "engine/nn/roundest.h"\n#include "engine/nn/round.h"\n', None),
    ("engine/nn/line.h", '#pragma once\n#include "engine/nn/liner.h"\n', None),
    ("engine/nn/liner.h", '#pragma once\n#include "engine/nn/linest.h"\n', None),
    ("engine/nn/linest.h", "#pragma once\n", None),
)


def self_test():
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        for path, text, _ in SELF_TEST:
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_text(text, encoding="utf-8")
        faults, _ = check_tree(root)
    wrong = []
    for path, _, expected in SELF_TEST:
        found = [fault for fault in faults if fault.startswith((path + ":", os.path.dirname(path) + ":"))]
        if expected is None and found:
            wrong.append(f"{path} is well, but: {found[0]}")
        elif expected is not None and not (len(found) == 1 and expected in found[0]):
            wrong.append(f"{path}: expected one fault with \"{expected}\", found {found}")
    for line in wrong:
        print(line)
    print(f"layers: self-test: {len(SELF_TEST) - len(wrong)} of {len(SELF_TEST)} cases as they should be")
    return 1 if wrong else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("root", nargs="?", type=Path, default=Path(__file__).resolve().parent.parent)
    parser.add_argument("--self-test", action="store_true")
    arguments = parser.parse_args()
    if arguments.self_test:
        return self_test()
    if not (arguments.root / "kernels").is_dir():
        print(f"layers: {arguments.root} is no source tree of Duel: it has no folder kernels", file=sys.stderr)
        return 2
    faults, count = check_tree(arguments.root)
    for fault in faults:
        print(fault)
    print(f"layers: {count} files, {len(faults)} faults")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
