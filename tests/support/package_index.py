"""A small package index on loopback, with wheels built on the fly, to test how installation handles future releases."""

from __future__ import annotations

import base64
import hashlib
import stat
import threading
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import distribution
from pathlib import Path


class Index:
    """A folder of wheels with the index pages that installers read (PEP 503)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "simple"
        self.folder.mkdir(parents=True)

    def release(self, name: str, version: str, requires: Sequence[str] = (), extras: Mapping[str, str] | None = None) -> str:
        """Publish a package with one trivial module, and return its line for a lockfile.

        `extras` maps each extra to its requirement.
        """
        metadata = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}"]
        metadata += [f"Requires-Dist: {requirement}" for requirement in requires]
        for extra, requirement in (extras or {}).items():
            metadata += [f"Provides-Extra: {extra}", f'Requires-Dist: {requirement}; extra == "{extra}"']
        info = f"{name}-{version}.dist-info"
        files = {
            f"{name}.py": f'version = "{version}"\n'.encode(),
            f"{info}/METADATA": "\n".join([*metadata, ""]).encode(),
            f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }
        return self._publish(name, version, files)

    def republish(self, name: str) -> str:
        """Publish a package that is installed in this environment, and return its line for a lockfile."""
        found = distribution(name)
        version, plain = found.version, name.replace("-", "_")
        files = {}
        for entry in found.files or ():
            path = Path(str(found.locate_file(entry))).resolve()
            if "__pycache__" in entry.parts or entry.name in {"RECORD", "INSTALLER", "REQUESTED"} or not path.is_file():
                continue
            target = f"{plain}-{version}.data/scripts/{entry.name}" if ".." in entry.parts else str(entry)
            files[target] = path.read_bytes()
        return self._publish(name, version, files)

    def _publish(self, name: str, version: str, files: Mapping[str, bytes]) -> str:
        plain = name.replace("-", "_")
        wheel = self.folder / name / f"{plain}-{version}-py3-none-any.whl"
        wheel.parent.mkdir(exist_ok=True)
        record = f"{plain}-{version}.dist-info/RECORD"
        with zipfile.ZipFile(wheel, "w") as packed:
            lines = []
            for path, content in files.items():
                entry = zipfile.ZipInfo(path)
                entry.external_attr = (stat.S_IFREG | (0o755 if "/scripts/" in path else 0o644)) << 16
                packed.writestr(entry, content)
                digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
                lines.append(f"{path},sha256={digest},{len(content)}")
            packed.writestr(record, "\n".join([*lines, f"{record},,", ""]))
        names = sorted(path.name for path in wheel.parent.glob("*.whl"))
        (wheel.parent / "index.html").write_text("".join(f'<a href="{each}">{each}</a><br>\n' for each in names))
        return f"{name}=={version} \\\n    --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"

    @contextmanager
    def serving(self, delay: float = 0.0) -> Iterator[str]:
        """Serve the index while the block runs and yield its URL. Each wheel is delayed by `delay` seconds."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, delay, directory=str(self.folder)))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            server.server_close()


class _Handler(SimpleHTTPRequestHandler):
    def __init__(self, delay: float, *given: object, **named: object) -> None:
        self._delay = delay
        super().__init__(*given, **named)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        if self.path.endswith(".whl"):
            time.sleep(self._delay)
        super().do_GET()

    def log_message(self, format: str, *args: object) -> None:
        pass
