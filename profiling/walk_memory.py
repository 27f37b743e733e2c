"""Instructions that read and write memory. Each function is given the walk and its step."""

import re

from walk_floats import floating
from walk_step import LATENCY, is_predicate, width_of
from walk_values import LANES, M32, READ_VALUE, TICKET, Unknown, spread


# The upper half of the addresses by which generic loads and stores reach shared memory.
SHARED_WINDOW = 0x7F
RANK_SHIFT = 24  # in the lower half: the rank in its cluster of the block whose memory it is; the walk's own is 0


def load(walk, step):
    target, place = step.operands[0], step.operands[1]
    if is_predicate(target):
        target, place = step.operands[1], step.operands[2]
    read_global(walk, step, target, walk.global_address(place))


def read_global(walk, step, target, address):
    size = width_of(step.parts)
    if walk.touch(address, size, True, "STRONG" not in step.parts):
        walk.latency = LATENCY["cached"]
    for k in range(max(1, size // 4)):
        if target != "RZ":
            walk.set(f"R{int(target[1:]) + k}", READ_VALUE if k == 0 else 0)


def store(walk, step):
    walk.touch(walk.global_address(step.operands[0]), width_of(step.parts), False, False)


def atomic(walk, step):
    walk.touch(walk.global_address(step.operands[2]), 4, False, False)
    walk.set(step.operands[1], TICKET if walk.is_last else 0)


def shared_place(walk, text):
    inner = re.search(r"\[([^\[\]]*)\]$", text).group(1)
    return walk.sum_of(inner)


def bank_cycles(places, size):
    """How often shared memory is read for lanes that want `size` bytes at these places: 32 banks of four bytes, each of
    which gives one word at a time, to any number of lanes."""
    banks = {}
    for word in {place // 4 + k for place in set(places) for k in range(max(1, size // 4))}:
        banks[word % 32] = banks.get(word % 32, 0) + 1
    return max(banks.values(), default=0)


def lane_places(walk, address):
    if type(address) is not list:
        return [address]
    return [address[lane] for lane in range(LANES) if walk.mask >> lane & 1]


def load_shared(walk, step):
    read_shared(walk, step, step.operands[0], shared_place(walk, step.operands[1]))


def read_shared(walk, step, target, address):
    size = width_of(step.parts)
    walk.counts.shared_cycles += bank_cycles(lane_places(walk, address), size)
    for k in range(max(1, size // 4)):
        value = spread(lambda at: walk.shared.get(at + 4 * k, READ_VALUE), address)
        if target != "RZ":
            walk.set(f"R{int(target[1:]) + k}", value)


def store_shared(walk, step):
    write_shared(walk, step, shared_place(walk, step.operands[0]))


def write_shared(walk, step, address):
    size, source = width_of(step.parts), step.operands[1]
    walk.counts.shared_cycles += bank_cycles(lane_places(walk, address), size)
    places = address if type(address) is list else [address] * LANES
    for k in range(max(1, size // 4)):
        value = walk.get(f"R{int(source[1:]) + k}" if source != "RZ" else source)
        values = value if type(value) is list else [value] * LANES
        for lane in range(LANES):
            if walk.mask >> lane & 1:
                walk.shared[places[lane] + 4 * k] = values[lane]


def by_memory(walk, address, in_shared, in_global):
    """Calls these for the lanes whose generic address lies there."""
    whole = walk.mask
    shared = whole & walk.mask_of(spread(lambda at: at >> 32 == SHARED_WINDOW, address))
    if shared:
        walk.mask = shared
        in_shared(spread(lambda at: at & M32, address))
    if whole & ~shared:
        walk.mask = whole & ~shared
        in_global(address)
    walk.mask = whole


def load_generic(walk, step):
    target = step.operands[0]
    latencies = []

    def from_shared(address):
        read_shared(walk, step, target, address)
        is_own = all(place < 1 << RANK_SHIFT for place in lane_places(walk, address))
        latencies.append(LATENCY["shared" if is_own else "cluster"])

    def from_global(address):
        walk.latency = LATENCY["load"]
        read_global(walk, step, target, address)
        latencies.append(walk.latency)

    by_memory(walk, walk.global_address(step.operands[1]), from_shared, from_global)
    walk.latency = max(latencies)


def store_generic(walk, step):
    by_memory(walk, walk.global_address(step.operands[0]), lambda address: write_shared(walk, step, address),
              lambda address: walk.touch(address, width_of(step.parts), False, False))


# What the compiler puts aside in local memory lies at the same place for all lanes, and in the first-level cache.


def local_place(walk, step, text):
    place = shared_place(walk, text)
    if type(place) is list and any(place[lane] != place[walk.first_lane()] for lane in range(LANES) if walk.mask >> lane & 1):
        raise Unknown(f"{step.opcode} of an array that lanes index differently")
    return place[walk.first_lane()] if type(place) is list else place


def load_local(walk, step):
    place, target = local_place(walk, step, step.operands[1]), step.operands[0]
    walk.latency = LATENCY["cached"]
    for k in range(max(1, width_of(step.parts) // 4)):
        walk.set(f"R{int(target[1:]) + k}", walk.local.get(place + 4 * k, READ_VALUE))


def store_local(walk, step):
    place, source = local_place(walk, step, step.operands[0]), step.operands[1]
    for k in range(max(1, width_of(step.parts) // 4)):
        value = walk.get(f"R{int(source[1:]) + k}" if source != "RZ" else source)
        walk.local[place + 4 * k] = walk.blend(walk.mask, value, walk.local.get(place + 4 * k, READ_VALUE))


def load_matrix(walk, step):
    rows = shared_place(walk, step.operands[1])
    rows = rows if type(rows) is list else [rows] * LANES
    count = int(step.parts[-1]) if step.parts[-1] in ("2", "4") else 1
    for matrix in range(count):  # its eight rows of 16 bytes, whose addresses eight lanes hold
        walk.counts.shared_cycles += bank_cycles(rows[8 * matrix:8 * matrix + 8], 16)
    floating(walk, step)


def copy_to_shared(walk, step):
    size = width_of(step.parts)
    whole = walk.mask
    if len(step.operands) > 2:  # where the predicate is false, zeros are written and nothing is read
        walk.mask &= walk.mask_of(walk.predicate(step.operands[2]))
    if walk.mask:
        walk.touch(walk.global_address(step.operands[1]), size, True, "BYPASS" not in step.parts)
    walk.mask = whole
    walk.counts.shared_cycles += bank_cycles(lane_places(walk, shared_place(walk, step.operands[0])), size)
    walk.copy_end = max(walk.copy_end, walk.now + LATENCY["load"])


OPCODES = {"LDG": ("load", load), "STG": ("store", store), "LD": ("load", load_generic), "ST": ("store", store_generic),
           "ATOMG": ("atomic", atomic), "LDS": ("shared", load_shared), "STS": ("shared", store_shared),
           "LDL": ("load", load_local), "STL": ("store", store_local),
           "LDSM": ("matrix", load_matrix), "LDGSTS": ("store", copy_to_shared)}
