// When what has the focus goes away (a form gives way to its answer, a link leads to another page), the focus goes to the new
// title, else to the main part; otherwise who uses the keyboard or a screen reader would have to begin again at the top.
(() => {
  let last = null;
  document.addEventListener("focusin", (event) => {
    last = event.target;
  });
  const find = () => {
    // Gone from the page, or disabled or hidden while it had the focus; moving to another window loses nothing.
    if (!last || document.activeElement !== document.body || !document.hasFocus()) return;
    if (last.isConnected && !last.disabled && last.checkVisibility()) return;
    // A button that is disabled only while it works gets the focus back.
    if (last.isConnected && last.checkVisibility()) return waitFor(last);
    const main = document.querySelector("main");
    const target = main?.querySelector('h1, [role=heading][aria-level="1"]') ?? main;
    if (!target) return;
    if (!target.hasAttribute("tabindex")) target.tabIndex = -1;
    target.focus({ preventScroll: target.getBoundingClientRect().top >= 0 });
  };
  const waitFor = (control) => {
    const again = new MutationObserver(() => {
      if (control.disabled && control.isConnected) return;
      again.disconnect();
      if (control.isConnected && document.activeElement === document.body) control.focus();
    });
    again.observe(control, { attributes: true, attributeFilter: ["disabled"] });
  };
  let waiting = 0;
  new MutationObserver(() => {
    if (!waiting) waiting = setTimeout(() => ((waiting = 0), find()), 60);
  }).observe(document.documentElement, { subtree: true, childList: true, attributes: true, attributeFilter: ["disabled"] });
})();
