"""`interviewer bank`: check the question bank."""

from __future__ import annotations

from collections import Counter

import typer
from pydantic import ValidationError

from interviewer.cli.printing import say, table
from interviewer.grading.bank.loader import load_bank
from interviewer.grading.bank_check import MODEL_ANSWER_FLOOR, bank_problems, misread_model_answers
from interviewer.interviews.topics import TOPICS, AnswerKind, Level
from interviewer.wording import counted

app = typer.Typer(help="Check the question bank.", no_args_is_help=True)


@app.callback()
def bank() -> None:
    """Check the question bank."""


@app.command()
def check() -> None:
    """Check every question: weights, wording, levels, duplicates, and how the judge scores it.

    An empty answer, "I don't know", the question repeated as an answer, and boasting must score at most 1. Exits with status 1 if
    there are problems. Model answers that the judge scores below 9 are listed as well, but count as mistakes of the judge. Takes
    a few minutes.
    """
    try:
        questions = load_bank()
    except (ValidationError, ValueError) as error:
        say(f"The question bank could not be read: {error}")
        raise typer.Exit(1) from None
    levels = Counter((question.topic, question.level) for question in questions.values())
    code = Counter(question.topic for question in questions.values() if question.kind is AnswerKind.CODE)
    table(
        ("topic", *(level.value for level in Level), "code"),
        [(topic.slug, *(str(levels[topic.slug, level]) for level in Level), str(code[topic.slug])) for topic in TOPICS],
    )
    problems = list(bank_problems(questions))
    for problem in problems:
        say(problem)
    misread = [sentence for _, sentence in misread_model_answers(questions.values())]
    for sentence in misread:
        say(sentence)
    say(
        f"{counted(len(questions), 'question')}, {counted(len(problems), 'problem')}, "
        f"{counted(len(misread), 'model answer')} below {MODEL_ANSWER_FLOOR}"
    )
    if problems:
        raise typer.Exit(1)
