// Keeps what is typed into boxes with a `data-draft` name in this browser, key by key, so that neither a reload nor a lost server
// loses a word. It needs no connection: what the server knows of an answer begins when it is sent. A draft is removed once the
// server has the answer, and kept if sending fails.
(() => {
  const PREFIX = "draft:";
  const KEPT = 20;

  const keep = (box) => {
    try {
      const key = PREFIX + box.dataset.draft;
      localStorage.removeItem(key);
      // The code that an exercise starts with is not the user's (code/box.jsx).
      if (box.value && box.value !== box.dataset.starter) localStorage.setItem(key, box.value);
      const keys = Object.keys(localStorage).filter((name) => name.startsWith(PREFIX));
      keys.slice(0, Math.max(0, keys.length - KEPT)).forEach((name) => name !== key && localStorage.removeItem(name));
    } catch {
      // A full or forbidden storage must not stop the user from typing.
    }
  };

  const restore = (box) => {
    try {
      const key = PREFIX + box.dataset.draft;
      // What the server already has is no draft: a clarifying question, or an attempt in practice.
      const sent = (box.dataset.sent || "").trim();
      if (sent && (localStorage.getItem(key) || "").trim() === sent) localStorage.removeItem(key);
      if (box.dataset.restored) return;
      box.dataset.restored = "yes";
      if (box.value) return keep(box);
      box.value = localStorage.getItem(key) || "";
    } catch {
      // As above.
    }
  };

  // The name of an answer's draft has the ID of its question and the number of answers before it (`_draft` in state/models.py).
  const ANSWER = /^(?:draft:)?answer-(\d+)(?:-(\d+))?$/;
  const parsed = (name) => {
    const [, question, before] = ANSWER.exec(name) || [];
    return { question, before: Number(before || 0) };
  };

  let followed = "";
  const removeSent = () => {
    const { answered, draft } = document.getElementById("room")?.dataset || {};
    if (answered === undefined || followed === `${answered} ${draft}`) return;
    followed = `${answered} ${draft}`;
    const next = parsed(draft);
    const isSent = ({ question, before }) =>
      question && (question === answered || (question === next.question && before < next.before));
    try {
      Object.keys(localStorage).forEach((name) => isSent(parsed(name)) && localStorage.removeItem(name));
    } catch {
      // As above.
    }
  };

  const look = () => {
    document.querySelectorAll("textarea[data-draft]").forEach(restore);
    removeSent();
  };
  document.addEventListener("input", (event) => event.target.matches?.("textarea[data-draft]") && keep(event.target));
  new MutationObserver(look).observe(document.documentElement, {
    childList: true,
    subtree: true,
    attributeFilter: ["data-answered", "data-draft", "data-sent"],
  });
  look();
})();
