"""Networks of the attention years: patches, layer normalisation, GELU."""

import numpy as np
from onnx import TensorProto

from .net import CLASSES, Net


def tokens(b, x):
    """[batch, channels, height, width] to [batch, tokens, channels]."""
    width = b.channels[x]
    return b.transpose(b.reshape(x, 0, width, -1), 0, 2, 1)


def attention(b, x, heads, count):
    """Multi-head self-attention on [batch, tokens, channels] with one projection for query, key and value."""
    width = b.channels[x]
    qkv = b.reshape(b.matmul(x, 3 * width), -1, count, 3, heads, width // heads)
    qkv = b.node("Transpose", qkv, perm=[2, 0, 3, 1, 4])
    index = [b.node("Gather", qkv, b.constant(np.array(part)), axis=0) for part in range(3)]
    scale = b.number((width // heads) ** -0.5)
    scores = b.node("MatMul", b.node("Mul", index[0], scale), b.node("Transpose", index[1], perm=[0, 1, 3, 2]))
    mixed = b.node("MatMul", b.node("Softmax", scores, axis=-1), index[2])
    y = b.reshape(b.node("Transpose", mixed, perm=[0, 2, 1, 3]), -1, count, width, channels=width)
    return b.matmul(y, width)


def perceptron(b, x, wide, act="gelu"):
    width = b.channels[x]
    return b.matmul(b.act(b.matmul(x, wide), act), width)


def encoder(b, x, heads, count, act="gelu"):
    x = b.add(x, attention(b, b.layer_norm(x), heads, count))
    return b.add(x, perceptron(b, b.layer_norm(x), 2 * b.channels[x], act))


def vision_transformer():
    """Dosovitskiy et al., 2021: a class token before the patches."""
    b = Net("vit", 14)
    x = tokens(b, b.conv("image", 24, 8, 8, pads=[0] * 4))
    batch = b.node("Gather", b.node("Shape", "image"), b.ints(0), axis=0)
    shape = b.node("Concat", batch, b.ints(1, 24), axis=0)
    token = b.keep(b.node("Expand", b.weight(1, 1, 24, scale=0.5), shape), 24)
    x = b.keep(b.node("Concat", token, x, axis=1), 24)
    x = b.op("Add", x, b.weight(1, 17, 24, scale=0.5))
    for _ in range(4):
        x = encoder(b, x, 3, 17)
    x = b.op("Gather", b.layer_norm(x), b.constant(np.array(0)), axis=1)
    return b.done(b.linear(x, 24, CLASSES))


def pooled_transformer():
    """A transformer that averages its patches (Touvron et al., 2021), with today's operators."""
    b = Net("deit", 20)
    x = b.op("Add", tokens(b, b.conv("image", 24, 8, 8, pads=[0] * 4)), b.weight(1, 16, 24, scale=0.5))
    for _ in range(4):
        x = encoder(b, x, 3, 16, act="Gelu")
    x = b.reduce("ReduceMean", b.layer_norm(x), [1], keepdims=0)
    return b.done(b.linear(x, 24, CLASSES))


def compact_transformer():
    """Hassani et al., 2021: convolutions make the patches, and attention pools them; products by Einsum."""
    b = Net("cct", 13)
    x = tokens(b, b.max_pool(b.act(b.conv(b.max_pool(b.act(b.conv("image", 12))), 24))))
    for _ in range(2):
        y = b.layer_norm(x)
        query, key, value = (b.node("Reshape", b.matmul(y, 24), b.ints(0, 64, 3, 8)) for _ in range(3))
        scores = b.node("Mul", b.node("Einsum", query, key, equation="bqhd,bkhd->bhqk"), b.number(8**-0.5))
        y = b.node("Einsum", b.node("Softmax", scores, axis=-1), value, equation="bhqk,bkhd->bqhd")
        x = b.add(x, b.matmul(b.reshape(y, 0, 64, 24, channels=24), 24))
        x = b.add(x, perceptron(b, b.layer_norm(x), 48))
    weights = b.node("Softmax", b.node("Transpose", b.matmul(x, 1), perm=[0, 2, 1]), axis=-1)
    pooled = b.keep(b.node("Squeeze", b.node("MatMul", weights, x), b.ints(1)), 24)
    return b.done(b.linear(pooled, 24, CLASSES))


def shifted_windows():
    """Swin (Liu et al., 2021): attention in windows that are rolled every other block, and merged patches."""
    b = Net("swin", 13)
    x, size, window = b.transpose(b.conv("image", 16, 4, 4, pads=[0] * 4), 0, 2, 3, 1), 8, 4

    def roll(x, shift):
        for axis in (1, 2):
            x = b.keep(b.node("Concat", b.slice(x, shift, size, axis), b.slice(x, 0, shift, axis), axis=axis), x)
        return x

    for width, depth in ((16, 2), (32, 2)):
        for number in range(depth):
            y, grid = b.layer_norm(x), size // window
            y = roll(y, window // 2) if number % 2 and grid > 1 else y
            y = b.node("Reshape", y, b.ints(-1, grid, window, grid, window, width))
            y = b.reshape(b.node("Transpose", y, perm=[0, 1, 3, 2, 4, 5]), -1, window * window, width, channels=width)
            y = attention(b, y, 2, window * window)
            y = b.node("Reshape", y, b.ints(-1, grid, grid, window, window, width))
            y = b.reshape(b.node("Transpose", y, perm=[0, 1, 3, 2, 4, 5]), -1, size, size, width, channels=width)
            x = b.add(x, roll(y, size - window // 2) if number % 2 and grid > 1 else y)
            x = b.add(x, perceptron(b, b.layer_norm(x), 2 * width))
        if width == 16:
            y = b.node("Reshape", x, b.ints(-1, 4, 2, 4, 2, 16))
            y = b.reshape(b.node("Transpose", y, perm=[0, 1, 3, 4, 2, 5]), -1, 4, 4, 64, channels=64)
            x, size = b.matmul(b.layer_norm(y), 32, bias=False), 4
    x = b.reduce("ReduceMean", b.layer_norm(x), [1, 2], keepdims=0)
    return b.done(b.linear(x, 32, CLASSES))


def mixer():
    """MLP-Mixer (Tolstikhin et al., 2021)."""
    b = Net("mlp_mixer", 13)
    x = tokens(b, b.conv("image", 24, 8, 8, pads=[0] * 4))
    for _ in range(4):
        y = b.transpose(b.layer_norm(x), 0, 2, 1, channels=16)
        x = b.add(x, b.transpose(perceptron(b, y, 32), 0, 2, 1, channels=24))
        x = b.add(x, perceptron(b, b.layer_norm(x), 48))
    x = b.reduce("ReduceMean", b.layer_norm(x), [1], keepdims=0)
    return b.done(b.linear(x, 24, CLASSES))


def conv_mixer():
    """Trockman & Kolter, 2022."""
    b = Net("conv_mixer", 15)
    x = b.norm(b.gelu(b.conv("image", 32, 4, 4, pads=[0] * 4)))
    for _ in range(4):
        x = b.add(x, b.norm(b.gelu(b.conv(x, 32, 5, group=32))))
        x = b.norm(b.gelu(b.conv(x, 32, 1)))
    return b.head(x)


def pool_former():
    """Yu et al., 2022: pooling in the place of attention; group normalisation of one group."""
    b = Net("pool_former", 21)

    def norm(x):
        return b.op("GroupNormalization", x, b.near(b.channels[x], 1), b.near(b.channels[x], 0), num_groups=1)

    x = "image"
    for width in (16, 24, 32):
        x = b.conv(x, width, 3, 2)
        for _ in range(2):
            y = norm(x)
            y = b.op("Sub", b.average_pool(y, 3, 1, 1, count_include_pad=0), y)
            x = b.add(x, b.op("Mul", y, b.keep(b.weight(width, 1, 1, scale=0.5), width)))
            x = b.add(x, b.conv(b.act(b.conv(norm(x), 2 * width, 1), "Gelu"), width, 1))
    return b.head(norm(x))


def convnext(name, opset, response=False):
    """Liu et al., 2022, its pointwise layers on channels last; the second version's response normalisation."""

    def build():
        b = Net(name, opset, 64)

        def norm_2d(x):
            y = b.layer_norm(b.transpose(x, 0, 2, 3, 1))
            return b.transpose(y, 0, 3, 1, 2)

        def respond(x):
            strength = b.keep(b.reduce("ReduceL2", x, [1, 2]), x)
            relative = b.op("Div", strength, b.op("Add", b.reduce("ReduceMean", strength, [-1]), b.number(1e-6)))
            scaled = b.op("Mul", b.op("Mul", x, relative), b.near(b.channels[x], 1))
            return b.add(b.op("Add", scaled, b.near(b.channels[x], 0)), x)

        x = norm_2d(b.conv("image", 12, 4, 4, pads=[0] * 4))
        for width, depth in ((12, 2), (16, 2), (24, 4), (32, 2)):
            if width != b.channels[x]:
                x = b.conv(norm_2d(x), width, 2, 2, pads=[0] * 4)
            for _ in range(depth):
                y = b.layer_norm(b.transpose(b.conv(x, width, 7, group=width), 0, 2, 3, 1))
                y = b.act(b.matmul(y, 4 * width), "gelu")
                y = b.matmul(respond(y) if response else y, width)
                y = y if response else b.op("Mul", y, b.near(width, 0.5))
                x = b.add(x, b.transpose(y, 0, 3, 1, 2))
        x = b.op("Flatten", b.op("GlobalAveragePool", x))
        return b.done(b.linear(b.layer_norm(x), 32, CLASSES))

    return build


def mobile_vit():
    """Mehta & Rastegari, 2022: patches of a convolutional network's tensor, each place of a patch with its own tokens."""
    b = Net("mobile_vit", 12)
    x = b.layer("image", 16, 3, 2, act="silu")
    x = b.layer(b.depthwise(b.layer(x, 32, 1, act="silu"), 3, 2, "silu"), 24, 1, act=None)
    local = b.conv(b.layer(x, 24, act="silu"), 16, 1, bias=False)
    # 8 × 8 pixels in patches of 2 × 2: [batch·4, 16 patches, channels].
    y = b.node("Transpose", b.node("Reshape", local, b.ints(-1, 2, 4, 2)), perm=[0, 2, 1, 3])
    y = b.node("Transpose", b.node("Reshape", y, b.ints(-1, 16, 16, 4)), perm=[0, 3, 2, 1])
    y = b.reshape(y, -1, 16, 16, channels=16)
    for _ in range(2):
        y = encoder(b, y, 2, 16, act="silu")
    y = b.node("Transpose", b.node("Reshape", b.layer_norm(y), b.ints(-1, 4, 16, 16)), perm=[0, 3, 2, 1])
    y = b.node("Transpose", b.node("Reshape", y, b.ints(-1, 4, 2, 2)), perm=[0, 2, 1, 3])
    y = b.layer(b.reshape(y, -1, 16, 8, 8, channels=16), 24, 1, act="silu")
    return b.head(b.layer(b.concat(x, y), 32, act="silu"))


def cast_mask():
    """A network whose stem keeps only what is bright: comparison, Cast and Where on the way (torch.where)."""
    b = Net("masked_stem", 16)
    x = b.layer("image", 12)
    bright = b.node("Greater", x, b.number(0.5))
    x = b.keep(b.node("Where", bright, x, b.op("Mul", x, b.number(0.1))), 12)
    mask = b.keep(b.node("Cast", bright, to=TensorProto.FLOAT), 12)
    x = b.layer(b.concat(x, mask), 16, 3, 2, act="Elu")
    parts = [b.node("Slice", x, b.ints(0, at), b.ints(2**31, 2**31), b.ints(2, 3), b.ints(2, 2)) for at in (0, 1)]
    x = b.keep(b.node("Max", *parts), 16)
    return b.head(b.act(b.norm(b.conv(x, 24)), "Selu"))


NETWORKS = {
    "vit": vision_transformer,
    "deit": pooled_transformer,
    "cct": compact_transformer,
    "swin": shifted_windows,
    "mlp_mixer": mixer,
    "conv_mixer": conv_mixer,
    "pool_former": pool_former,
    "convnext": convnext("convnext", 13),
    "convnext_17": convnext("convnext_17", 17),
    "convnext_v2": convnext("convnext_v2", 18, response=True),
    "mobile_vit": mobile_vit,
    "masked_stem": cast_mask,
}
