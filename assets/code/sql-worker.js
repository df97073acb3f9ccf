// Runs the SQL of an answer in PGlite, which is PostgreSQL compiled to WebAssembly, in a worker of its own, off the page.
//
// The worker has a policy of its own (interviewer/api/middleware.py), under which it can load nothing but PGlite's files. Each run
// gets a new database; the cases of one run share it, and everything that users can create is dropped between them.
import { collector } from "./collector.js";
import { counted } from "./counted.js";

const post = self.postMessage.bind(self);
const WIDEST = 40; // characters of a cell that are printed
const ROWS = 100; // rows of a result that are printed
const MOST = 6000; // characters of an error

// How results appear in JSON, by the OIDs of their types: numbers as numbers, and what is not listed as PostgreSQL prints it.
const asNumber = [20, 26, 1700];
const asText = [17, 1082, 1083, 1114, 1184, 1186, 1266, 2950];
const parsers = Object.fromEntries([...asNumber.map((oid) => [oid, Number]), ...asText.map((oid) => [oid, (text) => text])]);

const CLEAN = `
DO $$
DECLARE name text;
BEGIN
  FOR name IN SELECT nspname FROM pg_namespace WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' LOOP
    EXECUTE format('DROP SCHEMA %I CASCADE', name);
  END LOOP;
  FOR name IN SELECT rolname FROM pg_roles WHERE rolname !~ '^pg_' AND rolname <> 'postgres' LOOP
    EXECUTE format('DROP OWNED BY %I CASCADE', name);
    EXECUTE format('DROP ROLE %I', name);
  END LOOP;
END $$;
CREATE SCHEMA public`;

let loading, PGlite, blank, spare, files;

async function load(folder) {
  const made = counted(self, post);
  ({ PGlite } = await import(/* @vite-ignore */ `${folder}index.js`));
  const compiled = (name) => WebAssembly.compileStreaming(made(folder + name));
  const [pgliteWasmModule, initdbWasmModule, fsBundle] = await Promise.all([
    compiled("pglite.wasm"),
    compiled("initdb.wasm"),
    made(`${folder}pglite.data`).then((answer) => {
      if (!answer.ok) throw new Error(`pglite.data: ${answer.status}`);
      return answer.blob();
    }),
  ]);
  files = { pgliteWasmModule, initdbWasmModule, fsBundle };
  spare = PGlite.create({ ...files, parsers });
  blank = await (await spare).dumpDataDir("none");
}

// An unused database. The next one is made while the page shows the results.
async function database() {
  const made = await spare;
  spare = undefined;
  await made.exec("SET timezone = 'UTC'");
  return made;
}

async function replace(used) {
  await used?.close().catch(() => {});
  spare = PGlite.create({ ...files, parsers, loadDataDir: blank });
  await spare.catch(() => {});
}

async function clean(db) {
  await db.exec("ROLLBACK");
  await db.exec("DISCARD ALL");
  await db.exec(CLEAN);
  await db.exec("SET timezone = 'UTC'");
}

const notice = (output) => (one) => output.add("err", `${one.severity}: ${one.message}\n`);

function described(error, source) {
  const at = Number(error.position) || 0;
  const line = at && error.query === source ? [...source].slice(0, at - 1).join("").split("\n").length : null;
  const named = line ? ` (line ${line}: ${source.split("\n")[line - 1].trim().slice(0, 80)})` : "";
  const more = [["DETAIL", error.detail], ["HINT", error.hint]].filter(([, text]) => text).map(([name, text]) => `\n${name}: ${text}`);
  return { error: `ERROR: ${String(error.message).slice(0, MOST)}${named}${more.join("")}\n`, line, syntax: error.code === "42601" };
}

const shown = (value) => {
  if (value === null) return "NULL";
  return typeof value === "object" ? JSON.stringify(value) : String(value);
};

function table({ rows, fields, command, rowCount }) {
  if (!fields.length) return command ? `${command}${rowCount === undefined ? "" : ` ${rowCount}`}\n` : "";
  const cut = (text) => (text.length > WIDEST ? `${text.slice(0, WIDEST)}…` : text);
  const cells = [fields.map(({ name }) => name), ...rows.slice(0, ROWS).map((row) => row.map((value) => cut(shown(value))))];
  const widths = fields.map((_, column) => Math.max(...cells.map((row) => row[column].length)));
  const lines = cells.map((row) => row.map((cell, column) => cell.padEnd(widths[column])).join(" | ").trimEnd());
  lines.splice(1, 0, widths.map((width) => "-".repeat(width)).join("-+-"));
  return `${lines.join("\n")}\n(${rows.length} ${rows.length === 1 ? "row" : "rows"})\n`;
}

const rowsOf = (results) => results.filter(({ fields }) => fields.length).at(-1)?.rows ?? [];

async function program(db, { source }, output) {
  try {
    const results = await db.exec(source, { rowMode: "array", onNotice: notice(output) });
    results.forEach((result) => output.add("out", table(result)));
    return { error: "", line: null };
  } catch (error) {
    return described(error, source);
  }
}

async function runCase(db, { source, schema, data, check }, output) {
  await clean(db);
  await db.exec(schema);
  if (data) await db.exec(data);
  const began = performance.now();
  try {
    let rows = rowsOf(await db.exec(source, { rowMode: "array", onNotice: notice(output) }));
    const seconds = (performance.now() - began) / 1000;
    if (check) rows = rowsOf(await db.exec(check, { rowMode: "array" }));
    return { value: JSON.stringify(rows, (_, value) => (typeof value === "bigint" ? Number(value) : value)), error: "", seconds };
  } catch (error) {
    return described(error, source);
  }
}

let db, before;

// One job after another: the next one may arrive while a new database is made.
self.onmessage = ({ data }) => {
  before = Promise.resolve(before).then(() => work(data));
};

async function work({ folder, job }) {
  try {
    await (loading ||= load(folder));
    db ||= await database();
  } catch (error) {
    return post({ broken: String(error) });
  }
  const output = collector(post, job.kept);
  post({ started: true });
  const began = performance.now();
  try {
    const outcome = await (job.kind === "case" ? runCase : program)(db, job, output);
    output.send();
    post({ done: { seconds: (performance.now() - began) / 1000, ...outcome, cut: output.cut } });
  } catch (error) {
    // A case whose own tables cannot be made, or PostgreSQL itself has ended.
    return post({ died: String(error).slice(0, 500) });
  }
  if (!job.last) return;
  const used = db;
  db = undefined;
  await replace(used);
}
