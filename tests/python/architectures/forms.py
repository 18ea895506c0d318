"""Networks in the forms of other exporters: channels last, quantised, in 16 bits, for a fixed batch."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from .mobile import V2, inverted
from .net import Net, halved
from .residual import bottleneck, plain, resnet


def channels_last(name, opset, build_body, images_too=True):
    """As tf2onnx writes Keras' networks: channels come last, of images too by default, with a Transpose around each
    convolution."""

    def build():
        b = Net(name, opset, 64)

        def conv(x, width, kernel=3, stride=1, group=1):
            y = b.transpose(x, 0, 3, 1, 2)
            y = b.conv(y, width, kernel, stride, group, bias=False, auto_pad="SAME_UPPER")
            return b.transpose(y, 0, 2, 3, 1)

        def norm(x):
            scale, shift = (b.near(b.channels[x], centre) for centre in (1, 0))
            return b.op("Add", b.op("Mul", x, scale), shift)

        x = build_body(b, "image" if images_too else b.transpose("image", 0, 2, 3, 1), conv, norm)
        x = b.reduce("ReduceMean", x, [1, 2], keepdims=0)
        model = b.done(b.matmul(b.dropout(x), 10), "Softmax")
        if images_too:
            shape = ["batch", b.size, b.size, 3]
            model.graph.input[0].CopyFrom(helper.make_tensor_value_info("image", TensorProto.FLOAT, shape))
        return model

    return build


def keras_mobilenet(b, x, conv, norm):
    x = b.relu6(norm(conv(x, 8, 3, 2)))
    for width, stride in ((12, 1), (16, 2), (16, 1), (24, 2), (24, 1), (32, 2)):
        x = b.relu6(norm(conv(x, b.channels[x], 3, stride, b.channels[x])))
        x = b.relu6(norm(conv(x, width, 1)))
    return x


def keras_efficientnet(b, x, conv, norm):
    x = b.silu(norm(conv(x, 8, 3, 2)))
    for width, stride in ((12, 2), (12, 1), (16, 2), (16, 1)):
        wide = 4 * b.channels[x]
        y = b.silu(norm(conv(x, wide, 1)))
        y = b.silu(norm(conv(y, wide, 3, stride, wide)))
        gate = b.reduce("ReduceMean", y, [1, 2])
        gate = b.op("Sigmoid", conv(b.silu(conv(gate, 8, 1)), wide, 1))
        y = norm(conv(b.op("Mul", y, gate), width, 1))
        x = b.add(x, y) if stride == 1 and b.channels[x] == width else y
    return b.silu(norm(conv(x, 32, 1)))


def keras_resnet(b, x, conv, norm):
    x = b.act(norm(conv(x, 12, 3, 2)))
    for width, stride in ((12, 1), (16, 2), (24, 2)):
        y = norm(conv(b.act(norm(conv(x, width, 3, stride))), width))
        skip = x if stride == 1 and b.channels[x] == width else norm(conv(x, width, 1, stride))
        x = b.act(b.add(y, skip))
    return x


def quantised():
    """MobileNetV2 with weights of 8 bits and scales per channel, and activations quantised between the layers."""
    model = inverted("mobilenet_v2_int8", 13, V2[:4])()
    graph, weights, nodes = model.graph, {}, []
    for initializer in list(graph.initializer):
        values = numpy_helper.to_array(initializer)
        if values.ndim == 4:
            scale = (np.abs(values).max(axis=(1, 2, 3)) / 127).astype(np.float32)
            stored = np.round(values / scale[:, None, None, None]).astype(np.int8)
            weights[initializer.name] = (stored, scale)
            graph.initializer.remove(initializer)
    for name, (stored, scale) in weights.items():
        graph.initializer.extend(
            numpy_helper.from_array(value, f"{name}_{part}")
            for part, value in (("int8", stored), ("scale", scale), ("zero", np.zeros(len(scale), np.int8)))
        )
        inputs = [f"{name}_{part}" for part in ("int8", "scale", "zero")]
        nodes.append(helper.make_node("DequantizeLinear", inputs, [name], name=f"{name}_dequantize", axis=0))
    graph.node.reverse()
    graph.node.extend(reversed(nodes))
    graph.node.reverse()
    return model


def fixed_batch():
    """A ResNet for exactly one image, the batch written into its shapes."""
    b = Net("resnet_fixed", 12)
    x = b.layer("image", 12, 3, 2)
    for width in (12, 24):
        y = plain(b, x, width, 1)
        x = b.act(b.add(y, x if b.channels[x] == width else b.norm(b.conv(x, width, 1, bias=False))))
    x = b.reshape(b.op("GlobalAveragePool", x), 1, 24)
    return b.done(b.linear(x, 24, 10), batch=1)


def half_weights():
    return halved(resnet("resnet_half", 13, (2, 2, 2, 2), bottleneck)())


def typed():
    """A network whose weights are float64, cast on the way, and whose classifier ends in LogSoftmax."""
    b = Net("resnet_double", 13)
    x = b.max_pool(b.layer("image", 12, 3, 2))
    x = b.op("Flatten", b.op("GlobalAveragePool", b.layer(x, 24)))
    weight = b.constant(b.random.normal(size=(24, 10)) * 0.2)
    weight = b.node("Cast", weight, to=TensorProto.FLOAT)
    x = b.keep(b.node("MatMul", x, weight), 10)
    return b.done(x, "LogSoftmax")


NETWORKS = {
    "keras_mobilenet": channels_last("keras_mobilenet", 13, keras_mobilenet, images_too=False),
    "keras_efficientnet": channels_last("keras_efficientnet", 15, keras_efficientnet),
    "keras_resnet": channels_last("keras_resnet", 18, keras_resnet),
    "mobilenet_v2_int8": quantised,
    "resnet_half": half_weights,
    "resnet_fixed": fixed_batch,
    "resnet_double": typed,
}
