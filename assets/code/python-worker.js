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
// Characters of output that are kept of one run; the page has a limit of its own.
const KEPT = 20000;
const PAUSE = 80; // milliseconds between two messages with output

const RUNNER = `
import asyncio, sys, time, traceback
from pyodide.code import eval_code_async

FILE, MOST = "answer.py", 6000

def _told(error):
    at = error.__traceback__
    while at is not None and at.tb_frame.f_code.co_filename != FILE:
        at = at.tb_next
    text = "".join(traceback.format_exception(type(error), error, at))
    return text if len(text) <= MOST else text[: MOST // 3] + "\\n  …\\n" + text[-MOST:]

async def run(source):
    began, error = time.perf_counter(), ""
    try:
        await eval_code_async(source, globals={"__name__": "__main__"}, filename=FILE, return_mode="none")
    except SystemExit as end:
        error = "" if end.code in (None, 0) else f"SystemExit: {end.code}"
    except BaseException as raised:
        error = _told(raised)
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            pass
    return [error, time.perf_counter() - began]

run
`;

const post = self.postMessage.bind(self);
let loading;

async function load(folder) {
  const plain = self.fetch.bind(self);
  let seen = 0;
  self.fetch = async (...request) => {
    const answer = await plain(...request);
    if (!answer.ok || !answer.body) return answer;
    const count = (chunk, stream) => {
      seen += chunk.length;
      post({ loaded: seen });
      stream.enqueue(chunk);
    };
    return new Response(answer.body.pipeThrough(new TransformStream({ transform: count })), { headers: answer.headers });
  };
  const { loadPyodide } = await import(/* @vite-ignore */ `${folder}pyodide.mjs`);
  const python = await loadPyodide({ indexURL: folder, jsglobals: {}, stdin: () => null });
  const run = await python.runPythonAsync(RUNNER);
  for (const door of DOORS) close(door);
  return { python, run };
}

function close(door) {
  for (let owner = self; owner && owner !== Object.prototype; owner = Object.getPrototypeOf(owner)) {
    if (Object.hasOwn(owner, door)) Object.defineProperty(owner, door, { value: undefined });
  }
}

// Gathers what is written and sends it now and then; what comes after KEPT characters is dropped, and `cut` says so.
function collector() {
  const decoders = { out: new TextDecoder(), err: new TextDecoder() };
  let kept = 0, waiting = [], sent = 0;
  const collected = {
    cut: false,
    send() {
      if (waiting.length) post({ pieces: waiting });
      waiting = [];
      sent = performance.now();
    },
    add(kind, text) {
      const room = text.slice(0, KEPT - kept);
      collected.cut ||= room.length < text.length;
      kept += room.length;
      if (room) waiting.push([kind, room]);
      if (room && performance.now() - sent > PAUSE) collected.send();
    },
    writer: (kind) => ({
      isatty: true,
      write(bytes) {
        if (!collected.cut) collected.add(kind, decoders[kind].decode(bytes, { stream: true }));
        return bytes.length;
      },
    }),
  };
  return collected;
}

self.onmessage = async ({ data }) => {
  let runtime;
  try {
    runtime = await (loading ||= load(data.folder));
  } catch (error) {
    return post({ broken: String(error) });
  }
  const output = collector();
  runtime.python.setStdout(output.writer("out"));
  runtime.python.setStderr(output.writer("err"));
  post({ started: true });
  try {
    const [error, seconds] = (await runtime.run(data.source)).toJs();
    output.send();
    post({ error, seconds, cut: output.cut });
  } catch (error) {
    // Python itself has died, of too deep a recursion or of no memory.
    output.send();
    post({ died: String(error).slice(0, 500) });
  }
};
