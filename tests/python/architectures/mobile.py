"""Networks for small devices: depthwise convolutions, gates, shuffles."""

from .net import CLASSES, Net

#: Width, stride, expansion, kernel, depth.
V2 = ((8, 1, 1, 3, 1), (12, 2, 6, 3, 2), (16, 2, 6, 3, 3), (24, 2, 6, 3, 4), (32, 1, 6, 3, 3), (40, 1, 6, 3, 1))
MNAS = ((8, 1, 1, 3, 1), (12, 2, 3, 3, 3), (16, 2, 3, 5, 3), (24, 2, 6, 5, 3), (32, 1, 6, 3, 2), (40, 2, 6, 5, 2))
B0 = ((8, 1, 1, 3, 1), (12, 2, 6, 3, 2), (16, 2, 6, 5, 2), (24, 2, 6, 3, 3), (32, 1, 6, 5, 3), (40, 1, 6, 3, 1))


def inverted(name, opset, stages, act="relu6", gate=None, last=64, size=64, stem=8, classes=CLASSES):
    """Inverted residuals (MobileNetV2, Sandler et al., 2018), and with gates (EfficientNet, Tan & Le, 2019)."""

    def build():
        b = Net(name, opset, size)
        x = b.layer("image", stem, 3, 2, act=act)
        for width, first_stride, expand, kernel, depth in stages:
            for number in range(depth):
                stride = first_stride if number == 0 else 1
                y = b.layer(x, b.channels[x] * expand, 1, act=act) if expand > 1 else x
                y = b.depthwise(y, kernel, stride, act)
                y = b.squeeze_excite(y, 8, act, gate) if gate else y
                y = b.norm(b.conv(y, width, 1, bias=False))
                x = b.add(x, y) if stride == 1 and b.channels[x] == width else y
        return b.head(b.layer(x, last, 1, act=act), classes)

    return build


#: Kernel, expanded width, width, gated, activation, stride.
LARGE = (
    (3, 8, 8, 0, "Relu", 1), (3, 32, 12, 0, "Relu", 2), (3, 36, 12, 0, "Relu", 1), (5, 36, 16, 1, "Relu", 2),
    (5, 48, 16, 1, "Relu", 1), (3, 64, 24, 0, "hs", 2), (3, 60, 24, 0, "hs", 1), (3, 96, 32, 1, "hs", 1),
    (5, 96, 40, 1, "hs", 2), (5, 120, 40, 1, "hs", 1),
)  # fmt: skip
SMALL = (
    (3, 8, 8, 1, "Relu", 2), (3, 32, 12, 0, "Relu", 2), (3, 36, 12, 0, "Relu", 1), (5, 48, 16, 1, "hs", 2),
    (5, 64, 16, 1, "hs", 1), (5, 96, 24, 1, "hs", 1),
)  # fmt: skip


def mobilenet_v3(name, opset, rows, hard_swish, hard_sigmoid):
    """Howard et al., 2019, with its hard activations spelt out or by name."""

    def build():
        b = Net(name, opset, 64)
        x = b.layer("image", 8, 3, 2, act=hard_swish)
        for kernel, wide, width, gated, act, stride in rows:
            act = hard_swish if act == "hs" else act
            y = b.layer(x, wide, 1, act=act) if wide != b.channels[x] else x
            y = b.depthwise(y, kernel, stride, act)
            y = b.squeeze_excite(y, 4, "Relu", hard_sigmoid) if gated else y
            y = b.norm(b.conv(y, width, 1, bias=False))
            x = b.add(x, y) if stride == 1 and b.channels[x] == width else y
        x = b.op("GlobalAveragePool", b.layer(x, 64, 1, act=hard_swish))
        x = b.act(b.linear(b.op("Flatten", x), 64, 48), hard_swish)
        return b.done(b.linear(b.dropout(x), 48, 10))

    return build


def efficientnet_v2():
    """Tan & Le, 2021: whole convolutions first, depthwise ones with gates later."""
    b = Net("efficientnet_v2", 16, 64)
    x = b.layer("image", 8, 3, 2, act="silu")
    for width, stride, expand, fused in ((8, 1, 1, 1), (12, 2, 4, 1), (16, 2, 4, 1), (24, 2, 4, 0), (32, 1, 6, 0)):
        for number in range(2):
            step = stride if number == 0 else 1
            wide = b.channels[x] * expand
            if fused:
                y = b.layer(x, wide, 3, step, act="silu")
            else:
                y = b.squeeze_excite(b.depthwise(b.layer(x, wide, 1, act="silu"), 3, step, "silu"), 8, "silu")
            y = b.norm(b.conv(y, width, 1, bias=False))
            x = b.add(x, y) if step == 1 and b.channels[x] == width else y
    return b.head(b.layer(x, 64, 1, act="silu"))


def mobilenet_v1():
    """Howard et al., 2017, as PaddlePaddle writes it: the classifier by MatMul and Add."""
    b = Net("mobilenet_v1", 9, 64)
    x = b.layer("image", 8, 3, 2)
    for width, stride in ((12, 1), (16, 2), (16, 1), (24, 2), (24, 1), (32, 2), *((32, 1),) * 5, (48, 2), (48, 1)):
        x = b.layer(b.depthwise(x, 3, stride), width, 1)
    x = b.reshape(b.op("GlobalAveragePool", x), 0, -1)
    return b.done(b.matmul(x, 10), "Softmax")


def shufflenet_v1():
    """Zhang et al., 2018: grouped pointwise convolutions, their channels shuffled."""
    b = Net("shufflenet_v1", 10, 64)
    x, size = b.max_pool(b.layer("image", 12, 3, 2)), 16
    for width, depth in ((24, 3), (48, 4)):
        for number in range(depth):
            stride = 2 if number == 0 else 1
            out = width - b.channels[x] if stride > 1 else width
            y = b.shuffle(b.layer(x, 12, 1, group=3), 3, size)
            size //= stride
            y = b.norm(b.conv(b.depthwise(y, 3, stride, act=None), out, 1, group=3, bias=False))
            x = b.act(b.concat(b.average_pool(x, 3, 2, 1), y) if stride > 1 else b.add(x, y))
    return b.head(x)


def shufflenet_v2():
    """Ma et al., 2018: half of the channels pass, then all are shuffled."""
    b = Net("shufflenet_v2", 11, 64)
    x, size = b.max_pool(b.layer("image", 8, 3, 2)), 16
    for width, depth in ((16, 3), (24, 5), (32, 3)):
        half = width // 2
        for number in range(depth):
            if number == 0:
                size //= 2
                left = b.layer(b.depthwise(x, 3, 2, act=None), half, 1)
                right = b.layer(b.depthwise(b.layer(x, half, 1), 3, 2, act=None), half, 1)
            else:
                left, right = b.split(x, [half, half])
                right = b.layer(b.depthwise(b.layer(right, half, 1), 3, act=None), half, 1)
            x = b.shuffle(b.concat(left, right), 2, size)
    return b.head(b.layer(x, 48, 1))


def ghostnet():
    """Han et al., 2020: half of the channels are cheap pictures of the others."""
    b = Net("ghostnet", 12, 64)

    def ghost(x, width, act="Relu"):
        primary = b.layer(x, width // 2, 1, act=act)
        both = b.concat(primary, b.depthwise(primary, 3, act=act))
        return b.slice(both, 0, width, 1)

    x = b.layer("image", 8, 3, 2)
    for wide, width, stride, gated in ((8, 8, 1, 0), (24, 12, 2, 0), (36, 12, 1, 0), (36, 20, 2, 1), (60, 20, 1, 1), (80, 32, 2, 1)):
        y = ghost(x, wide)
        y = b.depthwise(y, 3, 2, act=None) if stride > 1 else y
        y = b.squeeze_excite(y, 4, "Relu", "hard_sigmoid") if gated else y
        y = ghost(y, width, act=None)
        if stride > 1 or b.channels[x] != width:
            x = b.norm(b.conv(b.depthwise(x, 3, stride, act=None), width, 1, bias=False))
        x = b.add(x, y)
    return b.head(b.layer(x, 48, 1))


def mixnet():
    """Tan & Le, 2019b: kernels of several sizes in one layer."""
    b = Net("mixnet", 13)
    x = b.layer("image", 8, 3, 2)
    for width, stride, kernels in ((12, 1, (3,)), (16, 2, (3, 5, 7)), (16, 1, (3, 5)), (24, 2, (3, 5, 7, 9)), (24, 1, (3, 5))):
        wide = b.layer(x, 12 * len(kernels), 1, act="silu")
        parts = b.split(wide, [12] * len(kernels)) if len(kernels) > 1 else [wide]
        mixed = [b.conv(part, 12, kernel, stride, 12, bias=False) for part, kernel in zip(parts, kernels)]
        y = b.act(b.norm(b.concat(*mixed) if len(mixed) > 1 else mixed[0]), "silu")
        y = b.norm(b.conv(b.squeeze_excite(y, 4, "silu"), width, 1, bias=False))
        x = b.add(x, y) if stride == 1 and b.channels[x] == width else y
    return b.head(b.layer(x, 48, 1))


def lcnet():
    """Cui et al., 2021, of PaddlePaddle: HardSwish by name, gates in the last blocks, a wide end."""
    b = Net("lcnet", 14)
    x = b.layer("image", 8, 3, 2, act="HardSwish")
    for kernel, width, stride, gated in ((3, 12, 1, 0), (3, 16, 2, 0), (3, 16, 1, 0), (5, 24, 2, 0), (5, 24, 1, 0), (5, 32, 2, 1), (5, 32, 1, 1)):
        y = b.depthwise(x, kernel, stride, "HardSwish", gain=1.7)
        x = b.layer(b.squeeze_excite(y, 4, "Relu", "HardSigmoid") if gated else y, width, 1, act="HardSwish", gain=1.7)
    x = b.act(b.conv(b.op("GlobalAveragePool", x), 64, 1, bias=False), "HardSwish")
    return b.done(b.linear(b.op("Flatten", b.dropout(x)), 64, 10))


NETWORKS = {
    "mobilenet_v1": mobilenet_v1,
    "mobilenet_v2": inverted("mobilenet_v2", 10, V2),
    "mobilenet_v3_large": mobilenet_v3("mobilenet_v3_large", 11, LARGE, "hard_swish", "hard_sigmoid"),
    "mobilenet_v3_small": mobilenet_v3("mobilenet_v3_small", 14, SMALL, "HardSwish", "HardSigmoid"),
    "mnasnet": inverted("mnasnet", 9, MNAS, act="Relu"),
    "efficientnet_b0": inverted("efficientnet_b0", 11, B0, act="silu", gate="Sigmoid"),
    "efficientnet_lite": inverted("efficientnet_lite", 13, B0),
    "efficientnet_v2": efficientnet_v2,
    "shufflenet_v1": shufflenet_v1,
    "shufflenet_v2": shufflenet_v2,
    "ghostnet": ghostnet,
    "mixnet": mixnet,
    "lcnet": lcnet,
}
