"""Change what Reflex builds: where its pages find their server, and when their scripts start.

Reflex writes the address of one server into the build and has no option for "the address the page came from"; nor has it one for
the order in which a prerendered page loads. Both are changed in the built files, and a build in which nothing was found to change
fails.
"""

from __future__ import annotations

import gzip
import re
from importlib import resources
from pathlib import Path

from interviewer.errors import StartupError

# The build holds the address of its server in one small file.
_BAKED = re.compile(rb"""([`"'])(http|ws)://localhost:3000([^`"']*)\1""")
_ENTRY = re.compile(rb'(<script )type="module"([^>]*>\s*import )')
_STARTER = "starter.js"


def point_at_own_origin(assets: Path) -> None:
    """Make the built pages talk to the address they were loaded from, whatever it is.

    Raises StartupError when the build holds no address to replace: it would talk to the wrong server.
    """
    replaced = 0
    for script in assets.glob("*.js"):
        source = script.read_bytes()
        changed, count = _BAKED.subn(_own_origin, source)
        if count:
            replaced += count
            _rewrite(script, changed)
    if not replaced:
        raise StartupError("The frontend was built, but the address of its server was not found in it.")


def text_before_scripts(client: Path) -> None:
    """Let prerendered pages show their text before their scripts are even asked for.

    The scripts wait, under names that no browser acts on, until the first frame is drawn; then they are what they were.
    starter.js tells how. Raises StartupError for a page that has none: the build would have changed its form.
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
    """Change a built file; it is small, so of its packed forms gzip is enough."""
    file.write_bytes(content)
    file.with_name(file.name + ".gz").write_bytes(gzip.compress(content, mtime=0))
    file.with_name(file.name + ".br").unlink(missing_ok=True)


def _own_origin(match: re.Match[bytes]) -> bytes:
    path = match.group(3)
    origin = b"location.origin" if match.group(2) == b"http" else b'location.origin.replace(/^http/,"ws")'
    return b"(" + origin + b'+"' + path + b'")'
