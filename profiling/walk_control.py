"""Where lanes go on, and what they wait for. Functions of jumps are given the walk, the step and the lanes, and give
[(place, lanes)] of those that go elsewhere; place None is the end."""

from walk_step import LATENCY, is_predicate
from walk_values import LANES, Unknown, signed, spread


def wait(walk, step):
    if step.parts[0] == "DEPBAR" and len(step.operands) == 2:
        allowed = int(step.operands[1], 0)
        while len(walk.copies) > allowed:
            walk.now = max(walk.now, walk.copies.pop(0))
    elif step.parts[0] == "LDGDEPBAR":
        walk.copies.append(walk.copy_end)
        walk.copy_end = 0
    elif step.parts[0] == "MEMBAR":
        walk.now += LATENCY["fence"]
    elif step.parts[0] == "UCGABAR_WAIT":
        walk.now += LATENCY["cluster"]
    elif step.parts[0] == "BAR":
        walk.now += LATENCY["barrier"]


def branch(walk, step, lanes):
    *conditions, target = step.operands
    if "DIV" in step.parts:
        return []  # taken only where lanes have parted
    for text in conditions:
        if is_predicate(text):
            lanes &= walk.mask_of(walk.predicate(text))
    if not lanes:
        return []
    walk.now += LATENCY["control"]
    return [(place_of(step, target), lanes)]


def place_of(step, target):
    name = target.strip("`()")
    address = step.kernel.labels.get(name)
    if address is None:
        raise Unknown(f"jump to {target}")
    return step.kernel.place[address]


def branch_by_register(walk, step, lanes):
    walk.now += 2 * LATENCY["control"]
    register, *offset = step.operands
    base = step.address + 16 + (int(offset[0], 16) if offset else 0)
    return jump_to(step, spread(lambda x: base + signed(x), walk.get(register)), lanes)


def jump_to(step, addresses, lanes):
    if type(addresses) is not list:
        addresses = [addresses] * LANES
    places = {}
    for lane in range(LANES):
        if lanes >> lane & 1:
            if addresses[lane] not in step.kernel.place:
                raise Unknown(f"jump of {step.opcode} to {addresses[lane]:#x}")
            at = step.kernel.place[addresses[lane]]
            places[at] = places.get(at, 0) | 1 << lane
    return list(places.items())


def call(walk, step, lanes):
    walk.now += LATENCY["control"]
    return [(place_of(step, step.operands[0]), lanes)]


def give_back(walk, step, lanes):
    walk.now += LATENCY["control"]
    return jump_to(step, walk.get(step.operands[0].split()[0]), lanes)


def end(walk, step, lanes):
    return [(None, lanes)]


WAITS = {"NOP", "BSSY", "BSYNC", "WARPSYNC", "YIELD", "ERRBAR", "CGAERRBAR", "CCTL", "DEPBAR", "LDGDEPBAR", "BREAK", "BMOV",
           "ACQBULK", "PREEXIT", "NANOSLEEP", "UCGABAR_ARV", "UCGABAR_WAIT", "BAR", "MEMBAR", "FENCE"}
JUMPS = {"BRA", "BRX", "CALL", "RET", "EXIT"}
OPCODES = {"BRA": ("control", branch), "BRX": ("control", branch_by_register), "CALL": ("control", call),
           "RET": ("control", give_back), "EXIT": ("control", end)}
