// What the interview room does in the browser alone: clocks, keys, where the focus goes, an answer to every press, other tabs.
// It survives navigation without a reload: it listens on the document and looks at what is there. Speech is in speech.js.
(() => {
  const root = document.documentElement;
  const room = () => document.getElementById("room")?.dataset;
  const box = () => document.querySelector("#answer-form .cm-content") || document.getElementById("answer");
  const isField = (element) => element?.matches?.("input, textarea, select, [contenteditable='true']");
  const still = () => matchMedia("(prefers-reduced-motion: reduce)").matches;

  const stored = (name) => {
    try {
      return localStorage.getItem(name);
    } catch {
      return null;
    }
  };
  const store = (name, value) => {
    try {
      localStorage.setItem(name, value);
    } catch {
      // What cannot be remembered holds for this page.
    }
  };

  // -- clocks: from the moments the server tells, without the pauses this browser knows of -----------------------------

  const PAUSES = "pauses:";
  const KEPT = 5;
  if (stored("clocks") === "hidden") root.dataset.clocks = "hidden";

  const pauses = (id) => {
    try {
      return JSON.parse(stored(PAUSES + id)) || [];
    } catch {
      return [];
    }
  };

  const notePauses = ({ interview, phase }) => {
    if (phase !== "paused" && phase !== "live") return;
    const known = pauses(interview);
    const open = known.length > 0 && !known.at(-1)[1];
    if (open === (phase === "paused")) return;
    if (open) known.at(-1)[1] = Date.now();
    else known.push([Date.now(), 0]);
    store(PAUSES + interview, JSON.stringify(known.slice(-50)));
    const others = Object.keys(localStorage).filter((name) => name.startsWith(PAUSES) && name !== PAUSES + interview);
    others.slice(0, Math.max(0, others.length - KEPT)).forEach((name) => localStorage.removeItem(name));
  };

  // The address says which interview the page shows, so that a reload, or another connection, shows the same one. What stands
  // there when the user arrives is what they want to see, whatever the page still shows.
  let addressed = null;
  const address = ({ interview, phase }) => {
    const before = addressed;
    addressed = `${phase} ${interview}`;
    if (before === null || before === addressed) return;
    if (location.pathname.replace(/\/$/, "") !== "/interview") return;
    const shown = ["live", "paused", "finished"].includes(phase) && interview !== "0";
    const wanted = shown ? `?id=${interview}` : phase === "start" ? "" : location.search;
    if (wanted !== location.search) history.replaceState(history.state, "", location.pathname + wanted + location.hash);
  };

  const elapsed = (since, now, id) =>
    pauses(id).reduce((left, [from, to]) => left - Math.max(0, (to || now) - Math.max(from, since)), now - since);

  const clockText = (milliseconds) => {
    const seconds = Math.max(0, Math.floor(milliseconds / 1000));
    const two = (number) => String(number).padStart(2, "0");
    const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
    return hours ? `${hours}:${two(minutes)}:${two(seconds % 60)}` : `${two(minutes)}:${two(seconds % 60)}`;
  };

  const tick = () => {
    const now = Date.now();
    document.querySelectorAll("[data-clock]").forEach((clock) => {
      const since = Number(clock.dataset.clock);
      const shown = since ? clockText(elapsed(since, now, room()?.interview)) : "00:00";
      if (clock.textContent !== shown) clock.textContent = shown;
    });
  };
  setInterval(tick, 1000);

  const switchClocks = () => {
    if (root.dataset.clocks === "hidden") delete root.dataset.clocks;
    else root.dataset.clocks = "hidden";
    store("clocks", root.dataset.clocks || "shown");
  };

  // -- keys ------------------------------------------------------------------------------------------------------------

  const keysAreOn = () => stored("keys") !== "off";
  const sheet = () => document.getElementById("keys");

  const openSheet = () => {
    const dialog = sheet();
    if (!dialog || dialog.open) return;
    dialog.querySelector("[data-keys-switch]").checked = keysAreOn();
    dialog.showModal();
  };

  const press = (key) => {
    if (key === "?") return openSheet() ?? true;
    if (key === "a" && box()) return box().focus() ?? true;
    const target = [...document.querySelectorAll(`[data-key="${CSS.escape(key)}"]`)].find((one) => one.getClientRects().length);
    if (!target || target.disabled) return false;
    if (!target.matches("details")) return target.click() ?? true;
    target.open = !target.open;
    target.querySelector("summary").focus();
    return true;
  };

  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat) return;
    if (!room() || event.key.length !== 1 || isField(event.target) || event.target.closest?.("dialog")) return;
    if ((keysAreOn() || event.key === "?") && press(event.key)) event.preventDefault();
  });

  document.addEventListener("change", (event) => {
    if (event.target.matches?.("[data-keys-switch]")) store("keys", event.target.checked ? "on" : "off");
  });

  // -- an answer to every press within a moment --------------------------------------------------------------------------

  const WAIT = 10_000;
  const release = (button) => delete button.dataset.pressed;
  const releaseAll = () => document.querySelectorAll("[data-pressed]").forEach(release);

  const answerPress = (button) => {
    if (!button || button.disabled) return;
    button.dataset.pressed = "";
    setTimeout(release, WAIT, button);
  };

  // -- after an answer was sent: where to look, where the focus goes -------------------------------------------------------

  let follows = false; // this page has just sent something and waits for the question after it
  let seen = {};

  const sent = () => {
    follows = true;
    dispatchEvent(new CustomEvent("answer-sent"));
  };

  // On a narrow screen the verdict comes before the next question, and its button leads on. On a wide one they are beside each other.
  const isNarrow = () => matchMedia("(width < 64rem)").matches;

  const lookAtTurn = () => {
    const turn = document.getElementById("turn");
    const behavior = still() ? "auto" : "smooth";
    if (turn && !isNarrow()) scrollTo({ top: 0 });
    else if (turn && turn.getBoundingClientRect().top < 0) turn.scrollIntoView({ block: "start", behavior });
  };

  // Not while the user types or reads elsewhere. A title has the focus only where focus.js has put it, because what had it before
  // is gone.
  const isFree = () => {
    const here = document.activeElement;
    return !here || here === document.body || here.matches('main[tabindex="-1"], main [tabindex="-1"]:not(input, textarea)');
  };

  const focusTitle = (title) => {
    if (!title) return;
    if (!title.hasAttribute("tabindex")) title.tabIndex = -1;
    title.focus({ preventScroll: true });
  };

  const lookAtVerdict = () => {
    const feedback = document.getElementById("feedback");
    if (!feedback || !isNarrow()) return lookAtTurn();
    root.dataset.verdict = "first";
    feedback.scrollIntoView({ block: "start" });
    if (isFree()) focusTitle(feedback.querySelector("h2"));
  };

  const goOn = () => {
    delete root.dataset.verdict;
    const turn = document.getElementById("turn");
    if (!turn) return;
    turn.scrollIntoView({ block: "start" });
    focusTitle(turn.querySelector("[role='heading']") || turn);
  };

  const lookAtReply = () => {
    if (!follows) return;
    document.querySelector("#thread li:last-child")?.scrollIntoView({ block: "nearest", behavior: still() ? "auto" : "smooth" });
  };

  const questionChanged = () => {
    if (!follows || !room().asked || room().asked === "0" || !box()) return;
    follows = false;
    // On a phone the keyboard would cover the question, and where the verdict comes first, the box is not in view.
    const reads = isNarrow() && root.dataset.verdict;
    if (isFree() && !reads && matchMedia("(hover: hover) and (pointer: fine)").matches) box()?.focus({ preventScroll: true });
  };

  // -- drafts, in a quiet line --------------------------------------------------------------------------------------------

  const draftFound = () => {
    const note = document.querySelector("[data-draft-note]");
    const field = document.getElementById("answer");
    if (!note || !field || note.dataset.for === field.dataset.draft) return;
    note.dataset.for = field.dataset.draft;
    note.toggleAttribute("data-restored", Boolean(field.value));
  };

  // -- other tabs on the same interview ------------------------------------------------------------------------------------

  const channel = "BroadcastChannel" in window ? new BroadcastChannel("room") : null;
  let acted = false; // what changes next on this page was done here

  const tell = () => {
    if (acted) channel?.postMessage({ ...room() });
    acted = false;
  };

  const hear = ({ data }) => {
    const mine = room();
    if (!mine || mine.phase !== "live" || data.interview !== mine.interview) return;
    const saidMore = data.asked === mine.asked && Number(data.said) > Number(mine.said);
    if (data.phase === mine.phase && Number(data.answered) <= Number(mine.answered) && !saidMore) return;
    if (data.phase === "live" && !document.getElementById("answer")?.value) return document.getElementById("refresh")?.click();
    root.dataset.elsewhere = "";
    const said = document.querySelector("[data-elsewhere-message]");
    const paused = data.phase === "paused" ? "paused" : "continued";
    if (said) said.textContent = `You ${paused} this interview in another tab. What you typed stays here until you refresh.`;
  };
  channel?.addEventListener("message", hear);

  // -- what happens on the page ----------------------------------------------------------------------------------------------

  document.addEventListener("click", (event) => {
    const on = (selector) => event.target.closest?.(selector);
    if (on("[data-opens='keys']")) openSheet();
    else if (on("[data-closes='keys']") || event.target === sheet()) sheet().close();
    else if (on("[data-clock-switch]")) switchClocks();
    else if (on("#next-question")) goOn();
    else if (room() && on(".to-verdict")) {
      event.preventDefault();
      lookAtVerdict();
      focusTitle(document.querySelector("#feedback h2"));
    }
    const button = on("button[data-wait]");
    if (!button || button.type === "submit") return;
    answerPress(button);
    if (button.id !== "refresh") acted = true;
    if (button.hasAttribute("data-follows")) sent();
  });

  // A menu opens upward, which may be above the screen.
  document.addEventListener(
    "toggle",
    ({ target }) => target.open && target.querySelector?.("[data-menu]")?.scrollIntoView({ block: "nearest" }),
    true,
  );

  document.addEventListener("submit", (event) => {
    if (!event.target.matches("#answer-form, #ask-form, #start-form")) return;
    answerPress(event.submitter || event.target.querySelector("button[type='submit']"));
    acted = true;
    sent();
  });

  // A question that scrolls in itself can be scrolled with the keyboard, too.
  const letScroll = () => {
    const asked = document.getElementById("asked-text");
    if (!asked || asked.scrollHeight <= asked.clientHeight) asked?.removeAttribute("tabindex");
    else if (asked.tabIndex !== 0) asked.tabIndex = 0;
  };
  addEventListener("resize", letScroll);

  const look = () => {
    const now = room();
    if (!now) {
      addressed = null;
      delete root.dataset.verdict;
      return;
    }
    const { interview, phase, asked, answered, said } = now;
    if (phase !== seen.phase || interview !== seen.interview) notePauses(now);
    address(now);
    if (answered !== seen.answered || phase !== seen.phase) {
      if (phase !== "live" || interview !== seen.interview) delete root.dataset.verdict;
      if (follows && phase === "live") answered === seen.answered || answered === "0" ? lookAtTurn() : lookAtVerdict();
      tell();
      delete root.dataset.elsewhere;
    }
    if (asked === seen.asked && said !== seen.said) {
      lookAtReply();
      tell();
    }
    if (asked !== seen.asked || said !== seen.said) {
      questionChanged();
      delete root.dataset.elsewhere;
    }
    seen = { interview, phase, asked, answered, said };
    draftFound();
    letScroll();
    tick();
  };

  new MutationObserver((changes) => {
    for (const { type, target } of changes) {
      if (type === "attributes" && target.matches("[data-pressed]")) release(target);
      if (type === "childList" && target.closest?.("[role='alert']")) releaseAll();
    }
    look();
  }).observe(root, {
    subtree: true,
    childList: true,
    attributeFilter: ["disabled", "data-interview", "data-phase", "data-asked", "data-answered", "data-said"],
  });
  look();
})();
