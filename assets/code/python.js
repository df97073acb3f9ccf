// The page's side of running Python: starts the worker at the first run, keeps it for the next ones, and ends it when a run takes
// too long, when somebody stops it or when the box goes away.
const SECONDS = 10;
const MOST = 20000; // characters of output that are shown; the worker keeps to it too, but nobody has to believe a program
const WHOLE = 12300000; // bytes that Python's files have when unpacked, for the bar

const START = { phase: "idle", part: 0, pieces: [], message: "", failed: false };

/** Return a runner; `show` is called with what to show whenever that changes. */
export function pythonRunner(folder, show) {
  let worker, timer, state = START, ready = false;

  const tell = (change) => show((state = { ...state, ...change }));

  const end = () => {
    clearTimeout(timer);
    worker?.terminate();
    worker = undefined;
    ready = false;
  };

  const finish = (message, failed, change = {}) => {
    clearTimeout(timer);
    tell({ phase: "done", message, failed, ...change });
  };

  const add = (pieces) => {
    let room = MOST + 500 - state.pieces.reduce((sum, [, text]) => sum + text.length, 0);
    const added = [];
    for (const [kind, text] of Array.isArray(pieces) ? pieces : []) {
      const shown = String(text).slice(0, Math.max(0, room));
      room -= shown.length;
      if (shown) added.push([kind === "err" ? "err" : "out", shown]);
    }
    tell({ pieces: [...state.pieces, ...added] });
  };

  const heard = ({ data }) => {
    if (typeof data !== "object" || data === null) return;
    if ("loaded" in data) tell({ part: Math.min(1, Number(data.loaded) / WHOLE) || 0 });
    if (data.pieces) add(data.pieces);
    if (data.started) {
      ready = true;
      tell({ phase: "running", message: "Running…" });
      timer = setTimeout(() => {
        end();
        finish(`Stopped after ${SECONDS} seconds: the program was still running.`, true);
      }, SECONDS * 1000);
    }
    if ("error" in data) {
      const took = `${Math.max(0.01, Number(data.seconds)).toFixed(2)} s`;
      const error = String(data.error).slice(0, 10000);
      const silent = state.pieces.length === 0 && !error;
      const message = error ? `Ended with an error after ${took}.` : `Finished in ${took}.${silent ? " It printed nothing." : ""}`;
      finish(message, Boolean(error), { error, cut: Boolean(data.cut) });
    }
    if (data.died) {
      end();
      finish("Python stopped: the recursion went too deep, or it ran out of memory.", true);
    }
    if (data.broken) unreachable();
  };

  const unreachable = () => {
    end();
    finish("We couldn't load Python. Check your connection, then press Run again.", true);
  };

  return {
    run(source) {
      clearTimeout(timer);
      if (!worker) {
        worker = new Worker(new URL("./python-worker.js", import.meta.url), { type: "module" });
        worker.onmessage = heard;
        worker.onerror = unreachable;
      }
      state = START;
      tell(ready ? { phase: "running", message: "Running…" } : { phase: "loading", message: "Loading Python (about 6 MB, first time only)." });
      worker.postMessage({ folder: new URL(folder, location.href).href, source });
    },
    stop() {
      end();
      finish("Stopped.", false);
    },
    close: end,
  };
}
