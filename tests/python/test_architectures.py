"""Every architecture: our outputs beside onnxruntime's, its join points, and that it can be fine-tuned."""

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from architectures import architectures

NETWORKS = architectures()


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """All networks as files."""
    folder = tmp_path_factory.mktemp("architectures")
    for name, build in NETWORKS.items():
        onnx.save(build(), folder / f"{name}.onnx")
    return folder


def images_for(model, count):
    """Noise of several strengths and colours."""
    shape = [size.dim_value for size in model.graph.input[0].type.tensor_type.shape.dim[1:]]
    rng = np.random.default_rng(7)
    noise = rng.normal(size=(count, *shape)) * rng.uniform(0.2, 2, size=(count, 1, 1, 1))
    return (noise + rng.normal(size=(count, shape[0], 1, 1))).astype(np.float32)


def session(path):
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def test_there_are_many():
    assert len(NETWORKS) >= 40


@pytest.mark.parametrize("name", NETWORKS)
def test_outputs_are_those_of_onnxruntime(graftlab, tmp_path, folder, name):
    path = folder / f"{name}.onnx"
    model = onnx.load(path)
    onnx.checker.check_model(model)
    images = images_for(model, 4)
    # A network that was exported for one image runs on several here; onnxruntime gets them one by one.
    expected = np.concatenate([session(path).run(None, {"image": image[None]})[0] for image in images])
    assert expected.std(axis=0).max() > 0.01 * np.abs(expected).max(), "a network that does not look at its images"
    for count in (1, 4):
        np.save(tmp_path / "x.npy", images[:count])
        graftlab("run", path, "--input", tmp_path / "x.npy", "--output", tmp_path / "y.npy")
        given = np.load(tmp_path / "y.npy")
        assert given.shape == expected[:count].shape
        assert np.abs(given - expected[:count]).max() <= 1e-3 * np.abs(expected).max()


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_that_was_only_read_is_written_as_it_was(graftlab, tmp_path, folder, name):
    path, copy = folder / f"{name}.onnx", tmp_path / "copy.onnx"
    graftlab("inspect", path, "--copy", copy)
    model, written = onnx.load(path), onnx.load(copy)
    onnx.checker.check_model(written, full_check=True)
    assert [(entry.domain, entry.version) for entry in written.opset_import] == [("", model.opset_import[0].version)]
    assert nodes_of(written) == nodes_of(model)
    image = {"image": images_for(model, 1)}
    for ours, theirs in zip(session(copy).run(None, image), session(path).run(None, image), strict=True):
        assert ours.shape == theirs.shape and ours.dtype == theirs.dtype
        assert np.abs(ours - theirs).max() <= 1e-6 * np.abs(theirs).max()


def nodes_of(model):
    """Every node in any order; constants that are nodes become initializers."""
    nodes = [node for node in model.graph.node if node.op_type != "Constant"]
    return sorted((node.name or node.output[0], node.op_type, *node.input, *node.output) for node in nodes)


@pytest.mark.parametrize("name", NETWORKS)
def test_join_points_are_the_only_way_to_the_output(graftlab, folder, name):
    path = folder / f"{name}.onnx"
    points = json.loads(graftlab("inspect", path, "--json").stdout)["join_points"]
    model = onnx.load(path)
    inside = {output for node in model.graph.node for output in node.output}
    # Networks with channels last are turned, and their tensors with them.
    points = [point["tensor"] for point in points if point["tensor"] in inside]
    assert points or name.startswith(("vit", "deit", "mlp_mixer", "keras_"))
    for point in points:
        assert not needs_image(model.graph, {point}), point


def needs_image(graph, known):
    """Whether the outputs still read the image once the tensors in `known` are given."""
    producers = {output: node for node in graph.node for output in node.output}
    stack, seen = [output.name for output in graph.output], set(known)
    while stack:
        name = stack.pop()
        if name == "image":
            return True
        if name and name not in seen and name in producers:
            # A shape is known before anything is computed.
            stack.extend([] if producers[name].op_type == "Shape" else producers[name].input)
        seen.add(name)
    return False


def test_all_can_be_fine_tuned(root, folder):
    environment = {**os.environ, "GRAFTLAB_ARCHITECTURES": str(folder)}
    if program := os.environ.get("GRAFTLAB_BIN"):
        environment["CARGO_TARGET_DIR"] = str(Path(program).resolve().parents[1])
    command = ["cargo", "test", "--release", "--test", "fine_tuning", "--", "--ignored", "--nocapture"]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    print(done.stdout)
