"""The PyTorch part of `npm run bench -- --pytorch PYTHON`: losses or milliseconds of the bundled networks.

    PYTHON benches/pytorch.py JOB.json THREADS   # prints JSON: by network, losses or times of forward passes and steps

Needs torch and numpy. The job is the one of `benches/networks.rs`, which has written the layers; images and labels are
those of `src/project/bench.rs`.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

LEARNING_RATE, EPSILON = 1e-3, 1e-5
STATISTICS_MOMENTUM = 0.1


def inputs(image, classes, batch):
    """Images `[batch, channels, height, width]`, and their labels."""
    state = 1

    def draw():
        nonlocal state
        state = (state * 1664525 + 1013904223) % 2**32
        return state >> 8

    pixels = np.array([draw() for _ in range(batch * int(np.prod(image)))], np.float32) / 2**24
    labels = [draw() % classes for _ in range(batch)]
    return torch.from_numpy(pixels.reshape(batch, *image)), torch.tensor(labels)


def padding(pads):
    if len(set(pads)) > 1:
        raise ValueError("uneven padding is not written here")
    return pads[0]


class Network:
    def __init__(self, folder, name):
        self.layers = json.loads((folder / f"{name}.json").read_text())
        values = np.fromfile(folder / f"{name}.bin", "<f4")
        self.weights = {}
        for weight in self.layers["weights"]:
            count = int(np.prod(weight["shape"]))
            part = values[weight["offset"] : weight["offset"] + count]
            self.weights[weight["id"]] = torch.from_numpy(part.reshape(weight["shape"]).copy())
        trained = []
        for node in self.layers["nodes"]:
            ids = {"Conv": node["inputs"][1:], "Gemm": node["inputs"][1:], "BatchNormalization": node["inputs"][1:3]}
            trained += [self.weights[i].requires_grad_() for i in ids.get(node["op"], []) if i is not None]
        self.optimiser = torch.optim.Adam(trained, lr=LEARNING_RATE, eps=EPSILON)

    def logits(self, images, training):
        known = {**self.weights, self.layers["input"]: images}
        for node in self.layers["nodes"]:
            operands = [None if i is None else known[i] for i in node["inputs"]]
            known[node["output"]] = self.run(node, operands, training)
        return known[self.layers["output"]]

    def run(self, node, operands, training):
        x, *rest = operands
        match node["op"]:
            case "Conv":
                weight, bias = [*rest, None][:2]
                options = (node["strides"], padding(node["pads"]), 1, node["group"])
                return functional.conv2d(x, weight, bias, *options)
            case "BatchNormalization":
                scale, shift, mean, variance = rest
                momentum = STATISTICS_MOMENTUM if training else 0.0
                return functional.batch_norm(x, mean, variance, scale, shift, training, momentum, node["epsilon"])
            case "Relu":
                return functional.relu(x)
            case "Clip":
                return functional.hardtanh(x, node["low"], node["high"])
            case "Add":
                return x + rest[0]
            case "MaxPool":
                return functional.max_pool2d(x, node["kernel"], node["strides"], padding(node["pads"]))
            case "GlobalAveragePool":
                return x.mean((2, 3), keepdim=True)
            case "Flatten":
                return x.flatten(1)
            case "Gemm":
                weight, bias = rest
                return functional.linear(x, weight if node["transposed"] else weight.T, bias)

    def forward(self, images, labels):
        with torch.no_grad():
            return functional.cross_entropy(self.logits(images, training=False), labels).item()

    def step(self, images, labels):
        self.optimiser.zero_grad()
        loss = functional.cross_entropy(self.logits(images, training=True), labels)
        loss.backward()
        self.optimiser.step()
        return loss.item()


def timed(run, least, most, seconds):
    begin, times = time.perf_counter(), []
    while len(times) < least or (len(times) < most and time.perf_counter() - begin < seconds):
        start = time.perf_counter()
        run()
        times.append((time.perf_counter() - start) * 1e3)
    return times


def main():
    job = json.loads(Path(sys.argv[1]).read_text())
    torch.set_num_threads(int(sys.argv[2]))
    results = {"version": torch.__version__, "networks": {}}
    for entry in job["networks"]:
        network = Network(Path(job["layers"]), entry["name"])
        batch = inputs(network.layers["image"], network.layers["classes"], job["batch"])
        forward, step = (lambda: network.forward(*batch)), (lambda: network.step(*batch))
        if timing := job.get("timing"):
            found = {}
            for name, run in (("forward", forward), ("step", step)):
                run()
                found[name] = timed(run, **timing)
        else:
            found = {"forward": [forward()], "step": [step() for _ in range(3)]}
        results["networks"][entry["name"]] = found
    print(json.dumps(results))


if __name__ == "__main__":
    main()
