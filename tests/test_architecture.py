"""The structure that the README promises."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MAX_LINES = 400


def test_the_import_contracts_hold() -> None:
    script = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([script, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


def test_no_file_grows_too_long() -> None:
    long = {
        path.name: count
        for path in (ROOT / "interviewer").rglob("*.py")
        if (count := len(path.read_text().splitlines())) > MAX_LINES
    }
    assert not long


def test_lock_files_hold_versions_and_hashes_but_no_addresses() -> None:
    for path in [*ROOT.glob("requirements*.lock"), *(ROOT / "reflex.lock").glob("*.json")]:
        text = path.read_text()
        assert "http://" not in text
        assert "https://" not in text


def test_every_setting_is_explained_in_the_example() -> None:
    from interviewer.settings import Settings

    example = (ROOT / ".env.example").read_text()
    assert [name for name in Settings.model_fields if f"{name.upper()}=" not in example] == []
