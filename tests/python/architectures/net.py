"""Layers as papers speak of them, over the node builder."""

import numpy as np
from networks import Builder
from onnx import TensorProto, helper, numpy_helper

CLASSES = 10


class Net(Builder):
    """Knows the channels of every tensor, so that a layer only names its width. Weights keep the signal's size."""

    def __init__(self, name, opset, size=32, seed=None):
        super().__init__(name, opset, sum(map(ord, name)) if seed is None else seed)
        self.size = size
        self.channels = {"image": 3}

    def keep(self, x, like):
        """Tensor `x`, which has as many channels as `like`, a name or a number."""
        self.channels[x] = like if isinstance(like, int) else self.channels[like]
        return x

    def op(self, op_type, x, *more, **attributes):
        """A node that keeps the channels of its first input."""
        return self.keep(self.node(op_type, x, *more, **attributes), x)

    def ints(self, *values):
        return self.constant(np.array(values, np.int64))

    def number(self, value):
        return self.constant(np.float32(value))

    def conv(self, x, width, kernel=3, stride=1, group=1, bias=True, **attributes):
        kernel = [kernel] * 2 if isinstance(kernel, int) else list(kernel)
        if not {"pads", "auto_pad"} & attributes.keys():
            attributes["pads"] = [kernel[0] // 2, kernel[1] // 2] * 2
        weight = self.weight(width, self.channels[x] // group, *kernel)
        inputs = [weight, self.weight(width, scale=0.1)] if bias else [weight]
        y = self.node("Conv", x, *inputs, kernel_shape=kernel, strides=[stride] * 2, group=group, **attributes)
        return self.keep(y, width)

    def near(self, count, centre):
        return self.constant((centre + self.random.normal(size=count) * 0.1).astype(np.float32))

    def norm(self, x, gain=1):
        """Batch normalisation; a small gain where blocks are added keeps deep networks from growing."""
        count = self.channels[x]
        parameters = [self.near(count, centre) for centre in (gain, 0, 0, 1)]
        return self.op("BatchNormalization", x, *parameters, epsilon=1e-3)

    def act(self, x, kind="Relu"):
        """An activation by name; names in small letters are those that exporters spell out."""
        if not kind:
            return x
        spelt = getattr(self, kind, None)
        return spelt(x) if spelt else self.op(kind, x)

    def relu6(self, x):
        return self.keep(super().relu6(x), x)

    def leaky(self, x):
        return self.op("LeakyRelu", x, alpha=0.1)

    def silu(self, x):
        return self.op("Mul", x, self.op("Sigmoid", x))

    def mish(self, x):
        return self.op("Mul", x, self.op("Tanh", self.op("Softplus", x)))

    def hard_sigmoid(self, x):
        """(relu6(x + 3)) / 6, as torch wrote it before operator set 14."""
        return self.op("Div", self.relu6(self.op("Add", x, self.number(3))), self.number(6))

    def hard_swish(self, x):
        return self.op("Mul", x, self.hard_sigmoid(x))

    def gelu(self, x):
        """By Erf, as torch writes it before operator set 20."""
        inner = self.op("Add", self.op("Erf", self.op("Div", x, self.number(np.sqrt(2)))), self.number(1))
        return self.op("Mul", self.op("Mul", x, inner), self.number(0.5))

    def gelu_tanh(self, x):
        cubed = self.op("Mul", self.op("Pow", x, self.number(3)), self.number(0.044715))
        inner = self.op("Tanh", self.op("Mul", self.op("Add", x, cubed), self.number(np.sqrt(2 / np.pi))))
        return self.op("Mul", self.op("Mul", x, self.number(0.5)), self.op("Add", inner, self.number(1)))

    def layer(self, x, width, kernel=3, stride=1, group=1, act="Relu", gain=1, **attributes):
        """Convolution, batch normalisation, activation."""
        return self.act(self.norm(self.conv(x, width, kernel, stride, group, bias=False, **attributes), gain), act)

    def depthwise(self, x, kernel=3, stride=1, act="Relu", **attributes):
        return self.layer(x, self.channels[x], kernel, stride, self.channels[x], act, **attributes)

    def add(self, x, y):
        return self.op("Add", x, y)

    def concat(self, *parts):
        return self.keep(self.node("Concat", *parts, axis=1), sum(self.channels[part] for part in parts))

    def max_pool(self, x, kernel=3, stride=2, pad=None, **attributes):
        pads = [kernel // 2 if pad is None else pad] * 4
        if attributes.get("ceil_mode") == 0 or self.opset < 10:
            attributes.pop("ceil_mode", None)
        return self.op("MaxPool", x, kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=pads, **attributes)

    def average_pool(self, x, kernel=2, stride=2, pad=0, **attributes):
        return self.op("AveragePool", x, kernel_shape=[kernel] * 2, strides=[stride] * 2, pads=[pad] * 4, **attributes)

    def reduce(self, op_type, x, axes, keepdims=1):
        """A reduction; its axes are an input since operator set 18, for sums since 13."""
        since = 13 if op_type == "ReduceSum" else 18
        given = [self.ints(*axes)] if self.opset >= since else []
        attributes = {} if given else {"axes": list(axes)}
        return self.op(op_type, x, *given, keepdims=keepdims, **attributes)

    def squeeze_excite(self, x, share=4, act="Relu", gate="Sigmoid"):
        """Hu et al., 2018."""
        squeezed = self.conv(self.op("GlobalAveragePool", x), max(self.channels[x] // share, 2), 1)
        return self.op("Mul", x, self.act(self.conv(self.act(squeezed, act), self.channels[x], 1), gate))

    def split(self, x, sizes):
        """Parts along the channels."""
        names = [f"split_{len(self.nodes)}_{part}" for part in range(len(sizes))]
        inputs, attributes = ([x, self.ints(*sizes)], {}) if self.opset >= 13 else ([x], {"split": list(sizes)})
        self.nodes.append(helper.make_node("Split", inputs, names, name=names[0], axis=1, **attributes))
        return [self.keep(name, size) for name, size in zip(names, sizes)]

    def slice(self, x, start, end, axis, width=None):
        if self.opset < 10:
            y = self.node("Slice", x, starts=[start], ends=[end], axes=[axis])
        else:
            y = self.node("Slice", x, self.ints(start), self.ints(end), self.ints(axis))
        return self.keep(y, x if width is None else width)

    def reshape(self, x, *shape, channels=None):
        return self.keep(self.node("Reshape", x, self.ints(*shape)), x if channels is None else channels)

    def transpose(self, x, *perm, channels=None):
        return self.keep(self.node("Transpose", x, perm=list(perm)), x if channels is None else channels)

    def shuffle(self, x, groups, size):
        """Channel shuffle (ShuffleNet), for a side of `size` pixels."""
        width = self.channels[x]
        y = self.transpose(self.reshape(x, -1, groups, width // groups, size, size), 0, 2, 1, 3, 4)
        return self.keep(self.reshape(y, -1, width, size, size), width)

    def matmul(self, x, width, bias=True):
        """A linear layer on the last axis, as torch writes it for more than two axes."""
        inputs = self.channels[x]
        y = self.keep(self.node("MatMul", x, self.weight(inputs, width, scale=np.sqrt(1 / inputs))), width)
        return self.op("Add", y, self.weight(width, scale=0.1)) if bias else y

    def layer_norm(self, x):
        """Over the last axis; spelt out before operator set 17."""
        scale, shift = (self.near(self.channels[x], centre) for centre in (1, 0))
        if self.opset >= 17:
            return self.op("LayerNormalization", x, scale, shift, axis=-1, epsilon=1e-6)
        centred = self.op("Sub", x, self.reduce("ReduceMean", x, [-1]))
        variance = self.reduce("ReduceMean", self.op("Pow", centred, self.number(2)), [-1])
        deviation = self.op("Sqrt", self.op("Add", variance, self.number(1e-6)))
        return self.op("Add", self.op("Mul", self.op("Div", centred, deviation), scale), shift)

    def head(self, x, classes=CLASSES, act=None):
        """Global average pooling and a linear layer."""
        flat = self.op("Flatten", self.op("GlobalAveragePool", x), axis=1)
        return self.done(self.linear(self.dropout(flat), self.channels[x], classes), act)

    def linear(self, x, inputs, outputs):
        weight = self.weight(outputs, inputs, scale=np.sqrt(1 / inputs))
        return self.keep(self.node("Gemm", x, weight, self.weight(outputs, scale=0.1), transB=1), outputs)

    def dropout(self, x):
        return self.keep(super().dropout(x), x)

    def done(self, x, act=None, **options):
        """The model that ends with `x`."""
        if act:
            self.node(act, x)
        model = self.model(None, self.size, **options)
        model.graph.output[0].CopyFrom(helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", "classes"]))
        return model


def halved(model):
    """The model with its float weights stored in 16 bits and cast up by the nodes that read them."""
    casts = []
    for initializer in model.graph.initializer:
        if initializer.data_type == TensorProto.FLOAT:
            values = numpy_helper.to_array(initializer).astype(np.float16)
            name = initializer.name
            initializer.CopyFrom(numpy_helper.from_array(values, f"{name}_half"))
            casts.append(helper.make_node("Cast", [f"{name}_half"], [name], name=f"cast_{name}", to=TensorProto.FLOAT))
    nodes = casts + list(model.graph.node)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    return model
