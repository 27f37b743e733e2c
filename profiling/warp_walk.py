"""Walks one warp of a launch through its kernel's machine code, and counts.

Integers, predicates and branches are worked out exactly, from the launch's own arguments, so that every loop turns as
often as on a GPU, whatever the compiler unrolled; memory is read as a constant and floating point is not computed. What is
counted: instructions by class, 32-byte sectors moved, and the cycles that this warp would take alone, when every
instruction waits for the registers that it reads (LATENCY). Diverged lanes go on from the lowest address first, which
joins them again where the compiler does.

An instruction that is not known here is an error that names it: no count may be wrong in silence.
"""

import re
import struct

from walk_decode import decode
from walk_memory import SHARED_WINDOW
from walk_values import ALL, LANES, M32, Unknown, bits_of, spread

IN_CLUSTERS = 0x140  # in constant bank 0: whether the launch has clusters, which cluster barriers ask
MOST_INSTRUCTIONS = 4_000_000


class Counts:
    def __init__(self):
        self.issued = 0
        self.by_class = {}  # warp instructions
        self.shared_cycles = 0  # of the multiprocessor's shared memory, bank conflicts included
        self.sectors = 0  # of 32 bytes, read through to L2 or written
        self.cycles = 0  # of the warp alone


class Walk:
    """`launch`: grid, block, arguments (bytes). `shared`: a dictionary that the warps of one block have in common.
    `is_last`: the block finds that all others have been (reduce.cuh)."""

    def __init__(self, kernel, launch, block_index, warp, shared, is_last=False):
        self.kernel, self.launch, self.shared, self.is_last = kernel, launch, shared, is_last
        if not hasattr(kernel, "steps"):
            kernel.steps = [None] * len(kernel.instructions)
            kernel.place = {each.address: i for i, each in enumerate(kernel.instructions)}
        grid, block = launch["grid"], launch["block"]
        linear = [warp * LANES + lane for lane in range(LANES)]
        self.lanes_there = sum(1 << lane for lane in range(LANES) if linear[lane] < block[0] * block[1] * block[2])
        narrow = block[1] * block[2] == 1
        self.special = {
            "SR_TID.X": linear if narrow else [t % block[0] for t in linear],
            "SR_TID.Y": 0 if narrow else [t // block[0] % block[1] for t in linear],
            "SR_TID.Z": 0 if narrow else [t // block[0] // block[1] for t in linear],
            "SR_CTAID.X": block_index[0], "SR_CTAID.Y": block_index[1], "SR_CTAID.Z": block_index[2],
            "SR_LANEID": list(range(LANES)), "SRZ": 0, "SR_CgaCtaId": 0, "SR_SWINHI": SHARED_WINDOW,
            "SR_LTMASK": [(1 << lane) - 1 for lane in range(LANES)],
            "SR_LEMASK": [(2 << lane) - 1 for lane in range(LANES)],
            "SR_EQMASK": [1 << lane for lane in range(LANES)],
            "SR_GTMASK": [M32 & ~((2 << lane) - 1) for lane in range(LANES)]}
        self.bank0 = bytearray(struct.pack("<6I", *block, *grid).ljust(kernel.parameter_base, b"\0"))
        if launch.get("cluster", [1, 1, 1]) != [1, 1, 1]:
            self.bank0[IN_CLUSTERS] = 1
        self.bank0 += bytes.fromhex(launch["arguments"])
        self.bank0 += bytes(64)
        self.r, self.u = {}, {}
        self.p, self.q = {"PT": True}, {"UPT": True}
        self.ready, self.local = {}, {}
        self.read_sectors = set()
        self.counts = Counts()
        self.copies, self.copy_end = [], 0
        self.now = 0

    # ---- values

    def get(self, text):
        """An operand's 32 bits."""
        head = text[0]
        if head == "R":
            if text == "RZ":
                return 0
            return self.r.get(int(text[1:].split(".")[0]), 0)
        if head == "U":
            return 0 if text == "URZ" else self.u.get(int(text[2:].split(".")[0]), 0)
        if head == "-" and text[1] in "RUc|":
            return spread(lambda x: -x & M32, self.get(text[1:]))
        if head == "~":
            return spread(lambda x: ~x & M32, self.get(text[1:]))
        if head == "c":
            bank, offset = self.constant_place(text)
            return spread(lambda at: int.from_bytes(self.constant(bank)[at:at + 4], "little"), offset)
        if head == "|":
            return self.get(text.strip("|").split("|")[0])
        if text.startswith("0x") or text.startswith("-0x") or text.isdigit():
            return int(text, 0) & M32
        if re.match(r"^[-+]?(\d|INF|QNAN|\.)", text):
            return bits_of(float(text.replace("QNAN", "nan")))
        raise Unknown(f"operand {text}")

    def constant(self, bank):
        if bank == 0:
            return self.bank0
        if bank not in self.kernel.constants:
            raise Unknown(f"constant bank {bank}")
        return self.kernel.constants[bank]

    def constant_place(self, text):
        bank, inner = re.match(r"c\[(0x[0-9a-f]+)\]\s*\[(.*)\]", text).groups()
        return int(bank, 16), self.sum_of(inner)

    def sum_of(self, inner):
        """An address's low 32 bits: R3+UR4+0x8, R3.X4+0x10."""
        total = 0
        for sign, term in re.findall(r"([+-]?)([^+-]+)", inner):
            scaled = re.match(r"(U?R\d+|RZ)\.X(\d+)$", term)
            value = self.get(scaled.group(1)) if scaled else self.get(term)
            factor = (int(scaled.group(2)) if scaled else 1) * (-1 if sign == "-" else 1)
            total = spread(lambda a, b: (a + b * factor) & M32, total, value)
        return total

    def pair(self, text):
        """An operand's 64 bits, from a register and the next one."""
        match = re.match(r"(~|-)?(U?R)(\d+)", text)
        if not match:
            value = self.get(text)
            return value
        low, high = self.get(match.group(2) + match.group(3)), self.get(f"{match.group(2)}{int(match.group(3)) + 1}")
        value = spread(lambda a, b: b << 32 | a, low, high)
        if match.group(1):
            value = spread(lambda x: (-x if match.group(1) == "-" else ~x) & (1 << 64) - 1, value)
        return value

    def global_address(self, text):
        """desc[UR8][R4.64+0x10], [R4.64+UR6+0x10] or [UR4]."""
        inner = re.search(r"\[([^\[\]]*)\]$", text).group(1)
        address = 0
        for sign, term in re.findall(r"([+-]?)([^+-]+)", inner):
            if term.endswith(".64"):
                value = self.pair(term[:-3])
            elif term.startswith("0x"):
                value = int(term, 16)
            elif term.startswith("UR") and term != "URZ":
                value = self.pair(term)
            else:
                value = self.get(term.replace(".U32", ""))
            address = spread((lambda a, b: a - b) if sign == "-" else (lambda a, b: a + b), address, value)
        return address

    def predicate(self, text):
        negated = text[0] == "!"
        name = text[1:] if negated else text
        value = (self.q if name[0] == "U" else self.p).get(name, False)
        return spread(lambda x: not x, value) if negated else value

    @staticmethod
    def blend(mask, new, old):
        if mask == ALL:
            return new
        new = new if type(new) is list else [new] * LANES
        old = old if type(old) is list else [old] * LANES
        return [new[lane] if mask >> lane & 1 else old[lane] for lane in range(LANES)]

    def set(self, text, value):
        if text in ("RZ", "URZ"):
            return
        if text[0] == "U":
            self.u[int(text[2:])] = value[self.first_lane()] if type(value) is list else value
        else:
            number = int(text[1:].split(".")[0])
            self.r[number] = self.blend(self.mask, value, self.r.get(number, 0))

    def set_pair(self, text, value):
        if text in ("RZ", "URZ"):
            return
        kind, number = re.match(r"(U?R)(\d+)", text).groups()
        self.set(text, spread(lambda x: x & M32, value))
        self.set(f"{kind}{int(number) + 1}", spread(lambda x: x >> 32 & M32, value))

    def set_predicate(self, text, value):
        if text in ("PT", "UPT"):
            return
        if text[0] == "U":
            self.q[text] = value[self.first_lane()] if type(value) is list else value
        else:
            self.p[text] = self.blend(self.mask, value, self.p.get(text, False))

    def first_lane(self):
        return (self.mask & -self.mask).bit_length() - 1

    def mask_of(self, value):
        if type(value) is not list:
            return ALL if value else 0
        return sum(1 << lane for lane in range(LANES) if value[lane])

    # ---- the walk

    def run(self):
        kernel, counts = self.kernel, self.counts
        groups = {0: self.lanes_there}  # lanes by the place of their next instruction
        while groups:
            at = min(groups) if len(groups) > 1 else next(iter(groups))
            lanes = groups.pop(at)
            instruction = kernel.instructions[at]
            step = kernel.steps[at]
            if step is None:
                step = kernel.steps[at] = decode(instruction, kernel)
            counts.issued += 1
            if counts.issued > MOST_INSTRUCTIONS:
                raise Unknown(f"an end: {MOST_INSTRUCTIONS} instructions were walked")
            counts.by_class[step.kind] = counts.by_class.get(step.kind, 0) + 1
            taken = lanes
            if instruction.guard:
                taken &= self.mask_of(self.predicate(instruction.guard))
            self.wait_for(step)
            next_at = at + 1
            if taken:
                self.mask = taken
                if step.jumps:
                    for target, some in step.execute(self, step, taken):
                        lanes &= ~some
                        if target is not None:
                            groups[target] = groups.get(target, 0) | some
                else:
                    self.latency = step.latency
                    step.execute(self, step)
                    done = self.now + self.latency
                    for register in step.writes:
                        self.ready[register] = done
            if lanes:
                groups[next_at] = groups.get(next_at, 0) | lanes
        counts.cycles = max(self.now, self.copy_end)
        return counts

    def wait_for(self, step):
        now = self.now + step.stall
        for register in step.reads:
            then = self.ready.get(register, 0)
            if then > now:
                now = then
        self.now = now

    # ---- memory

    def touch(self, address, size, is_read, cached):
        """Counts the sectors of one access; whether all were read before."""
        lanes = address if type(address) is list else [address] * LANES
        sectors = set()
        for lane in range(LANES):
            if self.mask >> lane & 1:
                first = lanes[lane] >> 5
                sectors.add(first)
                if size > 32:
                    sectors.add(first + 1)
        if is_read and cached:
            fresh = sectors - self.read_sectors
            self.read_sectors |= fresh
            self.counts.sectors += len(fresh)
            return not fresh
        self.counts.sectors += len(sectors)
        return False
