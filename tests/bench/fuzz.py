"""Sends generated requests to the API, for longer than the tests do."""

from __future__ import annotations

from pathlib import Path

from tests.support import fuzzing

SECONDS = 160


def fuzz(folder: Path, database_url: str) -> None:
    """Test every operation without and with an access token, and print the number of requests and failed checks."""
    print("\nGenerated requests against the API")
    with fuzzing.started(folder, database_url) as (site, seed):
        for signed_in, name in ((False, "without a token"), (True, "signed in")):
            result = fuzzing.run(site, folder / name.replace(" ", "-"), seed, SECONDS, signed_in=signed_in)
            failed = sum(result.failures.values())
            print(f"  {f'{name}, {SECONDS} s':<28} {result.cases:6} requests, {failed} failed checks")
            if not result.passed:
                print(result.output)
