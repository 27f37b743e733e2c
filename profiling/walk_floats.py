"""Floating point, which is not computed but for what a division of integers needs. Each function is given the walk and its
step."""

from walk_values import FLOAT_VALUE, M32, bits_of, float_of, half_bits, signed, spread


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


def multiply_matrices(walk, step):
    for k in range(step.width):
        walk.set(f"R{int(step.operands[0][1:]) + k}", FLOAT_VALUE)


FLOATING = {"FFMA": "fma", "FADD": "fma", "FMUL": "fma", "FMNMX": "alu", "FSET": "alu", "FRND": "special", "FSWZADD": "fma",
            "MUFU": "special", "HFMA2": "fma", "HADD2": "fma", "HMUL2": "fma", "F2FP": "alu", "F2F": "special",
            "DADD": "double", "DMUL": "double", "DFMA": "double", "DMNMX": "double"}
OPCODES = {"I2F": ("special", to_float), "I2FP": ("alu", to_float), "F2I": ("special", to_integer),
           "HMMA": ("tensor", multiply_matrices)}
