"""Makes a MobileNetV2 of 14 MB for images of 224 × 224, and times its import and forward pass beside onnxruntime, one
thread each: as JSON, for scripts/bench-import.mjs.

    python benches/import.py NETWORK.onnx
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import onnx
import onnxruntime

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests" / "python"))

from architectures.mobile import inverted  # noqa: E402

#: Width, stride, expansion, kernel, depth: Sandler et al., 2018, table 2.
STAGES = (
    (16, 1, 1, 3, 1), (24, 2, 6, 3, 2), (32, 2, 6, 3, 3), (64, 2, 6, 3, 4), (96, 1, 6, 3, 3), (160, 2, 6, 3, 3),
    (320, 1, 6, 3, 1),
)  # fmt: skip
RUNS = 30


def timed(run):
    clock = time.perf_counter()
    result = run()
    return result, (time.perf_counter() - clock) * 1e3


def onnxruntime_times(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    image = np.ones((1, 3, 224, 224), np.float32)
    load, forward, first = [], [], None
    for _ in range(RUNS):
        session, took = timed(lambda: onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"]))
        load.append(took)
        _, took = timed(lambda: session.run(None, {"image": image}))
        first = first or took
        forward.append(timed(lambda: session.run(None, {"image": image}))[1])
    return {"import": load, "first": first, "forward": forward}


def graftlab_times(path):
    command = ["cargo", "bench", "--quiet", "--bench", "import", "--", str(path)]
    environment = {**os.environ, "RAYON_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def main():
    path = sys.argv[1]
    onnx.save(inverted("mobilenet_v2", 13, STAGES, last=1280, size=224, stem=32, classes=1000)(), path)
    rows = {"Graftlab, native": graftlab_times(path), f"onnxruntime {onnxruntime.__version__}": onnxruntime_times(path)}
    print(json.dumps(rows))


if __name__ == "__main__":
    main()
