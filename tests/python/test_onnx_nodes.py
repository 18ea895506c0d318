"""Every operator, one node at a time, against the ONNX standard's own tests and against onnxruntime."""

import os
import subprocess
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from onnx_cases import write_cases


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_nodes(root, tmp_path):
    cases = write_cases(tmp_path)
    assert sum(not case.get("refused") for case in cases) > 400
    environment = {**os.environ, "GRAFTLAB_ONNX_NODE_TESTS": str(tmp_path)}
    if program := os.environ.get("GRAFTLAB_BIN"):
        environment["CARGO_TARGET_DIR"] = str(Path(program).resolve().parents[1])
    command = ["cargo", "test", "--release", "--test", "onnx_node", "--", "--ignored"]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    for case in cases:
        if not case.get("refused"):
            check_written(case, tmp_path / f"{case['name']}.written.onnx")


def check_written(case, path):
    """What was written is valid, and onnxruntime computes the same with it."""
    model = onnx.load(path)
    # The checker's own shapes count a window that starts behind the input; the standard and onnxruntime leave it out.
    ceil_mode = any(attribute.name == "ceil_mode" and attribute.i for attribute in model.graph.node[0].attribute)
    onnx.checker.check_model(model, full_check=not ceil_mode)
    if model.opset_import[0].version > 23:
        return  # Newer than what this onnxruntime promises to run.
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    feeds = {info.name: value for info, value in zip(session.get_inputs(), case["inputs"])}
    for given, expected in zip(session.run(None, feeds), case["outputs"]):
        np.testing.assert_allclose(given, expected, rtol=case.get("tolerance", 1e-4), atol=1e-5, err_msg=case["name"])
