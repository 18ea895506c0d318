"""Whole networks of the classical families: our outputs beside onnxruntime's."""

import numpy as np
import onnx
import onnxruntime
import pytest

from networks import networks


@pytest.mark.parametrize("name, model", networks(), ids=lambda value: value if isinstance(value, str) else "")
def test_outputs_are_those_of_onnxruntime(graftlab, tmp_path, name, model):
    path = tmp_path / f"{name}.onnx"
    onnx.save(model, path)
    info = model.graph.input[0].type.tensor_type.shape.dim
    # A network that was exported for one image runs on several here; onnxruntime gets them one by one.
    images = np.random.default_rng(7).normal(size=(3, *(size.dim_value for size in info[1:]))).astype(np.float32)
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    expected = np.concatenate([session.run(None, {"image": image[None]})[0] for image in images])
    np.save(tmp_path / "x.npy", images)
    graftlab("run", path, "--input", tmp_path / "x.npy", "--output", tmp_path / "y.npy")
    given = np.load(tmp_path / "y.npy")
    assert given.shape == expected.shape
    assert np.abs(given - expected).max() <= 1e-4 * np.abs(expected).max()
