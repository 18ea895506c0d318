"""Chains of convolutions, and those whose layers read all before them."""

from .net import CLASSES, Net


def alexnet():
    """Krizhevsky et al., 2012, with local response normalisation, as Caffe's converter wrote it."""
    b = Net("alexnet", 9, 64)
    x = b.act(b.conv("image", 16, 11, 4, pads=[2] * 4))
    x = b.max_pool(b.op("LRN", x, size=5, alpha=1e-4, beta=0.75, bias=1.0), pad=0)
    x = b.act(b.conv(x, 32, 5, group=2))
    x = b.max_pool(b.op("LRN", x, size=5, alpha=1e-4, beta=0.75, bias=1.0), pad=0)
    for width, group in ((48, 1), (48, 2), (32, 2)):
        x = b.act(b.conv(x, width, 3, group=group))
    x = b.op("Flatten", x)
    x = b.act(b.linear(b.dropout(x), 32 * 3 * 3, 64))
    x = b.act(b.linear(b.dropout(x), 64, 64))
    return b.done(b.linear(x, 64, CLASSES))


def vgg(name, opset, depths, norm):
    """Simonyan & Zisserman, 2015."""

    def build():
        b, x = Net(name, opset, 64), "image"
        for width, depth in zip((8, 12, 16, 24, 24), depths):
            for _ in range(depth):
                x = b.layer(x, width) if norm else b.act(b.conv(x, width))
            x = b.max_pool(x, 2, pad=0)
        x = b.view(x, 24 * 2 * 2)
        x = b.act(b.linear(x, 24 * 2 * 2, 48))
        x = b.act(b.linear(b.dropout(x), 48, 48))
        return b.done(b.linear(b.dropout(x), 48, CLASSES))

    return build


def squeezenet_1_0():
    """Iandola et al., 2016, whose pools round up."""
    b = Net("squeezenet_1_0", 11, 96)
    x = b.max_pool(b.act(b.conv("image", 24, 7, 2, pads=[0] * 4)), pad=0, ceil_mode=1)
    for number, (squeeze, width) in enumerate(((4, 16), (4, 16), (8, 32), (8, 32), (12, 48), (12, 48), (16, 64), (16, 64))):
        x = b.act(b.conv(x, squeeze, 1))
        x = b.concat(b.act(b.conv(x, width, 1)), b.act(b.conv(x, width, 3)))
        if number in (2, 6):
            x = b.max_pool(x, pad=0, ceil_mode=1)
    x = b.act(b.conv(b.dropout(x), CLASSES, 1))
    return b.done(b.op("Flatten", b.op("GlobalAveragePool", x)), "Softmax")


def network_in_network():
    """Lin et al., 2014."""
    b, x = Net("network_in_network", 8), "image"
    for number, (width, kernel) in enumerate(((24, 5), (24, 5), (24, 3))):
        x = b.act(b.conv(x, width, kernel))
        x = b.act(b.conv(x, 16, 1))
        x = b.act(b.conv(x, CLASSES if number == 2 else 24, 1))
        if number < 2:
            x = b.dropout(b.max_pool(x) if number == 0 else b.average_pool(x, 3, 2, 1))
    return b.done(b.op("Flatten", b.op("GlobalAveragePool", x)))


def darknet_19():
    """Redmon & Farhadi, 2017."""
    b, x = Net("darknet_19", 13), "image"
    for width, depth in ((8, 1), (12, 1), (16, 3), (24, 3), (32, 5)):
        for number in range(depth):
            x = b.layer(x, width // (1 + number % 2), 3 - 2 * (number % 2), act="leaky")
        x = b.max_pool(x, 2, pad=0)
    x = b.conv(x, CLASSES, 1)
    return b.done(b.reshape(b.op("GlobalAveragePool", x), 0, -1))


def densenet(name, opset, depths, growth=4):
    """Huang et al., 2017: every layer of a block reads all before it."""

    def build():
        b = Net(name, opset, 64)
        x = b.max_pool(b.layer("image", 2 * growth, 7, 2))
        for number, depth in enumerate(depths):
            for _ in range(depth):
                y = b.conv(b.act(b.norm(x)), 4 * growth, 1, bias=False)
                x = b.concat(x, b.conv(b.act(b.norm(y)), growth, 3, bias=False))
            if number < len(depths) - 1:
                x = b.average_pool(b.conv(b.act(b.norm(x)), b.channels[x] // 2, 1, bias=False))
        return b.head(b.act(b.norm(x)))

    return build


def vovnet():
    """Lee et al., 2019: the layers of a block are joined once, at its end."""
    b = Net("vovnet_27", 12)
    x = b.layer("image", 12, 3, 2)
    for width, wide, blocks in ((8, 16, 1), (12, 24, 1), (16, 32, 1)):
        for _ in range(blocks):
            parts, y = [x], x
            for _ in range(5):
                y = b.layer(y, width)
                parts.append(y)
            x = b.layer(b.concat(*parts), wide, 1)
        x = b.max_pool(x)
    return b.head(x)


NETWORKS = {
    "alexnet": alexnet,
    "vgg_11": vgg("vgg_11", 9, (1, 1, 2, 2, 2), norm=False),
    "vgg_16_bn": vgg("vgg_16_bn", 11, (2, 2, 3, 3, 3), norm=True),
    "vgg_19_bn": vgg("vgg_19_bn", 17, (2, 2, 4, 4, 4), norm=True),
    "squeezenet_1_0": squeezenet_1_0,
    "network_in_network": network_in_network,
    "darknet_19": darknet_19,
    "densenet_121": densenet("densenet_121", 9, (6, 12, 24, 16)),
    "densenet_169": densenet("densenet_169", 16, (6, 12, 32, 32)),
    "vovnet_27": vovnet,
}
