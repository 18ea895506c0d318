"""The main job on small networks that differ in what a user's may differ in."""

import json

import numpy as np
import onnx
import pytest
from measure import Network, difference, run_graftlab
from small import network, pack, pictures, table

SETTINGS = {
    "budget": 0.9,
    "search": {
        "calibration_images": 64,
        "score_images": 16,
        "finalists": 2,
        "finalist_image_passes": 64,
        "supernet_steps": 20,
        "evaluations": 4,
    },
    "train": {"image_passes": 256, "batch_size": 16},
}


@pytest.fixture
def join(graftlab, tmp_path):
    """Joins networks on data; answers the merged network in onnxruntime, and the report."""

    def run(models, data, *more, out="out", **settings):
        (tmp_path / "settings.json").write_text(json.dumps(SETTINGS | settings))
        named = [part for model in models for part in ("--model", model)]
        files = ["--data", data, "--settings", tmp_path / "settings.json", "--out", tmp_path / out]
        graftlab("integrate", *named, *files, *more)
        report = json.loads((tmp_path / out / "run.json").read_text())
        return Network(tmp_path / out / "merged.onnx"), report

    return run


@pytest.fixture
def networks(tmp_path):
    return [
        network(tmp_path / "shade.onnx", "shade", ["dark", "bright"], seed=1),
        network(tmp_path / "parity.onnx", "parity", ["even", "odd"], seed=2),
    ]


@pytest.fixture
def labelled(tmp_path):
    images = pictures()
    return pack(tmp_path / "labelled.zip", images | {"labels.csv": table(images)})


def test_a_network_may_skip_layers_of_its_own(join, networks, labelled):
    # Below what any join between the two can do.
    search = SETTINGS["search"] | {"shortcuts": True}
    merged, report = join(networks, labelled, budget=0.35, search=search)
    own = [source for source in report["plan"]["networks"] if source.get("donor") == source["network"]]
    assert own and report["plan"]["relative_macs"] <= 0.35
    kept = report["cost"]["macs"]
    assert abs(kept["merged"] / kept["originals"] - report["plan"]["relative_macs"]) < 1e-9


def test_images_alone_are_enough(join, networks, tmp_path):
    merged, report = join(networks, pack(tmp_path / "images.zip", pictures()))
    assert [task["name"] for task in merged.tasks] == ["shade", "parity"]
    for task in report["tasks"]:
        test = task["test"]
        assert (test["original"], test["merged"], test["labelled"]) == (None, None, 0)
        assert 0 <= test["agreement"] <= 1


def test_labels_can_be_left_unused_and_still_judge(join, networks, labelled):
    _, report = join(networks, labelled, "--no-labels")
    assert report["settings"]["use_labels"] is False
    assert all(task["test"]["merged"] is not None for task in report["tasks"])


def test_a_folder_is_as_good_as_a_zip(join, networks, labelled, tmp_path):
    folder = tmp_path / "folder"
    (folder / "images").mkdir(parents=True)
    images = pictures()
    for name, content in images.items():
        (folder / name).write_bytes(content)
    (folder / "labels.csv").write_text(table(images))
    _, of_folder = join(networks, folder, out="a")
    _, of_zip = join(networks, labelled, out="b")
    assert of_folder["tasks"] == of_zip["tasks"]


def test_the_same_seed_gives_the_same_files_and_another_seed_others(join, networks, labelled, tmp_path):
    def report(seed, out):
        _, report = join(networks, labelled, "--seed", seed, out=out)
        # What a clock says is never the same.
        del report["seconds"], report["cost"]["milliseconds"]
        return report

    reports = [report(5, "a"), report(5, "b"), report(6, "c")]
    assert reports[0] == reports[1]
    weights = [(tmp_path / out / "merged.safetensors").read_bytes() for out in "abc"]
    assert weights[0] == weights[1] != weights[2]


def test_networks_of_other_sizes_and_colours_share_one_input(join, tmp_path, labelled, graftlab):
    models = [
        network(tmp_path / "shade.onnx", "shade", ["dark", "bright"], seed=1),
        network(tmp_path / "parity.onnx", "parity", ["even", "odd"], channels=3, size=12, width=6, seed=2),
    ]
    merged, _ = join(models, labelled)
    assert merged.shape[1:] == [3, 12, 12]
    images = np.random.default_rng(0).uniform(0, 255, (3, 3, 12, 12)).astype(np.float32)
    for index, (name, expected) in enumerate(merged.on_images(images).items()):
        found = run_graftlab(graftlab, tmp_path / "out" / "merged.onnx", images, tmp_path, index)
        assert difference(found, expected) < 1e-3, name


def test_probabilities_stay_probabilities(join, tmp_path, labelled):
    models = [
        network(tmp_path / "shade.onnx", "shade", ["dark", "bright"], softmax=True, seed=1),
        network(tmp_path / "parity.onnx", "parity", ["even", "odd"], seed=2),
    ]
    merged, _ = join(models, labelled)
    outputs = merged.on_images(np.random.default_rng(0).uniform(0, 255, (5, 1, 8, 8)).astype(np.float32))
    assert np.allclose(outputs["shade"].sum(axis=1), 1, atol=1e-5)
    assert not np.allclose(outputs["parity"].sum(axis=1), 1, atol=1e-5)


SELECTORS = [
    "differentiable",
    "matching",
    "share-all",
    "fixed-depth",
    "random",
    "halving",
    "annealing",
    "exhaustive",
]


@pytest.mark.parametrize("selector", SELECTORS)
def test_every_selector_gives_a_plan_within_the_budget(selector, join, networks, labelled):
    merged, report = join(networks, labelled, "--selector", selector)
    assert report["settings"]["selector"] == selector
    assert report["plan"]["relative_macs"] <= 0.9
    sources = [source["source"] for source in report["plan"]["networks"]]
    assert sorted(sources) == ["join", "root"]


def test_hints_and_self_distillation_leave_the_outputs_alone(join, networks, labelled):
    train = SETTINGS["train"] | {"hint_weight": 0.5, "self_distillation_weight": 0.5}
    merged, _ = join(networks, labelled, train=train)
    assert [output.name for output in merged.model.graph.output] == ["shade", "parity"]


def test_the_report_is_where_the_settings_of_the_next_run_can_come_from(join, networks, labelled, tmp_path):
    _, first = join(networks, labelled, out="a")
    _, second = join(networks, labelled, out="b", **first["settings"])
    assert second["settings"] == first["settings"]
    assert second["tasks"] == first["tasks"]


def test_a_network_that_says_nothing_of_itself_can_be_described(join, networks, labelled, graftlab):
    plain = networks[0].with_name("plain.onnx")
    model = onnx.load(networks[0])
    del model.metadata_props[:]
    onnx.save(model, plain)
    described = f"{plain}:task=shade,classes=dark|bright,pixels=unit"
    _, expected = join(networks, labelled, out="a")
    _, report = join([described, networks[1]], labelled, out="b")
    assert [task["test"] for task in report["tasks"]] == [task["test"] for task in expected["tasks"]]
    shade = networks[0].rename(networks[0].with_name("kept.onnx"))
    plain.rename(networks[0])
    unnamed = f"{networks[0]}:classes=dark|bright,pixels=unit"
    by_file_name = graftlab("eval", unnamed, "--data", labelled, "--json")
    by_itself = graftlab("eval", shade, "--data", labelled, "--json")
    assert json.loads(by_file_name.stdout) == json.loads(by_itself.stdout)


def test_a_base_is_bit_identical_and_takes_its_graft_again(join, graftlab, networks, labelled, tmp_path):
    merged, _ = join(networks, labelled, "--base", "shade")
    images = np.random.default_rng(0).uniform(0, 255, (40, 1, 8, 8)).astype(np.float32)
    before, after = Network(networks[0]).on_images(images), merged.on_images(images)
    assert np.array_equal(before["shade"], after["shade"])

    out = tmp_path / "out"
    graftlab("apply", networks[0], out / "graft.onnx", "--out", tmp_path / "again.onnx")
    assert (tmp_path / "again.onnx").read_bytes() == (out / "merged.onnx").read_bytes()

    onnx.checker.check_model(out / "graft.onnx", full_check=True)
    refused = graftlab("apply", networks[1], out / "graft.onnx", "--out", tmp_path / "no.onnx", check=False)
    assert refused.returncode == 2
    assert "hint:" in refused.stderr
