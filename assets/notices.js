// Notices that need no server: whatever dispatches a "notice" event on window says one, and the browser says when it is offline.
(() => {
  const STAYS = 10_000;

  const element = (text) => {
    const box = document.createElement("p");
    box.className = "notice min-h-11 pr-4 " + (document.getElementById("notices")?.dataset.look || "");
    box.style.paddingBlock = "0.6rem";
    box.textContent = text;
    return box;
  };

  window.addEventListener("notice", (event) => {
    const place = document.getElementById("notices");
    if (!place) return;
    const box = element(String(event.detail));
    place.replaceChildren(box);
    // The style sheet fades it, and keeps it as long as the pointer is on it.
    const remove = () => (box.matches(":hover") ? setTimeout(remove, STAYS) : box.remove());
    setTimeout(remove, STAYS + 300);
  });

  const connection = () => {
    const place = document.getElementById("offline");
    if (!place) return;
    if (navigator.onLine) return place.replaceChildren();
    const box = element("You're offline. Anything you type is saved in this browser, and the page will reconnect when you're back online.");
    box.classList.remove("notice");
    place.replaceChildren(box);
  };

  window.addEventListener("offline", connection);
  window.addEventListener("online", connection);
  if (!navigator.onLine) connection();
})();
