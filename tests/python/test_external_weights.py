"""Networks whose weights lie in files beside them."""

import os

import numpy as np
import onnx
import pytest
from small import network


@pytest.fixture
def split(tmp_path):
    """A network in one file, and the same with its weights in a second one."""
    whole = network(tmp_path / "whole.onnx", "shade", ["dark", "bright"])
    folder = tmp_path / "split"
    (folder / "parts").mkdir(parents=True)
    file = folder / "split.onnx"
    onnx.save(
        onnx.load(whole), file, save_as_external_data=True, location="parts/net.data", size_threshold=0
    )
    return whole, file


def outputs(graftlab, model, tmp_path):
    images = np.random.default_rng(3).random((2, 1, 8, 8), dtype=np.float32)
    np.save(tmp_path / "x.npy", images)
    graftlab("run", model, "--input", tmp_path / "x.npy", "--output", tmp_path / "y.npy")
    return np.load(tmp_path / "y.npy")


def refused(graftlab, *args):
    done = graftlab(*args, check=False)
    assert done.returncode == 2 and "\nhint: " in done.stderr
    return done.stderr


def test_both_files_are_one_network(graftlab, tmp_path, split):
    whole, file = split
    assert np.array_equal(outputs(graftlab, file, tmp_path), outputs(graftlab, whole, tmp_path))


def test_the_missing_file_is_named(graftlab, split):
    _, file = split
    (file.parent / "parts" / "net.data").unlink()
    assert "'parts/net.data'" in refused(graftlab, "inspect", file)


def test_a_file_that_was_cut_is_an_error(graftlab, split):
    _, file = split
    weights = file.parent / "parts" / "net.data"
    weights.write_bytes(weights.read_bytes()[:10])
    assert "too short" in refused(graftlab, "inspect", file)


@pytest.mark.parametrize("place", ["../net.data", "/net.data", "parts/../../net.data"])
def test_nothing_outside_the_folder_is_read(graftlab, split, place):
    _, file = split
    model = onnx.load(file, load_external_data=False)
    for tensor in model.graph.initializer:
        for entry in tensor.external_data:
            if entry.key == "location":
                entry.value = place
    file.write_bytes(model.SerializeToString())
    assert "outside the network's folder" in refused(graftlab, "inspect", file)


def test_links_do_not_lead_out_either(graftlab, tmp_path, split):
    _, file = split
    weights = file.parent / "parts" / "net.data"
    secret = tmp_path / "secret"
    weights.rename(secret)
    os.symlink(secret, weights)
    assert "link" in refused(graftlab, "inspect", file)
