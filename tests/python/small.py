"""Small networks and packs that a check makes for itself."""

import io
import json
import zipfile
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

IMAGE = ["batch", 1, 8, 8]


def tensor(name: str, shape: list):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)


def save(path: Path, nodes, inputs, outputs, weights=None, metadata=None, opset: int = 17) -> Path:
    """Writes an ONNX file, without checking that it makes sense."""
    initializers = [numpy_helper.from_array(value, name) for name, value in (weights or {}).items()]
    graph = helper.make_graph(nodes, path.stem, inputs, outputs, initializers)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=8)
    helper.set_model_props(model, metadata or {})
    onnx.save(model, path)
    return path


def metadata(task: str, classes: list[str], output: str = "logits", pixels: str = "unit") -> dict:
    tasks = [{"name": task, "output": output, "classes": classes}]
    return {"graftlab.tasks": json.dumps(tasks), "graftlab.pixels": pixels}


def network(
    path: Path,
    task: str,
    classes: list[str],
    *,
    channels: int = 1,
    size: int = 8,
    width: int = 8,
    softmax: bool = False,
    seed: int = 0,
) -> Path:
    """Two convolutions with batch norm, pooling and a linear layer, with random weights."""
    rng = np.random.default_rng(seed)

    def random(*shape):
        return rng.normal(0, 1 / np.sqrt(np.prod(shape[1:])), shape).astype(np.float32)

    weights = {
        "first": random(width, channels, 3, 3),
        "second": random(width, width, 3, 3),
        "classifier": random(len(classes), width),
        "bias": random(len(classes), 1).ravel(),
    }
    for layer in ("one", "two"):
        values = {"scale": 1, "shift": 0, "mean": 0, "variance": 1}
        weights |= {f"{layer}_{part}": np.full(width, value, np.float32) for part, value in values.items()}

    def norm(layer, source, name):
        parts = [f"{layer}_{part}" for part in ("scale", "shift", "mean", "variance")]
        return helper.make_node("BatchNormalization", [source, *parts], [name])

    nodes = [
        helper.make_node("Conv", ["image", "first"], ["c1"], pads=[1] * 4),
        norm("one", "c1", "n1"),
        helper.make_node("Relu", ["n1"], ["r1"]),
        helper.make_node("MaxPool", ["r1"], ["p1"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Conv", ["p1", "second"], ["c2"], pads=[1] * 4),
        norm("two", "c2", "n2"),
        helper.make_node("Relu", ["n2"], ["r2"]),
        helper.make_node("GlobalAveragePool", ["r2"], ["average"]),
        helper.make_node("Flatten", ["average"], ["flat"]),
        helper.make_node("Gemm", ["flat", "classifier", "bias"], ["logits"], transB=1),
    ]
    output = "logits"
    if softmax:
        nodes.append(helper.make_node("Softmax", ["logits"], ["probabilities"]))
        output = "probabilities"
    inputs = [tensor("image", ["batch", channels, size, size])]
    outputs = [tensor(output, ["batch", len(classes)])]
    return save(path, nodes, inputs, outputs, weights, metadata(task, classes, output))


def png(values: np.ndarray) -> bytes:
    """A picture of [height, width] or [height, width, 3] bytes."""
    out = io.BytesIO()
    Image.fromarray(values.astype(np.uint8)).save(out, "PNG")
    return out.getvalue()


def pack(path: Path, files: dict[str, bytes | str]) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return path


def pictures(count: int = 80, size: int = 8, seed: int = 0) -> dict[str, bytes]:
    """Bright and dark noise in turn, as `images/NNN.png`."""
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 100, (count, size, size))
    return {f"images/{at:03}.png": png(noise[at] + 150 * (at % 2)) for at in range(count)}


def table(images: dict, shade=("dark", "bright"), parity=("even", "odd")) -> str:
    """A labels.csv for `pictures`, with the tasks shade and parity."""
    rows = [f"{name},{shade[at % 2]},{parity[at // 2 % 2]}" for at, name in enumerate(images)]
    return "\n".join(["file,shade,parity", *rows, ""])
