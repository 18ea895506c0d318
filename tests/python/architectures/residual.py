"""ResNets and their relatives: a skip around every block."""

from functools import partial

from .net import Net

STAGES = (8, 16, 24, 32)


def plain(b, x, width, stride, act="Relu"):
    y = b.layer(x, width, 3, stride, act=act)
    return b.norm(b.conv(y, width, bias=False), 0.3)


def bottleneck(b, x, width, stride, act="Relu", group=1, inner=0.5, attend=None):
    middle = max(int(width * inner), group)
    y = b.layer(b.layer(x, middle, 1, act=act), middle, 3, stride, group, act)
    y = b.norm(b.conv(y, width, 1, bias=False), 0.3)
    return attend(b, y) if attend else y


def average_skip(b, x, width, stride):
    """ResNet-D (He et al., 2019): the skip is pooled before its convolution."""
    y = b.average_pool(x, 2, 2, ceil_mode=1) if stride > 1 else x
    return b.norm(b.conv(y, width, 1, bias=False))


def strided_skip(b, x, width, stride):
    return b.norm(b.conv(x, width, 1, stride, bias=False))


def resnet(name, opset, depths, block, widths=STAGES, act="Relu", skip=strided_skip, deep_stem=False, pool=True, size=64):
    """He et al., 2016, and what was made of it."""

    def build():
        b = Net(name, opset, size)
        x = "image"
        if deep_stem:
            x = b.layer(b.layer(x, 8, 3, 2, act=act), 8, act=act)
        x = b.layer(x, 8, 3 if deep_stem else 7, 1 if deep_stem else 2, act=act)
        x = b.max_pool(x) if pool else x
        for stage, (width, depth) in enumerate(zip(widths, depths)):
            for number in range(depth):
                stride = 2 if number == 0 and (stage > 0 or not pool) else 1
                same = stride == 1 and b.channels[x] == width
                y = block(b, x, width, stride)
                x = b.act(b.add(y, x if same else skip(b, x, width, stride)), act)
        return b.head(x)

    return build


def attend_se(b, x):
    return b.squeeze_excite(x)


def attend_cbam(b, x):
    """Woo et al., 2018: channels by a shared network on mean and maximum, then places by both over the channels."""
    squeeze, expand = b.weight(4, b.channels[x], 1, 1), b.weight(b.channels[x], 4, 1, 1)

    def shared(pooled):
        y = b.act(b.keep(b.node("Conv", pooled, squeeze), 4))
        return b.keep(b.node("Conv", y, expand), x)

    channels = b.add(shared(b.op("GlobalAveragePool", x)), shared(b.op("GlobalMaxPool", x)))
    x = b.op("Mul", x, b.op("Sigmoid", channels))
    mean, largest = (b.keep(b.reduce(kind, x, [1]), 1) for kind in ("ReduceMean", "ReduceMax"))
    return b.op("Mul", x, b.op("Sigmoid", b.conv(b.concat(mean, largest), 1, 7, bias=False)))


def attend_eca(b, x):
    """Wang et al., 2020: a convolution along the channels."""
    y = b.transpose(b.reshape(b.op("GlobalAveragePool", x), 0, -1, 1, channels=1), 0, 2, 1)
    y = b.node("Conv", y, b.weight(1, 1, 3), kernel_shape=[3], pads=[1, 1])
    y = b.reshape(b.node("Sigmoid", y), 0, -1, 1, 1, channels=b.channels[x])
    return b.op("Mul", x, y)


def res2net_block(b, x, width, stride):
    """Gao et al., 2021: the parts of a block one after the other."""
    parts = b.split(b.layer(x, width, 1), [width // 4] * 4)
    outs, before = [], None
    for part in parts[:3]:
        before = b.layer(part if before is None or stride > 1 else b.add(part, before), width // 4, 3, stride)
        outs.append(before)
    outs.append(b.average_pool(parts[3], 3, stride, 1) if stride > 1 else parts[3])
    return b.norm(b.conv(b.concat(*outs), width, 1, bias=False), 0.3)


def split_attention_block(b, x, width, stride):
    """ResNeSt (Zhang et al., 2022): softmax over two branches."""
    y = b.layer(x, width // 2, 1)
    first, second = b.split(b.layer(y, width, 3, group=2), [width // 2] * 2)
    gap = b.op("GlobalAveragePool", b.add(first, second))
    weights = b.reshape(b.conv(b.layer(gap, 8, 1), width, 1), 0, 1, 2, width // 2)
    weights = b.node("Softmax", b.node("Transpose", weights, perm=[0, 2, 1, 3]), axis=1)
    weights = b.reshape(weights, 0, width, 1, 1, channels=width)
    parts = [b.op("Mul", part, weight) for part, weight in zip((first, second), b.split(weights, [width // 2] * 2))]
    y = b.add(*parts)
    y = b.average_pool(y, 3, 2, 1) if stride > 1 else y
    return b.norm(b.conv(y, width, 1, bias=False), 0.3)


def resnet_v2():
    """He et al., 2016b, as MXNet wrote it: weights among the inputs, normalised before each convolution."""
    b = Net("resnet_50_v2", 8, 64)
    x = b.max_pool(b.layer(b.norm("image"), 8, 7, 2))
    for stage, (width, depth) in enumerate(zip(STAGES, (3, 4, 6, 3))):
        for number in range(depth):
            stride = 2 if number == 0 and stage else 1
            y = b.act(b.norm(x))
            skip = x if number else b.conv(y, width, 1, stride, bias=False)
            y = b.conv(y, width // 2, 1, bias=False)
            y = b.conv(b.act(b.norm(y)), width // 2, 3, stride, bias=False)
            x = b.add(b.conv(b.act(b.norm(y, 0.3)), width, 1, bias=False), skip)
    x = b.op("Flatten", b.op("GlobalAveragePool", b.act(b.norm(x))))
    return b.done(b.linear(x, 32, 10), weights_as_inputs=True)


def big_transfer():
    """Kolesnikov et al., 2020: group normalisation, which torch wrote by InstanceNormalization, and a padded pool."""
    b = Net("bit_resnet", 13, 64)

    def norm(x):
        width = b.channels[x]
        y = b.reshape(x, 0, 4, -1)
        y = b.node("InstanceNormalization", y, b.near(4, 1), b.near(4, 0))
        y = b.keep(b.node("Reshape", y, b.node("Shape", x)), width)
        scale, shift = (b.reshape(b.near(width, centre), width, 1, 1, channels=width) for centre in (1, 0))
        return b.act(b.op("Add", b.op("Mul", y, scale), shift))

    x = b.conv("image", 16, 7, 2, bias=False)
    x = b.max_pool(b.op("Pad", x, b.ints(0, 0, 1, 1, 0, 0, 1, 1), b.number(0), mode="constant"), pad=0)
    for stage, width in enumerate((16, 24, 32, 48)):
        for number in range(2):
            stride = 2 if number == 0 and stage else 1
            y = norm(x)
            skip = x if number else b.conv(y, width, 1, stride, bias=False)
            y = b.conv(norm(b.conv(y, width // 2, 1, bias=False)), width // 2, 3, stride, bias=False)
            x = b.add(b.conv(norm(y), width, 1, bias=False), skip)
    return b.head(norm(x))


FIFTY = (3, 4, 6, 3)
grouped = partial(bottleneck, group=4)
NETWORKS = {
    "resnet_18": resnet("resnet_18", 9, (2, 2, 2, 2), plain),
    "resnet_34": resnet("resnet_34", 12, FIFTY, plain),
    "resnet_50": resnet("resnet_50", 11, FIFTY, bottleneck),
    "resnet_101": resnet("resnet_101", 17, (3, 4, 23, 3), bottleneck),
    "resnet_50_d": resnet("resnet_50_d", 13, FIFTY, bottleneck, skip=average_skip, deep_stem=True),
    "wide_resnet": resnet("wide_resnet", 10, (2, 2, 2), partial(bottleneck, inner=2.0)),
    "resnext_50": resnet("resnext_50", 13, FIFTY, grouped),
    "se_resnet_50": resnet("se_resnet_50", 9, FIFTY, partial(bottleneck, attend=attend_se)),
    "se_resnext": resnet("se_resnext", 18, (2, 2, 2, 2), partial(bottleneck, group=4, attend=attend_se)),
    "cbam_resnet": resnet("cbam_resnet", 11, (2, 2, 2, 2), partial(bottleneck, attend=attend_cbam)),
    "eca_resnet": resnet("eca_resnet", 18, (2, 2, 2, 2), partial(bottleneck, attend=attend_eca)),
    "res2net": resnet("res2net", 12, (2, 2, 2, 2), res2net_block),
    "resnest": resnet("resnest", 13, (2, 2, 2, 2), split_attention_block, skip=average_skip, deep_stem=True),
    "regnet_x": resnet("regnet_x", 14, (1, 2, 7, 2), partial(bottleneck, group=8, inner=1), pool=False),
    "regnet_y": resnet(
        "regnet_y", 17, (1, 2, 5, 1), partial(bottleneck, group=8, inner=1, attend=attend_se), pool=False
    ),
    "resnet_silu": resnet("resnet_silu", 15, (2, 2, 2, 2), partial(plain, act="silu"), act="silu"),
    "resnet_50_v2": resnet_v2,
    "bit_resnet": big_transfer,
}
