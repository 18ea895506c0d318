"""Bad input: exit code 2, what was wrong, and what to do about it."""

import json
import re

import numpy as np
import onnx
import pytest
from onnx import helper
from small import IMAGE, metadata, network, pack, pictures, save, table, tensor

#: Enough to go through every phase of a run, within reach of two equal networks.
BRIEF = {"budget": 0.7, "search": {"finalists": 1}, "train": {"image_passes": 128}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The networks `shade`, `parity` and `other`; `pictures.zip` with labels for the first two."""
    folder = tmp_path_factory.mktemp("good")
    network(folder / "shade.onnx", "shade", ["dark", "bright"], seed=1)
    network(folder / "parity.onnx", "parity", ["even", "odd"], seed=2)
    network(folder / "other.onnx", "other", ["a", "b", "c"], width=12, seed=3)
    images = pictures()
    pack(folder / "pictures.zip", images | {"labels.csv": table(images)})
    return folder


@pytest.fixture
def refused(graftlab):
    """Checks that a command is refused, and that its message holds all of `says`."""

    def check(*args, says=()):
        done = graftlab(*args, check=False)
        assert done.returncode == 2, f"{args} ended with {done.returncode}:\n{done.stdout}{done.stderr}"
        assert re.search(r"^error: .{10}", done.stderr, re.MULTILINE), done.stderr
        assert re.search(r"^hint: .{10}", done.stderr, re.MULTILINE), f"no hint: {done.stderr}"
        for text in says:
            assert text in done.stderr
        return done.stderr

    return check


@pytest.fixture
def integrate(folder, tmp_path):
    """The arguments of a brief run on the good files, of which some are replaced."""
    brief = tmp_path / "brief.json"
    brief.write_text(json.dumps(BRIEF))

    def arguments(*more, models=("shade.onnx", "parity.onnx"), data=folder / "pictures.zip", settings=brief):
        named = [part for model in models for part in ("--model", folder / model)]
        return ["integrate", *named, "--data", data, "--settings", settings, "--out", tmp_path / "out", *more]

    return arguments


# --- Networks


@pytest.mark.parametrize("content", [b"", b"not a network", b"PK\x03\x04 zipped", bytes(range(256))])
def test_a_file_that_is_no_network(content, refused, integrate, tmp_path):
    path = tmp_path / "notes.onnx"
    path.write_bytes(content)
    refused("inspect", path, says=["notes.onnx", "not an ONNX file"])
    refused(*integrate(models=["shade.onnx", path]), says=["notes.onnx"])


@pytest.mark.parametrize("share", [0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 0.98])
def test_a_network_that_is_cut_short(share, refused, folder, tmp_path):
    whole = (folder / "shade.onnx").read_bytes()
    path = tmp_path / "cut.onnx"
    path.write_bytes(whole[: int(len(whole) * share)])
    refused("inspect", path, says=["cut.onnx"])


def test_damaged_bytes_never_end_in_a_crash(graftlab, folder, tmp_path):
    whole = (folder / "shade.onnx").read_bytes()
    rng = np.random.default_rng(0)
    path = tmp_path / "damaged.onnx"
    for _ in range(60):
        damaged = bytearray(whole)
        for at in rng.integers(0, len(whole), rng.integers(1, 4)):
            damaged[at] = rng.integers(0, 256)
        path.write_bytes(damaged)
        assert graftlab("inspect", path, check=False).returncode in (0, 2)


@pytest.mark.parametrize(
    ("domain", "operator"), [("", "Det"), ("com.example", "Swirl"), ("com.example", "Relu")]
)
def test_an_unknown_operator_is_named(domain, operator, refused, integrate, tmp_path):
    nodes = [
        helper.make_node("GlobalAveragePool", ["image"], ["average"]),
        helper.make_node(operator, ["average"], ["twisted"], name="twist", domain=domain),
        helper.make_node("Flatten", ["twisted"], ["logits"]),
    ]
    path = save(
        tmp_path / "odd.onnx",
        nodes,
        [tensor("image", IMAGE)],
        [tensor("logits", ["batch", 2])],
        metadata=metadata("shade", ["dark", "bright"]),
    )
    np.save(tmp_path / "x.npy", np.zeros((1, 1, 8, 8), "<f4"))
    says = ["odd.onnx", "twist", operator, "opset 17"]
    refused("inspect", path, says=says)
    refused("run", path, "--input", tmp_path / "x.npy", "--output", tmp_path / "y.npy", says=says)
    refused(*integrate(models=["shade.onnx", path]), says=says)


def test_operator_sets_that_are_not_read(refused, tmp_path):
    for opset in (6, 99):
        nodes = [helper.make_node("Relu", ["image"], ["logits"])]
        tensors = [[tensor(name, IMAGE)] for name in ("image", "logits")]
        path = save(tmp_path / "old.onnx", nodes, *tensors, opset=opset)
        refused("inspect", path, says=[str(opset)])


def test_inputs_that_are_not_one_image(refused, integrate, tmp_path):
    relu = helper.make_node("Relu", ["image"], ["logits"])
    add = helper.make_node("Add", ["image", "more"], ["logits"])
    two = [tensor("image", IMAGE), tensor("more", IMAGE)]
    cases = {
        "two": ([add], two, IMAGE, "2 inputs"),
        "flat": ([relu], [tensor("image", ["batch", 10])], ["batch", 10], "four axes"),
        "deep": ([relu], [tensor("image", ["batch", 5, 8, 8])], ["batch", 5, 8, 8], "5 channels"),
    }
    for name, (nodes, inputs, output, says) in cases.items():
        path = tmp_path / f"{name}.onnx"
        save(path, nodes, inputs, [tensor("logits", output)], metadata=metadata("shade", ["dark", "bright"]))
        refused("inspect", path, says=[path.name, says])
        refused(*integrate(models=["shade.onnx", path]), says=[path.name, says])


def test_outputs_that_do_not_classify(refused, tmp_path):
    path = save(
        tmp_path / "map.onnx",
        [helper.make_node("Relu", ["image"], ["logits"])],
        [tensor("image", IMAGE)],
        [tensor("logits", IMAGE)],
        metadata=metadata("shade", ["dark", "bright"]),
    )
    refused("inspect", path, says=["logits", "[batch, classes]"])


def test_networks_that_do_not_go_together(refused, integrate):
    refused(*integrate(models=["shade.onnx", "shade.onnx"]), says=["'shade'"])
    refused(*integrate(models=["shade.onnx"]), says=["at least two"])
    refused(*integrate(models=["shade.onnx", "missing.onnx"]), says=["missing.onnx"])


def test_options_of_a_network_that_do_not_fit(refused, integrate, folder, tmp_path):
    refused(*integrate(models=["shade.onnx:colour=red", "parity.onnx"]), says=["colour=red"])
    refused(*integrate(models=["shade.onnx:pixels=loud", "parity.onnx"]), says=["loud"])
    refused(*integrate(models=["shade.onnx:classes=a|b|c", "parity.onnx"]), says=["3 classes", "2"])
    plain = network(tmp_path / "plain.onnx", "x", ["a", "b"])
    strip_metadata(plain)
    refused(*integrate(models=["shade.onnx", plain]), says=["pixels", "imagenet"])


def strip_metadata(path):
    model = onnx.load(path)
    del model.metadata_props[:]
    onnx.save(model, path)


# --- Tensors


def test_tensors_that_do_not_fit(refused, folder, tmp_path):
    def run(values, *more):
        np.save(tmp_path / "x.npy", values)
        files = ["--input", tmp_path / "x.npy", "--output", tmp_path / "y.npy"]
        return ["run", folder / "shade.onnx", *files, *more]

    good = np.zeros((1, 1, 8, 8), "<f4")
    refused(*run(good.astype("<f8")), says=["float32"])
    refused(*run(np.zeros((1, 1, 9, 8), "<f4")), says=["9, 8"])
    refused(*run(np.zeros((0, 1, 8, 8), "<f4")), says=["0, 1"])
    refused(*run(good[0]), says=["1, 8, 8"])
    refused(*run(good, "--index", 3), says=["index 3"])
    (tmp_path / "x.npy").write_bytes(b"\x93NUMPY\x01\x00\xff\xff{")
    refused("run", folder / "shade.onnx", "--input", tmp_path / "x.npy", "--output", tmp_path / "y.npy")


# --- Data


def test_data_without_images(refused, integrate, folder, tmp_path):
    empty = tmp_path / "folder"
    empty.mkdir()
    not_a_zip = tmp_path / "not.zip"
    not_a_zip.write_bytes(b"PK not really")
    cases = [
        (pack(tmp_path / "empty.zip", {}), "no images"),
        (pack(tmp_path / "texts.zip", {"readme.txt": "hello"}), "no images"),
        (empty, "no images"),
        (not_a_zip, "not a zip"),
        (tmp_path / "nowhere.zip", "nowhere.zip"),
    ]
    for data, says in cases:
        refused(*integrate(data=data), says=[says])
        refused("eval", folder / "shade.onnx", "--data", data, says=[says])


def test_labels_that_do_not_fit(refused, integrate, tmp_path):
    images = pictures(20)
    good = table(images)
    cases = {
        "names a file": (good + "images/lost.png,dark,even\n", ["images/lost.png"]),
        "class": (good.replace("dark", "murky", 1), ["murky", "shade", "dark", "row 2"]),
        "twice": (good + "images/003.png,dark,even\n", ["images/003.png"]),
        "column": (good.replace("file,", "name,", 1), ["`file`", "name, shade, parity"]),
        "split": (good.replace("parity", "split", 1), ["`even` is not a split"]),
        "same column": (good.replace("parity", "shade", 1), ["`shade` twice"]),
        "bytes": (b"\xff\xfe\x00file\n", ["labels.csv"]),
    }
    for name, (content, says) in cases.items():
        data = pack(tmp_path / f"{name}.zip", images | {"labels.csv": content})
        refused(*integrate(data=data), says=says)
    data = pack(tmp_path / "tables.zip", images | {"labels.csv": good, "labels.tsv": good})
    refused(*integrate(data=data), says=["labels.csv, labels.tsv"])


def test_fewer_images_than_a_split_needs(refused, integrate, tmp_path):
    images = pictures(5)
    data = pack(tmp_path / "few.zip", images | {"labels.csv": table(images)})
    refused(*integrate(data=data), says=["split", "needs"])


def test_images_that_only_test_are_enough_to_measure_a_network(graftlab, refused, integrate, folder, tmp_path):
    images = pictures(20)
    header, *rows = table(images).splitlines()
    labels = "\n".join([f"{header},split", *(f"{row},test" for row in rows)])
    data = pack(tmp_path / "test.zip", images | {"labels.csv": labels})
    done = graftlab("eval", folder / "shade.onnx", "--data", data, "--json")
    (task,) = json.loads(done.stdout)["tasks"]
    assert (task["name"], task["labelled"]) == ("shade", 20)
    assert "labels that no network has a task for: parity" in done.stderr
    refused(*integrate(data=data), says=["train split", "needs"])


def test_an_image_that_does_not_decode_is_listed_and_skipped(graftlab, integrate, folder, tmp_path):
    images = pictures()
    images["images/007.png"] = b"not a picture"
    images["images/011.png"] = images["images/011.png"][:60]
    data = pack(tmp_path / "torn.zip", images | {"labels.csv": table(images)})
    done = graftlab(*integrate(data=data))
    listed = re.findall(r"^skipped (\S+): .{5}", done.stderr, re.MULTILINE)
    assert listed == ["images/007.png", "images/011.png"]
    report = json.loads((tmp_path / "out" / "run.json").read_text())
    assert (report["data"]["images"], report["data"]["skipped"]) == (78, 2)
    done = graftlab("eval", folder / "shade.onnx", "--data", data, "--json")
    assert [task["name"] for task in json.loads(done.stdout)["tasks"]] == ["shade"]
    assert re.findall(r"^skipped (\S+): .{5}", done.stderr, re.MULTILINE) == listed


def test_no_image_that_decodes(refused, integrate, tmp_path):
    data = pack(tmp_path / "torn.zip", {f"{at}.png": b"torn" for at in range(20)})
    refused(*integrate(data=data), says=["none of the 20 images", "0.png"])


# --- Options


@pytest.mark.parametrize("selector", ["matching", "share-all", "fixed-depth", "random"])
def test_a_budget_out_of_reach_offers_the_nearest(selector, refused, graftlab, integrate, tmp_path):
    models = ["shade.onnx", "parity.onnx", "other.onnx"]
    tight = integrate("--selector", selector, "--budget", 0.01, models=models)
    message = refused(*tight, says=["0.01"])
    nearest = re.search(r"^hint: .*\b(0\.\d+)", message, re.MULTILINE).group(1)
    graftlab(*integrate("--selector", selector, "--budget", nearest, models=models))
    report = json.loads((tmp_path / "out" / "run.json").read_text())
    assert report["plan"]["relative_macs"] <= float(nearest)


@pytest.mark.parametrize("budget", ["0", "1.5", "NaN", "-1", "inf"])
def test_a_budget_that_means_nothing(budget, refused, integrate):
    refused(*integrate(f"--budget={budget}"), says=["above 0 and at most 1"])


@pytest.mark.parametrize(
    ("part", "name", "value"),
    [
        ("train", "image_passes", 0),
        ("train", "batch_size", 0),
        ("train", "learning_rate", -1),
        ("train", "learning_rate", 0),
        ("train", "trunk_learning_rate", -1),
        ("train", "weight_decay", -1),
        ("train", "temperature", 0),
        ("train", "label_weight", -1),
        ("train", "lagging_task_weight", -1),
        ("train", "views", 0),
        ("train", "augment", {"scale": 1.5}),
        ("train", "augment", {"noise": -1}),
        ("search", "calibration_images", 0),
        ("search", "ridge_rows_per_channel", 0),
        ("search", "score_images", 0),
        ("search", "finalists", 0),
        ("search", "finalist_image_passes", 0),
    ],
)
def test_settings_that_mean_nothing(part, name, value, refused, integrate, tmp_path):
    path = tmp_path / "settings.json"
    path.write_text(json.dumps(BRIEF | {part: BRIEF[part] | {name: value}}))
    refused(*integrate(settings=path), says=[*value] if name == "augment" else [name])


def test_settings_that_cannot_be_read(refused, integrate, tmp_path):
    path = tmp_path / "settings.json"
    for content in ("{", '{"budgets": 0.5}', '{"selector": "best"}', '{"seed": -1}', '{"budget": null}', "7"):
        path.write_text(content)
        refused(*integrate(settings=path), says=["settings.json"])
    refused(*integrate(settings=tmp_path / "nowhere.json"), says=["nowhere.json"])


def test_a_folder_that_cannot_be_written_is_refused_before_any_work(refused, integrate, tmp_path):
    (tmp_path / "out").write_text("a file")
    message = refused(*integrate(), says=["out"])
    assert "distil" not in message


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["merge"],
        ["demo"],
        ["demo", "--out", "x", "--sample", "cats"],
        ["demo", "--out", "x", "--seed", "-3"],
        ["demo", "--out", "x", "--budget", "half"],
        ["demo", "--out", "x", "--selector", "best"],
        ["demo", "--out", "x", "--device", "abacus"],
        ["demo", "--out", "x", "--image-passes", "many"],
        ["integrate", "--data", "x", "--out", "x"],
        ["inspect"],
        ["inspect", "a.onnx", "--yaml"],
        ["run", "a.onnx"],
        ["pretrain", "cats"],
    ],
    ids=" ".join,
)
def test_arguments_that_are_not_known(arguments, graftlab):
    done = graftlab(*arguments, check=False)
    assert done.returncode == 2
    assert "Usage:" in done.stderr or "possible values" in done.stderr or "--help" in done.stderr
