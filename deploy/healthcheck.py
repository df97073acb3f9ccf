"""Whether the site in this container works: status 0 if it does, else 1 and the reason. For HEALTHCHECK; no dependencies."""

from __future__ import annotations

import http.client
import os
import sys

# Seconds that the site gets to answer. Docker's own limit must be longer.
PATIENCE = 4.0


def path(maintenance: str) -> str:
    """Return what to ask: under maintenance only the signs of life are answered, and the container is as it should be."""
    return "/live" if maintenance.strip().lower() in {"1", "on", "true", "yes", "t", "y"} else "/health"


def check(port: int, asked: str) -> str:
    """Return why the site on this machine's `port` does not work, or nothing."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", asked)
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        return f"{asked} does not respond: {error}"
    finally:
        connection.close()
    return "" if status == 200 else f"{asked} returned {status}"


if __name__ == "__main__":
    sys.exit(check(int(os.environ.get("PORT") or 3000), path(os.environ.get("MAINTENANCE", ""))) or 0)
