"""Which section of a job description a heading opens. Headings in five languages are known."""

from __future__ import annotations

import re
from enum import StrEnum

from interviewer.grading.postings.vocabulary import mentions
from interviewer.interviews.job_title import is_title_label
from interviewer.interviews.posting_lines import Line

MAX_HEADING = 70


class Section(StrEnum):
    """The section of a job description that a line is in."""

    NONE = "none"
    DUTIES = "duties"
    REQUIRED = "required"
    NICE = "nice"
    STACK = "stack"
    ABOUT = "about"
    OTHER = "other"


def _any(*parts: str) -> re.Pattern[str]:
    return re.compile("|".join(parts), re.IGNORECASE)


# In order: a heading belongs to the first section that matches.
_SECTIONS = (
    (
        Section.DUTIES,
        _any(
            r"\bdut(?:y|ies)\b",
            r"\bresponsibilit",
            r"\baccountabilities\b",
            r"\bin your first\b",
            r"\baufgaben\b",
            r"\babout the (?:role|job|position)\b",
        ),
    ),
    (
        Section.NICE,
        _any(
            r"\bnice[ -]to[ -]haves?\b",
            r"\bbonus\b",
            r"\bpluse?s?\b",
            r"\bpreferred\b",
            r"\bdesir(?:ed|able)\b",
            r"\boptional\b",
            r"\bextra (?:credit|points)\b",
            r"\b(?:even better|brownie points|icing|cherry|sprinkles?)\b",
            r"\bwould (?:be nice|make us smile|help|love|also)\b",
            r"\bit helps\b",
            r"\b(?:isn['’]t|is not) needed\b",
            r"\blovely\b",
            r"\b(?:not|n['’]t) hurt\b",
            r"\b(?:good|great) to have\b",
            r"\badvantage(?:s|ous)?\b",
            r"\bnot (?:required|needed|a must)\b",
            r"\bassets?\b",
            r"\bideally\b",
            r"\bstands? out\b",
            r"\bstand-?outs?\b",
            r"\bwünschenswert\b",
            r"\bvon vorteil\b",
            r"\bdas wäre schön\b",
            r"\bpluspunkte?\b",
            r"\bbonuspunkte\b",
            r"\bun (?:plus|atout)\b",
            r"\ble petit plus\b",
            r"\bles plus\b",
            r"\batouts?\b",
            r"\bserait un plus\b",
            r"\bapprécié",
            r"\bse valorar",
            r"\bvalorable\b",
            r"\bdeseable",
            r"\bpluspunten\b",
            r"\bpré(?:s)?\b",
            r"\bmooi meegenomen\b",
            r"\bmeegenomen\b",
            r"\bdiferencia",
            r"\bextras?\b",
        ),
    ),
    (
        Section.OTHER,
        _any(
            r"\b(?:do|don['’]?t|does|doesn['’]?t) not? ?need\b",
            r"\bwhat (?:you (?:do not|don['’]t) need)\b",
            r"\bbenefits?\b",
            r"\bperks?\b",
            r"\bwe(?:['’]ll)? offer\b",
            r"\boffer\b",
            r"\bwhat you(?:['’]ll)? get\b",
            r"\bin it for you\b",
            r"\brewards?\b",
            r"\bgot for you\b",
            r"\bbehaviou?rs?\b",
            r"\bselection\b",
            r"\bsounds like you\b",
            r"\bnationality\b",
            r"\bright to work\b",
            r"\bvetting\b",
            r"\bcompensation\b",
            r"\bsalary\b",
            r"\bpay\b",
            r"\bapply\b",
            r"\bapplication\b",
            r"\bprocess\b",
            r"\bhow (?:we|to)\b",
            r"\bnext steps\b",
            r"\bequal\b",
            r"\bdiversity\b",
            r"\beeo\b",
            r"\bfairness\b",
            r"\bcontact\b",
            r"\blocation\b",
            r"\bcontract\b",
            r"\bemployment type\b",
            r"\bseniority level\b",
            r"\bjob function\b",
            r"\bindustries\b",
            r"\bworking conditions\b",
            r"\binterview(?:s|ing)?\b",
            r"\bwir bieten\b",
            r"\bdas bieten wir\b",
            r"\bunser angebot\b",
            r"\bbewerbung\b",
            r"\bkontakt\b",
            r"\bbenefits bei\b",
            r"\bnous offrons\b",
            r"\bnotre offre\b",
            r"\bavantages\b",
            r"\bpostuler\b",
            r"\bofrecemos\b",
            r"\bbeneficios\b",
            r"\bwat (?:bieden wij|wij bieden|krijg je)\b",
            r"\bwij bieden\b",
            r"\bsolliciteren\b",
            r"\binteresse\b",
            r"\bprocesso?\b",
            r"\bhello\b",
            r"\bhours\b",
            r"\bstart(?:ing)? date\b",
            r"\bdisclaimer\b",
            r"\bprivacy\b",
            r"\bsalaris\b",
            r"\bgehalt\b",
            r"\bsalaire\b",
            r"\bsalario\b",
        ),
    ),
    (
        Section.ABOUT,
        _any(
            r"\babout (?!you\b|the (?:role|job|position)\b)",
            r"\bwho we are\b",
            r"\bour (?:team|story|values|culture|offices?|company|mission)\b",
            r"\bthe (?:team|company)\b",
            r"\bcompany\b",
            r"\boverview\b",
            r"\bways of working\b",
            r"\büber uns\b",
            r"\bqui sommes[- ]nous\b",
            r"\bà propos\b",
            r"\bl['’]entreprise\b",
            r"\bqui[eé]nes somos\b",
            r"\bsobre (?:nosotros|la empresa)\b",
            r"\bover ons\b",
            r"\bwhat is [a-z]+\b\??$",
            r"\bempresa\b",
            r"\bunternehmen\b",
            r"\bbedrijf\b",
            r"\bwhy (?:us|join|we|you|work|this|[A-Z]\w+)\b",
        ),
    ),
    (
        Section.STACK,
        _any(
            r"\bstack\b",
            r"^tech$",
            r"\btechnolog(?:y|ies|ien|ie[eë]n)\b",
            r"\btools?(?: we use)?\b",
            r"\btechnik\b",
            r"\btechniek\b",
            r"\bplatform is made of\b",
            r"\btecnolog[ií]as?\b",
            r"\benvironnement technique\b",
            r"\btoolbox\b",
            r"\bwhat we (?:use|run on|work with)\b",
            r"\bwe use\b",
            r"\bwerkzeuge\b",
        ),
    ),
    (
        Section.REQUIRED,
        _any(
            r"\brequire",
            r"\bqualifications?\b",
            r"\bmust[- ]haves?\b",
            r"\bwhat you(?:['’]ll| will)? (?:need|bring|have)\b",
            r"\bneed from you\b",
            r"\b(?:we|they)(?:['’]re| are)? (?:looking for|expect|ask|need|want)\b",
            r"\blooking for\b",
            r"\bask of you\b",
            r"\bask for\b",
            r"\bwant to see\b",
            r"\babout you\b",
            r"\bwho you are\b",
            r"\byour (?:profile|background|skills|experience)\b",
            r"\bprofile\b",
            r"\bskills?\b",
            r"\bexperience\b",
            r"\byou (?:have|are|bring|probably|might)\b",
            r"^you$",
            r"\bessential",
            r"\bpersonal (?:qualities|specification)\b",
            r"\bcriteria\b",
            r"\byou should (?:bring|have|be)\b",
            r"\bthe following\b",
            r"\bcompetenc",
            r"\beducation\b",
            r"\bknowledge\b",
            r"\bto succeed\b",
            r"\bgood fit\b",
            r"\bthe right person\b",
            r"\byou(?:['’]ll| will) (?:need|have)\b",
            r"\bwe(?:['’]d| would) like\b",
            r"\bwhat it takes\b",
            r"\bcandidate\b",
            r"\bdein profil\b",
            r"\bihr profil\b",
            r"\bdas bringst du mit\b",
            r"\bwas du mitbringst\b",
            r"\bbringst\b",
            r"\bbringen sie\b",
            r"\banforderungen\b",
            r"\bqualifikation",
            r"\bvoraussetzungen\b",
            r"\bmitbringen\b",
            r"\bvotre profil\b",
            r"\bton profil\b",
            r"\bprofil\b",
            r"\bcompétences\b",
            r"\bnous (?:recherchons|attendons)\b",
            r"\bce que (?:nous|l['’]on) (?:attend|recherch|cherch)",
            r"\bqu[eé] buscamos\b",
            r"\brequisitos\b",
            r"\bperfil\b",
            r"\bimprescindible",
            r"\bpedimos\b",
            r"\bwat vragen wij\b",
            r"\bwat (?:wij )?vragen\b",
            r"\bjouw profiel\b",
            r"\bprofiel\b",
            r"\bfunctie-?eisen\b",
            r"\bwie ben jij\b",
            r"\bwat breng je mee\b",
            r"\bwen wir suchen\b",
            r"\bwhat you know\b",
        ),
    ),
    (
        Section.DUTIES,
        _any(
            r"\bresponsibilit",
            r"\bwhat (?:you|will you|the \w+ will)(?:['’]ll| will| would)? (?:do|be|work|own|build|learn)\b",
            r"\byou(?:['’]ll| will)\b",
            r"\bduties\b",
            r"\btasks?\b",
            r"\bthe (?:role|job|work|position|opportunity)\b",
            r"\b(?:your|the) (?:role|mission|job|part|work|impact|day|responsibilities|week)\b",
            r"\brole\b",
            r"\baccountabilities\b",
            r"\bjob description\b",
            r"\bday[- ]to[- ]day\b",
            r"\bmission",
            r"\bthe work involves\b",
            r"\bsuccess looks like\b",
            r"\bin your first\b",
            r"\bfirst (?:month|year|six months|half year|90 days)\b",
            r"\bhands would do\b",
            r"\bimpact\b",
            r"\byou would\b",
            r"\babout the (?:role|job|position)\b",
            r"\bjob summary\b",
            r"\bwork on\b",
            r"\bchallenges\b",
            r"\baufgaben\b",
            r"\bdeine rolle\b",
            r"\bdas machst du\b",
            r"\bwas du (?:machst|tust)\b",
            r"\btätigkeiten\b",
            r"\bvos missions\b",
            r"\bmissions?\b",
            r"\ble poste\b",
            r"\bvotre rôle\b",
            r"\btâches\b",
            r"\bqué harás\b",
            r"\bfunciones\b",
            r"\bresponsabilidades\b",
            r"\btareas\b",
            r"\bel puesto\b",
            r"\bwat ga je doen\b",
            r"\bover de functie\b",
            r"\btaken\b",
            r"\bwerkzaamheden\b",
            r"\bde functie\b",
            r"\btu misi[oó]n\b",
            r"\bresponsabilit",
        ),
    ),
)
_INLINE = re.compile(r"^([^:;.!?]{2,40}?)\s*[:：]\s*(?=\S)")


def section_of(heading: str) -> Section:
    """Return the section that a heading opens, or NONE if it is unknown."""
    text = heading.strip(" :!?¿¡.…*#")
    return next((section for section, pattern in _SECTIONS if pattern.search(text)), Section.NONE)


def inline_heading(text: str) -> tuple[Section, str] | None:
    """Return the section and the rest of a line such as "Requirements: five years of Go; Kafka", or None."""
    match = _INLINE.match(text)
    if not match or is_title_label(text) or len(match[1].split()) > 6:
        return None
    section = section_of(match[1])
    return (section, text[match.end() :]) if section is not Section.NONE else None


_NO_HEADING = re.compile(
    r"^(?:\d|experience (?:with|in|of|as|building|running)|(?:working |good |solid |some |basic |deep )?knowledge of|familiar|proficien|"
    r"ability|strong|solid|good (?!to have)|previous|prior|at least|any |an? |two|three|four|five)",
    re.IGNORECASE,
)


def is_heading(line: Line) -> bool:
    """Return whether a line is the heading of a section, known or not."""
    text = line.text.rstrip()
    words = text.strip(" :").split()
    if not words or len(text) > MAX_HEADING or len(words) > 11 or text[-1] in ".;," or is_title_label(text):
        return False
    if line.heading or text.endswith(":"):
        return True
    if line.bullet and not line.symbol:
        return False
    if text.isupper() and len(words) > 1 and not mentions(text):
        return True
    if len(words) > (10 if line.after_blank else 7) or mentions(text) or _NO_HEADING.match(text):
        return False
    return section_of(text) is not Section.NONE
