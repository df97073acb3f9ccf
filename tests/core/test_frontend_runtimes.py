"""Copying the runtimes that run candidates' code into the build."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from interviewer import frontend
from interviewer.errors import StartupError


def _package(folder: Path) -> Path:
    package = folder / "runtime"
    (package / "dist").mkdir(parents=True)
    (package / "package.json").write_text(json.dumps({"version": "1.2.3"}))
    (package / "dist" / "a.wasm").write_bytes(b"wasm" * 100)
    (package / "dist" / "b.zip").write_bytes(b"zip")
    return package


def test_runtime_is_copied_under_its_version_and_gzipped(tmp_path: Path) -> None:
    frontend.add_runtime(_package(tmp_path), ("dist/*.wasm", "dist/b.zip"), tmp_path / "assets")
    assert sorted(file.name for file in (tmp_path / "assets" / "1.2.3").iterdir()) == ["a.wasm", "a.wasm.gz", "b.zip"]


def test_missing_or_huge_runtime_fails_the_build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = _package(tmp_path)
    with pytest.raises(StartupError, match="is missing"):
        frontend.add_runtime(package, ("dist/c.data",), tmp_path / "assets")
    monkeypatch.setattr(frontend, "MAX_RUNTIME_BYTES", 10)
    with pytest.raises(StartupError, match="more than 10"):
        frontend.add_runtime(package, ("dist/*.wasm",), tmp_path / "assets")
