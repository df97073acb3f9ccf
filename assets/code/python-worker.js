import { collector } from "./collector.js";
import { counted } from "./counted.js";
import PROGRAM from "./python_program.py?raw";

// Runs the Python of an answer, in a worker of its own, off the page.
//
// What keeps a program away from the person's account: the answer that this script comes in has a policy of its own
// (interviewer/api/middleware.py), under which the worker can load from nowhere but the folder that Python itself lies in, cannot
// build code from text and cannot start other workers. The browser enforces that, whatever runs in here. On top of it Python gets
// an empty `js` module, and the doors of the browser (fetch, sockets, storage, channels) are taken away once Python is loaded.
// What is not prevented: a program can use one processor until it is stopped and as much memory as the browser gives a page, and
// it can send any message to the page, which therefore takes nothing from it but text and numbers, and little of both.
const DOORS = [
  "fetch", "fetchLater", "XMLHttpRequest", "WebSocket", "WebSocketStream", "WebTransport", "EventSource", "importScripts", "Worker",
  "SharedWorker", "BroadcastChannel", "MessageChannel", "indexedDB", "caches", "cookieStore", "Notification", "FileReaderSync",
];
const post = self.postMessage.bind(self);
let loading;
// When a running program gets an interrupt, in milliseconds of `performance.now()`. Python asks for it every few instructions.
let deadline = Infinity;
const INTERRUPT = 2;
const signals = {
  get 0() {
    if (performance.now() < deadline) return 0;
    deadline = Infinity;
    return INTERRUPT;
  },
  set 0(_) {},
};

async function load(folder) {
  counted(self, post);
  const { loadPyodide } = await import(/* @vite-ignore */ `${folder}pyodide.mjs`);
  const python = await loadPyodide({ indexURL: folder, jsglobals: {}, stdin: () => null });
  const run = await python.runPythonAsync(PROGRAM);
  python.setInterruptBuffer(signals);
  for (const door of DOORS) close(door);
  return { python, run };
}

function close(door) {
  for (let owner = self; owner && owner !== Object.prototype; owner = Object.getPrototypeOf(owner)) {
    if (Object.hasOwn(owner, door)) Object.defineProperty(owner, door, { value: undefined });
  }
}

self.onmessage = async ({ data: { folder, job } }) => {
  let runtime;
  try {
    runtime = await (loading ||= load(folder));
  } catch (error) {
    return post({ broken: String(error) });
  }
  const output = collector(post, job.kept);
  runtime.python.setStdout(output.writer("out"));
  runtime.python.setStderr(output.writer("err"));
  post({ started: true });
  try {
    deadline = performance.now() + job.seconds * 1000;
    const outcome = JSON.parse(runtime.run(JSON.stringify(job)));
    deadline = Infinity;
    output.send();
    post({ done: { ...outcome, cut: output.cut } });
  } catch (error) {
    // Python itself has died, of too deep a recursion or of no memory.
    output.send();
    post({ died: String(error).slice(0, 500) });
  }
};
