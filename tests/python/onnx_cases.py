"""Single-node networks with inputs and expected outputs, for tests/onnx_node.rs.

Two sources: the node tests of the onnx package, which come with the standard; and nodes of older operator sets and with
unusual attributes, for which onnxruntime says what is right.
"""

import itertools
import json
import re
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

onnxruntime.set_default_logger_severity(4)

# Operators that run; those that are only folded (Gather, Shape) and Constant, which vanishes on reading, are not here.
OPERATORS = """
Add AveragePool BatchNormalization Cast Clip Concat Conv Div Dropout Elu Flatten Gemm GlobalAveragePool GlobalMaxPool
HardSigmoid HardSwish Identity LeakyRelu LogSoftmax MatMul MaxPool Mul PRelu Pad ReduceMax ReduceMean ReduceSum Relu
Reshape Sigmoid Slice Softmax Split Squeeze Sub Sum Tanh Transpose Unsqueeze
""".split()

# Node tests of the standard that must be refused, by the reason.
REFUSED = {
    "casts": r"_cast_",
    "lists and optional values": r"_identity_(sequence|opt)$",
    "one or three spatial axes": r"pool_[13]d_",
    "training": r"_training_mode$|_training_dropout",
    "a second output": r"_with_argmax_|_dropout_default_mask",
    "steps": r"_slice$|_slice_(default_axes|neg_steps|negative_axes|neg|end_out_of_bounds)$",
    "empty tensors": r"_empty_set|_zero_size_splits|_slice_start_out_of_bounds|_allowzero_reordered",
    "modes of padding": r"_wrap_pad",
}


def refused(name, values):
    """Whether a test of the standard must be refused: by its name, or for data that are no floats."""
    floats = all(np.asarray(value).dtype == np.float32 for value in values)
    return not floats or any(re.search(pattern, name) for pattern in REFUSED.values())


def with_constants(model, inputs):
    """The model with integer, boolean and scalar inputs made constant, as exporters write them; the others' values."""
    graph, kept = model.graph, []
    for info, value in list(zip(graph.input, inputs)):
        value = np.asarray(value)
        if value.dtype == np.float32 and (value.ndim > 0 or not kept):
            kept.append(value)
        else:
            graph.initializer.append(numpy_helper.from_array(value, info.name))
            graph.input.remove(info)
    return model, kept


def of_the_standard():
    """The onnx package's own node tests of our operators."""
    from onnx.backend.test.case.node import collect_testcases

    for case in collect_testcases(None):
        model = case.model
        if case.name.endswith("_expanded") or model is None or len(model.graph.node) != 1:
            continue
        if model.graph.node[0].op_type not in OPERATORS:
            continue
        if re.search(r"_cast_(FLOAT16|DOUBLE|BFLOAT16)_to_FLOAT$", case.name):
            continue  # Runs on widened inputs, but cases.json holds float32 alone.
        inputs, outputs = case.data_sets[0]
        if refused(case.name, [*inputs[:1], *outputs]):
            yield {"name": case.name, "model": model, "refused": True}
            continue
        model, inputs = with_constants(model, inputs)
        yield {"name": case.name, "model": model, "inputs": inputs, "outputs": outputs, "tolerance": case.rtol}


class Nodes:
    """Collects nodes for which onnxruntime gives the expected outputs."""

    def __init__(self):
        self.random = np.random.default_rng(0)
        self.cases = []

    def noise(self, *shape):
        return self.random.normal(size=shape).astype(np.float32)

    def add(self, opset, op_type, inputs, outputs=1, floats=1, **attributes):
        """`inputs`: arrays, or None for one left out; the first `floats` are inputs of the graph, the rest constants."""
        names = ["" if value is None else f"x{index}" for index, value in enumerate(inputs)]
        node = helper.make_node(op_type, names, [f"y{index}" for index in range(outputs)], **attributes)
        given = [(name, value) for name, value in zip(names, inputs) if name]
        graph = helper.make_graph(
            [node],
            "node",
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, value.shape) for name, value in given[:floats]],
            [helper.make_empty_tensor_value_info(name) for name in node.output],
            [numpy_helper.from_array(value, name) for name, value in given[floats:]],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        arrays = [value for _, value in given[:floats]]
        expected = session.run(None, dict(zip(names, arrays)))
        for name, value in zip(node.output, expected):
            model.graph.output[list(node.output).index(name)].CopyFrom(
                helper.make_tensor_value_info(name, TensorProto.FLOAT, value.shape)
            )
        name = f"{op_type}_{opset}_{len(self.cases)}"
        self.cases.append({"name": name, "model": model, "inputs": arrays, "outputs": expected})


def ints(*values):
    return np.array(values, np.int64)


def convolutions(nodes):
    for opset, group, stride, dilation in itertools.product((7, 11, 22), (1, 2, 4), (1, 2), (1, 2)):
        x, w, b = nodes.noise(2, 4, 9, 8), nodes.noise(4, 4 // group, 3, 2), nodes.noise(4)
        shared = {"group": group, "strides": [stride, 1], "dilations": [1, dilation]}
        nodes.add(opset, "Conv", [x, w, b], pads=[1, 0, 2, 1], **shared)
        if dilation == 1:
            for auto_pad in ("SAME_UPPER", "SAME_LOWER", "VALID"):
                nodes.add(opset, "Conv", [x, w], auto_pad=auto_pad, **shared)


def pools(nodes):
    x = nodes.noise(2, 3, 10, 9) - 3
    sizes = [
        {"kernel_shape": [3, 2]},
        {"kernel_shape": [3, 3], "strides": [2, 2]},
        {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]},
        {"kernel_shape": [2, 3], "strides": [2, 1], "pads": [1, 0, 0, 2]},
        {"kernel_shape": [2, 2], "strides": [3, 3], "pads": [0, 0, 1, 1]},
    ]
    for size, ceil_mode in itertools.product(sizes, (0, 1)):
        for opset in (10, 12, 22):
            nodes.add(opset, "MaxPool", [x], ceil_mode=ceil_mode, **size)
            for count in (0, 1):
                nodes.add(opset, "AveragePool", [x], ceil_mode=ceil_mode, count_include_pad=count, **size)
        nodes.add(12, "MaxPool", [x], ceil_mode=ceil_mode, dilations=[2, 1], **size)
        for count in (0, 1):
            nodes.add(19, "AveragePool", [x], ceil_mode=ceil_mode, count_include_pad=count, dilations=[2, 1], **size)
    for op_type, auto_pad in itertools.product(("MaxPool", "AveragePool"), ("SAME_UPPER", "SAME_LOWER", "VALID")):
        nodes.add(7, op_type, [x], kernel_shape=[3, 2], strides=[2, 2], auto_pad=auto_pad)
    nodes.add(7, "GlobalAveragePool", [x])
    nodes.add(7, "GlobalMaxPool", [x])


def changed_between_operator_sets(nodes):
    x = nodes.noise(2, 3, 4, 5)
    for opset in (7, 10):
        nodes.add(opset, "Clip", [x], min=-0.5, max=0.25)
        nodes.add(opset, "Clip", [x], max=0.25)
        nodes.add(opset, "Dropout", [x], ratio=0.3)
        for mode in ("constant", "edge", "reflect"):
            nodes.add(opset, "Pad", [x], mode=mode, pads=[0, 0, 1, 2, 0, 0, 3, 0])
        nodes.add(opset, "Pad", [x], pads=[0, 1, 1, 2, 0, 0, 3, 0], value=1.5)
    nodes.add(9, "Slice", [x], starts=[1, -3], ends=[3, 2**31 - 1], axes=[1, 3])
    nodes.add(9, "Slice", [x], starts=[0, 1], ends=[1, 3])
    nodes.add(9, "BatchNormalization", [x, *(nodes.noise(3) for _ in range(3)), np.abs(nodes.noise(3))])
    nodes.add(14, "BatchNormalization", [x, *(nodes.noise(3) for _ in range(3)), np.abs(nodes.noise(3))], epsilon=0.1)
    for opset, op_type in itertools.product((7, 11, 12, 13), ("Softmax", "LogSoftmax")):
        for axis in range(-4 if opset > 10 else 0, 4):
            nodes.add(opset, op_type, [x], axis=axis)
        nodes.add(opset, op_type, [x])
        nodes.add(opset, op_type, [nodes.noise(2, 7, 1, 1)])
    for opset in (7, 11):
        nodes.add(opset, "Squeeze", [nodes.noise(2, 1, 3, 1)], axes=[1, 3])
        nodes.add(opset, "Squeeze", [nodes.noise(2, 1, 3, 1)])
        nodes.add(opset, "Unsqueeze", [nodes.noise(2, 3)], axes=[0, 3])
        nodes.add(opset, "Split", [x], outputs=2, axis=3, split=[2, 3])
        nodes.add(opset, "Split", [x], outputs=3, axis=1)
        nodes.add(opset, "ReduceMean", [x], axes=[1, 3], keepdims=0)
        nodes.add(opset, "ReduceSum", [x], axes=[2])
        nodes.add(opset, "ReduceMax", [x])
    nodes.add(7, "Sum", [x, x + 1, nodes.noise(2, 3, 4, 5)], floats=3)
    nodes.add(13, "Sum", [x, nodes.noise(4, 5), nodes.noise(1)], floats=3)
    nodes.add(13, "ReduceMean", [x], axes=[-1, -2])
    nodes.add(18, "ReduceMean", [x, ints(0, -1)], keepdims=0)
    nodes.add(13, "ReduceSum", [x, ints(0, -1)], keepdims=0)
    for opset in (7, 13, 21):
        nodes.add(opset, "Flatten", [x], axis=2)
        nodes.add(opset, "Reshape", [x, ints(0, -1, 5)])
        nodes.add(opset, "Gemm", [nodes.noise(3, 4), nodes.noise(5, 3), nodes.noise(5)], transA=1, transB=1, alpha=0.5)
        nodes.add(opset, "MatMul", [nodes.noise(2, 1, 3, 4), nodes.noise(5, 4, 2)], floats=2)
        nodes.add(opset, "Add", [x, nodes.noise(3, 1, 1)], floats=2)
        nodes.add(opset, "PRelu", [x, nodes.noise(3, 1, 1)])
        nodes.add(opset, "Elu", [x * 50], alpha=0.5)
        nodes.add(opset, "LeakyRelu", [x])
        nodes.add(opset, "HardSigmoid", [x], alpha=0.3, beta=0.4)
        nodes.add(opset, "Identity", [x])


def all_cases():
    nodes = Nodes()
    for collect in (convolutions, pools, changed_between_operator_sets):
        collect(nodes)
    return [*of_the_standard(), *nodes.cases]


def array(value):
    value = np.asarray(value)
    assert value.dtype == np.float32 and np.isfinite(value).all(), value
    return {"shape": list(value.shape), "values": [float(number) for number in value.reshape(-1)]}


def write_cases(folder: Path):
    """Writes every model and `cases.json`; answers the cases."""
    cases, listed = all_cases(), []
    for case in cases:
        onnx.save(case["model"], folder / f"{case['name']}.onnx")
        listed.append({
            "name": case["name"],
            "refused": case.get("refused", False),
            "tolerance": case.get("tolerance", 1e-4),
            "inputs": [array(value) for value in case.get("inputs", [])],
            "outputs": [array(value) for value in case.get("outputs", [])],
        })
    (folder / "cases.json").write_text(json.dumps(listed))
    return cases
