// The page's side of running code: starts a runtime at the first run, keeps it for the next ones, and ends it when a program takes
// too long, when the user stops it or when the box goes away. From a program it takes only text and numbers, and little of both.
import { matches } from "./compare.js";
import { partOf, runtimeOf } from "./languages.js";
import { prepared, runtimes } from "./runtimes.js";

const SECONDS = 10; // for a program
const CASE_SECONDS = 5, ALL_SECONDS = 20; // for a case that names no limit, and for all cases when an answer is sent
const GRACE = 0.4; // seconds in which a runtime can stop a program without being ended
const LOADING = 60; // seconds that loading a runtime may take
const MOST = 20000, PRINTED = 2000; // characters of output that are shown of a program, and of a case
const GOT = 300, ERROR = 500; // characters of a result and of an error that are sent with an answer
const VALUE = 1000000; // characters of a result that are compared
const ANSI = /\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])/g;

const START = { phase: "idle", part: 0, pieces: [], message: "", failed: false, error: "", line: null, cases: null, cut: false };
const seconds = (count) => `${count} ${count === 1 ? "second" : "seconds"}`;

/** Return a runner. `folders` has the folders of the runtimes' files; `show` is called with what to show when that changes. */
export function runner({ folders, show }) {
  const all = runtimes(folders);
  const sound = new Map(); // whether a case of a model-written exercise passes with the model's own solution
  let name, port, ready = false, waiting, timer, turn = 0, state = START;

  const tell = (change) => show((state = { ...state, ...change }));

  const end = () => {
    clearTimeout(timer);
    port?.end();
    port = undefined;
    ready = false;
  };

  const settle = (outcome) => {
    clearTimeout(timer);
    const { resolve } = waiting ?? {};
    waiting = undefined;
    resolve?.(outcome);
  };

  const dead = (outcome) => {
    end();
    settle(outcome);
  };

  const heard = (data) => {
    if (typeof data !== "object" || data === null || !waiting) return;
    if ("loaded" in data && !ready) tell({ part: Math.min(1, Number(data.loaded) / all[name].bytes) || 0 });
    if (Array.isArray(data.pieces)) waiting.hear(data.pieces);
    if (data.started && !waiting.started) {
      ready = waiting.started = true;
      clearTimeout(timer);
      timer = setTimeout(() => dead({ timeout: true }), (waiting.seconds + GRACE) * 1000);
      waiting.begun();
    }
    if (data.done) settle(cleaned(data.done));
    if (data.died !== undefined) dead({ died: true });
    if (data.broken !== undefined) dead({ broken: true });
  };

  // Run one job. `hear` gets what it prints, `begun` is called when it starts. Resolves to `cleaned` or why there is no outcome.
  const send = (language, job, hear, begun) =>
    new Promise((resolve) => {
      if (name !== runtimeOf(language)) end();
      name = runtimeOf(language);
      waiting = { resolve, hear, begun, seconds: job.seconds, started: false };
      port ||= all[name].open(heard, () => dead({ broken: true }));
      if (!ready) tell({ phase: "loading", message: all[name].loading });
      timer = setTimeout(() => dead({ broken: true }), LOADING * 1000);
      port.post(job);
    });

  const collect = (kept, most, pieces) => {
    let room = most - kept.reduce((sum, [, text]) => sum + text.length, 0);
    const added = [];
    for (const [kind, text] of pieces.filter(Array.isArray)) {
      const shown = String(text).replace(ANSI, "").slice(0, Math.max(0, room));
      room -= shown.length;
      if (shown) added.push([kind === "err" ? "err" : "out", shown]);
    }
    return [...kept, ...added];
  };

  // Run the program. Returns undefined when the user has stopped it.
  async function program(source, language, mine) {
    const job = { kind: "program", source, seconds: SECONDS, kept: MOST, last: true };
    const hear = (pieces) => mine === turn && tell({ pieces: collect(state.pieces, MOST + 500, pieces) });
    const outcome = await send(language, job, hear, () => tell({ phase: "running", message: "Running…" }));
    return mine === turn ? outcome : undefined;
  }

  // Run cases one after another; `until` is a number of seconds for all of them. Returns undefined when the user has stopped them.
  async function cases(wanted, code, language, exercise, mine, until = Infinity) {
    const part = partOf(exercise, language);
    const made = [], dropped = [];
    let stop, limit = Infinity;
    const one = (source, given, hear, last) => {
      const most = Math.min(given.seconds ?? CASE_SECONDS, Math.max(0.1, (limit - performance.now()) / 1000));
      const job = { kind: "case", source, ...inputOf(given, part, language), seconds: most, kept: PRINTED, last };
      return send(language, job, hear, () => {
        if (limit === Infinity) limit = performance.now() + until * 1000;
        tell({ phase: "running", message: `Running the tests… ${made.length + 1} of ${wanted.length}` });
      });
    };
    for (const given of wanted) {
      const key = `${language} ${given.name}`;
      if (part.reference && !sound.has(key)) {
        const began = performance.now(), counting = limit !== Infinity;
        const outcome = await one(await prepared(part.reference, language), given, () => {}, false);
        if (mine !== turn) return undefined;
        if (outcome.broken) return { outcome: "unavailable", cases: [] };
        sound.set(key, passes(outcome, given, exercise));
        // Checking the tests takes none of the candidate's time, and neither does loading.
        limit = counting ? limit + performance.now() - began : performance.now() + until * 1000;
      }
      if (part.reference && !sound.get(key)) {
        dropped.push({ name: given.name, passed: false, dropped: true });
        continue;
      }
      if (performance.now() >= limit || stop) {
        const error = stop ?? `Not run: the tests took longer than ${seconds(until)}.\n`;
        made.push(result(given, { error, before: true }, exercise, []));
        continue;
      }
      let printed = [];
      const outcome = await one(code, given, (pieces) => (printed = collect(printed, PRINTED, pieces)), given === wanted.at(-1));
      if (mine !== turn) return undefined;
      if (outcome.broken) return { outcome: "unavailable", cases: [] };
      made.push(result(given, outcome, exercise, printed));
      if (outcome.syntax) stop = outcome.error;
    }
    const late = performance.now() >= limit;
    return { outcome: stop ? "syntax" : !made.length ? "unavailable" : late ? "timeout" : "ran", cases: made, dropped };
  }

  const finish = (message, failed, change = {}) => tell({ phase: "done", message, failed, ...change });
  const unreachable = () =>
    finish(`We couldn't load ${all[name]?.label ?? "the tools"}. Check your connection, then press Run again.`, true);

  const ended = (outcome) => {
    const took = `${Math.max(0.01, outcome.seconds ?? 0).toFixed(2)} s`;
    const said = { error: outcome.error ?? "", line: outcome.line ?? null, cut: Boolean(outcome.cut) };
    if (outcome.broken) return unreachable();
    if (outcome.died) return finish(`${all[name].label} stopped: the recursion went too deep, or it ran out of memory.`, true);
    if (outcome.timeout) return finish(`Stopped after ${SECONDS} seconds: the program was still running.`, true, said);
    const silent = state.pieces.length === 0 && !said.error;
    if (said.error) return finish(`Ended with an error after ${took}.`, true, said);
    return finish(`Finished in ${took}.${silent ? " It printed nothing." : ""}`, false, said);
  };

  // The program as the runtime takes it, or what to show instead.
  async function prepare(source, language) {
    try {
      return { code: await prepared(source, language) };
    } catch (error) {
      if (!(error instanceof SyntaxError)) return { broken: true };
      const place = error.at ? ` (line ${error.at})` : "";
      return { syntax: true, error: `SyntaxError: ${error.message}${place}\n`, line: error.at ?? null, before: true, seconds: 0 };
    }
  }

  const begin = () => {
    if (waiting) dead({ stopped: true });
    state = START;
    return ++turn;
  };

  return {
    /** Run the program, then the visible cases of the exercise in its language. */
    async run(source, language, exercise) {
      const mine = begin();
      name = port ? name : runtimeOf(language);
      tell({ phase: "running", message: "Running…" });
      const made = await prepare(source, language);
      if (mine !== turn) return undefined;
      const visible = partOf(exercise, language) ? exercise.cases.filter((one) => one.visible) : [];
      const alone = language !== "sql" || !visible.length;
      const outcome = made.code === undefined ? made : alone ? await program(made.code, language, mine) : { error: "" };
      if (!outcome) return undefined;
      if (!visible.length || outcome.syntax || outcome.broken || outcome.died || outcome.timeout) return ended(outcome);
      tell({ error: outcome.error, line: outcome.line ?? null, cut: Boolean(outcome.cut) });
      const tests = await cases(visible, made.code, language, exercise, mine);
      if (!tests) return undefined;
      return tests.outcome === "unavailable" ? (tests.cases.length || port ? ended(outcome) : unreachable()) : finish(...summary(tests));
    },
    /** Run all cases. Returns what is sent with the answer, or undefined when the user has stopped them. */
    async check(source, language, exercise) {
      const mine = begin();
      tell({ phase: "running", message: "Running the tests…" });
      const made = await prepare(source, language);
      if (mine !== turn) return undefined;
      let tests;
      if (made.code !== undefined) tests = await cases(exercise.cases, made.code, language, exercise, mine, ALL_SECONDS);
      else if (made.broken) tests = { outcome: "unavailable", cases: [] };
      else tests = { outcome: "syntax", cases: exercise.cases.map((one) => result(one, made, exercise, [])) };
      if (!tests) return undefined;
      const visible = new Set(exercise.cases.filter((one) => one.visible).map((one) => one.name));
      const unavailable = ["We couldn't run the tests. Your answer was sent without them.", true];
      const shown = { ...tests, cases: tests.cases.filter((one) => visible.has(one.name)) };
      finish(...(tests.outcome === "unavailable" ? unavailable : summary(tests, shown)));
      return { language, outcome: tests.outcome, cases: [...tests.cases.map(sent), ...(tests.dropped ?? [])] };
    },
    /** Stop what runs, and show `message`. */
    stop(message = "Stopped.") {
      turn++;
      dead({ stopped: true });
      finish(message, false);
    },
    close() {
      turn++;
      dead({ stopped: true });
    },
  };
}

function cleaned(done) {
  const line = Number(done.line);
  const taken = Number(done.seconds);
  return {
    error: String(done.error ?? "").replace(ANSI, "").slice(0, 10000),
    value: typeof done.value === "string" ? done.value : undefined,
    line: Number.isInteger(line) && line > 0 ? line : null,
    seconds: Number.isFinite(taken) && taken >= 0 ? taken : 0,
    ...Object.fromEntries(["cut", "syntax", "before", "timeout"].map((flag) => [flag, done[flag] === true])),
  };
}

const FUNCTION = { python: /^(?:async )?def (\w+)/m, javascript: /^(?:async )?function\*? ?(\w+)|^const (\w+) =/m };

function inputOf(given, part, language) {
  if (language === "sql") return { schema: part.schema ?? "", data: given.data ?? "", check: part.check ?? "" };
  const [, one, other] = FUNCTION[language === "python" ? "python" : "javascript"].exec(part.starter ?? "") ?? [];
  // Only a harness has functions of its own to call. Without one, the case calls what the candidate wrote.
  const call = part.harness ? given.call || "call" : (one ?? other ?? "call");
  return { harness: part.harness ?? "", input: given.input ?? "[]", call: /^[A-Za-z_$][\w$]*$/.test(call) ? call : "call" };
}

function passes(outcome, given, exercise) {
  if (outcome.timeout || outcome.died || outcome.syntax || outcome.before) return false;
  if (given.error) return Boolean(outcome.error);
  if (outcome.error || outcome.value === undefined || outcome.value.length > VALUE) return false;
  try {
    return matches(outcome.value, given.expected, exercise.sql ? !exercise.sql.ordered : exercise.compare === "unordered");
  } catch {
    return false;
  }
}

function result(given, outcome, exercise, printed) {
  const stopped = outcome.timeout ? `Stopped after ${seconds(given.seconds ?? CASE_SECONDS)}${outcome.line ? `, in line ${outcome.line}` : ""}.\n` : "";
  const died = outcome.died ? "Stopped: the recursion went too deep, or the memory ran out.\n" : "";
  return {
    name: given.name,
    passed: passes(outcome, given, exercise),
    got: outcome.value ?? "",
    error: stopped || died || outcome.error || "",
    seconds: Math.round((outcome.seconds ?? 0) * 1000) / 1000,
    input: exercise.sql ? (given.data ?? "") : (given.input ?? ""),
    expected: given.error ? "an error" : (given.expected ?? ""),
    line: outcome.line ?? null,
    printed,
  };
}

/** What is sent of a case's result. The end of a long error says most. */
function sent({ name, passed, got, error, seconds: taken }) {
  const text = error.trim();
  return { name, passed, got: got.slice(0, GOT), error: text.length > ERROR ? `…${text.slice(1 - ERROR)}` : text, seconds: taken };
}

/** The message for results, whether it is bad news, and what else to show. `shown` are the results that candidates see. */
function summary(tests, shown = tests) {
  const passed = tests.cases.filter((one) => one.passed).length;
  const line = shown.cases.find((one) => !one.passed && one.line)?.line;
  if (tests.outcome === "syntax") {
    const error = tests.cases[0]?.error ?? "";
    return ["Your code can't be run, so no test passed.", true, { error, line: line ?? null, cases: null }];
  }
  const late = tests.outcome === "timeout" ? ` Stopped after ${seconds(ALL_SECONDS)}.` : "";
  const message = `${passed} of ${tests.cases.length} ${tests.cases.length === 1 ? "test" : "tests"} passed.${late}`;
  return [message, passed < tests.cases.length, { cases: shown.cases, ...(line ? { line } : {}) }];
}
