"""Blocks of parallel paths."""

from .net import Net


def googlenet():
    """Szegedy et al., 2015, with local response normalisation, as Caffe's converter wrote it."""
    b = Net("googlenet", 8, 96)

    def block(x, one, reduce3, three, reduce5, five, pool):
        return b.concat(
            b.act(b.conv(x, one, 1)),
            b.act(b.conv(b.act(b.conv(x, reduce3, 1)), three, 3)),
            b.act(b.conv(b.act(b.conv(x, reduce5, 1)), five, 5)),
            b.act(b.conv(b.max_pool(x, 3, 1), pool, 1)),
        )

    x = b.max_pool(b.act(b.conv("image", 8, 7, 2)))
    x = b.op("LRN", x, size=5, alpha=1e-4, beta=0.75, bias=1.0)
    x = b.act(b.conv(b.act(b.conv(x, 8, 1)), 24, 3))
    x = b.max_pool(b.op("LRN", x, size=5, alpha=1e-4, beta=0.75, bias=1.0))
    for widths in ((8, 12, 16, 2, 4, 4), (16, 16, 24, 4, 12, 8)):
        x = block(x, *widths)
    x = b.max_pool(x)
    for widths in ((24, 12, 26, 2, 6, 8), (20, 14, 28, 3, 8, 8), (16, 16, 32, 3, 8, 8), (14, 18, 36, 4, 8, 8), (32, 20, 40, 4, 16, 16)):
        x = block(x, *widths)
    x = b.max_pool(x)
    for widths in ((32, 20, 40, 4, 16, 16), (48, 24, 48, 6, 16, 16)):
        x = block(x, *widths)
    return b.head(x, act="Softmax")


def inception_v3():
    """Szegedy et al., 2016: large kernels in two steps, of one row and one column."""
    b = Net("inception_v3", 11, 96)
    valid = {"pads": [0] * 4}

    def pooled(x, width):
        return b.layer(b.average_pool(x, 3, 1, 1, count_include_pad=1), width, 1)

    x = b.layer(b.layer(b.layer("image", 8, 3, 2, **valid), 8, 3, **valid), 12)
    x = b.max_pool(b.layer(b.layer(b.max_pool(x, pad=0), 12, 1, **valid), 24, 3, **valid), pad=0)
    for _ in range(3):
        x = b.concat(
            b.layer(x, 8, 1),
            b.layer(b.layer(x, 6, 1), 8, 5),
            b.layer(b.layer(b.layer(x, 8, 1), 12), 12),
            pooled(x, 6),
        )
    tall, wide = (7, 1), (1, 7)
    x = b.concat(b.layer(x, 16, 3, 2), b.layer(b.layer(b.layer(x, 8, 1), 12), 12, 3, 2), b.max_pool(x))
    for _ in range(4):
        long = b.layer(x, 8, 1)
        for kernel in (tall, wide, tall, wide):
            long = b.layer(long, 10, kernel)
        x = b.concat(b.layer(x, 10, 1), b.layer(b.layer(b.layer(x, 8, 1), 8, wide), 10, tall), long, pooled(x, 10))
    sides = b.layer(b.layer(x, 10, 1), 12, 3, 2), b.layer(b.layer(b.layer(b.layer(x, 8, 1), 8, wide), 8, tall), 8, 3, 2)
    x = b.concat(*sides, b.max_pool(x))
    for _ in range(2):
        first, second = b.layer(x, 12, 1), b.layer(b.layer(x, 12, 1), 12)
        parts = [b.layer(side, 12, kernel) for side in (first, second) for kernel in ((1, 3), (3, 1))]
        x = b.concat(b.layer(x, 16, 1), *parts, pooled(x, 8))
    return b.head(x)


def inception_resnet():
    """Szegedy et al., 2017: the paths' sum is scaled before it is added."""
    b = Net("inception_resnet", 13, 48)

    def residual(x, *paths, scale=0.2):
        y = b.conv(b.concat(*paths), b.channels[x], 1)
        return b.act(b.add(x, b.op("Mul", y, b.number(scale))))

    x = b.max_pool(b.layer(b.layer("image", 8, 3, 2), 16))
    for _ in range(5):
        x = residual(
            x, b.layer(x, 4, 1), b.layer(b.layer(x, 4, 1), 4), b.layer(b.layer(b.layer(x, 4, 1), 6), 8), scale=0.17
        )
    x = b.concat(b.max_pool(x), b.layer(x, 16, 3, 2))
    for _ in range(10):
        x = residual(x, b.layer(x, 8, 1), b.layer(b.layer(b.layer(x, 6, 1), 7, (1, 7)), 8, (7, 1)), scale=0.1)
    x = b.concat(b.max_pool(x), b.layer(b.layer(x, 8, 1), 16, 3, 2))
    for _ in range(5):
        x = residual(x, b.layer(x, 8, 1), b.layer(b.layer(b.layer(x, 8, 1), 9, (1, 3)), 10, (3, 1)))
    return b.head(x)


def xception():
    """Chollet, 2017: separable convolutions, with Keras' padding."""
    b = Net("xception", 12, 48)
    same = {"auto_pad": "SAME_UPPER"}

    def separable(x, width, gain=1):
        x = b.conv(x, b.channels[x], 3, group=b.channels[x], bias=False, **same)
        return b.norm(b.conv(x, width, 1, bias=False, **same), gain)

    def pool(x):
        return b.op("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], auto_pad="SAME_UPPER")

    x = b.layer(b.layer("image", 8, 3, 2, **same), 12, **same)
    for width in (16, 24, 32):
        skip = b.norm(b.conv(x, width, 1, 2, bias=False, **same))
        x = b.add(pool(separable(b.act(separable(b.act(x), width)), width)), skip)
    for _ in range(8):
        y = x
        for gain in (1, 1, 0.3):
            y = separable(b.act(y), 32, gain)
        x = b.add(x, y)
    return b.head(b.act(separable(b.act(separable(x, 40)), 48)))


NETWORKS = {
    "googlenet": googlenet,
    "inception_v3": inception_v3,
    "inception_resnet": inception_resnet,
    "xception": xception,
}
