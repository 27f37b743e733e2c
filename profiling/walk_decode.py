"""Which function is an instruction's, its unit, and the registers that it reads and writes."""

import walk_control
import walk_floats
import walk_integers
import walk_memory
import walk_predicates
from walk_step import Step, is_predicate, registers_in, width_of
from walk_values import Unknown

# By the opcode's first part: (class, function).
OPCODES = {**walk_integers.OPCODES, **walk_predicates.OPCODES, **walk_floats.OPCODES, **walk_memory.OPCODES,
           **walk_control.OPCODES, **{name: (kind, walk_floats.floating) for name, kind in walk_floats.FLOATING.items()},
           **{name: ("control", walk_control.wait) for name in walk_control.WAITS}}
TWO_PREDICATES = {"ISETP", "UISETP", "FSETP", "DSETP", "PLOP3", "UPLOP3"}
FLAGGED = {"IADD3", "UIADD3", "LEA", "ULEA", "IMAD", "UIMAD", "LOP3", "ULOP3", "SHFL", "ATOMG", "ATOMS", "ATOM", "VOTE", "VOTEU"}


def decode(instruction, kernel):
    parts = instruction.opcode.split(".")
    name = parts[0]
    step = OPCODES.get(name)
    if step is None:
        raise Unknown(f"instruction {instruction.opcode}")
    kind, execute = step
    result = Step(kind, execute, name in walk_control.JUMPS)
    result.operands, result.opcode, result.parts, result.kernel = instruction.operands, instruction.opcode, parts, kernel
    result.address = instruction.address
    width = 1
    if name in ("LDG", "LDS", "LD", "LDL", "LDC", "ULDC"):
        width = max(1, width_of(parts) // 4)
    elif name in ("HMMA", "LDSM"):
        width = 4
    elif "WIDE" in parts or name in ("DADD", "DMUL", "DFMA", "CS2R") or (name == "F2F" and parts[1] == "F64") or "U64" in parts:
        width = 2
    elif name in ("IMMA", "DMMA"):
        raise Unknown(f"instruction {instruction.opcode}")
    result.width = width
    writes, reads = [], []
    stores = name in ("STG", "STS", "ST", "STL", "LDGSTS") or result.jumps
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
            elif name in ("STG", "STS", "ST", "STL") and i == 1 or name in ("DADD", "DMUL", "DFMA"):
                count = max(2 if name[0] == "D" else 1, width_of(parts) // 4 if name[0] == "S" else 1)
                reads += [(kind_, n + k) for kind_, n in [f for f in found if isinstance(f, tuple)] for k in range(1, count)]
    if instruction.guard:
        reads += registers_in(instruction.guard)
    result.reads, result.writes = tuple(dict.fromkeys(reads)), tuple(writes)
    return result


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
