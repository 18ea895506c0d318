"""Networks of several branches, scales and merges."""

import numpy as np

from .net import Net


def csp_darknet(name, opset, act):
    """Wang et al., 2020: half of the channels pass by each stage's blocks."""

    def build():
        b = Net(name, opset)
        x = b.layer("image", 8, act=act)
        for width, depth in ((16, 1), (24, 2), (32, 4), (48, 2)):
            x = b.layer(x, width, 3, 2, act=act)
            passing, y = b.layer(x, width // 2, 1, act=act), b.layer(x, width // 2, 1, act=act)
            for _ in range(depth):
                y = b.add(y, b.layer(b.layer(y, width // 2, 1, act=act), width // 2, act=act))
            x = b.layer(b.concat(b.layer(y, width // 2, 1, act=act), passing), width, 1, act=act)
        return b.head(x)

    return build


def dual_path():
    """Chen et al., 2017: one part of the channels is added, the other grows."""
    b = Net("dual_path", 11)
    x = b.max_pool(b.layer("image", 12, 3, 2))
    for width, grow, depth in ((16, 4, 3), (24, 4, 3)):
        for number in range(depth):
            stride = 2 if number == 0 and width > 16 else 1
            if number == 0:
                skip = b.conv(b.act(b.norm(x)), width + 2 * grow, 1, stride, bias=False)
            else:
                skip = x
            y = b.conv(b.act(b.norm(x)), 16, 1, bias=False)
            y = b.conv(b.act(b.norm(y)), 16, 3, stride, 4, bias=False)
            y = b.conv(b.act(b.norm(y)), width + grow, 1, bias=False)
            total = b.channels[skip]
            added = b.add(b.slice(skip, 0, width, 1, width), b.slice(y, 0, width, 1, width))
            grown = b.slice(skip, width, 1000, 1, total - width), b.slice(y, width, 1000, 1, grow)
            x = b.concat(added, *grown)
    return b.head(b.act(b.norm(x)))


def layer_aggregation():
    """DLA (Yu et al., 2018): a tree of blocks, joined at its nodes."""
    b = Net("dla_34", 12)

    def block(x, width, stride=1):
        skip = x
        if stride > 1:
            skip = b.max_pool(x, 2, pad=0)
        if b.channels[skip] != width:
            skip = b.norm(b.conv(skip, width, 1, bias=False))
        return b.act(b.add(b.norm(b.conv(b.layer(x, width, 3, stride), width, bias=False)), skip))

    def tree(x, width, depth, stride=1, more=()):
        if depth == 0:
            return block(x, width, stride)
        if depth == 1:
            first = block(x, width, stride)
            second = block(first, width)
            return b.layer(b.concat(first, second, *more), width, 1)
        first = tree(x, width, depth - 1, stride)
        return tree(first, width, depth - 1, more=(*more, first))

    x = b.layer(b.layer("image", 8, 7), 8, 3, 2)
    for width, depth in ((12, 1), (16, 2), (24, 2), (32, 1)):
        x = tree(x, width, depth, 2)
    return b.head(x)


def high_resolution():
    """HRNet (Wang et al., 2021): two scales side by side, resized to one another by Upsample's successor."""
    b = Net("hrnet", 11)

    def larger(x):
        scales = b.constant(np.array([1, 1, 2, 2], "f"))
        return b.op("Resize", x, b.constant(np.array([], "f")), scales, mode="nearest",
                    coordinate_transformation_mode="asymmetric", nearest_mode="floor")

    x = b.layer(b.layer("image", 12, 3, 2), 12)
    fine, coarse = b.layer(x, 8), b.layer(x, 16, 3, 2)
    for _ in range(3):
        fine, coarse = (b.act(b.add(y, b.norm(b.conv(b.layer(y, b.channels[y]), b.channels[y], bias=False)))) for y in (fine, coarse))
        up = larger(b.norm(b.conv(coarse, 8, 1, bias=False)))
        down = b.norm(b.conv(fine, 16, 3, 2, bias=False))
        fine, coarse = b.act(b.add(fine, up)), b.act(b.add(coarse, down))
    return b.head(b.layer(b.add(b.layer(fine, 24, 3, 2), b.layer(coarse, 24, 1)), 32, 1))


def feature_pyramid():
    """A ResNet whose scales are brought to one another bilinearly, as PaddlePaddle and torch resize."""
    b = Net("feature_pyramid", 13, 64)
    x, levels = b.layer("image", 8, 3, 2), []
    for width in (12, 16, 24):
        x = b.layer(b.layer(x, width, 3, 2), width)
        levels.append(b.conv(x, 16, 1))
    top = levels.pop()
    while levels:
        level = levels.pop()
        up = b.op("Resize", top, "", b.constant(np.array([1, 1, 2, 2], "f")), mode="linear", coordinate_transformation_mode="half_pixel")
        top = b.conv(b.add(level, up), 16)
    return b.head(b.act(top))


def hourglass():
    """Down and up again by transposed convolutions, with skips (U-Net, Ronneberger et al., 2015), then a classifier."""
    b = Net("hourglass", 16)
    first = b.layer("image", 8)
    second = b.layer(b.max_pool(first, 2, pad=0), 12)
    x = b.layer(b.max_pool(second, 2, pad=0), 16)
    for width, skip in ((12, second), (8, first)):
        up = b.node("ConvTranspose", x, b.weight(b.channels[x], width, 2, 2), b.near(width, 0), kernel_shape=[2, 2], strides=[2, 2])
        x = b.layer(b.concat(b.keep(up, width), skip), width)
    return b.head(b.layer(b.max_pool(x, 2, pad=0), 24))


def repvgg():
    """Ding et al., 2021, as it is trained: two convolutions and the identity side by side."""
    b, x = Net("repvgg", 14), "image"
    for width, depth in ((8, 1), (12, 2), (16, 4), (24, 1)):
        for number in range(depth):
            stride = 2 if number == 0 else 1
            y = b.add(b.norm(b.conv(x, width, 3, stride, bias=False)), b.norm(b.conv(x, width, 1, stride, bias=False)))
            x = b.act(b.add(y, b.norm(x)) if b.channels[x] == width and stride == 1 else y)
    return b.head(x)


def squeeze_by_space():
    """TResNet's stem (Ridnik et al., 2021): pixels become channels, then leaky blocks with squeeze and excitation."""
    b = Net("tresnet", 13)
    x = b.keep(b.node("SpaceToDepth", "image", blocksize=4), 48)
    x = b.layer(x, 16, act="leaky")
    for width in (16, 24):
        for number in range(2):
            y = b.layer(x, width, act="leaky")
            y = b.squeeze_excite(b.norm(b.conv(y, width, bias=False)))
            x = b.act(b.add(y, x if b.channels[x] == width else b.norm(b.conv(x, width, 1, bias=False))), "leaky")
    return b.head(x)


def normaliser_free():
    """NFNet (Brock et al., 2021): scaled activations instead of batch normalisation."""
    b = Net("nfnet", 17)

    def act(x):
        return b.op("Mul", b.gelu(x), b.number(1.7))

    x = b.conv(act(b.conv("image", 12, 3, 2)), 16, 3, 2)
    for width in (16, 24):
        for number in range(2):
            stride = 2 if number == 0 and width == 24 else 1
            y = act(b.op("Div", x, b.number(1.1)))
            skip = x if number or width == 16 else b.conv(b.average_pool(y), width, 1)
            y = b.conv(act(b.conv(act(b.conv(y, 8, 1)), 8, 3, stride, 2)), width, 1)
            y = b.op("Mul", b.squeeze_excite(y), b.number(2))
            x = b.add(b.op("Mul", y, b.number(0.2)), skip)
    return b.head(act(b.conv(x, 32, 1)))


NETWORKS = {
    "csp_darknet_mish": csp_darknet("csp_darknet_mish", 11, "mish"),
    "csp_darknet_silu": csp_darknet("csp_darknet_silu", 17, "silu"),
    "dual_path": dual_path,
    "dla_34": layer_aggregation,
    "hrnet": high_resolution,
    "feature_pyramid": feature_pyramid,
    "hourglass": hourglass,
    "repvgg": repvgg,
    "tresnet": squeeze_by_space,
    "nfnet": normaliser_free,
}
