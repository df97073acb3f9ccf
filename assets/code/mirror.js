// CodeMirror over a textarea. The textarea stays what the form sends and what the draft is kept from: each change goes to it with
// an `input` event, and whatever else writes into it (with such an event) appears in the editor.
import { closeBrackets, closeBracketsKeymap } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { bracketMatching, HighlightStyle, indentOnInput, indentUnit, StreamLanguage, syntaxHighlighting } from "@codemirror/language";
import { Compartment, countColumn, EditorState, Prec, RangeSetBuilder, StateEffect, StateField } from "@codemirror/state";
import {
  Decoration,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  keymap,
  lineNumbers,
  placeholder,
  ViewPlugin,
} from "@codemirror/view";
import { tags } from "@lezer/highlight";

const legacy = (name) => import("@codemirror/legacy-modes/mode/clike").then((made) => StreamLanguage.define(made[name]));
const script = (options) => import("@codemirror/lang-javascript").then((made) => made.javascript({ jsx: true, ...options }));

const LANGUAGES = {
  python: ["    ", () => import("@codemirror/lang-python").then((made) => made.python())],
  go: ["\t", () => import("@codemirror/lang-go").then((made) => made.go())],
  java: ["    ", () => import("@codemirror/lang-java").then((made) => made.java())],
  csharp: ["    ", () => legacy("csharp")],
  kotlin: ["    ", () => legacy("kotlin")],
  javascript: ["  ", () => script({})],
  typescript: ["  ", () => script({ typescript: true })],
  rust: ["    ", () => import("@codemirror/lang-rust").then((made) => made.rust())],
  cpp: ["    ", () => import("@codemirror/lang-cpp").then((made) => made.cpp())],
  sql: ["  ", () => import("@codemirror/lang-sql").then((made) => made.sql({ dialect: made.PostgreSQL }))],
  text: ["  ", async () => []],
};

// Seconds after Escape in which Tab leaves the editor.
const WAY_OUT = 10;

const look = EditorView.theme({
  "&": { color: "var(--ink)", backgroundColor: "transparent", minHeight: "15.5rem", maxHeight: "max(15.5rem, 55vh)" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "inherit", fontSize: "inherit", lineHeight: "1.6", overflow: "auto" },
  ".cm-content": { padding: "0.625rem 0", caretColor: "var(--ink)" },
  ".cm-line": { padding: "0 0.75rem 0 0.5rem" },
  ".cm-gutters": { color: "var(--muted)", backgroundColor: "transparent", border: "none" },
  ".cm-lineNumbers .cm-gutterElement": { padding: "0 0.375rem 0 0.5rem", minWidth: "2.25rem" },
  ".cm-activeLine": { backgroundColor: "transparent" },
  "&.cm-focused .cm-activeLine, &.cm-focused .cm-activeLineGutter": { backgroundColor: "color-mix(in srgb, var(--code) 60%, transparent)" },
  ".cm-activeLineGutter": { color: "var(--ink)", backgroundColor: "transparent" },
  ".cm-fault": { backgroundColor: "var(--bad-soft)", boxShadow: "inset 3px 0 0 var(--bad)" },
  ".cm-placeholder": { color: "var(--muted)" },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: "var(--marker)", outline: "none" },
  "&.cm-focused .cm-nonmatchingBracket": { backgroundColor: "transparent", textDecoration: "underline wavy var(--bad)" },
});

// The green ink for what the language says, pencil for what is quoted or counted; the rest is ink.
const ink = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.modifier, tags.self], color: "var(--accent)", fontWeight: "600" },
  { tag: [tags.string, tags.special(tags.string), tags.number, tags.bool, tags.null, tags.atom, tags.regexp, tags.escape], color: "var(--half)" },
  { tag: [tags.comment, tags.docComment], color: "var(--muted)", fontStyle: "italic" },
  { tag: [tags.definition(tags.function(tags.variableName)), tags.definition(tags.className), tags.definition(tags.typeName)], fontWeight: "600" },
  { tag: [tags.meta, tags.annotation, tags.processingInstruction], color: "var(--accent)" },
]);

// A line that is broken goes on under its own beginning, not under the line number.
const hanging = ViewPlugin.fromClass(
  class {
    constructor(view) {
      this.decorations = indents(view);
    }
    update(update) {
      if (update.docChanged || update.viewportChanged) this.decorations = indents(update.view);
    }
  },
  { decorations: (plugin) => plugin.decorations },
);

function indents(view) {
  const made = new RangeSetBuilder();
  for (const { from, to } of view.visibleRanges) {
    for (let at = from; at <= to; ) {
      const line = view.state.doc.lineAt(at);
      const columns = Math.min(12, countColumn(/^\s*/.exec(line.text)[0], view.state.tabSize));
      const style = `text-indent: -${columns}ch; padding-left: calc(0.5rem + ${columns}ch)`;
      if (columns) made.add(line.from, line.from, Decoration.line({ attributes: { style } }));
      at = line.to + 1;
    }
  }
  return made.finish();
}

// The line in which a program failed, until the text changes.
const setFault = StateEffect.define();
const fault = StateField.define({
  create: () => Decoration.none,
  update(marks, change) {
    const made = change.effects.find((effect) => effect.is(setFault));
    if (!made) return change.docChanged ? Decoration.none : marks;
    if (!made.value || made.value > change.state.doc.lines) return Decoration.none;
    return Decoration.set(Decoration.line({ class: "cm-fault" }).range(change.state.doc.line(made.value).from));
  },
  provide: (field) => EditorView.decorations.from(field),
});

/**
 * Put an editor for `box`, a textarea, into `host`. Resolves to its handle once the language is there too; rejects when a part
 * of it cannot be loaded, and then nothing has changed.
 */
export async function mirror(box, host, { language, attributes, hint }) {
  const grammar = new Compartment();
  const lock = new Compartment();
  const first = await grammarOf(language);
  // A box that has just come into the page gets its draft in this moment (drafts.js).
  await new Promise((done) => setTimeout(done));
  if (!box.isConnected) return undefined;
  let writing = false;
  let wanted = language;

  const write = (update) => {
    if (!update.docChanged || writing) return;
    writing = true;
    box.value = update.state.doc.toString();
    box.dispatchEvent(new Event("input", { bubbles: true }));
    writing = false;
  };
  const read = () => {
    const text = view.state.doc.toString();
    if (writing || box.value === text) return;
    writing = true;
    view.dispatch({ changes: { from: 0, to: text.length, insert: box.value } });
    writing = false;
  };
  const send = () => {
    box.form.requestSubmit();
    return true;
  };
  const leave = (view) => {
    view.setTabFocusMode(WAY_OUT * 1000);
    return false;
  };

  const selection = { anchor: box.selectionStart, head: box.selectionEnd };
  const view = new EditorView({
    parent: host,
    state: EditorState.create({
      doc: box.value,
      selection,
      extensions: [
        Prec.highest(keymap.of([{ key: "Ctrl-Enter", run: send }, { key: "Meta-Enter", run: send }, { key: "Escape", run: leave }])),
        lineNumbers(),
        history(),
        indentOnInput(),
        bracketMatching(),
        closeBrackets(),
        highlightActiveLine(),
        highlightActiveLineGutter(),
        EditorView.lineWrapping,
        keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, indentWithTab]),
        syntaxHighlighting(ink),
        look,
        hanging,
        placeholder(hint),
        EditorView.contentAttributes.of(attributes),
        EditorView.updateListener.of(write),
        fault,
        lock.of([]),
        grammar.of(first),
      ],
    }),
  });
  box.addEventListener("input", read);
  // What was typed in the very moment of sending is sent as well.
  const last = () => view.state.doc.toString() !== box.value && write({ docChanged: true, state: view.state });
  const form = box.form;
  form?.addEventListener("submit", last, true);
  if (document.activeElement === box) view.focus();

  return {
    focus: () => view.focus(),
    // Write what is in the editor into the textarea now.
    flush: last,
    // Replace the text in a way that can be undone.
    replace(text) {
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text }, selection: { anchor: text.length } });
    },
    // Mark a line; null takes the mark away.
    mark(line) {
      view.dispatch({ effects: setFault.of(line) });
    },
    lock(on) {
      view.dispatch({ effects: lock.reconfigure(on ? EditorState.readOnly.of(true) : []) });
    },
    async speak(name) {
      wanted = name;
      const made = await grammarOf(name);
      if (wanted === name) view.dispatch({ effects: grammar.reconfigure(made) });
    },
    close() {
      box.removeEventListener("input", read);
      form?.removeEventListener("submit", last, true);
      view.destroy();
    },
  };
}

async function grammarOf(name) {
  const [indent, made] = LANGUAGES[name];
  return [indentUnit.of(indent), EditorState.tabSize.of(4), await made()];
}
