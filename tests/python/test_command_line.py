"""The command line as a program among others: help, progress, exit codes."""

import json
import os
import pty
import re
import subprocess

import pytest
from small import network, pack, pictures, table


def test_help_needs_no_files(graftlab):
    graftlab("--help")
    for command in ("inspect", "run", "integrate", "eval", "demo", "pretrain"):
        assert "--help" in graftlab(command, "--help").stdout


def test_the_version_is_the_crate_s(graftlab, root):
    version = re.search(r'^version = "(.+)"', (root / "Cargo.toml").read_text(), re.MULTILINE).group(1)
    assert graftlab("--version").stdout.split() == ["graftlab", version]


@pytest.fixture
def job(tmp_path):
    """The arguments of a brief run with some settings for its training."""

    def arguments(**train):
        settings = {
            "budget": 0.7,
            "search": {"finalists": 1, "supernet_steps": 20},
            "train": {"image_passes": 640, "batch_size": 64} | train,
        }
        (tmp_path / "settings.json").write_text(json.dumps(settings))
        models = [
            network(tmp_path / "shade.onnx", "shade", ["dark", "bright"], seed=1),
            network(tmp_path / "parity.onnx", "parity", ["even", "odd"], seed=2),
        ]
        images = pictures()
        data = pack(tmp_path / "pictures.zip", images | {"labels.csv": table(images)})
        named = [part for model in models for part in ("--model", model)]
        files = ["--data", data, "--settings", tmp_path / "settings.json", "--out", tmp_path / "out"]
        return ["integrate", *named, *files]

    return arguments


def test_a_pipe_gets_plain_lines_with_the_time_left(graftlab, job):
    done = graftlab(*job())
    assert re.search(r"^ *\d+/10 \d+ s left", done.stderr, re.MULTILINE)
    assert "\x1b" not in done.stderr + done.stdout and "\r" not in done.stderr
    phases = ["teachers", "score", "search", "distil", "evaluate", "export"]
    assert [line for line in done.stderr.splitlines() if line in phases] == phases


def test_a_terminal_gets_bars_with_the_time_left(program, job):
    ours, theirs = pty.openpty()
    command = [program, *map(str, job())]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=theirs) as running:
        os.close(theirs)
        shown = b""
        # Linux reports the end of a terminal as an error.
        try:
            while part := os.read(ours, 65536):
                shown += part
        except OSError:
            pass
    os.close(ours)
    assert running.returncode == 0
    text = shown.decode()
    assert "█" in text and re.search(r"\d+ s left", text) and "\x1b[" in text


def test_training_that_fails_ends_with_1(graftlab, job):
    done = graftlab(*job(learning_rate=1e30), check=False)
    assert done.returncode == 1
    assert re.search(r"^error: the loss is no longer a finite number", done.stderr, re.MULTILINE)
    assert re.search(r"^hint: .{10}", done.stderr, re.MULTILINE)
