"""Patches to the built frontend: where its pages find their server, and when their scripts start.

Reflex writes one server address into the build, with no option for "the address the page came from", and no option for the load
order of a prerendered page. Both are patched in the built files; if a patch finds nothing to change, the build fails.
"""

from __future__ import annotations

import gzip
import re
from importlib import resources
from pathlib import Path

from interviewer.errors import StartupError

# The server address appears in one small file of the build.
_BAKED = re.compile(rb"""([`"'])(http|ws)://localhost:3000([^`"']*)\1""")
_ENTRY = re.compile(rb'(<script )type="module"([^>]*>\s*import )')
_STARTER = "starter.js"


def point_at_own_origin(assets: Path) -> None:
    """Make the built pages connect to the address they were loaded from.

    Raises StartupError when the build contains no address to replace: its pages would connect to the wrong server.
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


def text_before_scripts(client: Path) -> None:
    """Make prerendered pages show their text before they request their scripts.

    Until the first frame is drawn, preload links and the start script carry the type "later", which browsers ignore; then
    starter.js restores them. Raises StartupError for a page without the expected start script.
    """
    starter = _starter()
    for page in client.rglob("*.html"):
        if page.name == "maintenance.html":
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
    """Rewrite a built file. It is small, so its gzip form is enough and the Brotli form is deleted."""
    file.write_bytes(content)
    file.with_name(file.name + ".gz").write_bytes(gzip.compress(content, mtime=0))
    file.with_name(file.name + ".br").unlink(missing_ok=True)


def _own_origin(match: re.Match[bytes]) -> bytes:
    path = match.group(3)
    origin = b"location.origin" if match.group(2) == b"http" else b'location.origin.replace(/^http/,"ws")'
    return b"(" + origin + b'+"' + path + b'")'
