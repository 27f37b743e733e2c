"""Integers, bits and moves, exactly. Each function is given the walk and its step."""

from walk_step import is_predicate, width_of
from walk_values import LANES, M32, Unknown, signed, spread


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
    is_signed = "S8" in step.parts or "S16" in step.parts
    value = spread(lambda at: int.from_bytes(content[at:at + size], "little", signed=is_signed) & (1 << 8 * max(size, 4)) - 1, offset)
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


OPCODES = {"MOV": ("alu", move), "UMOV": ("alu", move), "R2UR": ("special", to_uniform), "S2R": ("special", read_special),
           "S2UR": ("special", read_special), "CS2R": ("alu", read_special), "LDC": ("constant", load_constant),
           "ULDC": ("constant", load_constant), "LDCU": ("constant", load_constant), "IMAD": ("fma", multiply_add),
           "UIMAD": ("alu", multiply_add), "IADD3": ("alu", add), "UIADD3": ("alu", add), "VIADD": ("alu", add),
           "LEA": ("alu", shift_add), "ULEA": ("alu", shift_add), "SHF": ("alu", shift), "USHF": ("alu", shift),
           "LOP3": ("alu", logic), "ULOP3": ("alu", logic), "VIMNMX": ("alu", least), "VIADDMNMX": ("alu", least),
           "IMNMX": ("alu", least), "PRMT": ("alu", permute), "UPRMT": ("alu", permute), "IABS": ("alu", absolute),
           "POPC": ("special", count_bits), "UPOPC": ("special", count_bits), "FLO": ("special", first_bit),
           "UFLO": ("special", first_bit), "BREV": ("special", reverse_bits), "SGXT": ("alu", extend),
           "USGXT": ("alu", extend), "SHFL": ("shuffle", shuffle)}
