// What a report does without the server: print the page, copy the link to it, unfold what a link leads to. For the printer,
// everything is unfolded.
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

  // Unfold the place that a link within the page leads to, and fold the contents that the link is in.
  const unfold = (hash) => {
    // IDs here have no characters that an address encodes, so a hash that cannot be decoded leads nowhere.
    const place = hash.length > 1 && document.getElementById(hash.slice(1));
    const part = place && place.querySelector(":scope > details");
    if (part) part.open = true;
    return part;
  };

  const follow = (link) => {
    const contents = link.closest("[data-contents]");
    if (contents) contents.open = false;
    const part = unfold(link.hash);
    // The focus goes along, so that the keyboard and the screen reader continue there.
    if (part) part.querySelector("summary").focus({ preventScroll: true });
  };

  const answers = (button) => document.querySelectorAll(`#${button.dataset.unfold} details.answer`);
  const allOpen = (button) => [...answers(button)].every((part) => part.open);

  const toggleAll = (button) => {
    const open = !allOpen(button);
    answers(button).forEach((part) => (part.open = open));
  };

  document.addEventListener("click", (event) => {
    const link = event.target.closest?.('.report a[href*="#"]');
    if (link) follow(link);
    const button = event.target.closest?.("[data-print], [data-copy], [data-unfold]");
    if (!button) return;
    if ("print" in button.dataset) window.print();
    else if ("unfold" in button.dataset) toggleAll(button);
    else copy(button);
  });

  // The event does not bubble, but it can be captured.
  document.addEventListener(
    "toggle",
    () => {
      const button = document.querySelector("[data-unfold]");
      if (button) button.classList.toggle("all-open", allOpen(button));
    },
    true,
  );

  window.addEventListener("hashchange", () => unfold(location.hash));
  // The answers arrive after the page, so a link to one of them waits for it.
  if (location.hash.startsWith("#question-")) {
    const watch = new MutationObserver(() => {
      const part = unfold(location.hash);
      if (!part) return;
      watch.disconnect();
      part.parentElement.scrollIntoView();
    });
    watch.observe(document.documentElement, { childList: true, subtree: true });
  }

  const folded = [];
  window.addEventListener("beforeprint", () => {
    document.querySelectorAll("main details:not([open])").forEach((part) => {
      part.open = true;
      folded.push(part);
    });
  });
  window.addEventListener("afterprint", () => folded.splice(0).forEach((part) => (part.open = false)));
})();
