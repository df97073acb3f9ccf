"""Detect sentences of an answer that address the grader or only praise the candidate."""

from __future__ import annotations

import re

from interviewer.grading.text import content_stems, stems

_GRADE = r"(?:grade|score|mark|points?|rating|evaluation|note|punkte?|bewertung|nota|puntuaci[oó]n|calificaci[oó]n|puntos|punti|voto|pontua\w*)"
_PATTERNS = (
    r"\b(?:ignore|disregard|forget|override|bypass)\b.{0,60}\b(?:instructions?|rules?|prompts?|rubric|reference|above|previous|prior)\b",
    rf"\b(?:give|award|assign|grant|return|output|set|print|respond|reply|answer|rate|grade|score|mark)\b.{{0,60}}\b(?:full|maximum|max|perfect|highest|top|1\.0|10/10|100\s?%|\d+)\b.{{0,30}}\b{_GRADE}",
    rf"\b(?:full|maximum|perfect|highest)\s+{_GRADE}s?\b",
    r"\b(?:you are|act as|pretend to be)\b.{0,30}\b(?:grader|assistant|examiner|evaluator|model)\b",
    r"\b(?:this|my|the)\s+(?:student'?s\s+)?answer\s+(?:is|must be|should be)\s+(?:\w+\s+)?(?:correct|perfect|right|complete|graded|rated|scored|excellent)\b",
    r"\b(?:note|message|attention|instructions?)\s+(?:to|for)\s+(?:the\s+)?(?:grader|examiner|evaluator|model|teacher|system)\b",
    r"^\W*(?:system|assistant|developer|user|admin|grader)\s*(?:prompt|message|note|override)?\s*[:>\]]",
    r"\b(?:mark|set|count|consider|all|every|each)\b.{0,30}\bkey points?\b|\bkey points? (?:are|is|as|was|were) (?:made|hit|met)",
    r"\b(?:the|this) candidate\b.{0,20}\bpass(?:es|ed)?\b|\bpass this candidate\b",
    r"\bgrading (?:note|policy|instructions?|rules?)\b|\br[uú]brica\b|\brubrics?\b.{0,30}\b(?:ignore|override)",
    r"\bpuntos\b.{0,30}\bcumplid|\ball marks?\b.{0,10}\bhit\b",
    r"</?(?:system|instructions?|prompt|assistant|admin)\b",
    rf"[\"']?\b{_GRADE}s?\b[\"']?\s*[:=]\s*[\"']?(?:\d|full|max|perfect)",
    r"\bignor(?:iere|ieren|ez|e|a|ar|i)\b.{0,60}\b(?:anweisung|vorherig|bisherig|instruc|consigne|istruzion|pr[eé]c[eé]dent|anterior|precedent)",
    r"\b(?:gib|geben sie|vergib|bewerte|donne[rz]?|attribue[rz]?|d[ae]|asigna|otorga|dai|assegna|dê|atribua)\b.{0,60}\b(?:volle|maximale?|h[oö]chste?|maxim\w*|m[aá]xim\w*|massim\w*|puntos|punkte|points|note)",
    rf"\b(?:be generous|generously|lenient(?:ly)?)\b|\b(?:deserves?|merits?|count(?:s|ed)? it)\b.{{0,30}}\b(?:best|top|full|highest|complete|{_GRADE})\b",
    r"\b(?:as|i am|this is)\s+(?:the|an?|your)\s+(?:administrator|admin|owner|developer|operator)\b.{0,30}\b(?:site|system|app|application|interview|platform|model)\b",
    r"\bthe candidate\b.{0,30}\b(?:answered|said|made|met|covered|satisf\w+|deserves?|knows?)\b.{0,20}\b(?:everything|all|every|each)\b",
    r"\b(?:grading|evaluation|scoring|review)\s+(?:team|committee|board|department)\b.{0,40}\b(?:verif|approv|confirm|accept)|\b(?:verified|approved|confirmed|accepted)\s+by\s+the\s+(?:grading|evaluation|scoring|examin)",
    r"\ball\s+(?:the\s+)?criteria\b.{0,20}\b(?:satisfied|met|fulfilled|passed)\b|\b10\s*/\s*10\b|\bten out of ten\b|\b10 out of 10\b",
    r"\b(?:give|gives?|gave|award|grant)\s+me\s+(?:\w+\s+){0,2}(?:points?|marks?|stars|tens?)\b|\brecord (?:a )?(?:10|ten)\b",
    r"忽略|满分|评分|滿分|打分|給.{0,6}分|给.{0,6}分|無視して|満点|採点|만점|무시|점수",
    r"игнорируй|оценк|балл|تجاهل|الدرجة|अनदेखा|अंक",
)
_INSTRUCTION = re.compile("|".join(f"(?:{pattern})" for pattern in _PATTERNS), re.IGNORECASE)


def addresses_grader(sentence: str) -> bool:
    """Return whether a sentence asks for a grade or tries to influence the grading."""
    return bool(_INSTRUCTION.search(sentence))


# Words of praise. _EMPTY adds words without technical content that accompany them.
_PRAISE = frozenset(
    stems(
        "excellent great best perfect outstanding brilliant exceptional amazing fantastic superb expert genius talented skilled gifted "
        "passionate motivated dedicated ambitious hardworking reliable confident leader visionary natural favourite star professional "
        "delight delighted love admire praise success successful excel excellence world class robust scalable modern clean maintainable "
        "efficient easy easily wonderful incredible top strong deep extensive impressive highly nobody outside trivial rock proven superior "
        "edge smart bright quality proud record elite impressed trusted valued dedication finest"
    )
)
_EMPTY = _PRAISE | frozenset(
    stems(
        "experience experienced engineer developer programmer person player team teammate company job career work worked project problem "
        "colleague manager boss former people everybody everyone anybody nobody world knowledge know known skill ability quality time year "
        "years fifteen twenty ten many always never every everything anything something thing result deliver solve solution done exactly "
        "way well good better very really confirm say tell ask think box take ownership technology technologies practice practices code "
        "write written tested kind level challenge goal give make need want would will like can much lot extremely truly absolutely "
        "completely fully whole entire all such any difficult hard learn learned fast quickly quick believe sure certainly definitely "
        "track fast paced environment ethic communication extra mile goes go far bigger larger handle handled trouble finish finished faster "
        "anyone else start cutting industry honestly speak speaks itself among performer perform d m few use using deliver delivered whatever "
        "others respect respected reputation feedback positive reliable attitude mindset thinking stakeholder value values come came back "
        "simply just get help right correct answer question software system systems field industry long short also one"
    )
)
_SAYS_NOTHING_SHARE = 0.85
_FIRST_PERSON = re.compile(r"\b(?:i|i'm|i've|me|my)\b", re.IGNORECASE)


def is_self_praise(sentence: str) -> bool:
    """Return whether a sentence praises its author and says almost nothing else."""
    said = content_stems(sentence)
    empty = sum(word in _EMPTY for word in said)
    return bool(
        len(said) >= 3
        and empty / len(said) >= _SAYS_NOTHING_SHARE
        and any(word in _PRAISE for word in said)
        and _FIRST_PERSON.search(sentence)
    )
