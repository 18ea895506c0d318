"""The bundled networks, seen by other programs."""

import json
import re
from collections import Counter
from math import prod

import numpy as np
import onnx
import pytest
from conftest import ROOT
from measure import Network, Pack, difference, floats, run_graftlab

SAMPLES = {
    "character": "glyphs",
    "typeface": "glyphs",
    "emphasis": "glyphs",
    "garment": "garments-digits",
    "digit": "garments-digits",
}
#: A card's test images are others than the sample pack's, of the same kind.
CARD_POINTS = 3.0


@pytest.fixture(scope="module", params=list(SAMPLES))
def name(request):
    return request.param


@pytest.fixture(scope="module")
def path(name):
    return ROOT / "models" / "networks" / f"{name}.onnx"


@pytest.fixture(scope="module")
def network(path):
    return Network(path)


@pytest.mark.parametrize("batch", [1, 5])
def test_graftlab_and_onnxruntime_give_the_same_outputs(path, network, batch, graftlab, tmp_path):
    inputs = np.random.default_rng(batch).random((batch, *network.shape[1:]), dtype=np.float32)
    (expected,) = network.raw(inputs)
    found = run_graftlab(graftlab, path, inputs, tmp_path)
    assert difference(found, expected) <= 1e-4


def test_the_file_is_sound_small_and_says_what_it_is(name, path, network):
    onnx.checker.check_model(network.model, full_check=True)
    assert path.stat().st_size < 2_000_000
    assert 50_000 <= sum(values.size for values in floats(network.model).values()) <= 500_000
    (output,) = network.model.graph.output
    (task,) = network.tasks
    assert (task["name"], task["output"]) == (name, output.name)
    assert len(task["classes"]) == len(set(task["classes"])) == output.type.tensor_type.shape.dim[1].dim_value
    assert network.metadata["graftlab.pixels"] in ("bytes", "unit", "signed", "imagenet")


def test_the_classes_are_those_of_the_sample_pack(name, network):
    pack = Pack(ROOT / "models" / "samples" / f"{SAMPLES[name]}.zip")
    labels = {row[name] for row in pack.rows} - {""}
    assert labels == set(network.tasks[0]["classes"])


def test_the_accuracy_on_the_sample_is_near_the_card(name, path, graftlab):
    card = path.with_suffix(".md").read_text()
    on_card = float(re.search(r"accuracy on test \| ([\d.]+) %", card).group(1))
    data = ROOT / "models" / "samples" / f"{SAMPLES[name]}.zip"
    (task,) = json.loads(graftlab("eval", path, "--data", data, "--json").stdout)["tasks"]
    assert task["name"] == name
    assert abs(task["accuracy"] * 100 - on_card) <= CARD_POINTS


def test_inspect_counts_what_the_file_holds(name, path, network, graftlab):
    card = json.loads(graftlab("inspect", path, "--json").stdout)
    graph = network.model.graph
    assert card["name"] == name
    assert card["tasks"] == [{"name": name, "kind": "class", "classes": network.tasks[0]["classes"]}]
    assert card["input"] == network.shape[1:]
    assert card["opset"] == network.model.opset_import[0].version
    assert dict(card["operators"]) == Counter(node.op_type for node in graph.node)
    assert card["params"] == sum(values.size for values in floats(network.model).values())
    assert card["macs"] == macs(network.model)

    shapes = shapes_of(network.model)
    points = card["join_points"]
    assert len(points) >= 4
    for point in points:
        assert point["shape"] == shapes[point["tensor"]][1:]
        assert point["macs_before"] + point["macs_after"] == card["macs"]
    before = [point["macs_before"] for point in points]
    assert before == sorted(before) and 0 < before[0] and before[-1] <= card["macs"]


def shapes_of(model) -> dict[str, list[int]]:
    graph = onnx.shape_inference.infer_shapes(model, strict_mode=True).graph
    infos = [*graph.input, *graph.value_info, *graph.output]
    return {info.name: [axis.dim_value for axis in info.type.tensor_type.shape.dim] for info in infos}


def macs(model) -> int:
    """Multiply-accumulates of convolutions and linear layers, for one image."""
    shapes, weights, total = shapes_of(model), floats(model), 0
    for node in model.graph.node:
        if node.op_type == "Conv":
            # Every output value sums over one kernel: [outputs, inputs / groups, height, width].
            total += prod(shapes[node.output[0]][1:]) * prod(weights[node.input[1]].shape[1:])
        elif node.op_type == "Gemm":
            total += prod(weights[node.input[1]].shape)
    return total
