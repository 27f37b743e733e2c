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

LANES = 32
ALL = (1 << LANES) - 1
M32 = 0xFFFFFFFF
READ_VALUE = 1000  # of every 32 bits in memory: small as a count, tiny as a float
FLOAT_VALUE = 0x3F000000  # of every result that is not computed: 0.5
TICKET = 0x7A5A5A5A  # of an atomic addition, for the block that comes last: equal to whatever it is compared with
MOST_INSTRUCTIONS = 4_000_000

# Cycles until a result can be read. Loads: from L2, near or far.
LATENCY = {"load": 330, "cached": 40, "atomic": 700, "fence": 500, "shared": 30, "matrix": 33, "tensor": 34, "special": 24,
           "double": 16, "alu": 5, "fma": 5, "constant": 30, "shuffle": 25, "barrier": 25, "store": 1, "control": 8}


class Unknown(Exception):
    """An instruction that the walk does not know."""


def signed(x):
    return x - (1 << 32) if x & 0x80000000 else x


def float_of(bits):
    return struct.unpack("<f", struct.pack("<I", bits & M32))[0]


def bits_of(value):
    try:
        return struct.unpack("<I", struct.pack("<f", value))[0]
    except OverflowError:
        return 0x7F800000


def half_bits(text):
    return struct.unpack("<H", struct.pack("<e", float(text)))[0]


def spread(function, *values):
    """The function of values that are numbers, the same in all lanes, or lists of one for each lane."""
    for value in values:
        if type(value) is list:
            break
    else:
        return function(*values)
    if len(values) == 2:  # the usual case, for speed
        a, b = values
        if type(b) is not list:
            return [function(x, b) for x in a]
        if type(a) is not list:
            return [function(a, x) for x in b]
    lists = [value if type(value) is list else [value] * LANES for value in values]
    return [function(*each) for each in zip(*lists)]


COMPARE = {"LT": lambda a, b: a < b, "LE": lambda a, b: a <= b, "GT": lambda a, b: a > b, "GE": lambda a, b: a >= b,
           "EQ": lambda a, b: a == b, "NE": lambda a, b: a != b, "LTU": lambda a, b: not a >= b,
           "LEU": lambda a, b: not a > b, "GTU": lambda a, b: not a <= b, "GEU": lambda a, b: not a < b,
           "EQU": lambda a, b: a == b, "NEU": lambda a, b: a != b, "NUM": lambda a, b: True, "NAN": lambda a, b: False}
BOOLEAN = {"AND": lambda a, b: a and b, "OR": lambda a, b: a or b, "XOR": lambda a, b: a != b}
# By the opcode's first part: (class, registers that are written).
FLOATING = {"FFMA": "fma", "FADD": "fma", "FMUL": "fma", "FMNMX": "alu", "FSET": "alu", "FRND": "special", "FSWZADD": "fma",
            "MUFU": "special", "HFMA2": "fma", "HADD2": "fma", "HMUL2": "fma", "F2FP": "alu", "F2F": "special",
            "DADD": "double", "DMUL": "double", "DFMA": "double", "DMNMX": "double"}
IGNORED = {"NOP", "BSSY", "BSYNC", "WARPSYNC", "YIELD", "ERRBAR", "CGAERRBAR", "CCTL", "DEPBAR", "LDGDEPBAR", "BREAK", "BMOV",
           "ACQBULK", "PREEXIT", "NANOSLEEP", "BAR", "MEMBAR", "FENCE"}


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
            "SR_LANEID": list(range(LANES)), "SRZ": 0, "SR_CgaCtaId": 0, "SR_SWINHI": 0x7F,
            "SR_LTMASK": [(1 << lane) - 1 for lane in range(LANES)],
            "SR_LEMASK": [(2 << lane) - 1 for lane in range(LANES)],
            "SR_EQMASK": [1 << lane for lane in range(LANES)],
            "SR_GTMASK": [M32 & ~((2 << lane) - 1) for lane in range(LANES)]}
        self.bank0 = bytearray(struct.pack("<6I", *block, *grid).ljust(kernel.parameter_base, b"\0"))
        self.bank0 += bytes.fromhex(launch["arguments"])
        self.bank0 += bytes(64)
        self.r, self.u = {}, {}
        self.p, self.q = {"PT": True}, {"UPT": True}
        self.ready = {}
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


class Step:
    """A decoded instruction."""

    def __init__(self, kind, execute, jumps=False):
        self.kind, self.execute, self.jumps = kind, execute, jumps
        self.latency = LATENCY.get(kind, 5)
        self.stall = 1
        self.reads, self.writes = (), ()
        self.operands, self.opcode, self.parts = [], "", []


def width_of(parts):
    for part in parts:
        if part in ("64", "128"):
            return int(part) // 8
        if part in ("U8", "S8"):
            return 1
        if part in ("U16", "S16"):
            return 2
    return 4


def registers_in(text):
    """The registers that an operand names, as the walk's scoreboard has them."""
    found = []
    for kind, number, wide in re.findall(r"(?<![A-Z0-9_])(U?R)(\d+)(\.64)?", text):
        found.append((kind, int(number)))
        if wide:
            found.append((kind, int(number) + 1))
    found += re.findall(r"(?<![A-Z0-9])U?P\d", text)
    return found


def decode(instruction, kernel):
    parts = instruction.opcode.split(".")
    name = parts[0]
    step = OPCODES.get(name)
    if step is None and name in FLOATING:
        step = (FLOATING[name], floating)
    if step is None and name in IGNORED:
        step = ("control", ignored)
    if step is None:
        raise Unknown(f"instruction {instruction.opcode}")
    kind, execute = step
    result = Step(kind, execute, name in JUMPS)
    result.operands, result.opcode, result.parts, result.kernel = instruction.operands, instruction.opcode, parts, kernel
    result.address = instruction.address
    width = 1
    if name in ("LDG", "LDS", "LDC", "ULDC", "LD", "LDL"):
        width = max(1, width_of(parts) // 4)
    elif name in ("HMMA", "LDSM"):
        width = 4
    elif "WIDE" in parts or name in ("DADD", "DMUL", "DFMA", "CS2R") or (name == "F2F" and parts[1] == "F64") or "U64" in parts:
        width = 2
    elif name in ("IMMA", "DMMA"):
        raise Unknown(f"instruction {instruction.opcode}")
    result.width = width
    writes, reads = [], []
    stores = name in ("STG", "STS", "LDGSTS", "RED", "ST", "STL") or result.jumps
    outputs = 0 if stores else leading_outputs(name, instruction.operands)
    for i, operand in enumerate(instruction.operands):
        found = registers_in(operand)
        if i < outputs:
            for each in found:
                if isinstance(each, tuple):
                    writes += [(each[0], each[1] + k) for k in range(width)]
                else:
                    writes.append(each)
        else:
            reads += found
            if name == "HMMA":
                count = {1: 4, 2: 2, 3: 4}.get(i, 1)
                reads += [(kind_, n + k) for kind_, n in [f for f in found if isinstance(f, tuple)] for k in range(1, count)]
            elif name in ("STG", "STS") and i == 1 or name in ("DADD", "DMUL", "DFMA"):
                count = max(2 if name[0] == "D" else 1, width_of(parts) // 4 if name[0] == "S" else 1)
                reads += [(kind_, n + k) for kind_, n in [f for f in found if isinstance(f, tuple)] for k in range(1, count)]
    if instruction.guard:
        reads += registers_in(instruction.guard)
    result.reads, result.writes = tuple(dict.fromkeys(reads)), tuple(writes)
    return result


TWO_PREDICATES = {"ISETP", "UISETP", "FSETP", "DSETP", "PLOP3", "UPLOP3"}
FLAGGED = {"IADD3", "UIADD3", "LEA", "ULEA", "IMAD", "UIMAD", "LOP3", "ULOP3", "SHFL", "ATOMG", "ATOMS", "ATOM", "VOTE", "VOTEU"}


PREDICATES = {f"{sign}{kind}{name}" for sign in ("", "!") for kind in ("P", "UP") for name in "01234567T"}


def is_predicate(text):
    return text in PREDICATES


def leading_outputs(name, operands):
    if name in TWO_PREDICATES:
        return 2
    if name in ("SHFL", "ATOMG", "ATOMS", "ATOM"):
        return 2
    if name == "FCHK" or name == "R2P":
        return 1
    count = 1
    if name in FLAGGED:
        while count < len(operands) and is_predicate(operands[count]):
            count += 1
    return count


# ---- what the instructions do; each is given the walk and its step


def ignored(walk, step):
    if step.parts[0] == "DEPBAR" and len(step.operands) == 2:
        allowed = int(step.operands[1], 0)
        while len(walk.copies) > allowed:
            walk.now = max(walk.now, walk.copies.pop(0))
    elif step.parts[0] == "LDGDEPBAR":
        walk.copies.append(walk.copy_end)
        walk.copy_end = 0
    elif step.parts[0] == "MEMBAR":
        walk.now += LATENCY["fence"]
    elif step.parts[0] == "BAR":
        walk.now += LATENCY["barrier"]


def floating(walk, step):
    operands, name = step.operands, step.parts[0]
    value = FLOAT_VALUE
    if name == "HFMA2" and operands[1] in ("-RZ", "RZ") and operands[2] in ("-RZ", "RZ"):
        value = half_bits(operands[3]) << 16 | half_bits(operands[4])  # how a constant is loaded
    elif name == "MUFU" and step.parts[1] == "RCP":
        value = spread(lambda x: bits_of(1 / float_of(x)) if float_of(x) else 0x7F800000, walk.get(operands[1]))
    for k in range(step.width):
        if operands[0] != "RZ":
            walk.set(f"R{int(operands[0][1:]) + k}", value)


def move(walk, step):
    walk.set(step.operands[0], walk.get(step.operands[-1 if step.parts[0] != "MOV" else 1]))


def to_uniform(walk, step):
    walk.set(step.operands[-2], walk.get(step.operands[-1]))


def read_special(walk, step):
    name = step.operands[1]
    if name not in walk.special:
        raise Unknown(f"special register {name}")
    if step.parts[0] == "CS2R" and "32" not in step.parts:
        walk.set_pair(step.operands[0], walk.special[name])
    else:
        walk.set(step.operands[0], walk.special[name])


def load_constant(walk, step):
    bank, offset = walk.constant_place(step.operands[1])
    content, size = walk.constant(bank), width_of(step.parts)
    value = spread(lambda at: int.from_bytes(content[at:at + size], "little"), offset)
    if size == 8:
        walk.set_pair(step.operands[0], value)
    else:
        walk.set(step.operands[0], value)


def multiply_add(walk, step):
    operands, parts = list(step.operands), step.parts
    target = operands.pop(0)
    carry_out = operands.pop(0) if is_predicate(operands[0]) else None
    carry = walk.predicate(operands.pop()) if is_predicate(operands[-1]) else False
    is_unsigned = "U32" in parts
    a, b = walk.get(operands[0]), walk.get(operands[1])
    c = walk.pair(operands[2]) if "WIDE" in parts or "HI" in parts else walk.get(operands[2])
    number = (lambda x: x) if is_unsigned else signed
    if "WIDE" in parts or "HI" in parts:
        total = spread(lambda x, y, z, w: number(x) * number(y) + z + bool(w), a, b, c, carry)
        if carry_out:
            walk.set_predicate(carry_out, spread(lambda x: x >> 64 != 0, total))
        if "HI" in parts:
            walk.set(target, spread(lambda x: x >> 32 & M32, total))
        else:
            walk.set_pair(target, spread(lambda x: x & (1 << 64) - 1, total))
    else:
        total = spread(lambda x, y, z, w: x * y + z + bool(w), a, b, c, carry)
        if carry_out:
            raise Unknown(f"instruction {step.opcode} with a carry")
        walk.set(target, spread(lambda x: x & M32, total))


def add(walk, step):
    operands = list(step.operands)
    target = operands.pop(0)
    carries_out = []
    while is_predicate(operands[0]):
        carries_out.append(operands.pop(0))
    carries = []
    while is_predicate(operands[-1]):
        carries.append(walk.predicate(operands.pop()))
    # A negated operand is ~x + 1, whose carry counts; with a carry in, ~x is written as such.
    terms = []
    for text in operands:
        value = walk.get(text)
        if text[0] == "-" and "X" not in step.parts and text[1] in "RUc":
            value = spread(lambda x: (~x & M32) + 1, walk.get(text[1:]))
        terms.append(value)
    total = spread(lambda *each: sum(each), *terms, *carries)
    for i, name in enumerate(carries_out):
        walk.set_predicate(name, spread(lambda x: x >> 32 > i, total))
    walk.set(target, spread(lambda x: x & M32, total))


def shift_add(walk, step):
    operands, parts = list(step.operands), step.parts
    target = operands.pop(0)
    carry_out = operands.pop(0) if is_predicate(operands[0]) else None
    carry = walk.predicate(operands.pop()) if is_predicate(operands[-1]) else False
    a, b = walk.get(operands[0]), walk.get(operands[1])
    if "HI" in parts:
        if "SX32" in parts:
            high, shift = spread(lambda x: M32 if x >> 31 else 0, a), walk.get(operands[2])
        else:
            high, shift = walk.get(operands[2]), walk.get(operands[3])
        shifted = spread(lambda x, h, s: ((h << 32 | x) << s) >> 32 & M32, a, high, shift)
    else:
        shifted = spread(lambda x, s: x << s & M32, a, walk.get(operands[2]))
    total = spread(lambda x, y, z: x + y + bool(z), shifted, b, carry)
    if carry_out:
        walk.set_predicate(carry_out, spread(lambda x: x >> 32 != 0, total))
    walk.set(target, spread(lambda x: x & M32, total))


def shift(walk, step):
    target, low, by, high = step.operands
    parts = step.parts
    low, by, high = walk.get(low), walk.get(by), walk.get(high)
    wide = "U64" in parts or "S64" in parts
    most = 63 if wide else 31 if "W" in parts else 255

    def shifted(lo, s, hi):
        s = s & most if "W" in parts else min(s & M32, 64 if wide else 32)
        both = hi << 32 | lo
        if parts[1] == "L":
            return (both << s >> 32 if "HI" in parts else lo << s) & M32
        if "HI" in parts:
            return (signed(hi) if "S32" in parts or "S64" in parts else hi) >> s & M32
        if "S64" in parts:
            both = signed(hi) << 32 | lo
        return both >> s & M32

    walk.set(target, spread(shifted, low, by, high))


def logic(walk, step):
    operands = list(step.operands)
    flag = operands.pop(0) if is_predicate(operands[0]) else None
    target = operands.pop(0)
    a, b, c = (walk.get(text) for text in operands[:3])
    table = int(operands[3], 16)

    def combined(x, y, z):
        result = 0
        if table & 1:
            result |= ~x & ~y & ~z
        if table & 2:
            result |= ~x & ~y & z
        if table & 4:
            result |= ~x & y & ~z
        if table & 8:
            result |= ~x & y & z
        if table & 16:
            result |= x & ~y & ~z
        if table & 32:
            result |= x & ~y & z
        if table & 64:
            result |= x & y & ~z
        if table & 128:
            result |= x & y & z
        return result & M32

    value = spread(combined, a, b, c)
    walk.set(target, value)
    if flag:
        walk.set_predicate(flag, spread(lambda x: x != 0, value))


def predicate_logic(walk, step):
    first, second, a, b, c, table, other = step.operands[:7]
    a, b, c = walk.predicate(a), walk.predicate(b), walk.predicate(c)
    for name, text in ((first, table), (second, other)):
        bits = int(text, 16)
        walk.set_predicate(name, spread(lambda x, y, z: bits >> (4 * bool(x) + 2 * bool(y) + bool(z)) & 1 == 1, a, b, c))


def compare(walk, step):
    operands, parts = step.operands, step.parts
    name, boolean = parts[1], next((part for part in parts[2:] if part in BOOLEAN), "AND")
    number = (lambda x: x) if "U32" in parts else signed
    if name in ("T", "F"):
        order = (lambda x, y: True) if name == "T" else (lambda x, y: False)
    elif walk.is_last and name in ("EQ", "NE"):
        order = (lambda x, y: (x == y or TICKET in (x, y)) == (name == "EQ"))
    else:
        order = COMPARE[name]
    a, b, given = walk.get(operands[2]), walk.get(operands[3]), walk.predicate(operands[4])
    if "EX" in parts:  # the upper halves, and in the last predicate the verdict on the lower ones
        lower = walk.predicate(operands[5])
        strict = COMPARE[name[:1] + "T"] if name in ("LE", "GE") else order

        def verdict(x, y, low):
            x, y = number(x), number(y)
            if name == "EQ":
                return x == y and low
            if name == "NE":
                return x != y or low
            return strict(x, y) or (x == y and low)

        result = spread(verdict, a, b, lower)
    else:
        result = spread(lambda x, y: order(number(x), number(y)), a, b)
    combine = BOOLEAN[boolean]
    walk.set_predicate(operands[0], spread(lambda x, y: bool(combine(x, y)), result, given))
    if operands[1] not in ("PT", "UPT"):
        walk.set_predicate(operands[1], spread(lambda x, y: bool(combine(not x, y)), result, given))


def compare_floats(walk, step):
    operands, parts = step.operands, step.parts
    order, combine = COMPARE[parts[1]], BOOLEAN[next((part for part in parts[2:] if part in BOOLEAN), "AND")]

    def number(text):
        value = walk.get(text.lstrip("-").strip("|"))
        if step.parts[0] == "DSETP" and text.lstrip("-|")[0] == "R":
            value = walk.get(f"R{int(re.search(r'[0-9]+', text).group()) + 1}")  # its upper half orders as a float does
        sign = -1 if text[0] == "-" and text[1] in "R|cU" else 1
        return spread(lambda x: sign * (abs(float_of(x)) if "|" in text else float_of(x)), value)

    result = spread(order, number(operands[2]), number(operands[3]))
    given = walk.predicate(operands[4])
    walk.set_predicate(operands[0], spread(lambda x, y: bool(combine(x, y)), result, given))
    if operands[1] != "PT":
        walk.set_predicate(operands[1], spread(lambda x, y: bool(combine(not x, y)), result, given))


def check_division(walk, step):
    walk.set_predicate(step.operands[0], False)  # the quotient of ordinary numbers


def select(walk, step):
    target, a, b, which = step.operands
    walk.set(target, spread(lambda x, y, z: x if z else y, walk.get(a), walk.get(b), walk.predicate(which)))


def least(walk, step):
    number = (lambda x: x) if "U32" in step.parts else signed
    *operands, which = step.operands
    values = [walk.get(text) for text in operands[1:]]
    if step.parts[0] in ("VIADDMNMX",):
        values = [spread(lambda x, y: x + y & M32, values[0], values[1]), values[2]]
    choose = spread(lambda x, y, z: (min if z else max)(number(x), number(y)) & M32, values[0], values[1],
                    walk.predicate(which))
    walk.set(operands[0], choose)


def permute(walk, step):
    target, a, how, b = step.operands
    if len(step.parts) > 1:
        raise Unknown(f"instruction {step.opcode}")

    def permuted(x, s, y):
        source, result = y << 32 | x, 0
        for i in range(4):
            selector = s >> 4 * i & 0xF
            byte = source >> 8 * (selector & 7) & 0xFF
            if selector & 8:
                byte = 0xFF if byte & 0x80 else 0
            result |= byte << 8 * i
        return result

    walk.set(target, spread(permuted, walk.get(a), walk.get(how), walk.get(b)))


def predicates_to_register(walk, step):
    target, _, value, mask = step.operands
    wanted, total = int(mask, 16), walk.get(value)
    for i in range(7):
        if wanted >> i & 1:
            total = spread(lambda x, y: x & ~(1 << i) | bool(y) << i, total, walk.p.get(f"P{i}", False))
    walk.set(target, total)


def register_to_predicates(walk, step):
    _, value, mask = step.operands
    wanted, bits = int(mask, 16), walk.get(value)
    for i in range(7):
        if wanted >> i & 1:
            walk.set_predicate(f"P{i}", spread(lambda x: x >> i & 1 == 1, bits))


def absolute(walk, step):
    walk.set(step.operands[0], spread(lambda x: abs(signed(x)) & M32, walk.get(step.operands[1])))


def count_bits(walk, step):
    walk.set(step.operands[0], spread(lambda x: bin(x).count("1"), walk.get(step.operands[1])))


def first_bit(walk, step):
    at = (lambda x: 31 - (x.bit_length() - 1)) if "SH" in step.parts else (lambda x: x.bit_length() - 1)
    walk.set(step.operands[0], spread(lambda x: at(x) & M32 if x else M32, walk.get(step.operands[1])))


def reverse_bits(walk, step):
    walk.set(step.operands[0], spread(lambda x: int(f"{x:032b}"[::-1], 2), walk.get(step.operands[1])))


def extend(walk, step):
    target, value, width = step.operands
    is_unsigned = "U32" in step.parts

    def extended(x, w):
        x &= (1 << w) - 1
        return x if is_unsigned or not w or not x >> (w - 1) & 1 else (x | M32 << w) & M32

    walk.set(target, spread(extended, walk.get(value), walk.get(width)))


def to_float(walk, step):
    parts = step.parts
    if "U64" in parts or "S64" in parts:
        value = walk.pair(step.operands[-1])
    else:
        value = walk.get(step.operands[-1])
        if "U16" in parts:
            value = spread(lambda x: x & 0xFFFF, value)
        elif "U8" in parts:
            value = spread(lambda x: x & 0xFF, value)
        elif "U32" not in parts:
            value = spread(signed, value)
    if "F64" in parts:
        walk.set_pair(step.operands[0], FLOAT_VALUE << 32)
        return
    walk.set(step.operands[0], spread(lambda x: bits_of(float(x)), value))


def to_integer(walk, step):
    def cut(x):
        number = float_of(x)
        return int(number) if abs(number) < 2.0**64 else 0

    value = spread(cut, walk.get(step.operands[-1]))
    if "U64" in step.parts or "S64" in step.parts:
        walk.set_pair(step.operands[0], value)
    else:
        walk.set(step.operands[0], spread(lambda x: x & M32, value))


def vote(walk, step):
    operands = list(step.operands)
    mask = walk.mask & walk.mask_of(walk.predicate(operands[-1]))
    for text in operands[:-1]:
        if is_predicate(text):
            walk.set_predicate(text, mask == walk.mask if "ALL" in step.parts else mask != 0)
        else:
            walk.set(text, mask)


def shuffle(walk, step):
    target, value, by = step.operands[1], walk.get(step.operands[2]), walk.get(step.operands[3])
    if type(value) is list:
        way = step.parts[1]

        def source(lane, distance):
            if way == "BFLY":
                return lane ^ distance & 31
            if way == "IDX":
                return distance & 31
            return lane - distance if way == "UP" and lane >= distance else \
                lane + distance if way == "DOWN" and lane + distance < LANES else lane

        value = [value[at] for at in spread(source, list(range(LANES)), by)]
    walk.set(target, value)


def load(walk, step):
    target, place = step.operands[0], step.operands[1]
    if is_predicate(target):
        target, place = step.operands[1], step.operands[2]
    size = width_of(step.parts)
    if walk.touch(walk.global_address(place), size, True, "STRONG" not in step.parts):
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
    """How often shared memory is read for lanes that want `size` bytes at these places: 32 banks of four bytes, each of which
    gives one word at a time, to any number of lanes."""
    banks = {}
    for word in {place // 4 + k for place in set(places) for k in range(max(1, size // 4))}:
        banks[word % 32] = banks.get(word % 32, 0) + 1
    return max(banks.values(), default=0)


def lane_places(walk, address):
    if type(address) is not list:
        return [address]
    return [address[lane] for lane in range(LANES) if walk.mask >> lane & 1]


def load_shared(walk, step):
    size = width_of(step.parts)
    address = shared_place(walk, step.operands[1])
    walk.counts.shared_cycles += bank_cycles(lane_places(walk, address), size)
    target = step.operands[0]
    for k in range(max(1, size // 4)):
        value = spread(lambda at: walk.shared.get(at + 4 * k, READ_VALUE), address)
        if target != "RZ":
            walk.set(f"R{int(target[1:]) + k}", value)


def store_shared(walk, step):
    size = width_of(step.parts)
    address, source = shared_place(walk, step.operands[0]), step.operands[1]
    walk.counts.shared_cycles += bank_cycles(lane_places(walk, address), size)
    places = address if type(address) is list else [address] * LANES
    for k in range(max(1, size // 4)):
        value = walk.get(f"R{int(source[1:]) + k}" if source != "RZ" else source)
        values = value if type(value) is list else [value] * LANES
        for lane in range(LANES):
            if walk.mask >> lane & 1:
                walk.shared[places[lane] + 4 * k] = values[lane]


def load_matrix(walk, step):
    rows = shared_place(walk, step.operands[1])
    rows = rows if type(rows) is list else [rows] * LANES
    count = int(step.parts[-1]) if step.parts[-1] in ("2", "4") else 1
    for matrix in range(count):  # its eight rows of 16 bytes, whose addresses eight lanes hold
        walk.counts.shared_cycles += bank_cycles(rows[8 * matrix:8 * matrix + 8], 16)
    floating(walk, step)


def multiply_matrices(walk, step):
    for k in range(step.width):
        walk.set(f"R{int(step.operands[0][1:]) + k}", FLOAT_VALUE)


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


# Jumps give (place, lanes) for the lanes that go elsewhere; place None is the end.


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


JUMPS = {"BRA", "BRX", "CALL", "RET", "EXIT"}
OPCODES = {
    "MOV": ("alu", move), "UMOV": ("alu", move), "R2UR": ("special", to_uniform), "S2R": ("special", read_special),
    "S2UR": ("special", read_special), "CS2R": ("alu", read_special), "LDC": ("constant", load_constant),
    "ULDC": ("constant", load_constant), "LDCU": ("constant", load_constant), "IMAD": ("fma", multiply_add),
    "UIMAD": ("alu", multiply_add), "IADD3": ("alu", add), "UIADD3": ("alu", add), "VIADD": ("alu", add),
    "LEA": ("alu", shift_add), "ULEA": ("alu", shift_add), "SHF": ("alu", shift), "USHF": ("alu", shift),
    "LOP3": ("alu", logic), "ULOP3": ("alu", logic), "PLOP3": ("alu", predicate_logic), "UPLOP3": ("alu", predicate_logic),
    "ISETP": ("alu", compare), "UISETP": ("alu", compare), "FSETP": ("alu", compare_floats),
    "DSETP": ("double", compare_floats), "FCHK": ("special", check_division), "SEL": ("alu", select),
    "USEL": ("alu", select), "FSEL": ("alu", select), "VIMNMX": ("alu", least), "VIADDMNMX": ("alu", least),
    "IMNMX": ("alu", least), "PRMT": ("alu", permute), "UPRMT": ("alu", permute), "P2R": ("alu", predicates_to_register),
    "R2P": ("alu", register_to_predicates), "IABS": ("alu", absolute), "POPC": ("special", count_bits),
    "UPOPC": ("special", count_bits), "FLO": ("special", first_bit), "UFLO": ("special", first_bit),
    "BREV": ("special", reverse_bits), "SGXT": ("alu", extend), "USGXT": ("alu", extend), "I2F": ("special", to_float),
    "I2FP": ("alu", to_float), "F2I": ("special", to_integer), "VOTE": ("alu", vote), "VOTEU": ("alu", vote),
    "SHFL": ("shuffle", shuffle), "LDG": ("load", load), "STG": ("store", store), "ATOMG": ("atomic", atomic),
    "LDS": ("shared", load_shared), "STS": ("shared", store_shared), "LDSM": ("matrix", load_matrix),
    "HMMA": ("tensor", multiply_matrices), "LDGSTS": ("store", copy_to_shared), "BRA": ("control", branch),
    "BRX": ("control", branch_by_register), "CALL": ("control", call), "RET": ("control", give_back),
    "EXIT": ("control", end)}
