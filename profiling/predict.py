#!/usr/bin/env python3
"""Predicts how long a training step takes on an H100, from the machine code of its kernels; no GPU is needed.

    profiling/predict.sh [--build build-cuda] [--steps classic-bf16 ...] [--json FILE] [--compare OLD.json]

duel_launches (a target of builds with nvcc) says what a step starts: kernels, grids, arguments. A few warps of every
launch are walked through the machine code (warp_walk.py), which gives instructions by class, bytes moved and the cycles
of a warp alone. The time of a launch is the longest of

    issue      warp instructions over 4 schedulers of 132 multiprocessors at 1.755 GHz, where the busiest multiprocessor
               decides; and the same for each unit that takes longer for an instruction (UNITS)
    latency    the cycles of a warp alone, as often as blocks follow each other on a multiprocessor
    L2         sectors read and written, 5.5 TB/s, and 64 bytes a cycle for one multiprocessor
    memory     the least bytes of the operator (kernels/*.h, cost), 3.0 TB/s

then, where the block that comes last has more to do, that block's own time, and GAP_US between two nodes of a graph.
These are predictions, to be held against measurements: within 40 % where nothing was forgotten.

Exit codes: 0; 1 a kernel holds an instruction that the walk does not know; 2 usage; 77 a tool or the program is missing.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import machine_code  # noqa: E402
import warp_walk  # noqa: E402
from resources import demangle, short  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
GPU = "NVIDIA H100 80GB HBM3"
MULTIPROCESSORS, CLOCK_GHZ, L2_TB_S, MEMORY_TB_S = 132, 1.755, 5.5, 3.0
GAP_US = 1.4  # with the 0.5 to 0.9 us of a small kernel, about 2.2 a node
WARPS, BLOCKS, SHARED_BYTES, REGISTERS = 64, 32, 228 * 1024, 65536  # of a multiprocessor
SECTORS_PER_CYCLE = 2  # that a multiprocessor takes from L2
# Warp instructions a cycle of a multiprocessor.
ISSUE = 4
UNITS = {"alu": 2, "special": 0.5, "double": 2, "tensor": 0.62, "shuffle": 1}
SAMPLED_BLOCKS = 3
STEPS = [f"{preset}-{precision}" for preset in ("classic", "steady") for precision in ("fp32", "tf32", "bf16")]


# ---- what a launch costs


class BlockCost:
    """Of an average block: warp instructions in all and by class, sectors, cycles of the longest of its warps alone.

    `walks`: [(counts of a warp, how many warps of the launch it stands for)]."""

    def __init__(self, walks, warps):
        share = sum(weight for _, weight in walks) / warps

        def mean(value):
            return sum(value(each) * weight for each, weight in walks) / share

        self.warps = warps
        self.issued = mean(lambda each: each.issued)
        self.units = {unit: mean(lambda each: each.by_class.get(unit, 0)) for unit in UNITS}
        self.shared_cycles = mean(lambda each: each.shared_cycles)
        self.sectors = mean(lambda each: each.sectors)
        self.cycles = max(each.cycles for each, _ in walks)

    def busy_times(self, at_once=1):
        """Cycles of a multiprocessor for a block, by what is busy, where so many blocks are there at once."""
        times = {unit: self.units[unit] / rate for unit, rate in UNITS.items()}
        times["issue"] = self.issued / min(ISSUE, at_once * self.warps)
        times["shared"] = self.shared_cycles
        times["L2 port"] = self.sectors / SECTORS_PER_CYCLE
        return times


def blocks_at_once(kernel, launch):
    """How many blocks of a launch fit on a multiprocessor."""
    threads = launch["block"][0] * launch["block"][1] * launch["block"][2]
    warps = -(-threads // 32)
    registers = -(-kernel.registers * 32 // 256) * 256 * warps
    shared = -(-(max(kernel.shared_bytes, 1024) + launch["shared"]) // 128) * 128
    return max(1, min(BLOCKS, WARPS // warps, REGISTERS // max(registers, 1), SHARED_BYTES // shared))


def sampled(count, wanted):
    """[(number below `count`, how many it stands for)]: spread evenly; the last, which may be short, for itself alone."""
    if count <= wanted:
        return [(i, 1) for i in range(count)]
    if wanted == 1:
        return [(0, count)]
    return [(i * (count - 1) // (wanted - 1), (count - 1) / (wanted - 1)) for i in range(wanted - 1)] + [(count - 1, 1)]


def walk_launch(kernel, launch, is_last):
    """Counts of a few warps of a launch."""
    grid, block = launch["grid"], launch["block"]
    warps = -(-block[0] * block[1] * block[2] // 32)
    walks = []
    for number, blocks in sampled(grid[0] * grid[1] * grid[2], 1 if is_last else SAMPLED_BLOCKS):
        index = (number % grid[0], number // grid[0] % grid[1], number // grid[0] // grid[1])
        shared = {}
        for warp, alike in sampled(warps, 2):
            counts = warp_walk.Walk(kernel, launch, index, warp, shared, is_last).run()
            walks.append((counts, blocks * alike))
    return BlockCost(walks, warps)


def launch_time(kernel, launch, walk=walk_launch):
    """{us, limit, instructions, tail_us} of one launch, without memory and gap."""
    blocks = launch["grid"][0] * launch["grid"][1] * launch["grid"][2]
    cost = walk(kernel, launch, False)
    busiest = -(-blocks // MULTIPROCESSORS)
    resident = min(blocks_at_once(kernel, launch), busiest)
    times = {name: value * busiest for name, value in cost.busy_times(resident).items()}
    times["latency"] = cost.cycles * busiest / resident
    times["L2"] = cost.sectors * blocks * 32 / (L2_TB_S * 1e12) * CLOCK_GHZ * 1e9
    limit, cycles = max(times.items(), key=lambda item: item[1])
    tail = 0
    if any("ATOM" in each.opcode for each in kernel.instructions):
        last, usual = walk(kernel, launch, True), cost
        tail = max(max(last.busy_times().values()) - max(usual.busy_times().values()), last.cycles - usual.cycles, 0)
    to_us = 1 / (CLOCK_GHZ * 1e3)
    return {"us": (cycles + tail) * to_us, "limit": "last block" if tail > cycles else limit,
            "instructions": round(cost.issued * blocks), "tail_us": tail * to_us,
            "parts": {name: value * to_us for name, value in times.items()}, "resident": resident,
            "block": {"warps": cost.warps, "instructions": round(cost.issued),
                      **{unit: round(count) for unit, count in cost.units.items() if count}}}


def node_time(kernels, node, known):
    """The same of a recorded operator, which may launch several kernels; `known` remembers equal launches."""
    us, limits, instructions, tail = 0, [], 0, 0
    for launch in node["launches"]:
        key = json.dumps(launch, sort_keys=True)
        if key not in known:
            try:
                known[key] = launch_time(kernels[launch["kernel"]], launch)
            except warp_walk.Unknown as problem:
                raise SystemExit(f"predict: {name_of(launch['kernel'])} ({node['op']}, {node['place']}): the walk does not know "
                                 f"{problem}; add it to one of profiling/walk_*.py")
        time = known[key]
        us, instructions, tail = us + time["us"], instructions + time["instructions"], tail + time["tail_us"]
        limits.append((time["us"], time["limit"]))
    memory = node["bytes"] / (MEMORY_TB_S * 1e6)
    if memory > us:
        us, limits = memory, [(memory, "memory")]
    limit = max(limits)[1] if limits else "no kernel"
    gaps = GAP_US * len(node["launches"])
    if us < gaps:
        limit = "gap"
    return {"us": us + gaps, "limit": limit, "instructions": instructions, "tail_us": tail}


# ---- what is printed


NAMES = {}


def name_of(symbol):
    if symbol not in NAMES:
        NAMES[symbol] = short(demangle([symbol])[symbol])
    return NAMES[symbol]


def record_step(program, parameters, step):
    """What duel_launches says of a step."""
    preset, precision = step.split("-")
    done = subprocess.run([str(program), "--preset", preset, "--precision", precision, "--parameters", parameters],
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"predict: {program} failed: {done.stderr.strip()}")
    return json.loads(done.stdout)


def predict_step(kernels, recorded, known):
    """One row for each recorded node of a step, in its order."""
    rows = []
    for node in recorded["nodes"]:
        rows.append({"step": f"{recorded['preset']} {recorded['precision']}", "id": f"{node['op']} {node['arrays']}", "op": node["op"],
                     "what": node["place"], "floor_us": node["bytes"] / (MEMORY_TB_S * 1e6),
                     "kernels": sorted({name_of(each["kernel"]).split("<")[0] for each in node["launches"]}),
                     "blocks": [each["grid"] for each in node["launches"]], **node_time(kernels, node, known)})
    return rows


def merged(rows):
    """Rows of one id joined, the longest in sum first: {..., us of one, times}."""
    groups = {}
    for row in rows:
        groups.setdefault(row["id"], []).append(row)
    joined = [{**group[0], "us": sum(each["us"] for each in group) / len(group), "times": len(group)}
              for group in groups.values()]
    return sorted(joined, key=lambda row: -row["us"] * row["times"])


def print_step(rows, old):
    total = sum(row["us"] for row in rows)
    step = rows[0]["step"]
    before = f", before {old[f'step {step}']:.0f}" if f"step {step}" in old else ""
    print(f"\nstep {step}: {total:.0f} us predicted{before}; {len(rows)} nodes")
    print(f"{'us':>7} {'before' if old else '':>7} {'floor':>6} {'tail':>6} {'limit':<10} operator")
    for row in merged(rows):
        was = old.get(id_of(row))
        times = f"{row['times']} x " if row["times"] > 1 else ""
        before = "" if was is None else f"{was:.1f}"
        print(f"{row['us'] * row['times']:7.1f} {before:>7} {row['floor_us'] * row['times']:6.1f} {row['tail_us']:6.1f} "
              f"{row['limit']:<10} {times}{row['id']}  [{row['what']}] {', '.join(row['kernels'])} "
              f"{row['blocks'][0] if row['blocks'] else ''}")


def explain(kernels, recorded, known, pattern):
    """Every part of the time of the launches whose operator, arrays, place or kernel match."""
    seen = set()
    for node in recorded["nodes"]:
        for launch in node["launches"]:
            key = json.dumps(launch, sort_keys=True)
            kernel = kernels[launch["kernel"]]
            text = f"{node['op']} {node['arrays']}  [{node['place']}] {name_of(launch['kernel'])}"
            if re.search(pattern, text) and key not in seen:
                seen.add(key)
                time = known[key]
                print(f"\n{text}\n  grid {launch['grid']}, {kernel.registers} registers, "
                      f"{kernel.shared_bytes + launch['shared']} bytes shared, {time['resident']} blocks a multiprocessor")
                print("  us: " + ", ".join(f"{name} {us:.1f}" for name, us in time["parts"].items() if us >= 0.05)
                      + f", last block {time['tail_us']:.1f}, memory {node['bytes'] / (MEMORY_TB_S * 1e6):.1f}")
                print("  of a block: " + ", ".join(f"{name} {count}" for name, count in time["block"].items()))


def id_of(row):
    """What first_light.py calls the measured row; it measures the operators of classic alone."""
    return f"operator {row['step'].split()[1]} {row['id']}" if row["step"].startswith("classic ") else None


def to_json(steps, others=()):
    """`others`: rows of the file that are about something else."""
    rows = [{"id": f"step {rows[0]['step']}", "what": f"{len(rows)} nodes, our kernels, one lane",
             "us": round(sum(row["us"] for row in rows), 1)} for rows in steps]
    rows += others
    for step in steps:
        for row in merged(step) if id_of(step[0]) else []:
            times = f"{row['times']} times" if row["times"] > 1 else "once"
            rows.append({"id": id_of(row), "what": f"{row['what']}, {times}; {row['limit']}",
                         "us": round(row["us"] * row["times"], 2)})
    return {"gpu": GPU, "method": "predicted, not measured: profiling/predict.sh from machine code, see there; +-40 %. Rows of "
            "PyTorch: from what such steps take elsewhere, the middle of a range.", "rows": rows}


def read_rows(path):
    return json.loads(path.read_text())["rows"]


def write_json(path, steps):
    """Rows of steps and operators that were not predicted now stay as they are, and so do all others."""
    old = read_rows(path) if path.exists() else []
    fresh = to_json(steps)
    done = {row["id"] for row in fresh["rows"]}
    names = [rows[0]["step"] for rows in steps]

    def is_stale(row):
        words = row["id"].split()
        step = f"classic {words[1]}" if words[0] == "operator" else " ".join(words[1:3])
        return row["id"] in done or words[0] in ("step", "operator") and step in names

    kept = [row for row in old if not is_stale(row)]
    report = to_json(steps, kept)
    report["rows"].sort(key=lambda row: (row["id"].startswith("operator"), not row["id"].startswith("step"), "steady" in row["id"]))
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = ",\n  ".join(json.dumps(row) for row in report["rows"])
    path.write_text(f'{{\n "gpu": {json.dumps(report["gpu"])},\n "method": {json.dumps(report["method"])},\n "rows": [\n  {lines}\n ]\n}}\n')


def main():
    parser = argparse.ArgumentParser(prog="predict.sh", description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--build", type=Path, default=ROOT / "build", help="a build with nvcc for sm_90")
    parser.add_argument("--steps", nargs="+", default=STEPS, choices=STEPS, metavar="PRESET-PRECISION")
    parser.add_argument("--json", type=Path, help="file whose rows of these steps are written anew")
    parser.add_argument("--explain", metavar="REGEX", help="every part of the time of operators, places or kernels like this")
    parser.add_argument("--compare", type=Path, help="a file that --json wrote before")
    arguments = parser.parse_args()
    program = arguments.build / "profiling/duel_launches"
    if not program.exists():
        print(f"predict: SKIPPED: there is no {program}; build it with nvcc: cmake --build {arguments.build} --target "
              "duel_launches")
        return 77
    old = {row["id"]: row.get("us") for row in read_rows(arguments.compare)} if arguments.compare else {}
    with tempfile.TemporaryDirectory() as folder:
        try:
            code = machine_code.Program(program, folder)
        except FileNotFoundError as problem:
            print(f"predict: SKIPPED: {problem}")
            return 77
        parameters = Path(folder) / "parameters"
        parameters.write_text("".join(f"{name} {' '.join(f'{at}:{size}' for at, size in kernel.parameters)}\n"
                                      for name, kernel in code.kernels.items()))
        recorded = [record_step(program, str(parameters), step) for step in arguments.steps]
        code.disassemble({launch["kernel"] for step in recorded for node in step["nodes"] for launch in node["launches"]})
    known = {}
    steps = [predict_step(code.kernels, step, known) for step in recorded]
    for rows in steps:
        print_step(rows, old)
    for step in recorded if arguments.explain else []:
        explain(code.kernels, step, known, arguments.explain)
    if arguments.json:
        write_json(arguments.json, steps)
    return 0


if __name__ == "__main__":
    sys.exit(main())
