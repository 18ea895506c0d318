"""Single-node networks with inputs and expected outputs, for tests/onnx_node.rs.

Two sources: the node tests of the onnx package, which come with the standard; and nodes of older operator sets and with
unusual attributes, for which onnxruntime says what is right.

Run as a program with a folder, it writes those that tests/browser/webgpu.test.mjs differentiates: some of every operator.
"""

import itertools
import json
import re
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

onnxruntime.set_default_logger_severity(4)

ROOT = Path(__file__).resolve().parents[2]
TABLE = (ROOT / "docs" / "operators.md").read_text()
# The operators of the table, with their versions.
OPERATORS = {
    name: [int(version) for version in versions.split(", ")]
    for name, versions in re.findall(r"^\| (\w+) \| ([\d, ]+) \|", TABLE, re.MULTILINE)
}

FLOATS = (TensorProto.FLOAT, TensorProto.FLOAT16, TensorProto.BFLOAT16, TensorProto.DOUBLE)
NUMBERS = (
    *FLOATS, TensorProto.BOOL, TensorProto.INT8, TensorProto.INT16, TensorProto.INT32, TensorProto.INT64, TensorProto.UINT8,
    TensorProto.UINT16, TensorProto.UINT32,
)

# Node tests of the standard that must be refused, by the reason. A test that one of these names and that runs is an error.
REFUSED = {
    "one or three spatial axes": r"pool_[13]d_|convtranspose_[13]d",
    "training": r"_training_mode$|_training_dropout",
    "a second output": r"_with_argmax_|_dropout_default_mask",
    "empty tensors": r"_empty_set|_zero_size_splits|_allowzero_reordered|_slice_start_out_of_bounds|^test_rotary(?!.*_ids_rotary_dim)",
    "quantised outputs": r"^test_(dynamic)?quantizelinear",
    "images taken out of their batch": r"^test_gather_0$",
    "integers where networks compute with floats": r"_maxpool_2d_uint8|_(edge|reflect)_pad$",
    "modes of padding": r"_wrap_pad",
}


def types(model):
    """The types of all tensors that go in and come out; None for what is no tensor."""
    infos = [*model.graph.input, *model.graph.output]
    return {info.type.tensor_type.elem_type if info.type.HasField("tensor_type") else None for info in infos}


def refusal(name, model):
    """Why a test of the standard must be refused."""
    if not types(model) <= set(NUMBERS):
        return "types that no image network has: text, lists, 4- and 8-bit floats, complex numbers, 64-bit unsigned"
    return next((reason for reason, pattern in REFUSED.items() if re.search(pattern, name)), None)


def with_constants(model, inputs, all_constant):
    """The model with all inputs but its float tensors made constant, as exporters write them; the others' values."""
    graph, kept = model.graph, []
    for index, (info, value) in enumerate(list(zip(graph.input, inputs))):
        is_float = info.type.tensor_type.elem_type in FLOATS
        argument = index > 0 and graph.node[0].op_type in ("Resize", "Upsample")
        if is_float and not all_constant and not argument and (np.ndim(value) > 0 or not kept):
            kept.append(value)
        else:
            tensor = value if isinstance(value, TensorProto) else numpy_helper.from_array(np.asarray(value))
            tensor.name = info.name
            graph.initializer.append(tensor)
            graph.input.remove(info)
    if not graph.input:
        # A network has an input, read or not.
        graph.input.append(helper.make_tensor_value_info("unread image", TensorProto.FLOAT, [1]))
    # `Not` has not changed since the first operator set.
    model.opset_import[0].version = max(model.opset_import[0].version, 7)
    return model, kept


def of_the_standard():
    """The onnx package's own node tests of our operators, those written out in simpler operators included."""
    from onnx.backend.test.case.node import collect_testcases

    for case in collect_testcases(None):
        model = case.model
        if model is None or not all(node.op_type in OPERATORS and not node.domain for node in model.graph.node):
            continue
        inputs, outputs = case.data_sets[0]
        tolerance = max(case.rtol, 2e-2 if TensorProto.BFLOAT16 in types(model) else 0)
        listed = {"name": case.name, "model": model, "tolerance": tolerance, "standard": True}
        if reason := refusal(case.name, model):
            yield {**listed, "refused": reason}
            continue
        # What holds integers or truth values is computed when the network is loaded.
        floats = all(info.type.tensor_type.elem_type in FLOATS for info in model.graph.output)
        reads_floats = any(info.type.tensor_type.elem_type in FLOATS for info in model.graph.input)
        known = not floats or not reads_floats or model.graph.node[0].op_type in KNOWN
        model, inputs = with_constants(model, inputs, all_constant=known)
        yield {**listed, "inputs": inputs, "outputs": outputs, "known": known}


# Operators that never run.
KNOWN = ("DequantizeLinear", "Mod", "Range")


class Nodes:
    """Collects nodes for which onnxruntime gives the expected outputs."""

    def __init__(self):
        self.random = np.random.default_rng(0)
        self.cases = []

    def noise(self, *shape):
        return self.random.normal(size=shape).astype(np.float32)

    def add(self, opset, op_type, inputs, outputs=1, floats=1, runs=(), **attributes):
        """`inputs`: arrays, or None for one left out; the first `floats` are inputs of the graph, or those at `runs`; the
        rest are constants."""
        names = ["" if value is None else f"x{index}" for index, value in enumerate(inputs)]
        node = helper.make_node(op_type, names, [f"y{index}" for index in range(outputs)], **attributes)
        runs = runs or range(floats)
        given = [(name, value) for index, (name, value) in enumerate(zip(names, inputs)) if index in runs]
        constants = [pair for index, pair in enumerate(zip(names, inputs)) if index not in runs and pair[0]]
        graph = helper.make_graph(
            [node],
            "node",
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, value.shape) for name, value in given],
            [helper.make_empty_tensor_value_info(name) for name in node.output],
            [numpy_helper.from_array(np.asarray(value), name) for name, value in constants],
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        arrays = [value for _, value in given]
        expected = session.run(None, dict(given))
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


def newer_operators(nodes):
    x = nodes.noise(2, 4, 6, 5)
    for opset, scale in itertools.product((9, 10), ([1, 1, 2, 2], [1, 1, 2.5, 1.6], [1, 1, 0.5, 0.6])):
        for mode in ("nearest", "linear"):
            op_type = "Upsample" if opset == 9 else "Resize"
            if opset == 10 or min(scale) >= 1:
                nodes.add(opset, op_type, [x, np.array(scale, np.float32)], mode=mode)
    nodes.add(7, "Upsample", [x], mode="nearest", scales=[1.0, 1.0, 2.0, 3.0])
    resizes(nodes, x)
    for opset, group, stride in itertools.product((7, 11, 22), (1, 2), (1, 2)):
        w, b = nodes.noise(4, 3, 3, 2), nodes.noise(3 * group)
        shared = {"group": group, "strides": [stride, 2]}
        nodes.add(opset, "ConvTranspose", [x, w, b], pads=[1, 0, 2, 1], **shared)
        nodes.add(opset, "ConvTranspose", [x, w], output_padding=[stride - 1, 1], dilations=[1, 2], **shared)
        nodes.add(opset, "ConvTranspose", [x, w], output_shape=[6 * stride, 10], auto_pad="SAME_UPPER", **shared)
        nodes.add(opset, "ConvTranspose", [x, w], output_shape=[6 * stride, 10], **shared)
    for opset in (7, 11, 22):
        row, weight = nodes.noise(2, 4, 9), nodes.noise(6, 2, 3)
        shared = {"group": 2, "strides": [2], "dilations": [2]}
        nodes.add(opset, "Conv", [row, weight, nodes.noise(6)], pads=[1, 2], **shared)
        nodes.add(opset, "Conv", [row, weight], auto_pad="SAME_UPPER", group=2)
    for opset in (7, 13):
        for op_type in ("Abs", "Exp", "Floor", "Ceil", "Neg", "Reciprocal", "Tanh", "Softplus", "Softsign", "Selu"):
            nodes.add(opset, op_type, [x])
        for op_type in ("Log", "Sqrt"):
            nodes.add(opset, op_type, [np.abs(x) + 0.1])
        for op_type in ("ReduceL1", "ReduceL2", "ReduceMin", "ReduceProd", "ReduceLogSumExp", "ReduceSumSquare"):
            nodes.add(opset, op_type, [x], axes=[1, -1] if opset > 10 else [1, 3], keepdims=0)
        nodes.add(opset, "LRN", [x], size=3, alpha=0.1, bias=2.0)
        nodes.add(opset, "InstanceNormalization", [x, nodes.noise(4), nodes.noise(4)], epsilon=0.1)
        nodes.add(opset, "Pow", [np.abs(x), np.array(1.7, np.float32)])
        nodes.add(opset, "Gather", [x, np.array([[3, 0], [1, 1]])], axis=1)
        nodes.add(opset, "Tile", [x, ints(1, 2, 1, 3)])
        nodes.add(opset, "DepthToSpace", [x], blocksize=2)
        nodes.add(opset, "SpaceToDepth", [x[..., :4]], blocksize=2)
        nodes.add(opset, "LpNormalization", [x], axis=1, p=1)
        nodes.add(max(opset, 8), "Max", [x, nodes.noise(4, 1, 1), nodes.noise(1)], floats=3)
        nodes.add(max(opset, 8), "Min", [x, nodes.noise(2, 1, 6, 5)], floats=2)
        nodes.add(max(opset, 8), "Mean", [x, nodes.noise(2, 1, 6, 5)], floats=2)
        nodes.add(max(opset, 8), "Expand", [x[:, :, :1], ints(4, 6, 5)])
        nodes.add(max(opset, 9), "Where", [nodes.noise(4, 6, 1) > 0, x, nodes.noise(5)], floats=0, runs=(1, 2))
        nodes.add(max(opset, 9), "Erf", [x])
        nodes.add(max(opset, 10), "Slice", [x, ints(-1, 0), ints(-100, 5), ints(2, 3), ints(-2, 2)])
        nodes.add(max(opset, 10), "ThresholdedRelu", [x], alpha=0.3)
        nodes.add(max(opset, 11), "DepthToSpace", [x], blocksize=2, mode="CRD")
        nodes.add(max(opset, 12), "Celu", [x], alpha=0.7)
        nodes.add(max(opset, 12), "Pow", [x, np.array(3, np.int64)])
        nodes.add(max(opset, 12), "Einsum", [x, nodes.noise(4, 5, 3)], floats=2, equation="bchw,cwd->bhcd")
    nodes.add(14, "HardSwish", [x])
    nodes.add(17, "LayerNormalization", [x, nodes.noise(6, 5), nodes.noise(5)], axis=2, epsilon=0.01)
    nodes.add(18, "GroupNormalization", [x, nodes.noise(2), nodes.noise(2)], num_groups=2)
    nodes.add(21, "GroupNormalization", [x, nodes.noise(4), nodes.noise(4)], num_groups=2)
    nodes.add(18, "Mish", [x])
    for approximate in ("none", "tanh"):
        nodes.add(20, "Gelu", [x], approximate=approximate)


def nothing(opset):
    """What stands for a region that is not needed; it was no optional input at first."""
    return np.zeros(0, np.float32) if opset < 13 else None


def resizes(nodes, x):
    """Every mode with every coordinate transformation that exporters emit."""
    coordinates = ("half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric")
    scales = ([1, 1, 2, 2], [1, 1, 1.5, 2.75], [1, 1, 0.5, 0.8])
    for opset, coordinate, scale in itertools.product((11, 13, 18), coordinates, scales):
        if coordinate == "align_corners" and scale[3] == 2.75:
            # Of 13.75 values onnxruntime aligns the 13 that are left, the standard all.
            scale = [1, 1, 1.5, 3]
        given = [x, nothing(opset), np.array(scale, np.float32)]
        for mode in ("nearest", "linear", "cubic"):
            nodes.add(opset, "Resize", given, mode=mode, coordinate_transformation_mode=coordinate)
        for rounding in ("round_prefer_ceil", "floor", "ceil"):
            shared = {"mode": "nearest", "coordinate_transformation_mode": coordinate}
            nodes.add(opset, "Resize", given, nearest_mode=rounding, **shared)
    for opset in (11, 12):
        tensorflow = {"coordinate_transformation_mode": "tf_half_pixel_for_nn", "nearest_mode": "floor"}
        nodes.add(opset, "Resize", [x, nothing(opset), np.array([1, 1, 1.5, 2], np.float32)], mode="nearest", **tensorflow)
    for mode in ("linear", "cubic"):
        nodes.add(18, "Resize", [x, None, None, ints(2, 4, 3, 3)], mode=mode, antialias=1)
        nodes.add(13, "Resize", [x, None, None, ints(2, 4, 9, 4)], mode=mode)
    nodes.add(13, "Resize", [x, None, None, ints(2, 4, 9, 4)], mode="cubic", exclude_outside=1, cubic_coeff_a=-0.5)


def all_cases():
    nodes = Nodes()
    for collect in (convolutions, pools, changed_between_operator_sets, newer_operators):
        collect(nodes)
    return [*of_the_standard(), *nodes.cases]


def as_floats(value):
    value = numpy_helper.to_array(value) if isinstance(value, TensorProto) else np.asarray(value)
    with np.errstate(over="ignore"):
        return value.astype(np.float32)


def array(value):
    """Shape, and the bits of every value as float32: JSON has no word for what is not finite."""
    value = as_floats(value)
    return {"shape": list(value.shape), "bits": value.reshape(-1).view(np.uint32).tolist()}


def write_cases(folder: Path, cases):
    """Writes every model and `cases.json`."""
    listed = []
    for case in cases:
        onnx.save(case["model"], folder / f"{case['name']}.onnx")
        listed.append({
            "name": case["name"],
            "operator": case["model"].graph.node[0].op_type,
            "refused": bool(case.get("refused")),
            "known": case.get("known", False),
            "tolerance": case.get("tolerance", 1e-4),
            "inputs": [array(value) for value in case.get("inputs", [])],
            "outputs": [array(value) for value in case.get("outputs", [])],
        })
    (folder / "cases.json").write_text(json.dumps(listed))


def differentiated(most=3):
    """Of every operator with a gradient up to so many cases that run, spread over all there are."""
    by_operator = {name: [] for name in re.findall(r"^\| (\w+) \| [\d, ]+ \| CPU, GPU \| yes", TABLE, re.MULTILINE)}
    for case in all_cases():
        graph = case["model"].graph
        runs = not case.get("refused") and not case.get("known") and types(case["model"]) <= set(FLOATS)
        alone = len(graph.node) == 1 and graph.node[0].op_type in by_operator
        if runs and alone and all(np.isfinite(as_floats(value)).all() for value in case["outputs"]):
            by_operator[graph.node[0].op_type].append(case)
    nothing_to_run = {"Cast", "DequantizeLinear", "QuantizeLinear"}
    for operator, cases in by_operator.items():
        assert cases or operator in nothing_to_run, f"no case of {operator}"
        yield from cases[:: max(1, len(cases) // most)][:most]


if __name__ == "__main__":
    write_cases(Path(sys.argv[1]), differentiated())
