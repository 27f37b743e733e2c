"""Numbers as a warp holds them: one for all 32 lanes, or a list of one for each; and what stands for a value that is not
worked out."""

import struct

LANES = 32
ALL = (1 << LANES) - 1
M32 = 0xFFFFFFFF
READ_VALUE = 1000  # of every 32 bits in memory: small as a count, tiny as a float
FLOAT_VALUE = 0x3F000000  # of every result that is not computed: 0.5
TICKET = 0x7A5A5A5A  # of an atomic addition, for the block that comes last: equal to whatever it is compared with


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
