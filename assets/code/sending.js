// Sending an answer: the tests of its exercise run first, and their results go with it. Submits are held back on the window, before
// forms.js and React see them, and sent once more when the results are there.
import { isUntouched, partOf } from "./languages.js";

// Results are sent with the same code for this long: forms.js may hold the form back once more, until the page has connected.
const FRESH = 30000;
const NOT_RUN = { outcome: "unavailable", cases: [] };

/**
 * Hold the submits of `form` back. `language` and `code` return what would be sent; `check` runs the tests and resolves to their
 * results, or to undefined when the user stops them; `offer` gets a function that sends without tests, or null; `refuse` says that
 * there is no code yet. Returns a function that lets the form go and empties its fields.
 */
export function holdSubmits({ form, exercise, language, code, fields, check, stop, locked, offer, refuse, unavailable }) {
  const field = (name) => fields.querySelector(`input[name="${name}"]`);
  let running = false, done = null;

  const fill = (name, results) => {
    field("language").value = name === "text" ? "" : name;
    field("test_results").value = results ? JSON.stringify(results) : "";
  };

  const submit = (text, name, results, button) => {
    done = { text, name, results, at: Date.now() };
    if (form.isConnected) form.requestSubmit(button?.isConnected ? button : null);
  };

  const test = async (text, name, button) => {
    let skipped = false;
    running = true;
    locked(true);
    offer(() => {
      skipped = true;
      stop("Sent without the tests.");
    });
    const results = await check(text, name).catch(() => (unavailable(), NOT_RUN));
    running = false;
    locked(false);
    offer(null);
    if (results || skipped) submit(text, name, { language: name, ...(results ?? NOT_RUN) }, button);
  };

  const hold = (event) => {
    if (event.target !== form) return;
    const [text, name] = [code(), language()];
    const known = done && done.text === text && done.name === name && Date.now() - done.at < FRESH;
    const wait = () => {
      event.preventDefault();
      event.stopImmediatePropagation();
    };
    if (running) return wait();
    if (isUntouched(exercise, text)) {
      wait();
      return refuse();
    }
    if (known || !text.trim() || !partOf(exercise, name)) return fill(name, known ? done.results : null);
    wait();
    return test(text, name, event.submitter);
  };

  addEventListener("submit", hold, true);
  return () => {
    removeEventListener("submit", hold, true);
    fill("text", null);
  };
}
