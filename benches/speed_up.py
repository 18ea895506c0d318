"""Times networks in onnxruntime, one thread, taking turns.

    python benches/speed_up.py ROUNDS NETWORK.onnx …   # prints JSON: image shape, version, milliseconds by batch, file and round

Needs onnxruntime and numpy (tests/python/requirements.txt).
"""

import json
import sys
import time

import numpy as np
import onnxruntime

BATCHES = (1, 32)


def main():
    rounds, files = int(sys.argv[1]), sys.argv[2:]
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    sessions = [onnxruntime.InferenceSession(file, options, providers=["CPUExecutionProvider"]) for file in files]
    shape = sessions[0].get_inputs()[0].shape[1:]
    times = {}
    for batch in BATCHES:
        images = np.random.default_rng(0).uniform(0, 255, (batch, *shape)).astype(np.float32)
        times[batch] = [[] for _ in files]
        for done in range(rounds + 3):
            for session, taken in zip(sessions, times[batch], strict=True):
                clock = time.perf_counter()
                session.run(None, {session.get_inputs()[0].name: images})
                if done >= 3:
                    taken.append((time.perf_counter() - clock) * 1e3)
    print(json.dumps({"shape": shape, "version": onnxruntime.__version__, "times": times}))


if __name__ == "__main__":
    main()
