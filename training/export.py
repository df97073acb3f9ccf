"""Export the trained network as two ONNX graphs that share 8-bit weights: `python -m training.export FOLDER`.

Weights use 7 of the 8 bits, so that sums of products of bytes never overflow the 16-bit registers of processors without VNNI. All
processors therefore compute the same integers. In both graphs, the embeddings and the lowest layers are those of the base model.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from interviewer.grading.learned.packing import MOST_PLACES, MOST_SEGMENTS, PADDING
from training.base import base_model_of
from training.graph import Graph
from training.network import SEGMENT, WHOLE, Arrays, layers_of
from training.weight_file import WeightFile

HEADS = 12
PLACES = "embeddings.position_embeddings.weight"


def export(judge: Arrays, base: Arrays, folder: Path) -> None:
    """Write `judge.onnx`, `vectors.onnx`, and their weights to `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = WeightFile("weights.bin")
    _judge(judge, weights).save(folder / "judge.onnx", ["segments", "whole"])
    _vectors(base, weights).save(folder / "vectors.onnx", ["vectors"])
    weights.save(folder)


def _vectors(arrays: Arrays, weights: WeightFile) -> Graph:
    graph = _graph(arrays, weights)
    hidden, filled = _encoder(graph)
    vector = _mean(graph, filled, hidden)
    graph.node("Div", [vector, _length(graph, vector)], "vectors")
    return graph


def _graph(arrays: Arrays, weights: WeightFile) -> Graph:
    return Graph({**arrays, PLACES: arrays[PLACES][:MOST_PLACES]}, weights)


def _length(graph: Graph, vector: str) -> str:
    return graph.node("ReduceL2", [vector, graph.constant(np.array([-1]))], keepdims=1)


def _judge(arrays: Arrays, weights: WeightFile) -> Graph:
    graph = _graph(arrays, weights)
    hidden, _ = _encoder(graph)
    places = graph.constant(np.arange(1, MOST_SEGMENTS + 1).reshape(1, -1, 1))
    members = graph.node("Equal", [graph.node("Unsqueeze", ["owners", graph.constant(np.array([1]))]), places])
    each = _means(graph, graph.cast(members), hidden)
    criterion = _mean(graph, graph.cast(graph.node("Equal", ["owners", graph.constant(np.array(0))])), hidden)
    everything = _mean(graph, graph.cast(graph.node("Greater", ["owners", graph.constant(np.array(0))])), hidden)
    first = graph.node("Gather", [hidden, graph.constant(np.array([0]))], axis=1)
    _head(graph, SEGMENT, (first, criterion, each), "segments")
    _head(graph, WHOLE, (first, criterion, everything), "whole")
    return graph


def _encoder(graph: Graph) -> tuple[str, str]:
    """Add the encoder. Returns the names of its output and of a mask with 1.0 for each position that is not padding."""
    types = graph.cast(graph.node("Greater", ["owners", graph.constant(np.array(0))]), to="INT64")
    length = graph.node("Gather", [graph.node("Shape", ["ids"]), graph.constant(np.array(1))], axis=0)
    places = graph.node("Range", [graph.constant(np.array(0)), length, graph.constant(np.array(1))])
    words = graph.rows("embeddings.word_embeddings.weight", "ids")
    kinds = graph.floats("embeddings.token_type_embeddings.weight", types)
    positions = graph.floats(PLACES, places)
    added = graph.node("Add", [graph.node("Add", [words, kinds]), positions])
    hidden = graph.normed("embeddings.LayerNorm", added)
    filled = graph.node("Greater", ["owners", graph.constant(np.array(PADDING))])
    mask = graph.cast(filled, to="INT32")
    for layer in range(layers_of(graph.arrays)):
        hidden = _layer(graph, f"encoder.layer.{layer}", hidden, mask)
    return hidden, graph.cast(filled)


def _layer(graph: Graph, name: str, hidden: str, mask: str) -> str:
    parts = [f"{name}.attention.self.{part}" for part in ("query", "key", "value")]
    query, key, value = graph.split(graph.linear(parts, hidden), 3)
    attended = graph.node("MultiHeadAttention", [query, key, value, "", mask], domain="com.microsoft", num_heads=HEADS)
    hidden = graph.added(f"{name}.attention.output.LayerNorm", graph.linear([f"{name}.attention.output.dense"], attended), hidden)
    inner = graph.node("Gelu", [graph.linear([f"{name}.intermediate.dense"], hidden)], domain="com.microsoft")
    return graph.added(f"{name}.output.LayerNorm", graph.linear([f"{name}.output.dense"], inner), hidden)


def _head(graph: Graph, name: str, inputs: tuple[str, str, str], output: str) -> None:
    """Add a classification head. The axes of its inputs are rows, segments (one for all segments together), and width."""
    first, criterion, said = inputs
    like = graph.node("Expand", [first, graph.node("Shape", [said])])
    apart = graph.node("Abs", [graph.node("Sub", [criterion, said])])
    features = graph.node("Concat", [like, said, apart, graph.node("Mul", [criterion, said])], axis=-1)
    inner = graph.node("Tanh", [graph.linear([f"{name}.dense"], features)])
    graph.node("Add", [graph.node("MatMul", [inner, graph.float_weight(f"{name}.out")]), graph.bias([f"{name}.out"])], output)


def _mean(graph: Graph, where: str, hidden: str) -> str:
    """Add the mean over the positions in `where` (rows, positions). Its shape is (rows, 1, width)."""
    return _means(graph, graph.node("Unsqueeze", [where, graph.constant(np.array([1]))]), hidden)


def _means(graph: Graph, members: str, hidden: str) -> str:
    """Add the mean over the positions of each member. `members` has the shape (rows, members, positions)."""
    count = graph.node("ReduceSum", [members, graph.constant(np.array([-1]))], keepdims=1)
    count = graph.node("Max", [count, graph.constant(np.array(1.0, dtype=np.float32))])
    return graph.node("Div", [graph.node("MatMul", [members, hidden]), count])


def main() -> None:
    """Export the weights that a run wrote to a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, help="folder of a run, with weights.npz and pieces.txt")
    folder = parser.parse_args().folder
    pieces = (folder / "pieces.txt").read_text(encoding="utf-8").rstrip("\n").split("\n")
    with np.load(folder / "weights.npz") as saved:
        judge = dict(saved)
    export(judge, base_model_of(pieces), folder)


if __name__ == "__main__":
    main()
