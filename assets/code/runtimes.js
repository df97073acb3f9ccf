// What runs programs. A runtime has `open(heard, failed)`, which starts it and returns its port; `heard` gets its messages.
import SCRIPT from "./script-worker.js?raw";

function worker(started, folder) {
  return (heard, failed) => {
    const made = started();
    made.onmessage = ({ data }) => heard(data);
    made.onerror = failed;
    return { post: (job) => made.postMessage({ folder: new URL(folder, location.href).href, job }), end: () => made.terminate() };
  };
}

// A frame with an opaque origin, and in it a new worker for each job. Removing the frame ends the worker.
function frame(heard, failed) {
  const made = document.createElement("iframe");
  let ready;
  const loaded = new Promise((resolve) => (ready = resolve));
  const listen = ({ source, data }) => {
    if (source !== made.contentWindow || !source) return;
    if (data?.ready) return ready();
    heard(data);
  };
  const late = setTimeout(failed, 15000);
  loaded.then(() => clearTimeout(late));
  made.sandbox = "allow-scripts";
  made.src = "/run-script.html";
  made.title = "Runs your JavaScript";
  made.hidden = true;
  addEventListener("message", listen);
  document.body.append(made);
  return {
    post: (job) => loaded.then(() => made.contentWindow?.postMessage({ program: SCRIPT, job }, "*")),
    end() {
      clearTimeout(late);
      removeEventListener("message", listen);
      made.remove();
    },
  };
}

/** The runtimes by name. `bytes` is what a runtime's files have when unpacked, for the progress bar. */
export function runtimes({ python, pglite }) {
  return {
    python: {
      label: "Python",
      loading: "Loading Python (about 6 MB, first time only).",
      bytes: 12300000,
      open: worker(() => new Worker(new URL("./python-worker.js", import.meta.url), { type: "module" }), python),
    },
    script: { label: "JavaScript", loading: "Starting JavaScript.", bytes: 1, open: frame },
    sql: {
      label: "PostgreSQL",
      loading: "Loading PostgreSQL (about 5 MB, first time only). It takes a few seconds to start.",
      bytes: 16200000,
      open: worker(() => new Worker(new URL("./sql-worker.js", import.meta.url), { type: "module" }), pglite),
    },
  };
}

/** JavaScript that a function can have as its body: TypeScript without its types, and modules without `export`. */
export async function prepared(source, language) {
  if (runtimeless(language)) return source;
  const plain = language === "typescript" ? await withoutTypes(source) : source;
  return plain.replace(/^export (?:default )?(?=async |function\b|class |const |let |var )/gm, "");
}

const runtimeless = (language) => language !== "javascript" && language !== "typescript";

async function withoutTypes(source) {
  const { transform } = await import("sucrase");
  try {
    return transform(source, { transforms: ["typescript"], disableESTransforms: true, keepUnusedImports: true }).code;
  } catch (error) {
    const line = error.loc?.line ?? null;
    const said = String(error.message).replace(/^Error transforming [^:]*: /, "").replace(/ \(\d+:\d+\)$/, "");
    throw Object.assign(new SyntaxError(said), { at: line });
  }
}
