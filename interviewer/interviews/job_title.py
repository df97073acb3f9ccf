"""Find the title of a job in its description: the role, without company, place, and conditions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from interviewer.interviews.posting_lines import Line

MAX_TITLE = 80
_ROLE = (
    r"(?:engineer(?:ing lead)?|developer|programmer|architect|entwickler(?:in)?|softwareentwickler(?:in)?|développeu(?:r|se)(?:·e|·se|\(e\)|\(se\))?|ingénieur(?:e|·e|\(e\))?|desarrollador(?:a)?|ingeniero|"
    r"ontwikkelaar|dev|devops|sre|software intern|intern|trainee|werkstudent(?:in)?|apprentice|tech lead|team lead|administrator|specialist|consultant|analyst)"
)
_HAS_ROLE = re.compile(rf"\b{_ROLE}(?![\w·])", re.IGNORECASE)
_LABEL = re.compile(r"^[^:]{3,20}:\s*")
# What follows a title in the same line.
# Lines have single spaces, and a match begins with at most one of them, so that these patterns stay linear.
_CUT = re.compile(
    r" ?\(?\b(?:m/[wf]/[dx]|w/m/d|[fm]/[fmh]/[dx]|f/m|m/f|h/f|m/v(?:/x)?|all genders|d/f/m)\b\)?.*| @.*| (?:at|bei|chez|bij|en) [A-ZÀ-Ý].*|"
    r" - (?=[a-z]|\S{1,40} ?[,/]).*|,? ?\((?:remote|hybrid|on-?site|full[- ]?time|part[- ]?time|permanent|contract)[^)]{0,60}\).*|[,–-] ?(?:remote|hybrid|on-?site)\b.*|"
    r",? ?\b(?:req|ref|job id)\b.*",
    re.IGNORECASE,
)
_NOISE = re.compile(
    r"^(?:urgent(?:ly)?|new|hot|now hiring|hiring|we're hiring|job|vacancy|wanted)\b[:! ]{0,3}| wanted\b.*| ?\((?:[A-Z][a-z]{1,12} )?(?:20\d\d|intake|start)[^)]{0,60}\)| ?\([^)]{0,60}intake\)",
    re.IGNORECASE,
)
_WORD = r"(?:[A-Z#.][\w.#+/-]*|[a-z]{2,}-[a-z]+|backend|back-end|full-stack|software|junior|senior|mid-level|lead|staff|principal|platform|data|web|of|and|go)"
_IN_TEXT = re.compile(
    rf"\b(?:looking for|hiring|after|searching for|seeking|need|search of|role of|position of|recrute(?:r)?|cherch\w+|zoeken|suchen|buscamos)\s+(?:an? |another |our (?:first |next )?|one |un[ea]? |een |eine[n]? |the )?"
    rf"((?:{_WORD}\s+){{0,5}}{_ROLE})\b",
    re.IGNORECASE,
)
_TITLE_LABEL = re.compile(
    r"^(?:position|role|job title|title|subject|oferta|stelle|poste|puesto|functie|vacature|vacancy|job|betreff|objet)\s*:",
    re.IGNORECASE,
)


def title_of(lines: Sequence[Line]) -> str:
    """Return the role that a job description is for, or "" if it names none."""
    for text in _title_candidates(lines):
        title = _cut(text)
        if title and len(title.split()) <= 10:
            return title[:MAX_TITLE]
    return ""


def _title_candidates(lines: Sequence[Line]) -> Iterator[str]:
    """Yield lines that may be the title: labeled ones, then short ones among the first, then roles named in sentences."""
    yield from (_LABEL.sub("", line.text) for line in lines[:30] if is_title_label(line.text) and _HAS_ROLE.search(line.text))
    for line in lines[:6]:
        if (
            _HAS_ROLE.search(line.text)
            and len(line.text.split()) <= 16
            and not line.text.endswith((".", ";"))
            and not _IN_TEXT.search(line.text)
        ):
            yield line.text
    yield from (match[1] for line in lines for match in _IN_TEXT.finditer(line.text))


def _cut(text: str) -> str:
    """Return the part of a line that is the role, without company, place, and conditions."""
    parts = [part for part in re.split(r"\s*[|•]\s*|\s+·\s+", text) if _HAS_ROLE.search(part)]
    if not parts:
        return ""
    title = _NOISE.sub("", _CUT.sub("", parts[0])).strip(" -–—:,•|!")
    if len(title.split()) > 7 or ":" in title:
        title = next((part.strip() for part in re.split(r"[,:]\s", title) if _HAS_ROLE.search(part)), "")
    return title if _HAS_ROLE.search(title) else ""


def is_title_label(text: str) -> bool:
    """Return whether a line begins with a label for the title, such as "Position:"."""
    return bool(_TITLE_LABEL.match(text))
