// Run solutions of exercises in JavaScript, in a worker that is replaced when a case exceeds its time limit.
// Reads jobs as JSON from standard input and writes one line of JSON for each: the outcomes of its cases.
import { readFileSync } from "node:fs";
import { Worker, isMainThread, parentPort } from "node:worker_threads";
import { fileURLToPath } from "node:url";

const AsyncFunction = Object.getPrototypeOf(async () => {}).constructor;

const isIterable = (value) => typeof value[Symbol.iterator] === "function";

/** Return a value that JSON can hold: maps as objects, sets as sorted lists, and iterables as lists. */
function plain(value) {
  if (value === undefined || value === null) return null;
  if (typeof value === "bigint") return Number(value);
  if (typeof value !== "object") return value;
  if (value instanceof Map) return plain(Object.fromEntries(value));
  if (value instanceof Set) return [...value].map(plain).sort();
  if (value instanceof Date) return value.toISOString();
  if (isIterable(value)) return [...value].map(plain);
  const defined = Object.entries(value).filter(([, one]) => one !== undefined);
  return Object.fromEntries(defined.map(([key, one]) => [key, plain(one)]));
}

/** Run one case in a scope of its own, and return its value or its error. */
async function outcome(code, harness, { call, input }) {
  try {
    const made = await new AsyncFunction(`${code}\n;${harness}\n;return ${call};`)();
    let value = await made(...input);
    if (value && typeof value === "object" && Symbol.asyncIterator in value) {
      const all = [];
      for await (const one of value) all.push(one);
      value = all;
    }
    return { value: plain(value) };
  } catch (error) {
    return { error: String(error) };
  }
}

let worker = null;

function begun() {
  worker ??= new Worker(fileURLToPath(import.meta.url), { stdout: true, stderr: true });
  return worker;
}

/** Run one case in the worker, which is terminated if it takes too long. */
function limited(job, one) {
  return new Promise((resolve) => {
    const running = begun();
    const ended = (result) => {
      clearTimeout(timer);
      running.off("message", ended).off("error", failed);
      resolve(result);
    };
    const stop = (result) => {
      worker = null;
      running.terminate();
      ended(result);
    };
    const failed = (error) => stop({ error: String(error) });
    const timer = setTimeout(() => stop({ timeout: true }), one.seconds * 1000);
    running.once("message", ended).once("error", failed);
    running.postMessage([job.code, job.harness, one]);
  });
}

if (isMainThread) {
  for (const job of JSON.parse(readFileSync(0, "utf8"))) {
    const found = [];
    for (const one of job.cases) {
      found.push(await limited(job, one));
      if (found.at(-1).timeout) break;
    }
    process.stdout.write(`${JSON.stringify(found)}\n`);
  }
  process.exit(0);
} else {
  parentPort.on("message", async ([code, harness, one]) => parentPort.postMessage(await outcome(code, harness, one)));
}
