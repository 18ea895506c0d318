"""Writes the seeds of the fuzz targets: `python tests/python/corpus.py fuzz/corpus`.

Seeds are small, for what is small is tried often: one node each for reading, and blocks of layers for running.
"""

import sys
from pathlib import Path

import numpy as np
import onnx
from architectures.net import Net
from architectures.transformers import attention, tokens
from onnx.backend.test.case.node import collect_testcases
from onnx_cases import OPERATORS

LARGEST = 1500


def nodes():
    """For every operator of the table the smallest of the standard's own node tests that reads floats alone."""
    found = {}
    for case in collect_testcases(None):
        model = case.model
        if model is None or len(model.graph.node) != 1:
            continue
        kinds = {value.type.tensor_type.elem_type for value in model.graph.input}
        if kinds != {onnx.TensorProto.FLOAT}:
            continue
        op_type, content = model.graph.node[0].op_type, model.SerializeToString(deterministic=True)
        if op_type in OPERATORS and len(content) < min(LARGEST, len(found.get(op_type, b"?" * LARGEST))):
            found[op_type] = content
    return found


def small(name, opset=17):
    return Net(name, opset, 8, seed=1)


def plain():
    b = small("plain")
    return b.head(b.max_pool(b.layer("image", 2)), 2)


def residual():
    b = small("residual", 11)
    x = b.layer("image", 2, 3, 2)
    return b.head(b.act(b.add(x, b.squeeze_excite(b.layer(x, 2, 3, 1, 2)))), 2, "Softmax")


def shuffled():
    b = small("shuffled", 13)
    left, right = b.split(b.conv("image", 4), [2, 2])
    return b.head(b.shuffle(b.concat(b.slice(left, 0, 2, 1), b.act(right, "hard_swish")), 2, 8), 2)


def resized():
    b = small("resized", 13)
    x = b.conv("image", 2, 3, 2)
    up = b.op("Resize", x, "", b.constant(np.array([1, 1, 2, 2], "f")), mode="linear", coordinate_transformation_mode="half_pixel")
    up = b.add(up, b.keep(b.node("ConvTranspose", x, b.weight(2, 2, 2, 2), strides=[2, 2]), 2))
    return b.head(b.op("Pad", up, b.ints(0, 0, 1, 1, 0, 0, 1, 1), b.number(0), mode="constant"), 2)


def attentive():
    b = small("attentive", 14)
    x = b.layer_norm(tokens(b, b.conv("image", 4, 4, 4, pads=[0] * 4)))
    x = b.reduce("ReduceMean", b.gelu(attention(b, x, 2, 4)), [1], keepdims=0)
    return b.done(b.linear(x, 4, 2))


def channels_last():
    b = small("channels_last", 13)
    x = b.transpose(b.conv(b.transpose(b.transpose("image", 0, 2, 3, 1), 0, 3, 1, 2), 2, auto_pad="SAME_UPPER"), 0, 2, 3, 1)
    x = b.reduce("ReduceMean", b.op("Add", x, b.near(2, 0)), [1, 2], keepdims=0)
    return b.done(b.matmul(x, 2))


def viewed():
    b = small("viewed", 9)
    x = b.keep(b.view(b.max_pool(b.act(b.conv("image", 1, 3, 2)), 2, pad=0), 4), 4)
    return b.done(b.linear(b.dropout(x), 4, 2))


def normalised():
    b = small("normalised", 18)
    x = b.op("LRN", b.conv("image", 2), size=3)
    x = b.op("InstanceNormalization", x, b.near(2, 1), b.near(2, 0))
    x = b.op("Mul", x, b.reduce("ReduceL2", x, [1]))
    return b.head(b.op("PRelu", x, b.near(2, 0.1)), 2)


NETWORKS = [plain, residual, shuffled, resized, attentive, channels_last, viewed, normalised]


def main(folder):
    for target in ("read", "run"):
        (folder / target).mkdir(parents=True, exist_ok=True)
    for op_type, content in nodes().items():
        (folder / "read" / f"{op_type}.onnx").write_bytes(content)
    for network in NETWORKS:
        model = network()
        onnx.checker.check_model(model)
        content = model.SerializeToString(deterministic=True)
        (folder / "run" / f"{network.__name__}.onnx").write_bytes(content)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
