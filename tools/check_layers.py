#!/usr/bin/env python3
"""Checks that includes point one way: tools -> host -> engine -> kernels, and that device libraries stay where they are.

RULES is the whole rule book: for each part of the tree, what its files may include. Beside it: every header has
#pragma once and no `using namespace`, and no file is called after nothing (utils, common, misc, helpers).

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
PARTS = ("kernels/cpu", "kernels/cuda", "kernels", "engine", "host/cuda", "host", "tools", "tests", "profiling")

# What each part may include: other parts, then libraries. "std" is C, C++ and the operating system; "other" is any
# library that is not listed in LIBRARIES. tests and profiling look at everything, and nothing includes them.
RULES = {
    "kernels": ({"kernels"}, {"std", "fmt"}),
    "kernels/cpu": ({"kernels", "kernels/cpu"}, {"std", "fmt", "intrinsics", "onednn"}),
    # Compiled for the CPU, a kernel finds <emulator/...> (tests/emulator) where nvcc finds CUDA.
    "kernels/cuda": ({"kernels", "kernels/cuda"}, {"std", "fmt", "cuda", "emulator"}),
    "engine": ({"kernels", "engine"}, {"std", "fmt", "nlohmann", "isal"}),
    # Whether host/cuda is used is the build's choice, so the rest of the host reaches it by its headers alone.
    "host": ({"kernels", "engine", "host", "host/cuda"}, {"std", "fmt", "nlohmann", "isal", "other"}),
    "host/cuda": ({"kernels", "engine", "host", "host/cuda"}, {"std", "fmt", "nlohmann", "isal", "cuda", "other"}),
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
    text = without_comments(file.read_text(encoding="utf-8", errors="replace"))
    part = part_of(path)
    for match in INCLUDE.finditer(text):
        quoted, header = match.group(1) == '"', match.group(2)
        fault = include_fault(part, header, quoted, (file.parent / header).exists())
        if fault:
            yield text.count("\n", 0, match.start()) + 1, fault
    if file.suffix in HEADERS:
        if not PRAGMA_ONCE.search(text):
            yield 1, "has no #pragma once"
        for match in USING_NAMESPACE.finditer(without_strings(text)):
            yield without_strings(text).count("\n", 0, match.start()) + 1, "has `using namespace`, and is a header"


def check_tree(root):
    """Returns (the faults as lines "path:line: what", the number of files looked at)."""
    faults, count = [], 0
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
    return faults, count


# (file, its text, a part of the message that must come; None: the file is well)
SELF_TEST = (
    ("kernels/good.h", '// <cuda.h>\n#pragma once\n#include <fmt/format.h>\n#include <vector>\n'
                       '#include "kernels/tensor.h"\n', None),
    ("kernels/good_comment.h", '#pragma once\n/*\n#include "host/a.h"\nusing namespace std;\n*/\n'
                               'inline const char* k = "using namespace /* ";\n', None),
    ("kernels/a.cpp", "#include <cuda_runtime.h>\n", "kernels/a.cpp:1: includes cuda_runtime.h (cuda)"),
    ("kernels/b.cpp", "#include <cudnn.h>\n", "(cuda)"),
    ("kernels/c.cpp", "\n#include <dnnl.hpp>\n", "kernels/c.cpp:2: includes dnnl.hpp (onednn)"),
    ("kernels/d.cpp", '#include "engine/program.h"\n', "kernels/ may include kernels/ only"),
    ("kernels/e.cpp", '#include "host/options.h"\n', "kernels/ may include"),
    ("kernels/f.cpp", '#include "kernels/cpu/context.h"\n', "kernels/ may include"),
    ("kernels/g.cpp", "#include <nlohmann/json.hpp>\n", "(nlohmann)"),
    ("kernels/h.cpp", "#include <omp.h>\n", "(intrinsics)"),
    ("kernels/i.h", "#pragma once\n#  include  <kernels/cuda/launch.h>\n", "kernels/i.h:2: includes kernels/cuda"),
    ("kernels/cpu/good.cpp", '#include <immintrin.h>\n#include <oneapi/dnnl/dnnl.hpp>\n#include "kernels/cpu/x.h"\n',
     None),
    ("kernels/cpu/a.cpp", "#include <cublas_v2.h>\n", "(cuda)"),
    ("kernels/cpu/b.cpp", '#include "engine/ops.h"\n', "kernels/cpu/ may include"),
    ("kernels/cpu/c.cpp", '#include "kernels/cuda/launch.h"\n', "kernels/cpu/ may include"),
    ("kernels/cuda/good.cu", '#include <cub/cub.cuh>\n#include <mma.h>\n#include "kernels/cuda/reduce.cuh"\n', None),
    ("kernels/cuda/a.cu", "#include <dnnl.h>\n", "(onednn)"),
    ("kernels/cuda/b.cu", '#include "host/cuda/stream.h"\n', "kernels/cuda/ may include"),
    ("kernels/cuda/c.cuh", "#pragma once\nusing  namespace nvcuda;\n", "kernels/cuda/c.cuh:2: has `using namespace`"),
    ("engine/good.cpp", '#include <isa-l/crc.h>\n#include <nlohmann/json.hpp>\n#include "kernels/matmul.h"\n', None),
    ("engine/a.cpp", '#include "kernels/cpu/context.h"\n', "engine/ may include engine/, kernels/ only"),
    ("engine/b.cpp", "#include <cuda.h>\n", "(cuda)"),
    ("engine/c.cpp", '#include "host/options.h"\n', "engine/ may include"),
    ("engine/d.cpp", "#include <dnnl.hpp>\n", "(onednn)"),
    ("engine/e.cpp", "#include <spdlog/spdlog.h>\n", "(a library)"),
    ("engine/models/f.cpp", '#include "tools/verbs/train.h"\n', "engine/ may include"),
    ("host/good.cpp", '#include <toml++/toml.h>\n#include "engine/ops.h"\n#include "made.pb.h"\n#include <unistd.h>\n',
     None),
    ("host/a.cpp", "#include <cuda_runtime_api.h>\n", "(cuda)"),
    ("host/b.cpp", '#include "kernels/cpu/onednn.h"\n', "host/ may include"),
    ("host/c.cpp", '#include "tools/verbs/train.h"\n', "host/ may include"),
    ("host/recipes/d.cpp", '#include "tests/support/op_case.h"\n', "nothing includes tests/"),
    ("host/e.cpp", '#include "profiling/op_bench.h"\n', "nothing includes profiling/"),
    ("host/cuda/good.cpp", '#include <cuda_runtime.h>\n#include "host/options.h"\n', None),
    ("host/cuda/a.cpp", '#include "kernels/cuda/launch.h"\n', "host/cuda/ may include"),
    ("tools/good.cpp", '#include <CLI/CLI.hpp>\n#include "kernels/check.h"\n#include "host/options.h"\n', None),
    ("tools/a.cpp", '#include "kernels/cuda/launch.h"\n', "tools/ may include"),
    ("tools/verbs/b.cpp", "#include <nvtx3/nvToolsExt.h>\n", "(cuda)"),
    ("tools/verbs/c.cpp", '#include "../d.h"\n', "write the path from the root"),
    ("tools/e.h", "#pragma once\n", None),
    ("tools/e.cpp", '#include "e.h"\n', "write the path from the root"),
    ("tests/good.cpp", '#include <cuda.h>\n#include <dnnl.hpp>\n#include "kernels/cpu/context.h"\n', None),
    ("engine/g.h", "inline int two() { return 2; }\n", "engine/g.h:1: has no #pragma once"),
    ("tests/support/h.h", "// #pragma once\n", "has no #pragma once"),
    ("host/utils.h", "#pragma once\n", "host/utils.h:1: is called utils"),
    ("tools/common.sh", "\n", "is called common"),
    ("kernels/misc.cpp", "\n", "is called misc"),
    ("tests/helpers.py", "\n", "is called helpers"),
    ("profiling/utils/x.cpp", "\n", "profiling/utils:1: is called utils"),
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
