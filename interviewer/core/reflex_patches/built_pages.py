"""Patches to the built frontend: the server URL its pages connect to, and when their scripts start.

Reflex writes one server URL into the build and has no option for "the origin the page was loaded from". It also has no option for
the load order of a prerendered page. Both are patched in the built files. If there is nothing to patch, the build fails.
"""

from __future__ import annotations

import gzip
import re
from importlib import resources
from pathlib import Path

from interviewer.errors import StartupError

# The server URL appears in one small file of the build.
_BAKED = re.compile(rb"""([`"'])(http|ws)://localhost:3000([^`"']*)\1""")
_ENTRY = re.compile(rb'(<script )type="module"([^>]*>\s*import )')
_STARTER = "starter.js"
# Pages in assets/, which Reflex has not built.
_PLAIN_PAGES = ("maintenance.html", "run-script.html")


def connect_to_own_origin(assets: Path) -> None:
    """Make the built pages connect to the origin they were loaded from.

    Raises StartupError if the build contains no server URL to replace, because its pages would connect to the wrong server.
    """
    replaced = 0
    for script in assets.glob("*.js"):
        source = script.read_bytes()
        changed, count = _BAKED.subn(_own_origin, source)
        if count:
            replaced += count
            _rewrite(script, changed)
    if not replaced:
        raise StartupError("The frontend was built, but the server's address was not found in it.")


def defer_scripts(client: Path) -> None:
    """Make prerendered pages show their text before they request their scripts.

    Until the first frame is drawn, preload links have the `rel` "later" and the start script has the `type` "later", which
    browsers ignore. Then starter.js restores both. Raises StartupError if a page does not have the expected start script.
    """
    starter = _starter()
    for page in client.rglob("*.html"):
        if page.name in _PLAIN_PAGES:
            continue
        source = page.read_bytes()
        changed = source.replace(b'<link rel="modulepreload"', b'<link rel="later"')
        changed, scripts = _ENTRY.subn(rb'\1type="later"\2', changed)
        if scripts != 1 or changed == source:
            raise StartupError(f"The script that starts a page was not found in {page.name}.")
        _rewrite(page, changed.replace(b"</body>", starter + b"</body>"))


def _starter() -> bytes:
    lines = resources.files(__package__).joinpath(_STARTER).read_text(encoding="utf-8").splitlines()
    code = "\n".join(line for line in lines if not line.startswith("//"))
    return f"<script>{code}</script>".encode()


def _rewrite(file: Path, content: bytes) -> None:
    """Rewrite a built file and its gzip copy. The Brotli copy is deleted, because for these small files gzip is enough."""
    file.write_bytes(content)
    file.with_name(file.name + ".gz").write_bytes(gzip.compress(content, mtime=0))
    file.with_name(file.name + ".br").unlink(missing_ok=True)


def _own_origin(match: re.Match[bytes]) -> bytes:
    path = match.group(3)
    origin = b"location.origin" if match.group(2) == b"http" else b'location.origin.replace(/^http/,"ws")'
    return b"(" + origin + b'+"' + path + b'")'
