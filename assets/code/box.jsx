// The answer box in code mode: a bar with the language and Run, CodeMirror over the textarea, and what running the code showed.
// Closed it is nothing but the textarea. CodeMirror, each language and each runtime are loaded when they are first needed.
import { useEffect, useRef, useState } from "react";
import { first, isUntouched, LANGUAGES, parsed, partOf, remember, runtimeOf, starterOf } from "./languages.js";
import { Output } from "./output.jsx";
import { holdSubmits } from "./sending.js";

const IDLE = { phase: "idle" };
const UNTOUCHED = "The box has only the code that you started with. Write your own, then send it.";

/**
 * `look` holds the classes of the parts, `labelId` names the box's label, and `language` is the programming language chosen for
 * the interview. `python` and `pglite` are the folders of the runtimes' files. `exercise` has the question's tests, as JSON or "".
 */
export function CodeBox({ open, look, labelId, hintIds, placeholder, language: wanted, python, pglite, exercise: given, children }) {
  const root = useRef(null);
  const host = useRef(null);
  const editor = useRef(null);
  const runner = useRef(null);
  const starting = useRef(false);
  const language = useRef("python"); // what handlers read; `shown` is what is drawn
  const [shown, setShown] = useState("python");
  const [state, setState] = useState("closed"); // closed, loading, ready or failed
  const [run, setRun] = useState(IDLE);
  const [skip, setSkip] = useState(null);
  const exercise = parsed(given);

  const box = () => root.current?.querySelector("textarea");
  const speak = (name) => setShown((language.current = name));
  const runs = async () => {
    const { runner: made } = await import("./runner.js");
    runner.current ||= made({ folders: { python, pglite }, show: setRun });
    return runner.current;
  };

  // Put text into the box as if it were typed. A starter is no draft (drafts.js).
  const put = (text, starter) => {
    const into = box();
    into.dataset.starter = starter;
    if (editor.current) return editor.current.replace(text);
    into.value = text;
    return into.dispatchEvent(new Event("input", { bubbles: true }));
  };
  const begin = (name) => {
    const text = box().value;
    const starter = starterOf(exercise, name);
    if (text !== starter && (text.trim() === "" || isUntouched(exercise, text))) put(starter, starter);
  };

  useEffect(() => {
    if (!open) return undefined;
    const into = box();
    const label = document.getElementById(labelId);
    let gone = false;
    const focus = () => editor.current?.focus();
    const attributes = { "aria-labelledby": labelId, "aria-describedby": hintIds, tabindex: "0", class: "outline-none" };
    speak(first({ wanted, exercise, draft: into.dataset.draft, text: into.value }));
    setState("loading");
    // A box that has just come into the page gets its draft in this moment (drafts.js).
    new Promise((done) => setTimeout(done))
      .then(() => gone || speak(first({ wanted, exercise, draft: into.dataset.draft, text: into.value })))
      .then(() => import("./mirror.js"))
      .then(({ mirror }) => !gone && mirror(into, host.current, { language: language.current, attributes, hint: placeholder }))
      .then((made) => {
        if (gone || !made) return made && made.close();
        editor.current = made;
        // The label names one box: the one that is seen.
        label.removeAttribute("for");
        label.addEventListener("click", focus);
        return setState("ready");
      })
      .catch(() => gone || setState("failed"))
      .then(() => gone || begin(language.current));
    const release = holdSubmits({
      form: into.form,
      exercise,
      language: () => language.current,
      code: () => (editor.current?.flush(), into.value),
      fields: root.current,
      check: async (text, name) => (await runs()).check(text, name, exercise),
      stop: (message) => runner.current?.stop(message),
      locked: (on) => editor.current?.lock(on),
      offer: (way) => setSkip(() => way),
      refuse() {
        setRun({ ...IDLE, phase: "done", message: UNTOUCHED, failed: true });
        focus();
      },
      unavailable: () => setRun({ ...IDLE, phase: "done", message: "We couldn't run the tests. Your answer was sent without them.", failed: true }),
    });
    return () => {
      gone = true;
      release();
      editor.current?.close();
      editor.current = null;
      label.htmlFor = into.id;
      label.removeEventListener("click", focus);
      runner.current?.close();
      runner.current = null;
      // Prose does not begin with a starter.
      if (into.isConnected && isUntouched(exercise, into.value)) {
        into.value = "";
        into.dispatchEvent(new Event("input", { bubbles: true }));
      }
      setState("closed");
      setRun(IDLE);
      setSkip(null);
    };
  }, [open, given]);

  useEffect(() => {
    editor.current?.mark(run.phase === "done" ? run.line : null);
  }, [run.phase, run.line]);

  const choose = (event) => {
    const name = event.target.value;
    runner.current?.stop();
    setRun(IDLE);
    speak(name);
    remember(name, box().dataset.draft);
    begin(name);
    // Without its colors a language can be written all the same.
    editor.current?.speak(name).catch(() => {});
  };

  const start = async () => {
    if (starting.current) return;
    editor.current?.flush();
    const [text, name] = [box().value, language.current];
    starting.current = true;
    setRun({ ...IDLE, phase: "running", message: "Running…" });
    try {
      const made = await runs();
      starting.current = false;
      await made.run(text, name, exercise);
    } catch {
      starting.current = false;
      setRun({ ...IDLE, phase: "done", message: "We couldn't load what runs your code. Check your connection, then press Run again.", failed: true });
    }
  };

  const busy = run.phase === "loading" || run.phase === "running";
  const tested = Boolean(exercise && partOf(exercise, shown));
  const note = !runtimeOf(shown) ? "Not run here" : exercise && !tested ? "No tests in this language" : "";
  const stop = () => runner.current?.stop(skip ? "Stopped. Your answer wasn't sent." : "Stopped.");
  return (
    <div ref={root} className={open ? look.frame : undefined}>
      {open && (
        <div className={look.bar}>
          <label className={look.language}>
            <span className={look.language_word}>Language</span>
            <select value={shown} onChange={choose} className={look.select}>
              {LANGUAGES.map(([name, label]) => (
                <option key={name} value={name}>
                  {label}
                </option>
              ))}
            </select>
          </label>
          <span className={look.right}>
            {note && <span className={look.aside}>{note}</span>}
            {runtimeOf(shown) && (
              <button type="button" onClick={busy ? stop : start} className={look.run}>
                <svg viewBox="0 0 24 24" width="16" height="16" fill="currentColor" aria-hidden="true">
                  <path d={busy ? "M6 6h12v12H6z" : "M7 4.5v15l12.5-7.5z"} />
                </svg>
                {busy ? "Stop" : "Run"}
              </button>
            )}
          </span>
        </div>
      )}
      <div hidden={state === "ready"}>{children}</div>
      {open && <div ref={host} className={look.editor} />}
      {state === "failed" && (
        <p role="status" className={look.note}>
          We couldn't load the code editor. You can type your code in this box instead.
        </p>
      )}
      {open && <Output run={run} look={look} skip={busy ? skip : null} />}
      <input type="hidden" name="language" defaultValue="" />
      <input type="hidden" name="test_results" defaultValue="" />
    </div>
  );
}
