// The answer box in code mode: a bar with the language and Run, CodeMirror over the textarea, and what the program printed.
// Closed it is nothing but the textarea. CodeMirror, each language and Python are loaded when they are first needed.
import { useEffect, useRef, useState } from "react";
import { pythonRunner } from "./python.js";

const LANGUAGES = [
  ["python", "Python"],
  ["go", "Go"],
  ["java", "Java"],
  ["javascript", "JavaScript, TypeScript"],
  ["rust", "Rust"],
  ["cpp", "C++"],
  ["sql", "SQL"],
  ["text", "Plain text"],
];
const KEY = "code-language";
// The editor's name of a programming language that was chosen for the interview, where it has one.
const EDITORS = {
  "C++": "cpp",
  Go: "go",
  Java: "java",
  JavaScript: "javascript",
  Python: "python",
  Rust: "rust",
  TypeScript: "javascript",
};

function first(language) {
  if (language) return EDITORS[language] ?? "text";
  try {
    const kept = localStorage.getItem(KEY);
    return LANGUAGES.some(([name]) => name === kept) ? kept : "python";
  } catch {
    return "python";
  }
}

function remember(name) {
  try {
    localStorage.setItem(KEY, name);
  } catch {
    // A full or forbidden storage must not stop the user from choosing.
  }
}

/**
 * `look` holds the classes of the parts, `labelId` names the box's label, `python` is the folder of Python's files, and
 * `language` is the programming language to begin with.
 */
export function CodeBox({ open, look, labelId, hintIds, placeholder, language: wanted, python, children }) {
  const root = useRef(null);
  const host = useRef(null);
  const editor = useRef(null);
  const runner = useRef(null);
  const [language, setLanguage] = useState("python");
  const [state, setState] = useState("closed"); // closed, loading, ready or failed
  const [run, setRun] = useState({ phase: "idle" });

  useEffect(() => {
    if (!open) return undefined;
    const box = root.current.querySelector("textarea");
    const label = document.getElementById(labelId);
    const name = first(wanted);
    let gone = false;
    const focus = () => editor.current?.focus();
    const attributes = { "aria-labelledby": labelId, "aria-describedby": hintIds, tabindex: "0", class: "outline-none" };
    setLanguage(name);
    setState("loading");
    import("./mirror.js")
      .then(({ mirror }) => mirror(box, host.current, { language: name, attributes, hint: placeholder }))
      .then((made) => {
        if (gone || !made) return made?.close();
        editor.current = made;
        // The label names one box: the one that is seen.
        label.removeAttribute("for");
        label.addEventListener("click", focus);
        return setState("ready");
      })
      .catch(() => gone || setState("failed"));
    return () => {
      gone = true;
      editor.current?.close();
      editor.current = null;
      label.htmlFor = box.id;
      label.removeEventListener("click", focus);
      runner.current?.close();
      runner.current = null;
      setState("closed");
      setRun({ phase: "idle" });
    };
  }, [open]);

  const choose = (event) => {
    const name = event.target.value;
    setLanguage(name);
    remember(name);
    // Without its colors a language can be written all the same.
    editor.current?.speak(name).catch(() => {});
  };

  const start = () => {
    runner.current ||= pythonRunner(python, setRun);
    runner.current.run(root.current.querySelector("textarea").value);
  };

  const busy = run.phase === "loading" || run.phase === "running";
  return (
    <div ref={root} className={open ? look.frame : undefined}>
      {open && (
        <div className={look.bar}>
          <label className={look.language}>
            <span className={look.language_word}>Language</span>
            <select value={language} onChange={choose} className={look.select}>
              {LANGUAGES.map(([name, label]) => (
                <option key={name} value={name}>
                  {label}
                </option>
              ))}
            </select>
          </label>
          {language === "python" && (
            <button type="button" onClick={busy ? () => runner.current.stop() : start} className={look.run}>
              <svg viewBox="0 0 24 24" width="16" height="16" fill="currentColor" aria-hidden="true">
                <path d={busy ? "M6 6h12v12H6z" : "M7 4.5v15l12.5-7.5z"} />
              </svg>
              {busy ? "Stop" : "Run"}
            </button>
          )}
        </div>
      )}
      <div hidden={state === "ready"}>{children}</div>
      {open && <div ref={host} className={look.editor} />}
      {state === "failed" && (
        <p role="status" className={look.note}>
          We couldn't load the code editor. You can type your code in this box instead.
        </p>
      )}
      {open && language === "python" && <Output run={run} look={look} />}
    </div>
  );
}

function Output({ run, look }) {
  const pieces = run.pieces ?? [];
  const root = useRef(null);
  const grown = pieces.length > 0 || Boolean(run.error);
  const midline = pieces.length > 0 && !pieces.at(-1)[1].endsWith("\n");
  useEffect(() => {
    if (run.phase !== "idle") root.current.scrollIntoView({ block: "nearest" });
  }, [run.phase, grown]);
  return (
    <div ref={root} className={run.phase === "idle" ? undefined : look.output}>
      <p role="status" className={run.phase === "idle" ? "sr-only" : run.failed ? look.wrong : look.status}>
        {run.message}
      </p>
      {run.phase === "loading" && (
        <div className={look.track} aria-hidden="true">
          <div className={look.bar_done} style={{ width: `${Math.round(run.part * 100)}%` }} />
        </div>
      )}
      {grown && (
        <pre className={look.printed} tabIndex={0} role="region" aria-label="Output">
          {pieces.map(([kind, text], index) => (
            <span key={index} className={kind === "err" ? look.error : undefined}>
              {text}
            </span>
          ))}
          {run.error && <span className={look.error}>{(midline ? "\n" : "") + run.error}</span>}
        </pre>
      )}
      {run.cut && <p className={look.cut}>Only the first 20,000 characters are shown.</p>}
    </div>
  );
}
