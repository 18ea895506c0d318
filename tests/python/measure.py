"""Measures networks and data with other programs than Graftlab: onnxruntime, Pillow, numpy."""

import csv
import io
import json
import zipfile
from functools import cached_property
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from PIL import Image

#: What `graftlab.pixels` stands for: pixels become (pixel - mean) / std.
PIXELS = {"bytes": (0.0, 1.0), "unit": (0.0, 255.0), "signed": (127.5, 127.5)}


class Pack:
    """A zip of grey pictures with a labels.csv."""

    def __init__(self, path: Path):
        self.archive = zipfile.ZipFile(path)
        table = io.TextIOWrapper(self.archive.open("labels.csv"), encoding="utf-8", newline="")
        self.rows = list(csv.DictReader(table))

    @cached_property
    def test(self) -> list[dict]:
        """The rows of the test split."""
        return [row for row in self.rows if row["split"] == "test"]

    @cached_property
    def test_images(self) -> np.ndarray:
        """[images, 1, height, width], 0 to 255."""
        pictures = [Image.open(self.archive.open(row["file"])).convert("L") for row in self.test]
        return np.stack([np.asarray(picture, dtype=np.float32) for picture in pictures])[:, None]

    def test_labels(self, task: str, classes: list[str]) -> np.ndarray:
        """Class indices of the test split; -1 where an image is not labelled."""
        return np.array([classes.index(row[task]) if row[task] else -1 for row in self.test])


class Network:
    """An ONNX file in onnxruntime."""

    def __init__(self, path: Path):
        self.model = onnx.load(path)
        self.metadata = {entry.key: entry.value for entry in self.model.metadata_props}
        self.tasks = json.loads(self.metadata.get("graftlab.tasks", "[]"))
        self.session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        self.shape = [axis.dim_value for axis in self.model.graph.input[0].type.tensor_type.shape.dim]

    def raw(self, inputs: np.ndarray) -> list[np.ndarray]:
        """All outputs, in the file's order."""
        return self.session.run(None, {self.session.get_inputs()[0].name: inputs})

    def on_images(self, images: np.ndarray) -> dict[str, np.ndarray]:
        """Outputs by task for images with pixels from 0 to 255."""
        mean, std = PIXELS[self.metadata["graftlab.pixels"]]
        names = [output.name for output in self.model.graph.output]
        parts = [self.raw((images[at : at + 64] - mean) / std) for at in range(0, len(images), 64)]
        outputs = dict(zip(names, (np.concatenate(part) for part in zip(*parts))))
        return {task["name"]: outputs[task["output"]] for task in self.tasks}


def floats(model: onnx.ModelProto) -> dict[str, np.ndarray]:
    """The float initializers of a model by name."""
    tensors = [entry for entry in model.graph.initializer if entry.data_type == onnx.TensorProto.FLOAT]
    return {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in tensors}


def run_graftlab(graftlab, path: Path, inputs: np.ndarray, folder: Path, index: int = 0) -> np.ndarray:
    """The output of `graftlab run`."""
    np.save(folder / "input.npy", inputs.astype("<f4"))
    files = ["--input", folder / "input.npy", "--output", folder / "output.npy"]
    graftlab("run", path, *files, "--index", index)
    return np.load(folder / "output.npy")


def difference(found: np.ndarray, expected: np.ndarray) -> float:
    """The largest difference, relative to the largest value."""
    assert found.shape == expected.shape
    return float(np.abs(found - expected).max() / np.abs(expected).max())
