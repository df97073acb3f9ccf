"""Data that Schemathesis cannot generate from the schema: signatures, single-use tokens, and text with additional rules.

Schemathesis loads this module in its own process.
"""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

import schemathesis
from hypothesis import strategies as st
from schemathesis import Case, HookContext

from interviewer.accounts.user_names import cleaned_username
from tests.support.billing import signature
from tests.support.fuzzing import SEED

_seed: dict[str, Any] = json.loads(Path(os.environ[SEED]).read_text())
# The refresh token in the configuration. Only this value is replaced, not the invalid tokens that some checks send.
_CONFIGURED = f"Bearer {_seed['refresh'][0]}"
_WORDS = ["violet", "harbour", "lantern", "gravel", "ocean", "walnut", "thimble", "orbit", "cactus", "pylon"]
_names = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=20)

# Well-formed addresses under special-use domains are refused, because mail cannot reach them.
schemathesis.openapi.format("email", st.builds("{}@{}.example.com".format, _names, _names))
# Easily guessed passwords are refused, which no schema can express.
schemathesis.openapi.format("password", st.permutations(_WORDS).map(lambda order: " ".join(order[:5])))


@schemathesis.hook
def before_call(context: HookContext, case: Case[Any], kwargs: dict[str, Any]) -> None:
    """Insert valid values in about half of the positive test cases. Negative cases, which must be refused, stay unchanged."""
    operation = case.operation.definition.raw.get("operationId")
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if operation == "requestVerification":
        # Invisible characters and links are refused; regex engines disagree on which characters those are.
        body: Any = case.body
        body["username"] = cleaned_username(body["username"], "Ada")
    if random.random() < 0.5:
        return
    match operation:
        case "startInterview":
            case.headers["Accept"] = random.choice(["text/event-stream", "application/json"])
        case "createConversation" | "appendToConversation":
            case.headers["Accept"] = random.choice(["text/event-stream", "application/json"])
            case.path_parameters["interview_id"] = random.choice(_seed["interviews"])
            case.body = {"message": "First I would measure where the time goes, because a guess is usually wrong."}
        case "receiveBillingEvent":
            case.headers["X-Signature"] = signature(json.dumps(case.body).encode())
        case "login":
            case.body = {"email": _seed["email"], "password": _seed["password"]}
        case "createUser" if _seed["links"]:
            case.body = {"token": _seed["links"].pop()}
        case "renewTokens" if len(_seed["refresh"]) > 1 and case.headers.get("Authorization") == _CONFIGURED:
            case.headers["Authorization"] = f"Bearer {_seed['refresh'].pop()}"
            case.body = {"user_id": _seed["user_id"]}
        case "loginWithGitHub" if _seed["codes"]:
            case.body = {"code": _seed["codes"].pop()}
