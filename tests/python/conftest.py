"""What every Python check shares: the command line under test, and the demo's result."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest
from measure import Pack

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def program() -> str:
    """The command line under test."""
    return os.environ.get("GRAFTLAB_BIN") or str(ROOT / "target" / "release" / "graftlab")


@pytest.fixture(scope="session")
def graftlab(program):
    """Runs the command line in the checkout with the given arguments; answers the finished process."""

    def run(*args, check: bool = True) -> subprocess.CompletedProcess:
        command = [program, *map(str, args)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=900)
        assert "panicked" not in done.stderr, done.stderr[-3000:]
        if check:
            assert done.returncode == 0, f"{args} ended with {done.returncode}:\n{done.stderr[-3000:]}"
        return done

    return run


@dataclass(frozen=True)
class Demo:
    """What `graftlab demo` has left."""

    folder: Path
    report: dict
    pack: Pack
    #: The sample pack's file.
    data: Path
    #: The bundled networks that were joined, in the report's order.
    originals: list[Path]


#: The second sample has partly labelled images; fewer image passes are enough to see them handled.
DEMOS = {"glyphs": [], "garments-digits": ["--image-passes", 1000]}


@pytest.fixture(scope="session", params=list(DEMOS))
def demo(request, graftlab, tmp_path_factory) -> Demo:
    """A quick demo of each sample, made once."""
    sample = request.param
    folder = tmp_path_factory.mktemp(sample)
    graftlab("demo", "--quick", "--sample", sample, "--out", folder, *DEMOS[sample])
    report = json.loads((folder / "run.json").read_text())
    networks = [ROOT / "models" / "networks" / f"{task['name']}.onnx" for task in report["tasks"]]
    data = ROOT / "models" / "samples" / f"{sample}.zip"
    return Demo(folder, report, Pack(data), data, networks)
