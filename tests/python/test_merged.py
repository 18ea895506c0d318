"""The files of a run, seen by other programs."""

import json
import re

import numpy as np
import onnx
import pytest
from measure import Network, difference, floats, run_graftlab


@pytest.fixture(scope="module")
def merged(demo):
    return Network(demo.folder / "merged.onnx")


@pytest.fixture(scope="module")
def outputs(demo, merged):
    """onnxruntime's outputs of the merged network on all test images, by task."""
    return merged.on_images(demo.pack.test_images)


def test_the_checker_accepts_the_file(merged):
    onnx.checker.check_model(merged.model, full_check=True)
    (opset,) = [entry.version for entry in merged.model.opset_import if entry.domain in ("", "ai.onnx")]
    assert opset >= 17


def test_one_image_goes_in_and_one_output_per_task_comes_out(demo, merged):
    (image,) = merged.model.graph.input
    assert image.name == "image"
    batch, *size = image.type.tensor_type.shape.dim
    assert batch.dim_param and not batch.dim_value
    assert [axis.dim_value for axis in size] == list(demo.pack.test_images.shape[1:])
    for output, task in zip(merged.model.graph.output, demo.report["tasks"], strict=True):
        assert output.name == task["name"]
        batch, classes = output.type.tensor_type.shape.dim
        assert batch.dim_param and classes.dim_value == len(task["classes"])


def test_the_metadata_tells_tasks_classes_pixels_and_plan(demo, merged):
    of_report = demo.report["tasks"]
    named = [
        {"name": task["name"], "kind": "class", "output": task["name"], "classes": task["classes"]}
        for task in of_report
    ]
    assert merged.tasks == named
    assert merged.metadata["graftlab.pixels"] == "bytes"
    assert json.loads(merged.metadata["graftlab.plan"]) == demo.report["plan"]
    assert merged.metadata["graftlab.version"] == demo.report["version"]


def test_onnxruntime_reproduces_the_test_scores_exactly(demo, outputs):
    originals = [Network(path) for path in demo.originals]
    for task, original in zip(demo.report["tasks"], originals, strict=True):
        name = task["name"]
        labels = demo.pack.test_labels(name, task["classes"])
        ours = outputs[name].argmax(axis=1)
        theirs = original.on_images(demo.pack.test_images)[name].argmax(axis=1)
        labelled = labels >= 0
        scores = {
            "original": np.count_nonzero(theirs[labelled] == labels[labelled]) / labelled.sum(),
            "merged": np.count_nonzero(ours[labelled] == labels[labelled]) / labelled.sum(),
            "agreement": np.count_nonzero(ours == theirs) / len(labels),
            "images": len(labels),
            "labelled": labelled.sum(),
        }
        assert task["test"] == scores, name


def test_graftlab_and_onnxruntime_give_the_same_outputs(demo, merged, outputs, graftlab, tmp_path):
    images = demo.pack.test_images[:70]
    for index, task in enumerate(demo.report["tasks"]):
        found = run_graftlab(graftlab, demo.folder / "merged.onnx", images, tmp_path, index)
        assert difference(found, outputs[task["name"]][:70]) < 1e-3, task["name"]


def test_a_batch_of_one_is_as_good_as_many(demo, merged, outputs):
    for index in range(3):
        alone = merged.on_images(demo.pack.test_images[index : index + 1])
        for name, values in alone.items():
            assert difference(values, outputs[name][index : index + 1]) < 1e-4


def test_the_weights_alone_are_those_of_the_network(demo, merged):
    content = (demo.folder / "merged.safetensors").read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    header.pop("__metadata__", None)
    expected = floats(merged.model)
    assert header.keys() == expected.keys()
    for name, entry in header.items():
        assert entry["dtype"] == "F32"
        begin, end = (start + offset for offset in entry["data_offsets"])
        values = np.frombuffer(content[begin:end], dtype="<f4").reshape(entry["shape"])
        assert np.array_equal(values, expected[name]), name


def test_eval_measures_what_the_run_did(demo, graftlab):
    done = graftlab("eval", demo.folder / "merged.onnx", "--data", demo.data, "--json")
    measured = json.loads(done.stdout)["tasks"]
    reported = [(task["name"], task["test"]) for task in demo.report["tasks"]]
    expected = [
        {"name": name, "accuracy": test["merged"], "labelled": test["labelled"]} for name, test in reported
    ]
    assert measured == expected


def test_a_merged_network_can_be_inspected_like_any_other(demo, graftlab):
    card = json.loads(graftlab("inspect", demo.folder / "merged.onnx", "--json").stdout)
    assert [task["name"] for task in card["tasks"]] == [task["name"] for task in demo.report["tasks"]]
    assert (card["macs"], card["params"]) == (
        demo.report["cost"]["macs"]["merged"],
        demo.report["cost"]["params"]["merged"],
    )


def test_the_report_counts_what_was_given(demo, merged):
    report, rows = demo.report, demo.pack.rows
    assert report["schema_version"] == 1
    assert report["device"] == "cpu"
    assert report["data"]["images"] == len(rows)
    assert report["data"]["test"] == len(demo.pack.test)
    assert report["data"]["validation"] == sum(row["split"] == "validation" for row in rows)
    trained_on = report["data"]["train"] + report["data"]["architecture"]
    assert trained_on == sum(row["split"] == "train" for row in rows)
    assert report["data"]["skipped"] == 0
    assert report["stopped"] is False
    cost = report["cost"]
    assert cost["macs"]["merged"] == report["plan"]["macs"]
    relative = cost["macs"]["merged"] / cost["macs"]["originals"]
    assert relative == pytest.approx(report["plan"]["relative_macs"])
    assert report["plan"]["relative_macs"] <= report["settings"]["budget"]
    assert cost["params"]["merged"] == sum(values.size for values in floats(merged.model).values())
    assert cost["macs_shared"] + cost["macs_skipped"] > 0
    seconds = report["seconds"]
    parts = [seconds[phase] for phase in ("teachers", "search", "train", "evaluate")]
    assert min(parts) >= 0 and sum(parts) <= seconds["total"]
    drops = [100 * (task["test"]["original"] - task["test"]["merged"]) for task in report["tasks"]]
    assert report["worst_drop_points"] == pytest.approx(max(drops))
    train = report["settings"]["train"]
    steps = -(-train["image_passes"] // train["batch_size"])
    last = report["curve"][-1]
    assert (last["step"], last["image_passes"]) == (steps, steps * train["batch_size"])


def test_every_field_of_the_report_is_described(demo, root):
    words = set(re.findall(r"\w+", (root / "docs" / "run-json.md").read_text()))

    def fields(value):
        if isinstance(value, dict):
            yield from value
            value = value.values()
        if not isinstance(value, str) and hasattr(value, "__iter__"):
            for part in value:
                yield from fields(part)

    assert set(fields(demo.report)) - words == set()
