"""Reads an ONNX file and runs it as PyTorch code: what a teacher needs, on CPU or CUDA, with no ONNX package.

The reader knows the part of protobuf that ONNX uses (onnx.proto of the ONNX project, field numbers beside each
use); the interpreter knows the operators of the permitted teachers and refuses any other by name.
"""
import struct

import numpy as np
import torch
import torch.nn.functional as F

FLOAT, INT64, FLOAT16 = 1, 7, 10  # TensorProto.DataType
NUMPY_OF = {FLOAT: np.float32, 6: np.int32, INT64: np.int64, FLOAT16: np.float16, 11: np.float64}


def fields(data):
    """Every (field number, value) of a protobuf message: an int for varints, bytes for everything else."""
    at, end = 0, len(data)
    while at < end:
        key, at = varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, at = varint(data, at)
        elif wire == 1:
            value, at = data[at : at + 8], at + 8
        elif wire == 2:
            size, at = varint(data, at)
            value, at = data[at : at + size], at + size
        elif wire == 5:
            value, at = data[at : at + 4], at + 4
        else:
            raise ValueError(f"not ONNX: wire type {wire}")
        if at > end:
            raise ValueError("not ONNX: cut off")
        yield number, value


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return (value - (1 << 64) if value >> 63 else value), at
        shift += 7


def varints(value):
    """A repeated integer field, packed or a single one."""
    if isinstance(value, int):
        return [value]
    found, at = [], 0
    while at < len(value):
        one, at = varint(value, at)
        found.append(one)
    return found


def read_tensor(data):
    """TensorProto -> (name, array)."""
    dims, kind, name, raw, ints, floats = [], 0, "", None, [], []
    for number, value in fields(data):
        if number == 1:
            dims += varints(value)
        elif number == 2:
            kind = value
        elif number == 4:
            floats += struct.unpack(f"<{len(value) // 4}f", value)
        elif number in (5, 7):
            ints += varints(value)
        elif number == 8:
            name = value.decode()
        elif number == 9:
            raw = value
    if kind not in NUMPY_OF:
        raise ValueError(f"tensor {name}: data type {kind} is not supported")
    if raw is not None:
        array = np.frombuffer(raw, NUMPY_OF[kind])
    else:
        array = np.array(floats if floats else ints, NUMPY_OF[kind])
    return name, array.reshape(dims)


def read_attribute(data):
    """AttributeProto -> (name, float, int, str, array or list)."""
    name, value_of, many = "", None, []
    for number, value in fields(data):
        if number == 1:
            name = value.decode()
        elif number == 2:
            value_of = struct.unpack("<f", value)[0]
        elif number == 3:
            value_of = value
        elif number == 4:
            value_of = value.decode()
        elif number == 5:
            value_of = read_tensor(value)[1]
        elif number == 7:
            many += struct.unpack(f"<{len(value) // 4}f", value)
        elif number == 8:
            many += varints(value)
    return name, many if many else value_of


class OnnxGraph(torch.nn.Module):
    """An ONNX file as a frozen module. `run` gives the named tensors, so that inner maps can be asked for."""

    def __init__(self, path):
        super().__init__()
        with open(path, "rb") as file:
            graph = next(value for number, value in fields(file.read()) if number == 7)
        weights, nodes, inputs, self.outputs = {}, [], [], []
        for number, value in fields(graph):
            if number == 1:
                nodes.append(read_node(value))
            elif number == 5:
                name, array = read_tensor(value)
                weights[name] = array
            elif number == 11:
                inputs.append(value_name(value))
            elif number == 12:
                self.outputs.append(value_name(value))
        self.input = next(name for name in inputs if name not in weights)
        self.nodes, self.places = [], {}
        for op, names, outs, attributes in nodes:
            if op == "Constant":
                weights[outs[0]] = attributes["value"]
            elif op == "Cast" and names[0] in weights:
                weights[outs[0]] = weights[names[0]].astype(NUMPY_OF[attributes["to"]])
            else:
                self.nodes.append((op, names, outs[0], attributes))
        for _, names, _, _ in self.nodes:
            for name in names:
                if name in weights and name not in self.places:
                    self.places[name] = f"weight{len(self.places)}"
                    array = np.ascontiguousarray(weights[name])
                    array = array.astype(np.float32) if array.dtype == np.float16 else array.copy()
                    self.register_buffer(self.places[name], torch.from_numpy(array), persistent=False)

    def run(self, values, wanted):
        """The tensors `wanted`, by name, from the given ones. Stops as soon as all of them are there."""
        values = dict(values)
        for op, names, out, attributes in self.nodes:
            if all(name in values for name in wanted):
                break
            if out in values or any(name and name not in values and name not in self.places for name in names):
                continue
            arguments = [values[name] if name in values else getattr(self, self.places[name]) for name in names if name]
            values[out] = OPERATORS[op](attributes, *arguments) if op in OPERATORS else refuse(op)
        return [values[name] for name in wanted]

    def forward(self, x):
        return self.run({self.input: x}, self.outputs[:1])[0]


def read_node(data):
    names, outs, op, attributes = [], [], "", {}
    for number, value in fields(data):
        if number == 1:
            names.append(value.decode())
        elif number == 2:
            outs.append(value.decode())
        elif number == 4:
            op = value.decode()
        elif number == 5:
            name, attribute = read_attribute(value)
            attributes[name] = attribute
    return op, names, outs, attributes


def value_name(data):
    return next(value for number, value in fields(data) if number == 1).decode()


def refuse(op):
    raise ValueError(f"ONNX operator {op} is not supported")


def conv(attributes, x, weight, bias=None):
    top, left, bottom, right = attributes.get("pads", [0, 0, 0, 0])
    padding = (top, left)
    if (top, left) != (bottom, right):
        x, padding = F.pad(x, (left, right, top, bottom)), 0
    stride, dilation = tuple(attributes.get("strides", [1, 1])), tuple(attributes.get("dilations", [1, 1]))
    return F.conv2d(x, weight, bias, stride, padding, dilation, attributes.get("group", 1))


OPERATORS = {
    "Conv": conv,
    "PRelu": lambda _, x, slope: torch.prelu(x, slope.flatten().to(x.dtype)),
    "Relu": lambda _, x: F.relu(x),
    "MaxPool": lambda a, x: F.max_pool2d(x, tuple(a["kernel_shape"]), tuple(a["strides"])),
    "Resize": lambda _, x, roi, scales: F.interpolate(x, scale_factor=tuple(scales[2:].tolist()), mode="nearest"),
    "Sigmoid": lambda _, x: x.sigmoid(),
    "Clip": lambda _, x, low, high: x.clamp(low.item(), high.item()),
    "GlobalAveragePool": lambda _, x: x.mean((2, 3), keepdim=True),
    "Add": lambda _, x, y: x + y.to(x.dtype),
    "Mul": lambda _, x, y: x * y.to(x.dtype),
    "Flatten": lambda a, x: x.flatten(a.get("axis", 1)),
    "Reshape": lambda _, x, shape: x.reshape([x.shape[i] if n == 0 else n for i, n in enumerate(shape.tolist())]),
}
