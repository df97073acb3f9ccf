// Runs the JavaScript of an answer. The page passes this text to run-script.html, an iframe with an opaque origin, which starts a
// new worker with it for each job. The worker inherits the iframe's policy (interviewer/api/middleware.py): it can evaluate code,
// and can load nothing and reach no storage. It must be one classic script without imports.
(() => {
  const post = self.postMessage.bind(self);
  const AsyncFunction = (async () => {}).constructor;
  const FILE = "answer.js";
  const HEADER = 2; // lines that a function made from text has before its body
  const MOST = 6000; // characters of an error
  const NO_MODULES = "There are no modules here, only plain JavaScript.";
  const clock = performance.now.bind(performance);

  // -- printing -------------------------------------------------------------------------------------------------------------

  const named = (value) => (value.constructor && value.constructor !== Object ? `${value.constructor.name} ` : "");
  const listed = (open, parts, close) => {
    const line = parts.join(", ");
    if (!parts.length) return open.trimEnd() + close;
    return line.length < 72 && !line.includes("\n") ? `${open}${line}${close}` : `${open}\n  ${parts.join(",\n").replaceAll("\n", "\n  ")}\n${close}`;
  };

  function inspect(value, depth = 0, seen = []) {
    if (typeof value === "string") return depth ? JSON.stringify(value) : value;
    if (typeof value === "bigint") return `${value}n`;
    if (typeof value === "function") return `[function ${value.name || "without a name"}]`;
    if (typeof value !== "object" || value === null) return Object.is(value, -0) ? "-0" : String(value);
    if (value instanceof Error) return String(value);
    if (value instanceof Date) return isNaN(value) ? "Invalid Date" : value.toISOString();
    if (value instanceof RegExp) return String(value);
    if (value instanceof Promise) return "Promise";
    if (seen.includes(value)) return "[circular]";
    if (depth > 4) return "…";
    const inner = (one) => inspect(one, depth + 1, [...seen, value]);
    const some = (all, show) => [...all.slice(0, 100).map(show), ...(all.length > 100 ? ["…"] : [])];
    if (value instanceof Map) return `Map(${value.size}) ${listed("{ ", some([...value], ([key, one]) => `${inner(key)} => ${inner(one)}`), " }")}`;
    if (value instanceof Set) return `Set(${value.size}) ${listed("{ ", some([...value], inner), " }")}`;
    if (Array.isArray(value) || ArrayBuffer.isView(value)) {
      return (Array.isArray(value) ? "" : named(value)) + listed("[", some(Array.from(value), inner), "]");
    }
    const key = (name) => (/^[A-Za-z_$][\w$]*$/.test(name) ? name : JSON.stringify(name));
    return named(value) + listed("{ ", some(Object.entries(value), ([name, one]) => `${key(name)}: ${inner(one)}`), " }");
  }

  let kept = 0, cut = false, most = 0, waiting = [], sent = 0;
  const flush = () => {
    if (waiting.length) post({ pieces: waiting });
    waiting = [];
    sent = clock();
  };
  const print = (kind, values) => {
    const text = `${values.map((value) => inspect(value)).join(" ")}\n`;
    const room = text.slice(0, most - kept);
    cut ||= room.length < text.length;
    kept += room.length;
    if (room) waiting.push([kind, room]);
    if (clock() - sent > 80) flush();
  };
  const out = (...values) => print("out", values);
  const err = (...values) => print("err", values);
  Object.assign(console, { log: out, info: out, debug: out, dir: out, table: out, warn: err, error: err, trace: err });
  console.assert = (holds, ...values) => holds || err("Assertion failed:", ...values);

  // -- errors ---------------------------------------------------------------------------------------------------------------

  let lines = 0; // of the candidate's code; what is behind them is the harness

  // The candidate's own lines in a stack, in Chromium's and Safari's or in Firefox's notation.
  function places(error) {
    const found = [];
    for (const frame of String(error?.stack ?? "").split("\n")) {
      const at = /answer\.js:(\d+):\d+/.exec(frame);
      const line = at ? Number(at[1]) - HEADER : 0;
      const name = /at (?:async )?([\w$.]+) \(/.exec(frame)?.[1] ?? /^([\w$.]+)@/.exec(frame)?.[1] ?? "";
      if (line >= 1 && line <= lines) found.push([line, ["eval", "anonymous"].includes(name) ? "" : name]);
    }
    return found;
  }

  function described(error) {
    const found = places(error);
    const stack = found.slice(0, 10).map(([line, name]) => `    at ${name ? `${name}, ` : ""}line ${line}\n`);
    const text = error instanceof Error ? String(error) : `Thrown: ${inspect(error, 1)}`;
    return { error: `${text.slice(0, MOST)}\n${stack.join("")}`, line: found[0]?.[0] ?? null };
  }

  // Browsers say where a syntax error is only when nothing has caught it.
  function misspelled(body, error) {
    return new Promise((resolve) => {
      const end = (line) => {
        const known = line >= 1 && line <= lines ? line : null;
        resolve({ error: `${error}${known ? ` (line ${known})` : ""}\n`, line: known, syntax: true, before: true });
      };
      if (error.lineNumber || error.line) return end((error.lineNumber || error.line) - HEADER);
      self.onerror = (message, file, line) => {
        end(file === FILE ? line - HEADER : 0);
        return true;
      };
      setTimeoutNow(() => new AsyncFunction(body));
      setTimeoutNow(() => end(0), 100);
    });
  }

  // -- timers: a program has ended when none is waiting ------------------------------------------------------------------------

  const setTimeoutNow = self.setTimeout.bind(self);
  const timers = new Set();
  let idle = () => {};
  const ended = (id) => timers.delete(id) && timers.size === 0 && setTimeoutNow(() => timers.size === 0 && idle());
  for (const kind of ["Timeout", "Interval"]) {
    const [set, clear] = [self[`set${kind}`].bind(self), self[`clear${kind}`].bind(self)];
    self[`set${kind}`] = (work, wait, ...values) => {
      if (typeof work !== "function") throw new TypeError(`set${kind} needs a function`);
      const id = set(() => {
        try {
          work(...values);
        } finally {
          if (kind === "Timeout") ended(id);
        }
      }, wait);
      timers.add(id);
      return id;
    };
    self[`clear${kind}`] = (id) => {
      clear(id);
      ended(id);
    };
  }

  // -- jobs -----------------------------------------------------------------------------------------------------------------

  const DOORS = [
    "fetch", "fetchLater", "XMLHttpRequest", "WebSocket", "WebSocketStream", "WebTransport", "EventSource", "importScripts",
    "Worker", "SharedWorker", "BroadcastChannel", "indexedDB", "caches", "cookieStore", "Notification", "FileReaderSync",
  ];
  const shut = (door) => {
    for (let owner = self; owner && owner !== Object.prototype; owner = Object.getPrototypeOf(owner)) {
      if (Object.hasOwn(owner, door)) Object.defineProperty(owner, door, { value: undefined });
    }
  };

  function plain(value) {
    if (value === undefined) return null;
    if (typeof value === "bigint") return Number(value);
    if (value instanceof Map) return Object.fromEntries([...value].map(([key, one]) => [String(key), plain(one)]));
    if (value instanceof Set) return [...value].map(plain).sort();
    if (value instanceof Date) return value.toISOString();
    if (Array.isArray(value)) return value.map(plain);
    if (!value || typeof value !== "object") return value;
    if (Symbol.iterator in value) return [...value].map(plain);
    return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined).map(([key, one]) => [key, plain(one)]));
  }

  async function listOf(value) {
    if (!value || typeof value !== "object" || !(Symbol.asyncIterator in value)) return value;
    const all = [];
    for await (const one of value) all.push(one);
    return all;
  }

  async function runCase({ source, harness, call, input }) {
    let before = true, limit;
    try {
      const body = `${source}\n;${harness}\n;return typeof ${call} === "undefined" ? null : ${call};\n//# sourceURL=${FILE}`;
      const made = await new AsyncFunction(body)();
      if (!made) return { error: `Your code doesn't define ${call}().\n`, line: null, before };
      before = false;
      const began = clock();
      // An error in a timer would leave the call waiting.
      const failed = new Promise((_, fail) => (limit = fail));
      self.onerror = (message, file, line, column, error) => (limit(error ?? message), true);
      const value = await Promise.race([Promise.resolve(made(...JSON.parse(input))).then(listOf), failed]);
      return { value: JSON.stringify(plain(value) ?? null) ?? "null", error: "", seconds: (clock() - began) / 1000 };
    } catch (error) {
      return { ...described(error), before };
    }
  }

  function runProgram(body) {
    return new Promise((resolve) => {
      const fail = (error) => resolve(described(error));
      self.onerror = (message, file, line, column, error) => (fail(error ?? message), true);
      self.onunhandledrejection = (event) => (event.preventDefault(), fail(event.reason));
      new AsyncFunction(body)().then(() => {
        idle = () => resolve({ error: "", line: null });
        if (timers.size === 0) setTimeoutNow(() => timers.size === 0 && idle());
      }, fail);
    });
  }

  self.onmessage = async ({ data: { job } }) => {
    self.onmessage = null;
    lines = job.source.split("\n").length;
    most = job.kept;
    DOORS.forEach(shut);
    self.require = () => {
      throw new Error(NO_MODULES);
    };
    self.module = { exports: {} };
    self.exports = self.module.exports;
    post({ started: true });
    const began = clock();
    const body = `${job.source}\n//# sourceURL=${FILE}`;
    let outcome;
    try {
      new AsyncFunction(body);
      outcome = await (job.kind === "case" ? runCase(job) : runProgram(body));
    } catch (error) {
      outcome = await misspelled(body, error);
    }
    flush();
    post({ done: { seconds: (clock() - began) / 1000, ...outcome, cut } });
  };
})();
