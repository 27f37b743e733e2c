"""A file of named tensors: numpy arrays of f32, i32 and u8."""

import json
import struct


def write_safetensors(path, tensors, metadata):
    """With the package safetensors where it is installed."""
    try:
        from safetensors.numpy import save_file
    except ImportError:
        save_file = write_by_hand
    save_file(tensors, path, metadata)


def write_by_hand(tensors, path, metadata):
    header, offset = {"__metadata__": metadata}, 0
    ordered = sorted(tensors, key=lambda name: -tensors[name].itemsize)  # so that each one is aligned
    for name in ordered:
        end = offset + tensors[name].nbytes
        kind = {"float32": "F32", "int32": "I32", "uint8": "U8"}[str(tensors[name].dtype)]
        header[name] = {"dtype": kind, "shape": list(tensors[name].shape), "data_offsets": [offset, end]}
        offset = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name in ordered:
            file.write(tensors[name].tobytes())
