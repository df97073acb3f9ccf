// The languages of the editor: which ones run, which one an editor opens in, and the code that an exercise starts with.

/** Names, labels, and for those that run, the runtime. */
export const LANGUAGES = [
  ["python", "Python", "python"],
  ["javascript", "JavaScript", "script"],
  ["typescript", "TypeScript", "script"],
  ["sql", "SQL", "sql"],
  ["go", "Go"],
  ["java", "Java"],
  ["csharp", "C#"],
  ["kotlin", "Kotlin"],
  ["rust", "Rust"],
  ["cpp", "C++"],
  ["text", "Plain text"],
];
// The editor's name of a programming language that was chosen for the interview, where it has one.
const EDITORS = Object.fromEntries(LANGUAGES.map(([name, label]) => [label, name]));
const KEY = "code-language", BY_DRAFT = "code-languages", KEPT = 20;
// A question in SQL says so. Plain text is no language.
const OF_ONE_QUESTION = ["sql", "text"];

/** The runtime that runs a language, or undefined. */
export const runtimeOf = (language) => LANGUAGES.find(([name]) => name === language)?.[2];

/** The exercise in a component's prop, which is JSON or "". */
export function parsed(exercise) {
  try {
    return exercise ? JSON.parse(exercise) : null;
  } catch {
    return null;
  }
}

/** An exercise's part in a language: its starter and harness, or for SQL its schema. Undefined if it has no tests in it. */
export function partOf(exercise, language) {
  if (language === "sql") return exercise?.sql ?? undefined;
  return exercise?.languages?.[language === "typescript" ? "javascript" : language];
}

/** The code to begin with, or "". */
export function starterOf(exercise, language) {
  const part = partOf(exercise, language);
  return (language === "typescript" && part?.starter_typescript) || part?.starter || "";
}

/** Whether `text` is an unchanged starter of the exercise. */
export function isUntouched(exercise, text) {
  const given = text.trim();
  return given !== "" && ["python", "javascript", "typescript", "sql"].some((name) => starterOf(exercise, name).trim() === given);
}

function kept(key) {
  try {
    return localStorage.getItem(key) ?? "";
  } catch {
    return "";
  }
}

function byDraft() {
  try {
    return Object.entries(JSON.parse(kept(BY_DRAFT) || "{}"));
  } catch {
    return [];
  }
}

/** Keep the language that the user has chosen, for later questions and for this draft. */
export function remember(name, draft) {
  try {
    if (!OF_ONE_QUESTION.includes(name)) localStorage.setItem(KEY, name);
    const others = byDraft().filter(([key]) => key !== draft);
    localStorage.setItem(BY_DRAFT, JSON.stringify(Object.fromEntries([...others, [draft, name]].slice(-KEPT))));
  } catch {
    // A full or forbidden storage must not stop the user from choosing.
  }
}

/**
 * The language to open in: the one that the draft is written in, else the exercise's, else the one chosen for the interview, else
 * the last one.
 */
export function first({ wanted, exercise, draft, text }) {
  const known = (name) => LANGUAGES.some(([one]) => one === name);
  const chosen = Object.fromEntries(byDraft())[draft];
  if (text.trim() && !isUntouched(exercise, text) && known(chosen)) return chosen;
  const last = kept(KEY);
  if (!exercise) return wanted ? (EDITORS[wanted] ?? "text") : known(last) ? last : "python";
  const tested = LANGUAGES.map(([name]) => name).filter((name) => partOf(exercise, name));
  return [EDITORS[wanted], last, "python"].find((name) => tested.includes(name)) ?? tested[0] ?? "python";
}
