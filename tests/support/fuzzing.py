"""Runs Schemathesis against a site started as in production, with every operation of the OpenAPI description and every check."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from interviewer import wiring
from interviewer.accounts.browser_sessions import hashed
from interviewer.accounts.lifetimes import VERIFICATION_LIFETIME
from interviewer.accounts.signup import hash_password
from interviewer.accounts.tables import OneTimeToken
from interviewer.core.columns import utcnow
from interviewer.core.database import Database
from interviewer.core.users import User
from interviewer.credits import ledger
from interviewer.credits.rules import CreditType
from interviewer.interviews.samples import SAMPLE_JOBS
from interviewer.settings import Settings
from tests.support import github_server, lemonsqueezy_server
from tests.support.billing import INDIVIDUAL, PREMIUM, PRO, SECRET, STORE
from tests.support.newcomers import PASSWORD
from tests.support.site import Site

ROOT = Path(__file__).parent.parent.parent
JWT_SECRET = "0123456789abcdef" * 4
EMAIL = "ada@example.com"
CREDITS, INTERVIEWS, ONCE = 100_000, 20, 400
# The environment variable with the path of the seed file, which the hooks read.
SEED = "FUZZ_SEED"

# All checks are on, except for operations whose contract contradicts a check.
CONFIG = """
hooks = "tests.support.fuzz_hooks"
continue-on-failure = true
suppress-health-check = ["all"]

[cache]
enabled = false

[generation]
database = "none"

# The contract answers what is too long with 413 (RFC 9110, 15.5.14), which is as much of a refusal.
[checks.negative_data_rejection]
expected-statuses = [400, 401, 403, 404, 405, 406, 409, 413, 415, 422, 428, 429, "5xx"]

# The contract answers an ID without an owner with 400 "Invalid ID" here, not with 404, and an empty message with 400, unless an
# answer waits for a second try.
[[operations]]
include-operation-id = ["createConversation", "appendToConversation", "getConversation"]
checks.positive_data_acceptance.enabled = false

# The contract answers a text that is no job description with 400; no schema can say what is one.
[[operations]]
include-operation-id = ["startInterview", "analyseJobDescription"]
checks.positive_data_acceptance.enabled = false

# The contract answers the status that an interview already has with 400; no schema can say which one that is.
[[operations]]
include-operation-id = "changeInterview"
checks.positive_data_acceptance.enabled = false

# The contract answers an event that lacks what its kind has with 400; what that is, is the payment service's to say.
[[operations]]
include-operation-id = "receiveBillingEvent"
checks.positive_data_acceptance.enabled = false

# The contract answers a refresh token whose owner is not `user_id` with 400; no schema can say whose it is.
[[operations]]
include-operation-id = "renewTokens"
checks.positive_data_acceptance.enabled = false

# The contract answers a path that wants an id and gets none with 400, not with 405; such routes are not described.
[[operations]]
include-operation-id = ["startInterview", "createUser"]
checks.unsupported_method.enabled = false
checks.allow_header_conformance.enabled = false
"""
# Deleting the account would end the run, so that operation is only tested without a token.
SIGNED_IN = """
[[operations]]
include-operation-id = "deleteUser"
enabled = false

[auth.openapi.accessToken]
bearer = {access}

[auth.openapi.refreshToken]
bearer = {refresh}

[dictionaries.interviews]
values = {interviews}

[dictionaries.users]
values = [{user_id}]

[dictionaries.jobs]
values = {jobs}

[parameters]
"path.interview_id" = {{ dictionary = "interviews", probability = 0.5 }}
"path.user_id" = {{ dictionary = "users", probability = 0.5 }}
"body.job_description" = {{ dictionary = "jobs", probability = 0.5 }}
"body.resume" = {{ dictionary = "jobs", probability = 0.8 }}
"body.user_id" = {{ dictionary = "users", probability = 0.5 }}
"""


@dataclass(frozen=True, slots=True)
class Seed:
    """Data created before the run: a user with credits and interviews, and single-use links, tokens and codes."""

    user_id: int
    access: str
    interviews: list[int]
    refresh: list[str]
    links: list[str]
    codes: list[str]
    email: str = EMAIL
    password: str = PASSWORD


@dataclass(slots=True)
class Result:
    """The result of a run.

    `cases` counts the responses, `operations` has the operations called, `good` counts the successful responses per operation,
    `failures` counts the failed checks per operation and check, and `output` is the end of the output.
    """

    passed: bool
    cases: int = 0
    operations: set[str] = field(default_factory=set)
    good: Counter[str] = field(default_factory=Counter)
    failures: Counter[str] = field(default_factory=Counter)
    output: str = ""


@contextmanager
def started(folder: Path, database_url: str) -> Iterator[tuple[Site, Seed]]:
    """Start a site with every integration configured, so that nothing is refused for missing settings, and seed its database."""
    lemon, github = lemonsqueezy_server.Behavior(), github_server.Behavior()
    with ExitStack() as stack:
        lemon_url = stack.enter_context(lemonsqueezy_server.running(lemon))
        github_url = stack.enter_context(github_server.running(github))
        site = Site(
            folder,
            database_url,
            JWT_SECRET=JWT_SECRET,
            ACCESS_TOKEN_MINUTES="600",
            LEMON_API_KEY=lemon.api_key,
            LEMON_API_URL=lemon_url,
            LEMON_STORE_ID=STORE,
            LEMON_WEBHOOK_SECRET=SECRET,
            LEMON_VARIANT_ID_INDIVIDUAL=INDIVIDUAL,
            LEMON_VARIANT_ID_PRO=PRO,
            LEMON_VARIANT_ID_PREMIUM=PREMIUM,
            GITHUB_CLIENT_ID=github.client_id,
            GITHUB_CLIENT_SECRET=github.client_secret,
            GITHUB_BASE_URL=github_url,
            GITHUB_API_URL=github_url,
        )
        try:
            site.start()
            yield site, asyncio.run(_seeded(database_url, [github.issue_code() for _ in range(ONCE)]))
        finally:
            site.stop()


async def _seeded(database_url: str, codes: list[str]) -> Seed:
    settings = Settings(_env_file=None, jwt_secret=JWT_SECRET, access_token_minutes=600, database_url=None)
    database = Database(database_url)
    services = wiring.build(settings, database=database)
    async with database.transaction() as session:
        user = User(email=EMAIL, username="Ada", password_hash=await hash_password(PASSWORD))
        session.add(user)
        await session.flush()
        await ledger.change(session, user, CreditType.INDIVIDUAL, CREDITS, reason="test", source="test", business_key="test:fuzz")
        links = [f"a-mailed-link-{number}" for number in range(ONCE)]
        for link in links:
            session.add(
                OneTimeToken(
                    purpose="verification",
                    token_hash=hashed(link),
                    email=f"{link}@example.com",
                    username="Ada",
                    password_hash=user.password_hash,
                    expires_at=utcnow() + VERIFICATION_LIFETIME,
                )
            )
    interviews = [await _started(services, user.id) for _ in range(INTERVIEWS)]
    access = (await services.tokens.issue(user, "fuzz", renewable=False)).access
    refresh = [(await services.tokens.issue(user, "fuzz")).refresh for _ in range(ONCE // 4)]
    await services.close()
    return Seed(user.id, access, interviews, refresh, links, codes)


async def _started(services: wiring.Services, user_id: int) -> int:
    events = [event async for event in services.interviews.start(user_id, "")]
    return int(getattr(events[0], "interview_id", 0))


def run(site: Site, folder: Path, seed: Seed, seconds: int, *, signed_in: bool) -> Result:
    """Test all operations for `seconds`, with or without an access token."""
    folder.mkdir(parents=True, exist_ok=True)
    jobs = [job.text for job in SAMPLE_JOBS.values()]
    own = {
        "access": seed.access,
        "refresh": seed.refresh[0],
        "interviews": seed.interviews,
        "user_id": seed.user_id,
        "jobs": jobs,
    }
    config, seed_file, report = folder / "schemathesis.toml", folder / "seed.json", folder / "report.ndjson"
    config.write_text(
        CONFIG + (SIGNED_IN.format(**{name: json.dumps(value) for name, value in own.items()}) if signed_in else "")
    )
    seed_file.write_text(json.dumps(asdict(seed)))
    done = subprocess.run(
        [
            *(Path(sys.executable).with_name("schemathesis"), "--config-file", config, "run", f"{site.url}/api/openapi.json"),
            *("--max-time", str(seconds), "--report", "ndjson", "--report-ndjson-path", report),
            *("--no-color", "--warnings", "off"),
        ],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(ROOT), SEED: str(seed_file)},
        capture_output=True,
        text=True,
        timeout=seconds + 120,
        check=False,
    )
    result = Result(done.returncode == 0, output=(done.stdout + done.stderr)[-20_000:])
    if report.exists():
        with report.open() as lines:
            for line in lines:
                _count(json.loads(line).get("ScenarioFinished", {}).get("recorder", {}), result)
    return result


def _count(recorder: dict[str, Any], result: Result) -> None:
    """Add the responses and failed checks of a scenario to the result."""
    for id, interaction in recorder.get("interactions", {}).items():
        if interaction["response"] is None:
            continue
        case = recorder["cases"][id]["value"]
        operation = f"{case['method']} {case['path']}"
        result.cases += 1
        result.operations.add(operation)
        if interaction["response"]["status_code"] < 400:
            result.good[operation] += 1
        for check in recorder["checks"].get(id, []):
            if check["status"] == "failure":
                result.failures[f"{operation}: {check['name']}"] += 1
