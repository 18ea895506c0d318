"""What every Python check shares: the command line under test."""

import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def graftlab():
    """Runs the command line with the given arguments; answers the finished process."""
    program = os.environ.get("GRAFTLAB_BIN") or str(ROOT / "target" / "release" / "graftlab")

    def run(*args, check: bool = True) -> subprocess.CompletedProcess:
        done = subprocess.run([program, *map(str, args)], capture_output=True, text=True, timeout=900)
        if check:
            assert done.returncode == 0, f"graftlab {args} ended with {done.returncode}:\n{done.stderr[-3000:]}"
        return done

    return run
