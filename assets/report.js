// A report's buttons that need no server: print the page, copy the link to it. What is folded up is unfolded for the printer.
(() => {
  const say = (text) => window.dispatchEvent(new CustomEvent("notice", { detail: text }));

  const copied = async (field) => {
    try {
      await navigator.clipboard.writeText(field.value);
      return true;
    } catch {
      // Without https there is no clipboard for pages; the old way works there.
      field.select();
      return document.execCommand("copy");
    }
  };

  const copy = async (button) => {
    const field = document.getElementById(button.dataset.copy);
    if (!field) return;
    const done = await copied(field);
    say(done ? "Link copied." : "We couldn't copy the link. It's selected, so press Ctrl+C.");
    if (!done || button.dataset.label) return;
    button.dataset.label = button.textContent;
    button.textContent = "Copied";
    setTimeout(() => {
      button.textContent = button.dataset.label;
      delete button.dataset.label;
    }, 3000);
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest?.("[data-print], [data-copy]");
    if (!button) return;
    if ("print" in button.dataset) window.print();
    else copy(button);
  });

  const folded = [];
  window.addEventListener("beforeprint", () => {
    document.querySelectorAll("main details:not([open])").forEach((part) => {
      part.open = true;
      folded.push(part);
    });
  });
  window.addEventListener("afterprint", () => folded.splice(0).forEach((part) => (part.open = false)));
})();
