"""JavaScript, TypeScript and SQL in Chromium: what programs print, where they fail, how they end, and what they cannot reach."""

from __future__ import annotations

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from interviewer.components.code_box import PGLITE
from tests.support.code import open_editor, practice, run, speak, status
from tests.support.site import Site

pytestmark = pytest.mark.browser

# Each line tries one way to reach something outside of the sandbox, and prints the outcome.
TRIES = """
const ways = {
  fetch: () => fetch(ADDRESS + "/api/openapi.json"),
  request: () => { const made = new XMLHttpRequest(); made.open("GET", ADDRESS + "/api/openapi.json", false); made.send(); },
  script: () => importScripts(ADDRESS + "/drafts.js"),
  module: () => import(ADDRESS + "/drafts.js"),
  data: () => import("data:text/javascript,export default 1"),
  socket: () => new Promise((open, fail) => {
    Object.assign(new WebSocket(ADDRESS.replace("http", "ws")), { onopen: open, onerror: fail });
  }),
  worker: () => new Worker(ADDRESS + "/drafts.js"),
  database: () => new Promise((open, fail) => Object.assign(indexedDB.open("a"), { onsuccess: open, onerror: fail })),
  caches: () => caches.open("a"),
  storage: () => localStorage.getItem("code-language") ?? "empty",
  cookies: () => document.cookie,
  parent: () => parent.location.href,
  files: () => navigator.storage.getDirectory(),
};
for (const [name, way] of Object.entries(ways)) {
  try {
    console.log(name, "got", await way());
  } catch (error) {
    console.log(name, "failed");
  }
}
"""


def test_scripts_print_fail_and_are_stopped(site: Site, page: Page) -> None:
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    practice(page, site)
    open_editor(page)
    speak(page, "JavaScript")
    shown = run(
        page, "console.log('a', 1, [1, 'x'], { b: new Map([[1, null]]) });\nsetTimeout(() => console.log('late'), 50);", "^Fin"
    )
    assert shown == 'a 1 [1, "x"] { b: Map(1) { 1 => null } }\nlate\n'
    failed = run(page, "function f() {\n  null.x;\n}\n\nf();", "^Ended with an error")
    assert failed.startswith("TypeError: Cannot read properties of null")
    assert failed.endswith("    at f, line 2\n    at line 5\n")
    expect(page.locator(".cm-fault")).to_have_text("  null.x;")
    assert "SyntaxError: Unexpected token ';' (line 2)" in run(page, "let a = 1;\nlet b = ;", "^Ended with an error")
    expect(page.locator(".cm-fault")).to_have_text("let b = ;")
    page.get_by_label("Your answer").press("Control+End")
    page.keyboard.type(" ")
    expect(page.locator(".cm-fault")).to_have_count(0)
    assert "at line 1" in run(page, "setTimeout(() => { throw new Error('x'); });", "^Ended with an error")
    assert "no modules here" in run(page, "require('fs')", "^Ended with an error")
    assert len(run(page, "for (;;) console.log('y'.repeat(1000));", "^Stopped after 10 seconds")) < 21_000
    page.get_by_label("Your answer").fill("for (;;);")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_text("Running…")).to_be_visible()
    page.get_by_role("button", name="Stop").click()
    status(page, r"^Stopped\.$")
    expect(page.locator("iframe")).to_have_count(0)
    assert problems == []


def test_types_are_stripped_when_first_needed(site: Site, page: Page) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(urlsplit(request.url).path))
    practice(page, site)
    open_editor(page)
    speak(page, "JavaScript")
    assert run(page, "console.log(1);", "^Finished in") == "1\n"
    before = set(asked)
    speak(page, "TypeScript")
    assert run(page, "interface A { n: number }\nexport const a: A = { n: 1 };\nconsole.log(a as A);", "^Fin") == "{ n: 1 }\n"
    assert len([path for path in asked if path not in before and path.endswith(".js")]) in {1, 2}
    assert "(line 2)" in run(page, "let a = 1;\nlet b: number = ;", "^Ended with an error")
    assert "at line 3" in run(page, "type A = string;\n\nthrow new Error('typed' as A);", "^Ended with an error")


def test_script_cannot_reach_the_api_storage_or_page(site: Site, page: Page) -> None:
    asked: list[str] = []
    page.context.on("request", lambda request: asked.append(urlsplit(request.url).path))
    practice(page, site)
    open_editor(page)
    speak(page, "JavaScript")
    output = run(page, f"const ADDRESS = {site.url!r};\n{TRIES}", "^Finished in")
    lines = output.splitlines()
    assert len(lines) == 13
    assert [line for line in lines if not line.endswith(" failed")] == []
    assert [path for path in asked if path.startswith("/api/")] == []
    # Whatever a program gets hold of, the browser refuses: what is asked here runs in the frame, outside of the worker.
    frame = page.frame_locator("iframe[title='Runs your JavaScript']")
    inner = page.locator("iframe").element_handle().content_frame()
    assert inner is not None
    assert inner.evaluate("self.origin") == "null"
    expect(frame.locator("body")).to_have_count(1)
    tries = {
        "fetch": "fetch('/api/openapi.json')",
        "image": "new Promise((done, fail) => Object.assign(new Image(), { onload: done, onerror: fail, src: '/favicon.svg' }))",
        "storage": "localStorage.length",
        "cookies": "document.cookie",
        "parent": "parent.document",
    }
    for name, way in tries.items():
        assert (
            inner.evaluate(f"async () => {{ try {{ await ({way}); return 'got' }} catch {{ return 'failed' }} }}") == "failed"
        ), name


def test_sql_runs_in_a_database_of_its_own(site: Site, page: Page) -> None:
    asked: list[str] = []
    page.context.on("request", lambda request: asked.append(urlsplit(request.url).path))
    practice(page, site)
    open_editor(page)
    speak(page, "SQL")
    page.context.route("**/pglite.wasm", lambda route: route.abort())
    run(page, "SELECT 1", "^We couldn't load PostgreSQL")
    page.context.unroute("**/pglite.wasm")
    made = "CREATE TABLE t (a int, b text);\nINSERT INTO t VALUES (1, 'x'), (2, NULL);\nSELECT * FROM t ORDER BY a;"
    shown = "CREATE\nINSERT 2\na | b\n--+-----\n1 | x\n2 | NULL\n(2 rows)\n"
    assert run(page, made, "^Finished in") == shown
    assert run(page, made, "^Finished in") == shown, "the table is not there from before"
    failed = run(page, "SELECT 1;\nSELECT *\nFROM nothing;", "^Ended with an error")
    assert failed == 'ERROR: relation "nothing" does not exist (line 3: FROM nothing;)\n'
    expect(page.locator(".cm-fault")).to_have_text("FROM nothing;")
    values = "SELECT timestamptz '2026-01-05 10:00+01' AS at, 1.50::numeric AS n, 9::bigint AS big, date '2026-02-03' AS day;"
    assert "2026-01-05 09:00:00+00 | 1.5 | 9   | 2026-02-03" in run(page, values, "^Finished in")
    page.get_by_label("Your answer").fill("SELECT count(*) FROM generate_series(1, 10000000000);")
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_text("Running…")).to_be_visible(timeout=60_000)
    page.get_by_role("button", name="Stop").click()
    status(page, r"^Stopped\.$")
    loaded = {path.rpartition("/")[2] for path in asked if path.startswith(f"/assets/pglite/{PGLITE}/")}
    assert {"index.js", "pglite.wasm", "pglite.data", "initdb.wasm"} <= loaded
    assert [path for path in asked if path.startswith("/api/")] == []
