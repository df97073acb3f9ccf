"""Average the weights of two runs: `python -m training.average FIRST SECOND --share 0.6 --out FOLDER`.

The second run must have started from the first. The average does better than either run on both answers and texts that say
nothing about a point.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[np.float32]]


def average(first: Arrays, second: Arrays, share: float) -> dict[str, NDArray[np.float32]]:
    """Return the weighted mean of two sets of weights. `share` is the weight of the second set.

    Arrays that are equal in both sets are returned unchanged, so that the judge and the sentence encoder can share them in one
    file.
    """
    return {
        name: one if np.array_equal(one, second[name]) else ((1 - share) * one + share * second[name]).astype(np.float32)
        for name, one in first.items()
    }


def main() -> None:
    """Read the command line and write the averaged weights."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("first", type=Path, help="folder of a run")
    parser.add_argument("second", type=Path, help="folder of a run that started from it")
    parser.add_argument("--share", type=float, default=0.6, help="how much the second run counts")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    with np.load(options.first / "weights.npz") as first, np.load(options.second / "weights.npz") as second:
        weights: dict[str, Any] = average(first, second, options.share)
    np.savez(options.out / "weights.npz", **weights)
    shutil.copy(options.second / "pieces.txt", options.out / "pieces.txt")


if __name__ == "__main__":
    main()
