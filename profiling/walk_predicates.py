"""Comparisons and what is done with their verdicts. Each function is given the walk and its step."""

import re

from walk_step import is_predicate
from walk_values import TICKET, float_of, signed, spread

COMPARE = {"LT": lambda a, b: a < b, "LE": lambda a, b: a <= b, "GT": lambda a, b: a > b, "GE": lambda a, b: a >= b,
           "EQ": lambda a, b: a == b, "NE": lambda a, b: a != b, "LTU": lambda a, b: not a >= b,
           "LEU": lambda a, b: not a > b, "GTU": lambda a, b: not a <= b, "GEU": lambda a, b: not a < b,
           "EQU": lambda a, b: a == b, "NEU": lambda a, b: a != b, "NUM": lambda a, b: True, "NAN": lambda a, b: False}
BOOLEAN = {"AND": lambda a, b: a and b, "OR": lambda a, b: a or b, "XOR": lambda a, b: a != b}


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


def vote(walk, step):
    operands = list(step.operands)
    mask = walk.mask & walk.mask_of(walk.predicate(operands[-1]))
    for text in operands[:-1]:
        if is_predicate(text):
            walk.set_predicate(text, mask == walk.mask if "ALL" in step.parts else mask != 0)
        else:
            walk.set(text, mask)


OPCODES = {"PLOP3": ("alu", predicate_logic), "UPLOP3": ("alu", predicate_logic), "ISETP": ("alu", compare),
           "UISETP": ("alu", compare), "FSETP": ("alu", compare_floats), "DSETP": ("double", compare_floats),
           "FCHK": ("special", check_division), "SEL": ("alu", select), "USEL": ("alu", select), "FSEL": ("alu", select),
           "P2R": ("alu", predicates_to_register), "R2P": ("alu", register_to_predicates), "VOTE": ("alu", vote),
           "VOTEU": ("alu", vote)}
