"""Every operator, one node at a time, against the ONNX standard's own tests and against onnxruntime."""

import os
import re
import subprocess
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from onnx_cases import OPERATORS, all_cases, write_cases


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_nodes(root, tmp_path):
    cases = all_cases()
    write_cases(tmp_path, cases)
    environment = {**os.environ, "GRAFTLAB_ONNX_NODE_TESTS": str(tmp_path)}
    if program := os.environ.get("GRAFTLAB_BIN"):
        environment["CARGO_TARGET_DIR"] = str(Path(program).resolve().parents[1])
    command = ["cargo", "test", "--release", "--test", "onnx_node", "--", "--ignored"]
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-2_000:]
    run = [case for case in cases if not case.get("refused") and not case.get("known")]
    wrong = [reason for case in run if (reason := check_written(case, tmp_path / f"{case['name']}.written.onnx"))]
    assert not wrong, "\n".join(wrong)
    print(counted(cases))
    assert sum(not case.get("refused") for case in cases) > 1000


def counted(cases):
    """What has passed, and what is refused for which reason."""
    standard = [case for case in cases if case.get("standard")]
    reasons = Counter(case["refused"] for case in standard if case.get("refused"))
    passed = len(standard) - reasons.total()
    lines = [
        f"{passed} of the {len(standard)} node tests of the standard with operators of the table pass; refused, as they must:",
        *(f"  {count} {reason}" for reason, count in reasons.most_common()),
        f"{len(cases) - len(standard)} nodes of older operator sets and with unusual attributes agree with onnxruntime",
    ]
    return "\n".join(lines)


def test_the_table_lists_the_versions_of_the_standard():
    """The operator sets in which an operator changed, from the last that operator set 7 still has."""
    history = onnx.defs.get_all_schemas_with_history()
    for name, listed in OPERATORS.items():
        schemas = [schema for schema in history if schema.name == name and schema.domain == ""]
        versions = sorted({schema.since_version for schema in schemas if not schema.deprecated or name == "GroupNormalization"})
        oldest = max([version for version in versions if version <= 7], default=0)
        assert listed == [version for version in versions if version >= oldest], name


# Written nodes whose standard's values onnxruntime does not compute, by the reason.
ONNXRUNTIME_DIFFERS = {
    "lengths that are rounded before corners are aligned": r"resize_downsample_scales_(linear|cubic)_align_corners",
}


def check_written(case, path):
    """What was written is valid, and onnxruntime computes the same with it; answers what is wrong."""
    model = onnx.load(path)
    # The checker's own shapes count a window that starts behind the input; the standard and onnxruntime leave it out.
    ceil_mode = any(attribute.name == "ceil_mode" and attribute.i for attribute in model.graph.node[0].attribute)
    try:
        onnx.checker.check_model(model, full_check=not ceil_mode)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        return f"{case['name']}: {error}"
    if model.opset_import[0].version > 23:
        return None  # Newer than what this onnxruntime promises to run.
    if any(re.search(pattern, case["name"]) for pattern in ONNXRUNTIME_DIFFERS.values()):
        return None
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    feeds = {info.name: floats(value) for info, value in zip(session.get_inputs(), case["inputs"])}
    for given, expected in zip(session.run(None, feeds), map(floats, case["outputs"])):
        tolerance = case.get("tolerance", 1e-4)
        largest = np.abs(expected[np.isfinite(expected)]).max(initial=1e-3)
        if not np.allclose(given, expected, rtol=tolerance, atol=max(1e-5, tolerance * largest), equal_nan=True):
            return f"{case['name']}: {given}, expected {expected}"
    return None


def floats(value):
    value = onnx.numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else np.asarray(value)
    return value.astype(np.float32)
