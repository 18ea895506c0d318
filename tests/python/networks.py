"""Small networks of the classical families with random weights, in the forms that exporters give them."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper


class Builder:
    """Collects the nodes of one network; every method answers the name of the tensor that it adds."""

    def __init__(self, name, opset, seed=0):
        self.name, self.opset = name, opset
        self.random = np.random.default_rng(seed)
        self.nodes, self.weights = [], []

    def weight(self, *shape, scale=None, positive=False):
        fan_in = int(np.prod(shape[1:])) or 1
        values = self.random.normal(size=shape) * (scale or np.sqrt(2 / fan_in))
        return self.constant((np.abs(values) + 0.5 if positive else values).astype(np.float32))

    def constant(self, value):
        name = f"weight_{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def node(self, op_type, *inputs, outputs=1, **attributes):
        names = [f"{op_type.lower()}_{len(self.nodes)}" + (f"_{index}" if index else "") for index in range(outputs)]
        self.nodes.append(helper.make_node(op_type, list(inputs), names, name=names[0], **attributes))
        return names[0]

    def conv(self, x, channels_in, channels, kernel, stride=1, group=1, bias=True, **attributes):
        if not attributes:
            attributes = {"pads": [kernel // 2] * 4}
        w = self.weight(channels, channels_in // group, kernel, kernel)
        inputs = [x, w, self.weight(channels, scale=0.1)] if bias else [x, w]
        return self.node(
            "Conv", *inputs, kernel_shape=[kernel] * 2, strides=[stride] * 2, group=group, **attributes
        )

    def norm(self, x, channels):
        scale, bias, mean = (self.weight(channels, scale=0.2) for _ in range(3))
        return self.node("BatchNormalization", x, scale, bias, mean, self.weight(channels, positive=True))

    def relu6(self, x):
        if self.opset < 11:
            return self.node("Clip", x, min=0.0, max=6.0)
        return self.node("Clip", x, self.constant(np.float32(0)), self.constant(np.float32(6)))

    def dropout(self, x):
        if self.opset < 12:
            return self.node("Dropout", x, outputs=2, ratio=0.5)  # With its mask, which nobody reads.
        return self.node("Dropout", x)

    def linear(self, x, inputs, outputs):
        return self.node("Gemm", x, self.weight(outputs, inputs), self.weight(outputs, scale=0.1), transB=1)

    def view(self, x, *rest):
        """`x.view(x.size(0), *rest)` as torch exports it: a shape computed from a shape."""
        shape = self.node("Shape", x)
        batch = self.node("Gather", shape, self.node("Constant", value=numpy_helper.from_array(np.array(0))), axis=0)
        if self.opset < 13:
            batch = self.node("Unsqueeze", batch, axes=[0])
        else:
            batch = self.node("Unsqueeze", batch, self.constant(np.array([0])))
        rest = self.node("Constant", value=numpy_helper.from_array(np.array(rest)))
        return self.node("Reshape", x, self.node("Concat", batch, rest, axis=0))

    def model(self, output, size, batch="batch", weights_as_inputs=False):
        image = helper.make_tensor_value_info("image", TensorProto.FLOAT, [batch, 3, size, size])
        inputs = [image]
        if weights_as_inputs:
            inputs += [helper.make_tensor_value_info(w.name, w.data_type, w.dims) for w in self.weights]
        self.nodes[-1].output[0] = "logits"
        outputs = [helper.make_empty_tensor_value_info("logits")]
        graph = helper.make_graph(self.nodes, self.name, inputs, outputs, self.weights)
        version = 3 if weights_as_inputs else 8
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)], ir_version=version)


def vgg(opset):
    b = Builder("vgg", opset, 1)
    x, channels = "image", 3
    for width, depth in ((8, 1), (16, 2), (24, 2)):
        for _ in range(depth):
            x, channels = b.node("Relu", b.conv(x, channels, width, 3)), width
        x = b.node("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2])
    x = b.node("Flatten", x)
    x = b.dropout(b.node("Relu", b.linear(x, 24 * 4 * 4, 32)))
    return b.model(b.linear(x, 32, 10), 32)


def resnet(opset):
    b = Builder("resnet", opset, 2)
    x = b.node("Relu", b.norm(b.conv("image", 3, 16, 7, 2, bias=False), 16))
    x, channels = b.node("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], pads=[1, 1, 1, 1]), 16
    for width, stride in ((16, 1), (32, 2), (64, 2)):
        skip = x
        x = b.node("Relu", b.norm(b.conv(x, channels, width, 3, stride, bias=False), width))
        x = b.norm(b.conv(x, width, width, 3, bias=False), width)
        if stride > 1:
            skip = b.norm(b.conv(skip, channels, width, 1, stride, bias=False), width)
        x, channels = b.node("Relu", b.node("Sum" if opset < 9 else "Add", x, skip)), width
    x = b.node("Flatten", b.node("GlobalAveragePool", x))
    return b.model(b.linear(x, 64, 10), 64, weights_as_inputs=opset < 9)


def mobilenet_v1(opset):
    """With TensorFlow's padding, which is odd at the end."""
    b = Builder("mobilenet_v1", opset, 3)
    same = {"auto_pad": "SAME_UPPER"}
    x, channels = b.relu6(b.norm(b.conv("image", 3, 8, 3, 2, bias=False, **same), 8)), 8
    for width, stride in ((16, 1), (32, 2), (32, 1), (64, 2)):
        x = b.conv(x, channels, channels, 3, stride, group=channels, bias=False, **same)
        x = b.relu6(b.norm(x, channels))
        x, channels = b.relu6(b.norm(b.conv(x, channels, width, 1, bias=False), width)), width
    axes = [b.constant(np.array([2, 3]))] if opset >= 18 else []
    x = b.node("ReduceMean", x, *axes, keepdims=1, **({} if axes else {"axes": [2, 3]}))
    x = b.conv(b.dropout(x), 64, 10, 1)
    return b.model(b.node("Reshape", x, b.constant(np.array([1, 10]))), 33, batch=1)


def mobilenet_v2(opset):
    b = Builder("mobilenet_v2", opset, 4)
    x, channels = b.relu6(b.norm(b.conv("image", 3, 8, 3, 2, bias=False), 8)), 8
    for width, stride, expand in ((8, 1, 1), (12, 2, 4), (12, 1, 4), (24, 2, 4), (24, 1, 4)):
        wide = channels * expand
        y = b.relu6(b.norm(b.conv(x, channels, wide, 1, bias=False), wide)) if expand > 1 else x
        y = b.relu6(b.norm(b.conv(y, wide, wide, 3, stride, group=wide, bias=False), wide))
        y = b.norm(b.conv(y, wide, width, 1, bias=False), width)
        x, channels = (b.node("Add", x, y) if stride == 1 and width == channels else y), width
    x = b.relu6(b.norm(b.conv(x, 24, 48, 1, bias=False), 48))
    return b.model(b.linear(b.view(b.node("GlobalAveragePool", x), -1), 48, 10), 32)


def squeezenet(opset):
    b = Builder("squeezenet", opset, 5)

    def pool(x):
        return b.node("MaxPool", x, kernel_shape=[3, 3], strides=[2, 2], **({"ceil_mode": 1} if opset >= 10 else {}))

    x, channels = pool(b.node("Relu", b.conv("image", 3, 16, 3, 2, pads=[0] * 4))), 16
    for squeeze, width in ((8, 16), (8, 24), (12, 32)):
        x = b.node("Relu", b.conv(x, channels, squeeze, 1))
        sides = [b.node("Relu", b.conv(x, squeeze, width, kernel)) for kernel in (1, 3)]
        x, channels = b.node("Concat", *sides, axis=1), 2 * width
        x = pool(x) if width == 16 else x
    x = b.node("Relu", b.conv(b.dropout(x), channels, 10, 1))
    x = b.node("AveragePool", x, kernel_shape=[7, 7] if opset >= 10 else [6, 6])
    return b.model(b.node("Softmax", b.view(x, 10) if opset >= 10 else x), 64)


FAMILIES = [vgg, resnet, mobilenet_v1, mobilenet_v2, squeezenet]


def networks():
    """Every family, as exporters of several years wrote it."""
    return [(f"{family.__name__}-{opset}", family(opset)) for family in FAMILIES for opset in (7, 11, 13, 18, 21)]
