"""A whole scripted interview: what the candidate says to each topic, and the replies of a scripted model to it."""

from __future__ import annotations

from typing import Any

from interviewer.interviews.exchange import Kind

JOB = (
    "Backend engineer (mid-level), ticketing platform. You build Python services on PostgreSQL and RabbitMQ, keep them running "
    "when a popular concert goes on sale, and share the on-call rotation with four colleagues. 3+ years of backend experience."
)
DATABASES, SYSTEM_DESIGN, BEHAVIORAL = 4, 3, 5
TOPICS = (DATABASES, SYSTEM_DESIGN, BEHAVIORAL)
Lines = list[tuple[Kind, str]]

# A candidate who says the same whatever is asked, as long as the question is open.
CANDIDATE: dict[int, Lines] = {
    DATABASES: [
        (Kind.ANSWER, "Are the seats numbered, or is it only a count per block? And is it one database?"),
        (
            Kind.ANSWER,
            "I would read the seat, check that it is free, and then update it to sold with the buyer's ID, all in one "
            "transaction. A transaction is isolated, so two buyers can't both see the seat as free at the same time.",
        ),
        (
            Kind.ANSWER,
            "Sorry, that was wrong: at read committed both can read it as free, and the second update overwrites the first. I "
            "would write one conditional update instead, UPDATE seats SET buyer = :me WHERE id = :seat AND buyer IS NULL, and "
            "look at the row count. A unique constraint on the seat in the tickets table is the last line of defense.",
        ),
    ],
    SYSTEM_DESIGN: [
        (Kind.HINT, ""),
        (
            Kind.ANSWER,
            "I would put a waiting room in front: everyone gets a random number when the sale opens, and a worker lets in as "
            "many a second as checkout can take. Who is waiting polls a static page from the CDN, with jitter.",
        ),
        (
            Kind.ANSWER,
            "Checkout takes the admission token, which is signed and runs out after ten minutes, so no one gets around the "
            "queue.",
        ),
    ],
    BEHAVIORAL: [
        (
            Kind.ANSWER,
            "We lost about forty orders in a sale because a consumer acknowledged messages before it had stored them. I was on "
            "call. I turned the consumer off, so that RabbitMQ kept the rest, and gave support a text to send. Then we stored "
            "first and acknowledged afterward, and replayed the forty from the payment provider's records.",
        ),
        (
            Kind.ANSWER,
            "We wrote it up without names, and added a test that kills the consumer between the two steps. It would have failed "
            "for two years. No one had looked, including me: I had reviewed that change.",
        ),
    ],
}


def _question(topic: str, question: str, points: list[tuple[str, int]], answer: str) -> dict[str, Any]:
    return {
        "question": question,
        "topic": topic,
        "subtopic": topic,
        "level": "mid-level",
        "kind": "text",
        "key_points": [{"point": point, "weight": weight} for point, weight in points],
        "model_answer": answer,
        "follow_up": "What would you measure to know that it works?",
    }


def _said(decision: str, text: str) -> dict[str, Any]:
    return {"decision": decision, "text": text, "feedback": "", "nature": "answer", "marks": []}


def _verdict(feedback: str, *marks: tuple[str, str]) -> dict[str, Any]:
    found = [{"key_point": index, "mark": mark, "quote": quote} for index, (mark, quote) in enumerate(marks)]
    return {"decision": "verdict", "text": "", "feedback": feedback, "nature": "answer", "marks": found}


# The model's replies by kind of request, in the order of the requests.
MODEL: dict[str, list[dict[str, Any]]] = {
    "question": [
        _question(
            "Databases and Data Management",
            "Two people buy the last seat in the same second, and both get a ticket. Your service reads the seat from "
            "PostgreSQL, checks that it is free, and writes the sale. How do you make sure that a seat is sold once?",
            [
                ("Both transactions can read the seat as free at read committed", 3),
                ("Makes check and write one step: a conditional update or a row lock", 3),
                ("Lets a unique constraint have the last word", 2),
            ],
            "At read committed both transactions see the seat as free, and the second write wins. Make it one step, with a "
            "conditional update whose row count is checked, or with SELECT FOR UPDATE. A unique constraint catches the rest.",
        ),
        _question(
            "System Design",
            "A stadium tour goes on sale at ten, and 400,000 people are on the page. Checkout takes 50 orders a second. Design "
            "what happens between the page and checkout.",
            [
                ("Admits people at the rate that checkout can take", 3),
                ("Decides a fair order, such as a random draw at the opening", 2),
                ("Keeps waiting clients away from the backend", 2),
                ("Ties admission to a token that expires", 2),
            ],
            "A waiting room admits as many as checkout can take, in an order drawn at the opening. Waiting pages are static and "
            "poll with jitter. Admission is a signed token that expires, and is checked by checkout.",
        ),
        _question(
            "Behavioral",
            "You would share on-call here. Tell me about an incident that you had a part in. What did you do first, and what did "
            "you change afterward?",
            [
                ("Contains the damage before looking for the cause", 3),
                ("Names their own part in it", 2),
                ("Changes something that prevents the whole class of failure", 2),
            ],
            "A good answer contains the damage first, tells those who are affected, names their own part, and ends with a change "
            "that would have caught the cause.",
        ),
    ],
    "verdict": [
        _said("clarification", "Assume numbered seats in one PostgreSQL database, and about 200 sales a second."),
        _said("follow_up", "You said that a transaction keeps both from seeing the seat as free. At which isolation level?"),
        _verdict(
            "You first said that a transaction keeps two buyers from seeing the seat as free, and then corrected it: at read "
            "committed both can. The correction counts. Your conditional update with a look at the row count makes check and "
            "write one step, and the unique constraint is a good last line of defense. Next time, say what the loser of the "
            "race sees.",
            ("hit", "at read committed both can read it as free"),
            ("hit", "UPDATE seats SET buyer = :me WHERE id = :seat AND buyer IS NULL"),
            ("hit", "A unique constraint on the seat in the tickets table is the last line of defense."),
        ),
        _said("follow_up", "What keeps someone from calling checkout without waiting?"),
        _verdict(
            "You let people in as fast as checkout can take them, you drew the order at random, and you kept those who wait on a "
            "static page with jitter. Your signed token that runs out closes the way around the queue. You asked for the hint "
            "first, so these points count half. Next time, say what happens to a seat whose buyer never comes back.",
            ("hit", "a worker lets in as many a second as checkout can take"),
            ("hit", "everyone gets a random number when the sale opens"),
            ("hit", "Who is waiting polls a static page from the CDN, with jitter."),
            ("hit", "the admission token, which is signed and runs out after ten minutes"),
        ),
        _said("follow_up", "What did you change so that it can't come back in another consumer, and what was your own part?"),
        _verdict(
            "You turned the consumer off first, which kept the rest of the orders safe, and you informed support. You named your "
            "own part: you had reviewed the change. The test that kills the consumer between the two steps guards this one. What "
            "is missing is the other consumers: say how you found out whether they acknowledge too early as well.",
            ("hit", "I turned the consumer off, so that RabbitMQ kept the rest"),
            ("hit", "No one had looked, including me: I had reviewed that change."),
            ("partial", "added a test that kills the consumer between the two steps"),
        ),
    ],
    "reply": [{"reply": "Look at the slowest step first, and at who decides how many people reach it."}],
}
