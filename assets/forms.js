// What forms do in the browser alone: show a password that is being typed, and bring people to the field that is wrong.
(() => {
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
  document.addEventListener("submit", (event) => event.target.querySelectorAll("[data-reveal]").forEach(hide), true);

  // After a refused form the focus is on its button or lost; the first wrong field is where to go on.
  new MutationObserver((changes) => {
    if (!changes.some((change) => change.target.getAttribute("aria-invalid") === "true")) return;
    const wrong = document.querySelector('input[aria-invalid="true"]');
    if (wrong && !document.activeElement?.matches("input, textarea")) wrong.focus();
  }).observe(document.documentElement, { subtree: true, attributeFilter: ["aria-invalid"] });
})();
