// What forms do in the browser alone: say at once that they are sent, show a password that is being typed and how strong it is,
// and bring people to the field that is wrong.
(() => {
  // -- sent: the label of a button changes with the click, not with the answer (components/forms.py, `button_label`) ---------------

  // The answer of a handler changes the page nearby; one that changes nothing must not leave a button busy. A page that the
  // browser loads is waited for longer.
  const HANDLER = 3_000;
  const PAGE = 20_000;

  const free = (button) => button.removeAttribute("data-sent");

  const send = (button, near, native) => {
    if (!button || button.hasAttribute("data-sent")) return;
    button.setAttribute("data-sent", "");
    setTimeout(() => free(button), native ? PAGE : HANDLER);
    if (native || !near) return;
    const answered = new MutationObserver(() => {
      answered.disconnect();
      free(button);
    });
    // Later, as hiding a password changes the form too.
    setTimeout(() => {
      const watched = { childList: true, characterData: true, subtree: true, attributeFilter: ["disabled", "aria-invalid"] };
      answered.observe(near, watched);
      setTimeout(() => answered.disconnect(), HANDLER);
    });
  };

  // A page is drawn before the server has filled it, and its `load` handlers empty the forms. A form for a handler that is sent
  // before is held back until then.
  const alive = () => document.querySelector("main")?.dataset.hydrated === "true";
  const LOOK = 50;

  const wait = (form, button) => {
    if (!button || button.hasAttribute("data-sent")) return;
    button.setAttribute("data-sent", "");
    const since = Date.now();
    const looking = setInterval(() => {
      if (!alive() && Date.now() - since < PAGE) return;
      clearInterval(looking);
      free(button);
      if (alive() && form.isConnected) form.requestSubmit(button);
    }, LOOK);
  };

  document.addEventListener(
    "submit",
    (event) => {
      const form = event.target;
      const button = event.submitter || form.querySelector('[type="submit"]');
      const native = form.hasAttribute("action");
      if (!native && !alive()) {
        event.preventDefault();
        event.stopImmediatePropagation(); // React listens on the document too
        hideAll(event.target);
        return wait(form, button);
      }
      if (native && button?.hasAttribute("data-sent")) return event.preventDefault();
      send(button, form, native);
    },
    true,
  );

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-busy]");
    if (button) send(button, button.closest("main"), false);
  });

  // Back from the page that a form led to, in the state it was left in.
  addEventListener("pageshow", () => document.querySelectorAll("[data-sent]").forEach(free));

  // -- passwords -----------------------------------------------------------------------------------------------------------

  const hide = (button) => {
    document.getElementById(button.dataset.reveal).type = "password";
    button.setAttribute("aria-pressed", "false");
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-reveal]");
    if (!button) return;
    if (button.getAttribute("aria-pressed") === "true") return hide(button);
    document.getElementById(button.dataset.reveal).type = "text";
    button.setAttribute("aria-pressed", "true");
  });

  // Password managers know a password by its field's type.
  const hideAll = (form) => form.querySelectorAll("[data-reveal]").forEach(hide);

  document.addEventListener("submit", (event) => hideAll(event.target), true);

  const SHORTEST = 8;
  const COMMON = /password|passwort|qwerty|qwertz|asdf|letmein|welcome|admin|login|secret|iloveyou|dragon|monkey|football|12345+|abc+d*|interview(er)?/g;

  // A rough guess in bits; the server judges with a dictionary when the form is sent.
  const bits = (value) => {
    const kinds = [[/[a-z]/, 26], [/[A-Z]/, 26], [/[0-9]/, 10], [/[^a-zA-Z0-9]/, 20]];
    const pool = kinds.reduce((sum, [kind, size]) => sum + (kind.test(value) ? size : 0), 0);
    const plain = value.toLowerCase().replace(COMMON, "*").replace(/(.+?)\1+/g, "$1");
    const found = plain.length * Math.log2(pool);
    // One word with a number or a sign behind it is the first thing that is tried.
    return /^[a-z*]+[0-9]{0,4}[^a-z0-9]?$/.test(plain) ? Math.min(found * 0.6, 54) : found;
  };

  const strength = (value) => {
    const missing = SHORTEST - [...value].length;
    if (!value) return ["", ""];
    if (missing > 0) return ["weak", missing === 1 ? "1 more character" : `${missing} more characters`];
    const found = bits(value);
    return found < 36 ? ["weak", "Weak"] : found < 56 ? ["fair", "Fair"] : found < 80 ? ["good", "Good"] : ["good", "Strong"];
  };

  const tell = (place, value) => {
    const [level, said] = strength(value);
    if (place.textContent === said) return;
    place.dataset.level = level;
    place.textContent = said;
  };

  document.addEventListener("input", (event) => {
    const place = event.target.id && document.querySelector(`[data-strength-of="${CSS.escape(event.target.id)}"]`);
    if (place) tell(place, event.target.value);
  });

  // After a refused form the focus is on its button or lost; the first wrong field is where to go on.
  new MutationObserver((changes) => {
    if (!changes.some((change) => change.target.getAttribute("aria-invalid") === "true")) return;
    const wrong = document.querySelector('input[aria-invalid="true"]');
    const here = document.activeElement;
    const typing = here?.matches("input, textarea") && here.checkVisibility();
    if (wrong && !typing) wrong.focus();
  }).observe(document.documentElement, { subtree: true, attributeFilter: ["aria-invalid"] });
})();
