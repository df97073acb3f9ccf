// Keeps what is typed into boxes with a `data-draft` name in this browser, key by key, so that neither a reload nor a lost server
// loses a word. It needs no connection: what the server knows of an answer begins when it is sent.
(() => {
  const PREFIX = "draft:";
  const KEPT = 20;

  const keep = (box) => {
    try {
      const key = PREFIX + box.dataset.draft;
      localStorage.removeItem(key);
      if (box.value) localStorage.setItem(key, box.value);
      const keys = Object.keys(localStorage).filter((name) => name.startsWith(PREFIX));
      keys.slice(0, Math.max(0, keys.length - KEPT)).forEach((name) => name !== key && localStorage.removeItem(name));
    } catch {
      // A full or forbidden storage must not stop the user from typing.
    }
  };

  const restore = (box) => {
    if (box.dataset.restored) return;
    box.dataset.restored = "yes";
    if (box.value) return keep(box);
    try {
      const kept = localStorage.getItem(PREFIX + box.dataset.draft) || "";
      // What was sent as a clarifying question is no draft of the answer.
      box.value = kept.trim() === (box.dataset.sent || "").trim() ? "" : kept;
    } catch {
      // As above.
    }
  };

  const look = () => document.querySelectorAll("textarea[data-draft]").forEach(restore);
  document.addEventListener("input", (event) => event.target.matches?.("textarea[data-draft]") && keep(event.target));
  new MutationObserver(look).observe(document.documentElement, { childList: true, subtree: true });
  look();
})();
