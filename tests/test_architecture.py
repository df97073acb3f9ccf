"""Checks of the structure that the README describes."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MAX_LINES = 400


def test_import_contracts_hold() -> None:
    script = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([script, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout


def test_no_file_is_too_long() -> None:
    long = {
        path.name: count
        for path in (ROOT / "interviewer").rglob("*.py")
        if (count := len(path.read_text().splitlines())) > MAX_LINES
    }
    assert not long


def _files_with(text: str, folder: str = "") -> list[str]:
    sources = ROOT / "interviewer"
    return sorted(str(path.relative_to(sources)) for path in (sources / folder).rglob("*.py") if text in path.read_text())


def test_services_of_the_process_are_fetched_in_three_places() -> None:
    """Routes, open pages, and page handlers each get the services in one module.

    The services can be replaced or measured there.
    """
    assert _files_with("wiring.services()") == ["api/access.py", "api/open_pages.py", "state/access.py"]


def test_missing_session_is_handled_in_one_place_of_the_states() -> None:
    """A handler that catches the error itself could forget to redirect to the sign-in page. `when_signed_out` cannot."""
    assert _files_with("except Unauthorized", "state") == ["state/access.py"]


def test_lock_files_have_versions_and_hashes_but_no_urls() -> None:
    for path in [*ROOT.glob("requirements*.lock"), *(ROOT / "reflex.lock").glob("*.json")]:
        text = path.read_text()
        assert "http://" not in text
        assert "https://" not in text


def test_every_setting_is_in_env_example() -> None:
    from interviewer.settings import Settings

    example = (ROOT / ".env.example").read_text()
    assert [name for name in Settings.model_fields if f"{name.upper()}=" not in example] == []


def test_paths_in_contributing_guide_exist() -> None:
    named = set(re.findall(r"`((?:interviewer|alembic|tests|docs)/[\w./-]*)`", (ROOT / "CONTRIBUTING.md").read_text()))
    assert len(named) > 20
    assert sorted(name for name in named if not (ROOT / name).exists()) == []


def test_readme_lists_every_package_and_module() -> None:
    readme = (ROOT / "README.md").read_text()
    section = readme[readme.index("### Where things are") : readme.index("### The walk of one answer")]
    parts = {path.name + "/" * path.is_dir() for path in (ROOT / "interviewer").iterdir() if not path.name.startswith("_")}
    assert sorted(part for part in parts if part not in section) == []


def test_files_in_readme_walkthrough_exist() -> None:
    readme = (ROOT / "README.md").read_text()
    walk = readme[readme.index("### The walk of one answer") : readme.index("Five decisions behind it:")]
    named = re.findall(r"`([a-z_]+/[a-z_]+\.py)`", walk)
    assert 6 <= len(named) <= 9
    assert [name for name in named if not (ROOT / "interviewer" / name).exists()] == []
