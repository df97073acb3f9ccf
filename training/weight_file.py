"""One file of weights for several ONNX graphs. Equal arrays are stored once."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray

_ALIGNED = 64


class WeightFile:
    """Collects arrays and their offsets in the file."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._data = bytearray()
        self._known: dict[bytes, int] = {}

    def tensor(self, name: str, array: NDArray[Any]) -> onnx.TensorProto:
        """Add an array, and return an ONNX tensor that refers to it."""
        data = np.ascontiguousarray(array).tobytes()
        key = hashlib.sha256(data).digest()
        if key not in self._known:
            self._data += bytes(-len(self._data) % _ALIGNED)
            self._known[key] = len(self._data)
            self._data += data
        tensor = onnx.TensorProto(name=name, data_type=onnx.helper.np_dtype_to_tensor_dtype(array.dtype), dims=array.shape)
        tensor.data_location = onnx.TensorProto.EXTERNAL
        for field, value in (("location", self.name), ("offset", self._known[key]), ("length", len(data))):
            tensor.external_data.add(key=field, value=str(value))
        return tensor

    def save(self, folder: Path) -> None:
        """Write the file."""
        (folder / self.name).write_bytes(self._data)
