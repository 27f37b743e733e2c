"""The kernels of a program built for a GPU: their instructions, constants, registers and where their arguments lie.

cuobjdump takes the GPU's code out of the program, nvdisasm makes text of it; what the text leaves out (registers, shared
memory, parameters, constants) is read from the ELF files. Both tools come with CUDA, or from PyPI as
nvidia-cuda-cuobjdump and nvidia-cuda-nvdisasm.
"""

import os
import re
import shutil
import struct
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Instruction:
    address: int
    opcode: str  # with its modifiers: "IMAD.WIDE.U32"
    operands: list
    guard: str = ""  # the predicate that it runs under: "P0", "!P0"; empty: always


@dataclass
class Kernel:
    name: str
    instructions: list = field(default_factory=list)
    labels: dict = field(default_factory=dict)  # addresses in the code by label
    constants: dict = field(default_factory=dict)  # bytes by bank, but for the bank of the arguments
    symbol: int = 0  # its number in the ELF file
    registers: int = 0
    shared_bytes: int = 0  # declared by the kernel
    parameter_base: int = 0x210  # of the first argument in constant bank 0
    parameters: list = field(default_factory=list)  # (offset, bytes) of each


def find_tool(name):
    """The path of a tool of CUDA, or None."""
    nvcc = os.environ.get("CUDACXX") or shutil.which("nvcc")
    folders = [Path(nvcc).resolve().parent] if nvcc else []
    folders += [Path(os.environ.get("CUDA_HOME") or "/usr/local/cuda") / "bin"]
    folders += [Path(base) / "nvidia" / toolkit / "bin" for base in sys.path for toolkit in ("cu13", "cu12")]
    return shutil.which(name) or shutil.which(name, path=os.pathsep.join(map(str, folders)))


LABEL = re.compile(r"^(\.L_x_\d+|[\w$.]+):$")
LINE = re.compile(r"^\s*/\*([0-9a-f]+)\*/\s+(?:@(!?U?P[0-9T]+)\s+)?([A-Z][\w.]*)\s*(.*?)\s*;$")
TARGETS = re.compile(r"\s*\(\*.*?\*\)")


def split_operands(text):
    """By the commas outside brackets."""
    operands, depth, begin = [], 0, 0
    for i, letter in enumerate(text):
        depth += {"[": 1, "(": 1, "]": -1, ")": -1}.get(letter, 0)
        if letter == "," and depth == 0:
            operands.append(text[begin:i].strip())
            begin = i + 1
    operands.append(text[begin:].strip())
    return [operand.replace(".reuse", "") for operand in operands if operand]


def parse_listing(text, kernels):
    """Gives the kernels, by symbol, their instructions and labels in what `nvdisasm -c` prints; others are passed over."""
    kernel, waiting = None, []
    for line in text.splitlines():
        if line.startswith("\t.section\t"):
            section = re.match(r"\t\.section\t\.text\.([^,\"]+)", line)
            kernel = kernels.get(section.group(1)) if section else None
            waiting = []
            continue
        if kernel is None:
            continue
        label = LABEL.match(line)
        if label:
            waiting.append(label.group(1))
            continue
        found = LINE.match(TARGETS.sub("", line))
        if found:
            address = int(found.group(1), 16)
            for name in waiting:
                kernel.labels[name] = address
            waiting = []
            operands = split_operands(found.group(4))
            if found.group(3) in ("BRX", "JMX") and len(operands) == 1 and " " in operands[0]:
                operands = operands[0].split()
            kernel.instructions.append(Instruction(address, found.group(3), operands, found.group(2) or ""))


# ---- the ELF file (the attributes of .nv.info are those that `cuobjdump -elf` names EIATTR_...)

PARAM_CBANK, KPARAM_INFO, REGCOUNT = 0x0A, 0x17, 0x2F


def sections_of(data):
    """[(name, bytes)] and the names of the symbols."""
    header_offset, = struct.unpack_from("<Q", data, 0x28)
    size, count, names_index = struct.unpack_from("<HHH", data, 0x3A)
    raw = [struct.unpack_from("<IIQQQQIIQQ", data, header_offset + i * size) for i in range(count)]

    def text(table, offset):
        begin = raw[table][4] + offset
        return data[begin:data.index(b"\0", begin)].decode()

    sections, symbols = [], []
    for name, kind, _, _, offset, length, link, *_ in raw:
        # 8 is NOBITS: shared memory, which has a size only
        sections.append((text(names_index, name), b"" if kind == 8 else data[offset:offset + length], length))
        if kind == 2:
            symbols = [text(link, struct.unpack_from("<I", data, offset + at)[0]) for at in range(0, length, 24)]
    return sections, symbols


def attributes(info):
    """(attribute, its bytes) of a section .nv.info."""
    at = 0
    while at + 4 <= len(info):
        form, attribute, value = struct.unpack_from("<BBH", info, at)
        at += 4
        if form == 4:
            yield attribute, info[at:at + value]
            at += value
        else:
            yield attribute, struct.pack("<H", value)


def read_elf(data):
    """{symbol: Kernel}, without instructions, of an ELF file for a GPU."""
    sections, symbols = sections_of(data)
    kernels = {name[6:]: Kernel(name[6:]) for name, _, _ in sections if name.startswith(".text.")}
    for name, content, length in sections:
        if name == ".nv.info":
            for attribute, value in attributes(content):
                if attribute == REGCOUNT:
                    symbol, count = struct.unpack("<II", value)
                    if symbols[symbol] in kernels:
                        kernels[symbols[symbol]].registers, kernels[symbols[symbol]].symbol = count, symbol
        match = re.match(r"\.nv\.(info|shared|constant(\d+))\.(.+)", name)
        if not match or match.group(3) not in kernels:
            continue
        kernel = kernels[match.group(3)]
        if match.group(1) == "shared":
            kernel.shared_bytes = length
        elif match.group(1) == "info":
            for attribute, value in attributes(content):
                if attribute == PARAM_CBANK:
                    kernel.parameter_base = struct.unpack("<IHH", value)[1]
                elif attribute == KPARAM_INFO:
                    _, ordinal, offset, flags = struct.unpack("<IHHI", value)
                    kernel.parameters.append((ordinal, offset, flags >> 18))
        elif match.group(2) != "0":
            kernel.constants[int(match.group(2))] = content
    for kernel in kernels.values():
        kernel.parameters = [(offset, size) for _, offset, size in sorted(kernel.parameters)]
    return kernels


class Program:
    """The kernels of a program, whose code for the GPU is unpacked into `folder`, which must stay."""

    def __init__(self, program, folder):
        self.tools = {name: find_tool(name) for name in ("cuobjdump", "nvdisasm")}
        for name, path in self.tools.items():
            if path is None:
                raise FileNotFoundError(f"{name} was not found: it comes with CUDA, or with pip install nvidia-cuda-{name}")
        subprocess.run([self.tools["cuobjdump"], "-xelf", "all", str(Path(program).resolve())], cwd=folder, check=True,
                       stdout=subprocess.DEVNULL)
        self.files = {path: read_elf(path.read_bytes()) for path in sorted(Path(folder).glob("*.cubin"))}
        self.kernels = {name: kernel for found in self.files.values() for name, kernel in found.items()}

    def disassemble(self, symbols):
        """Gives these kernels their instructions."""
        for path, kernels in self.files.items():
            wanted = {name: kernel for name, kernel in kernels.items() if name in symbols}
            if wanted:
                numbers = ",".join(str(kernel.symbol) for kernel in wanted.values())
                listing = subprocess.run([self.tools["nvdisasm"], "-c", "-fun", numbers, str(path)], capture_output=True,
                                         text=True, check=True)
                parse_listing(listing.stdout, wanted)
