#!/usr/bin/env python3
"""Registers, shared memory, spills and theoretical occupancy of every kernel in kernels/cuda, by the report of ptxas.

Each source is compiled for each architecture with the flags of the build (no GPU is needed, and no build folder); what
was found is kept in --cache under a hash of all sources, so that a second run takes no time. A kernel that keeps
anything in local memory (spilled registers, a stack frame) makes the script fail, unless the head of its source says
why in a comment with the word "spills:".

Occupancy is of the launch bounds' threads and the static shared memory; "dyn" marks kernels that ask for more shared
memory when they are launched, whose occupancy is at most what stands here.

With --objects nothing is compiled: the build has left the reports beside its objects (ptxas_report.py). They tell of
registers, shared memory and spills for the architectures of the build, but not of threads, so there is no occupancy.

Exit codes: 0; 1 a kernel spills and nothing says why, or does not compile; 2 usage; 77 there is no nvcc.
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KERNELS = ROOT / "kernels/cuda"
# Per multiprocessor: (warps, blocks, KiB of shared memory), by compute capability. 64 Ki registers everywhere.
LIMITS = {75: (32, 16, 64), 80: (64, 32, 164), 86: (48, 16, 100), 89: (48, 24, 100), 90: (64, 32, 228),
          100: (64, 32, 228), 103: (64, 32, 228), 120: (48, 24, 100)}
REGISTERS, REGISTERS_AT_ONCE, RESERVED_SHARED = 65536, 256, 1024
# As CMakeLists.txt has them; -lineinfo changes no code.
FLAGS = ("-std=c++20", "-O3", "-DNDEBUG", "--expt-relaxed-constexpr", "-DFMT_USE_CONSTEXPR=1", "-DDUEL_HAS_CUDA",
         "-DFMT_HEADER_ONLY")


def find_nvcc():
    for path in (os.environ.get("CUDACXX"), shutil.which("nvcc"),
                 os.path.join(os.environ.get("CUDA_HOME") or "/usr/local/cuda", "bin/nvcc")):
        if path and os.access(path, os.X_OK):
            return path
    return None


def compile_source(nvcc, source, arch):
    """(what ptxas reported, the PTX)."""
    with tempfile.TemporaryDirectory() as folder:
        command = [nvcc, "-cubin", f"-arch=sm_{arch}", *FLAGS, "-Xptxas", "-v", "-I", str(ROOT), "--keep", "--keep-dir", folder,
                   "-o", os.path.join(folder, "out.cubin"), str(source)]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise RuntimeError(f"{source.name} does not compile for sm_{arch} (exit code {done.returncode}):\n"
                               f"{done.stderr[-2000:]}")
        return done.stderr, next(Path(folder).glob("*.ptx")).read_text()


def parse(report, ptx):
    """{mangled name: what is known of the kernel}."""
    kernels = {}
    for block in re.split(r"(?=ptxas info\s*: Compiling entry function)", report)[1:]:
        name = re.search(r"entry function '([^']+)'", block).group(1)

        def number(pattern):
            match = re.search(pattern, block)
            return int(match.group(1)) if match else 0

        kernels[name] = {"registers": number(r"Used (\d+) registers"), "shared": number(r"(\d+) bytes smem"),
                         "stack": number(r"(\d+) bytes stack frame"),
                         "spilled": number(r"(\d+) bytes spill stores") + number(r"(\d+) bytes spill loads")}
    dynamic = re.findall(r"\.extern \.shared [^;]*?(\w+)\[\]", ptx)
    for entry in re.split(r"(?=\.entry )", ptx)[1:]:
        name = re.match(r"\.entry (\w+)", entry).group(1)
        bound = re.search(r"\.maxntid (\d+)(?:, (\d+), (\d+))?", entry)
        threads = 1
        for part in bound.groups() if bound else ():
            threads *= int(part or 1)
        if name in kernels:
            kernels[name]["threads"] = threads if bound else 0
            kernels[name]["dynamic"] = any(re.search(rf"\b{array}\b", entry) for array in dynamic)
    return kernels


def reports_of(objects, sources):
    """[(source, architecture, report)] of what the build left beside its objects."""
    kept = {Path(name).name: Path(name + ".ptxas") for name in objects}
    found = []
    for source in sources:
        path = kept.get(source.name + ".o")
        if path is None or not path.exists():
            raise RuntimeError(f"there is no report {path or source.name + '.o.ptxas'} of {source.name}; build duel_kernels anew")
        arches = split_by_architecture(path.read_text())
        if not arches:
            raise RuntimeError(f"{path} names no kernel; build duel_kernels anew")
        found += [(source, arch, report) for arch, report in sorted(arches.items())]
    return found


def split_by_architecture(report):
    arches = {}
    for block in re.split(r"(?=ptxas info\s*: Compiling entry function)", report)[1:]:
        arch = int(re.search(r"for 'sm_(\d+)", block).group(1))
        arches[arch] = arches.get(arch, "") + block
    return arches


def occupancy(kernel, arch):
    """The share of a multiprocessor's warps that can be there at once, or None where the block's size is unknown."""
    if not kernel.get("threads") or arch not in LIMITS:
        return None
    warps, blocks, shared_kib = LIMITS[arch]
    warps_of_block = -(-kernel["threads"] // 32)
    registers_of_warp = -(-kernel["registers"] * 32 // REGISTERS_AT_ONCE) * REGISTERS_AT_ONCE
    fitting = min(blocks, warps // warps_of_block, REGISTERS // registers_of_warp // warps_of_block,
                  shared_kib * 1024 // (-(-kernel["shared"] // 128) * 128 + RESERVED_SHARED))
    return fitting * warps_of_block / warps


def short(name):
    """map_kernel<Add, float> of a demangled signature: namespaces and arguments say nothing in a table."""
    name = re.sub(r"\(anonymous namespace\)::|duel::|void ", "", name)
    depth, end = 0, len(name)
    for i, letter in enumerate(name):
        depth += {"<": 1, ">": -1}.get(letter, 0)
        if letter == "(" and depth == 0:
            end = i
            break
    name = re.sub(r"\((?:int|bool|unsigned int)\)", "", name[:end])
    return name.replace("__nv_bfloat16", "bf16")


def demangle(names):
    done = subprocess.run(["c++filt"], input="\n".join(names), capture_output=True, text=True, check=True)
    return dict(zip(names, done.stdout.splitlines()))


def head_of(source):
    """The comment at the top of the file."""
    lines = []
    for line in source.read_text().splitlines():
        if not line.startswith("//"):
            break
        lines.append(line)
    return "\n".join(lines)


def says_why(source):
    """Whether its head, or that of a header of kernels/cuda that it includes itself, has a note on spills."""
    names = re.findall(r'#include "kernels/cuda/([^"]+)"', source.read_text())
    return any("spills:" in head_of(path) for path in [source, *(KERNELS / name for name in names)] if path.exists())


def hash_of(sources, arches, nvcc):
    digest = hashlib.sha256(repr((sorted(str(s) for s in sources), arches, nvcc, FLAGS)).encode())
    for path in sorted(KERNELS.iterdir()) + sorted((ROOT / "kernels").glob("*.h")) + [Path(__file__)]:
        digest.update(path.read_bytes())
    return digest.hexdigest()[:20]


SELF_TEST_REPORT = """ptxas info    : Compiling entry function '_Z1fv' for 'sm_90'
ptxas info    : Function properties for _Z1fv
    16 bytes stack frame, 8 bytes spill stores, 4 bytes spill loads
ptxas info    : Used 72 registers, used 1 barriers, 16 bytes cumulative stack size, 4224 bytes smem
"""
SELF_TEST_PTX = """.extern .shared .align 16 .b8 pool[];
.visible .entry _Z1fv(
)
.maxntid 256
{
 mov.u32 %r1, pool;
}
"""


def self_test():
    kernel = parse(SELF_TEST_REPORT, SELF_TEST_PTX)["_Z1fv"]
    wanted = {"registers": 72, "shared": 4224, "stack": 16, "spilled": 12, "threads": 256, "dynamic": True}
    # 72 registers: 2304 a warp, 28 warps, so 3 blocks of 8.
    ok = kernel == wanted and occupancy(kernel, 90) == 24 / 64
    rows = [{"arch": 90, "source": "f.cu", "kernel": "f<1>", **kernel},
            {"arch": 90, "source": "f.cu", "kernel": "f<2>", **kernel, "registers": 80}]
    ok = ok and list(summary(rows))[2:] == ["| 90 | f.cu | `f` | 2 | 256 | 72 - 80 | 4224 | 2 instances | 38, at most |"]
    two = split_by_architecture("ptxas info    : 0 bytes gmem\n" + SELF_TEST_REPORT + SELF_TEST_REPORT.replace("sm_90", "sm_80"))
    ok = ok and sorted(two) == [80, 90] and all(parse(report, "")["_Z1fv"]["spilled"] == 12 for report in two.values())
    ok = ok and short("void duel::f<float, (int)4>(int, long)") == "f<float, 4>"
    print("resources: self-test: " + ("all is well" if ok else f"found {kernel}, {occupancy(kernel, 90)}"))
    return 0 if ok else 1


def summary(rows):
    """A Markdown table of one line per source, template and architecture, with the extremes of its instances."""

    def extremes(values):
        values = sorted(values)
        return f"{values[0]}" if values[0] == values[-1] else f"{values[0]} - {values[-1]}"

    groups = {}
    for row in rows:
        groups.setdefault((row["arch"], row["source"], row["kernel"].split("<")[0]), []).append(row)
    yield "| sm | source | kernel | instances | threads | registers | static shared, bytes | local memory | occupancy, % |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for (arch, source, kernel), instances in sorted(groups.items()):
        shares = [occupancy(row, arch) for row in instances]
        occupied = "?" if None in shares else extremes([round(100 * share) for share in shares])
        dynamic = ", at most" if any(row.get("dynamic") for row in instances) else ""
        local = sum(bool(row["stack"] or row["spilled"]) for row in instances)
        yield (f"| {arch} | {source} | `{kernel}` | {len(instances)} | {extremes([row.get('threads', 0) for row in instances])} "
               f"| {extremes([row['registers'] for row in instances])} | {extremes([row['shared'] for row in instances])} "
               f"| {f'{local} instances' if local else 'none'} | {occupied}{dynamic} |")


def main():
    parser = argparse.ArgumentParser(prog="resources.sh", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", help="names of sources in kernels/cuda; all by default")
    parser.add_argument("--arch", type=int, nargs="+", default=[80, 90])
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--cache", type=Path, help="folder for what was found")
    parser.add_argument("--objects", nargs="+", help="those of the build, which lie beside their reports: compile nothing")
    parser.add_argument("--json", type=Path, help="every kernel, as JSON")
    parser.add_argument("--markdown", type=Path, help="a line for each template, as a table")
    parser.add_argument("--self-test", action="store_true")
    arguments = parser.parse_args()
    if arguments.self_test:
        return self_test()
    nvcc = find_nvcc()
    if nvcc is None and not arguments.objects:
        print("resources: SKIPPED: there is no nvcc on the PATH, in CUDA_HOME or in /usr/local/cuda")
        return 77
    wanted = {Path(name).name for name in arguments.files}
    sources = [path for path in sorted(KERNELS.glob("*.cu")) if not wanted or path.name in wanted]
    unknown = wanted - {path.name for path in sources}
    if unknown:
        parser.error(f"kernels/cuda has no {', '.join(sorted(unknown))}")

    kept = None
    if arguments.cache and not arguments.objects:
        kept = arguments.cache / f"resources-{hash_of(sources, arguments.arch, nvcc)}.json"
    if kept and kept.exists():
        rows = json.loads(kept.read_text())
    else:
        tasks = [(source, arch) for source in sources for arch in arguments.arch]
        try:
            if arguments.objects:
                reports = reports_of(arguments.objects, sources)
                tasks, outputs = [(source, arch) for source, arch, _ in reports], [(report, "") for *_, report in reports]
            else:
                with ThreadPoolExecutor(arguments.jobs) as pool:
                    outputs = list(pool.map(lambda task: compile_source(nvcc, *task), tasks))
        except RuntimeError as error:
            print(f"resources: {error}", file=sys.stderr)
            return 1
        rows = []
        for (source, arch), output in zip(tasks, outputs):
            found = parse(*output)
            names = demangle(list(found))
            rows += [{"source": source.name, "arch": arch, "kernel": short(names[name]), **kernel}
                     for name, kernel in sorted(found.items())]
        if kept:
            arguments.cache.mkdir(parents=True, exist_ok=True)
            kept.write_text(json.dumps(rows, indent=1))
    if arguments.json:
        arguments.json.write_text(json.dumps(rows, indent=1) + "\n")
    if arguments.markdown:
        release = re.search(r"release ([\d.]+)", subprocess.run([nvcc, "--version"], capture_output=True, text=True).stdout)
        head = [f"# What nvcc {release.group(1) if release else ''} gives each kernel", "",
                "`profiling/resources.sh`; occupancy is that of the threads, the registers and the static shared memory.", ""]
        arguments.markdown.write_text("\n".join([*head, *summary(rows)]) + "\n")

    print(f"{'source':<16} {'sm':>3} {'regs':>4} {'shared':>7} {'stack':>5} {'spill':>5} {'threads':>7} {'occup.':>7}  kernel")
    faults = set()
    for row in rows:
        share = occupancy(row, row["arch"])
        print(f"{row['source']:<16} {row['arch']:>3} {row['registers']:>4} {row['shared']:>7} {row['stack']:>5} "
              f"{row['spilled']:>5} {row.get('threads') or '?':>7} {'?' if share is None else f'{share:.0%}':>7}"
              f"{' dyn' if row.get('dynamic') else ''}  {row['kernel'][:110]}")
        if row["stack"] or row["spilled"]:
            faults.add((row["source"], row["kernel"]))
    unexplained = {(source, kernel) for source, kernel in faults if not says_why(KERNELS / source)}
    for source, kernel in sorted(unexplained):
        print(f"resources: {source}: {kernel} uses local memory, and no head of its sources says why (\"spills: ...\")")
    print(f"resources: {len(rows)} kernels, {len(faults)} with local memory, {len(unexplained)} of them unexplained")
    return 1 if unexplained else 0


if __name__ == "__main__":
    sys.exit(main())
