"""Whole networks with the published depths and connections, narrow and with random weights.

Each is written in the form that the exporters of its years gave it; `architectures()` lists them all.
"""

from collections.abc import Callable

import onnx

from . import classic, forms, inception, mobile, residual, transformers, wired

MODULES = (classic, inception, residual, wired, mobile, transformers, forms)


def architectures() -> dict[str, Callable[[], onnx.ModelProto]]:
    """Every architecture by name."""
    return {name: build for module in MODULES for name, build in module.NETWORKS.items()}
