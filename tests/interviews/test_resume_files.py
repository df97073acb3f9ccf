"""Reading résumé files: PDF and .docx, and files that are broken, hostile, or something else. Each is read in a real process."""

from __future__ import annotations

import io
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from docx import Document
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from pypdf import PdfReader, PdfWriter

from interviewer.errors import BadRequest, TooLarge, Unavailable
from interviewer.interviews.resume_files import MAX_FILE, resume_text
from interviewer.interviews.resume_reader import MAX_MEMORY, MAX_PAGES, MAX_PARTS, MAX_UNPACKED
from interviewer.interviews.user_text import MAX_RESUME
from tests.support.resumes import LATENCY, LINES, MENTORED, docx, pdf

MAIN = "word/document.xml"
DAMAGED, COMPLEX, NO_TEXT, OTHER = "may be damaged", "too complex", "found no text", "isn't a PDF or .docx"


def encrypted(password: str) -> bytes:
    writer, kept = PdfWriter(clone_from=PdfReader(io.BytesIO(pdf()))), io.BytesIO()
    writer.encrypt(password, "the owner's", algorithm="RC4-128")
    writer.write(kept)
    return kept.getvalue()


def repacked(change: Callable[[bytes], bytes], part: str = MAIN) -> bytes:
    """Return a .docx file with one changed part."""
    kept = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(docx())) as old, zipfile.ZipFile(kept, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            new.writestr(name, change(old.read(name)) if name == part else old.read(name))
    return kept.getvalue()


def objects(*bodies: bytes) -> bytes:
    """Return a PDF made of these objects, numbered from 1. The first is its catalog."""
    whole, offsets = b"%PDF-1.7\n", []
    for number, body in enumerate(bodies, 1):
        offsets.append(len(whole))
        whole += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size = len(bodies) + 1
    return whole + b"xref\n0 %d\n0000000000 65535 f \n%strailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF" % (
        size,
        table,
        size,
        len(whole),
    )


def page_with(content: bytes, filters: bytes = b"/FlateDecode") -> bytes:
    """Return a PDF with one page that has this compressed content."""
    return objects(
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 600 800] /Contents 4 0 R >>",
        b"<< /Length %d /Filter %s >>\nstream\n%s\nendstream" % (len(content), filters, content),
    )


LAUGHS = b'<?xml version="1.0"?><!DOCTYPE w [<!ENTITY a "ha">' + b"".join(
    b'<!ENTITY %c "%s">' % (97 + n, b"&%c;" % (96 + n) * 10) for n in range(1, 12)
)
OUTSIDE = b'<?xml version="1.0"?><!DOCTYPE w [<!ENTITY l SYSTEM "file:///etc/passwd">'


def with_entity(declared: bytes, name: bytes) -> Callable[[bytes], bytes]:
    """Return a change that declares entities before a document and uses one in its first text."""

    def changed(document: bytes) -> bytes:
        body = document.partition(b"?>")[2].replace(b"Ada Byron", b"Ada " + name + b" Byron", 1)
        return declared + b"]>" + body

    return changed


def too_small(data: bytes) -> bytes:
    """Return a ZIP archive that declares one byte as the unpacked size of every part."""
    changed = bytearray(data)
    for signature, offset in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        at = changed.find(signature)
        while at >= 0:
            changed[at + offset : at + offset + 4] = (1).to_bytes(4, "little")
            at = changed.find(signature, at + 4)
    return bytes(changed)


@pytest.mark.parametrize(
    "data", [pdf(), docx(), encrypted(""), b"\n\n" + pdf()], ids=["pdf", "docx", "no password", "late header"]
)
def test_text_is_read(data: bytes) -> None:
    text = resume_text(data)
    assert text.splitlines()[0] == "Ada Byron"
    assert {f"- {LATENCY}.", f"- {MENTORED}."} <= set(text.splitlines())


def test_tables_and_text_boxes_are_read_once_and_in_order() -> None:
    document = Document(io.BytesIO(docx(cells=("Python", "Terraform"))))
    box = "<w:txbxContent><w:p><w:r><w:t>Led the data team</w:t></w:r></w:p></w:txbxContent>"
    namespaces = (
        'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006" '
        'xmlns:v="urn:schemas-microsoft-com:vml" '
        'xmlns:wps="http://schemas.microsoft.com/office/word/2010/wordprocessingShape"'
    )
    run = parse_xml(
        f"<w:r {nsdecls('w')} {namespaces}><mc:AlternateContent>"
        f'<mc:Choice Requires="wps"><wps:txbx>{box}</wps:txbx></mc:Choice>'
        f"<mc:Fallback><w:pict><v:textbox>{box}</v:textbox></w:pict></mc:Fallback>"
        "</mc:AlternateContent><w:t>Head of it</w:t></w:r>"
    )
    document.paragraphs[-1]._p.append(run)
    kept = io.BytesIO()
    document.save(kept)
    assert resume_text(kept.getvalue()).splitlines()[-4:] == [
        "Python, PostgreSQL, KafkaHead of it",
        "Led the data team",
        "Python",
        "Terraform",
    ]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", OTHER),
        (b"Ada Byron, backend engineer", OTHER),
        (b"\x89PNG\r\n\x1a\n" + b"\x00" * 500, OTHER),
        (b"{\\rtf1 Ada Byron, backend engineer}", OTHER),
        (too_small(b"PK\x03\x04" + b"\x00" * 100), DAMAGED),
        (
            repacked(
                lambda part: part.replace(b"wordprocessingml.document.main", b"spreadsheetml.sheet.main"), "[Content_Types].xml"
            ),
            OTHER,
        ),
        (pdf()[: len(pdf()) // 3], DAMAGED),
        (docx()[:5000], DAMAGED),
        (repacked(lambda part: part[:500]), DAMAGED),
        (b"%PDF-1.7\n" + b"\xff" * 5000, DAMAGED),
        (pdf([" "]), NO_TEXT),
        (docx([]), NO_TEXT),
        (encrypted("secret"), "protected by a password"),
        (pdf(["Ada"], MAX_PAGES + 1), f"more than {MAX_PAGES} pages"),
    ],
    ids=lambda value: value if isinstance(value, str) else f"{len(value)} bytes",
)
def test_unusable_file_gets_a_clear_error(data: bytes, said: str) -> None:
    with pytest.raises(BadRequest) as caught:
        resume_text(data)
    assert said in caught.value.user_message
    assert "Nothing has changed. You can paste" in caught.value.user_message


def deep_xml(part: bytes) -> bytes:
    return part.replace(b"<w:body>", b"<w:body>" + b"<w:sdt>" * 50_000 + b"</w:sdt>" * 50_000)


@pytest.mark.parametrize(
    "make",
    [
        lambda: repacked(lambda part: part.replace(b"<w:body>", b"<w:body>" + b" " * (MAX_UNPACKED + 1))),
        lambda: too_small(docx()),
        lambda: repacked(with_entity(LAUGHS, b"&l;")),
        lambda: repacked(deep_xml),
        lambda: page_with(zlib.compress(b" " * 400_000_000, 9)),
        lambda: page_with(zlib.compress(zlib.compress(b"(x) Tj " * 20_000_000, 9), 9), b"[/FlateDecode /FlateDecode]"),
        lambda: page_with(zlib.compress(b"[" * 3_000_000)),
        lambda: objects(b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [2 0 R 2 0 R] /Count 2 >>"),
        lambda: objects(b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Kids [] /Count 99999999 >>"),
        lambda: objects(b"<< /Type /Catalog /Pages " + b"[" * 200_000 + b" >>"),
        lambda: b"%PDF-1.7\n" + b"1 0 obj << /A " * 100_000,
        lambda: b"%PDF-1.7\nstartxref\n0\n%%EOF" * 50_000,
    ],
    ids=[
        "zip bomb",
        "false sizes",
        "entity bomb",
        "deep XML",
        "stream bomb",
        "nested stream bomb",
        "deep content",
        "pages in a circle",
        "false page count",
        "deep array",
        "unclosed objects",
        "many cross-references",
    ],
)
def test_hostile_file_is_refused_within_the_limits(make: Callable[[], bytes]) -> None:
    data = make()
    assert len(data) <= MAX_FILE
    with pytest.raises(BadRequest) as caught:
        resume_text(data)
    assert any(said in caught.value.user_message for said in (DAMAGED, COMPLEX, NO_TEXT, "more than"))


def test_external_entity_is_not_read() -> None:
    text = resume_text(repacked(with_entity(OUTSIDE, b"&l;")))
    assert LATENCY in text
    assert "root:" not in text


def test_archive_with_many_parts_is_refused() -> None:
    kept = io.BytesIO(docx())
    with zipfile.ZipFile(kept, "a") as archive:
        for number in range(MAX_PARTS):
            archive.writestr(f"word/media/{number}", b"")
    with pytest.raises(BadRequest, match=COMPLEX):
        resume_text(kept.getvalue())


def test_large_files_and_texts_are_refused() -> None:
    with pytest.raises(TooLarge, match="at most 2 MB"):
        resume_text(b"%PDF-" + b"x" * MAX_FILE)
    with pytest.raises(TooLarge, match=f"at most {MAX_RESUME:,}"):
        resume_text(docx(["Built another service in Python."] * 2000))


def test_icons_and_control_characters_are_left_out() -> None:
    assert (
        resume_text(docx(["\uf095 Ada\u200b Byron\ue001, backend engineer in London"])) == "Ada Byron, backend engineer in London"
    )


def test_slow_file_is_stopped() -> None:
    with pytest.raises(BadRequest, match=COMPLEX):
        resume_text(pdf(), seconds=0.0)


@pytest.mark.parametrize(
    ("attempt", "error"),
    [
        (f"bytearray({MAX_MEMORY})", "MemoryError"),
        ("open('written', 'wb', buffering=0).write(b'x')", "File too large"),
    ],
)
def test_reader_limits_its_memory_and_writes_no_files(tmp_path: Path, attempt: str, error: str) -> None:
    program = f"from interviewer.interviews import resume_reader; resume_reader._limit(); {attempt}"
    ended = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode != 0
    assert error in ended.stderr


def stand_in(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Make a shell script run in place of Python."""
    program = folder / "python"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(program))


def test_reader_gets_no_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JWT_SECRET", "hidden")
    stand_in(tmp_path, monkeypatch, """printf '{"text": "The environment has a secret: %s"}' "${JWT_SECRET:-none}" """)
    assert resume_text(b"x") == "The environment has a secret: none"


@pytest.mark.parametrize("script", ["exit 3", "printf '{}'", "printf '[]'", "/usr/bin/yes || /bin/yes", "echo nonsense"])
def test_failing_reader_is_reported_as_unavailable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    stand_in(tmp_path, monkeypatch, script)
    with pytest.raises(Unavailable, match="can't read files right now"):
        resume_text("\n".join(LINES).encode())
