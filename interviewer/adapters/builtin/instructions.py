"""Finding the parts of an answer that speak to the grader instead of answering."""

from __future__ import annotations

import re

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
    r"忽略|满分|评分|滿分|打分|給.{0,6}分|给.{0,6}分|無視して|満点|採点|만점|무시|점수",
    r"игнорируй|оценк|балл|تجاهل|الدرجة|अनदेखा|अंक",
)
_INSTRUCTION = re.compile("|".join(f"(?:{pattern})" for pattern in _PATTERNS), re.IGNORECASE)


def speaks_to_grader(sentence: str) -> bool:
    """Tell a sentence that asks for a grade or tries to change how the answer is graded."""
    return bool(_INSTRUCTION.search(sentence))
