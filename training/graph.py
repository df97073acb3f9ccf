"""Build an ONNX graph node by node, with 8-bit weights."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper

from training.network import EPSILON, Arrays
from training.weight_file import WeightFile

# The highest absolute value of a quantized weight. It fits in seven bits with the sign, so that a sum of two products fits in 16
# bits.
LARGEST = 63
# Arrays with more elements are stored in the weight file instead of the graph.
_SMALL = 64


class Graph:
    """The nodes and weights of a graph. Methods that add to them return the name of the output."""

    def __init__(self, arrays: Arrays, weights: WeightFile) -> None:
        self.arrays = arrays
        self._weights = weights
        self._nodes: list[onnx.NodeProto] = []
        self._tensors: dict[str, onnx.TensorProto] = {}

    def node(self, kind: str, inputs: Sequence[str], output: str = "", **attributes: Any) -> str:
        """Add a node with one output."""
        name = output or f"n{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def constant(self, value: NDArray[Any]) -> str:
        """Add a constant."""
        return self._store(f"c{len(self._tensors)}", value)

    def cast(self, value: str, to: str = "FLOAT") -> str:
        """Add a conversion to another type."""
        return self.node("Cast", [value], to=getattr(TensorProto, to))

    def rows(self, name: str, indexes: str) -> str:
        """Add a lookup in an 8-bit table with one scale for each row."""
        table = self.arrays[name]
        scale = np.abs(table).max(axis=1, keepdims=True) / 127
        numbers = self._store(name, np.round(table / scale).astype(np.int8))
        scales = self._store(f"{name}.scale", scale.astype(np.float32))
        found = self.cast(self.node("Gather", [numbers, indexes], axis=0))
        return self.node("Mul", [found, self.node("Gather", [scales, indexes], axis=0)])

    def floats(self, name: str, indexes: str) -> str:
        """Add a lookup in a table of floats."""
        return self.node("Gather", [self._store(name, self.arrays[name]), indexes], axis=0)

    def linear(self, names: Sequence[str], value: str) -> str:
        """Add linear layers with the same input as one integer matrix multiplication. Their outputs are concatenated."""
        weight = np.concatenate([self.arrays[f"{name}.weight"] for name in names]).T
        scale = np.abs(weight).max(axis=0) / LARGEST
        numbers = self._store(f"{names[0]}.weight", np.round(weight / scale).astype(np.int8))
        place = len(self._nodes)
        quantized = [f"q{place}", f"qs{place}", f"qz{place}"]
        self._nodes.append(helper.make_node("DynamicQuantizeLinear", [value], quantized))
        zero = self._store("zero", np.array(0, dtype=np.int8))
        product = self.cast(self.node("MatMulInteger", [quantized[0], numbers, quantized[2], zero]))
        scales = self.node("Mul", [quantized[1], self._store(f"{names[0]}.scale", scale.astype(np.float32))])
        return self.node("Add", [self.node("Mul", [product, scales]), self.bias(names)])

    def bias(self, names: Sequence[str]) -> str:
        """Add the concatenated biases of linear layers."""
        return self._store(f"{names[0]}.bias", np.concatenate([self.arrays[f"{name}.bias"] for name in names]))

    def float_weight(self, name: str) -> str:
        """Add the weight of a small linear layer, in floats."""
        return self._store(f"{name}.weight", self.arrays[f"{name}.weight"].T)

    def split(self, value: str, parts: int) -> list[str]:
        """Add a split of the last axis into equal parts, and return the names of the parts."""
        names = [f"s{len(self._nodes)}_{part}" for part in range(parts)]
        self._nodes.append(helper.make_node("Split", [value], names, axis=-1, num_outputs=parts))
        return names

    def normed(self, name: str, value: str) -> str:
        """Add a layer normalization."""
        parts = [self._store(f"{name}.{part}", self.arrays[f"{name}.{part}"]) for part in ("weight", "bias")]
        return self.node("LayerNormalization", [value, *parts], axis=-1, epsilon=EPSILON)

    def added(self, name: str, value: str, other: str) -> str:
        """Add the sum of two values and its layer normalization."""
        return self.normed(name, self.node("Add", [value, other]))

    def save(self, path: Path, outputs: Sequence[str]) -> None:
        """Write the graph to a file. Its inputs are `ids` and `owners`."""
        inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, ["rows", "places"]) for name in ("ids", "owners")]
        results = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
        graph = helper.make_graph(self._nodes, path.stem, inputs, results, list(self._tensors.values()))
        versions = [helper.make_opsetid("", 18), helper.make_opsetid("com.microsoft", 1)]
        onnx.save(helper.make_model(graph, opset_imports=versions, ir_version=9), str(path))

    def _store(self, name: str, array: NDArray[Any]) -> str:
        """Store an array once: in the graph if it is small, otherwise in the weight file."""
        if name not in self._tensors:
            small = array.size <= _SMALL
            self._tensors[name] = onnx.numpy_helper.from_array(array, name) if small else self._weights.tensor(name, array)
        return name
