"""A decoded instruction: what it costs, and how its text names sizes, registers and predicates."""

import re

# Cycles until a result can be read. Loads: from L2, near or far. Cluster: a word of another multiprocessor's shared memory (180
# measured by Luo et al., "Benchmarking and Dissecting the Nvidia Hopper GPU Architecture", 2024), and there and back a barrier.
LATENCY = {"load": 330, "cached": 40, "atomic": 700, "fence": 500, "shared": 30, "matrix": 33, "tensor": 34, "special": 24,
           "double": 16, "alu": 5, "fma": 5, "cluster": 200, "constant": 30, "shuffle": 25, "barrier": 25, "store": 1, "control": 8}


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


PREDICATES = {f"{sign}{kind}{name}" for sign in ("", "!") for kind in ("P", "UP") for name in "01234567T"}


def is_predicate(text):
    return text in PREDICATES
