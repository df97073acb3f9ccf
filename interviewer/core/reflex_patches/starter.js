// Starts a prerendered page's scripts after its first frame. A background tab draws no frames, so a timer starts them as well.
//
// During a rolling upgrade, a page of one version may request its scripts from a replica of the other version, which does not
// have them. The page then requests each file, up to 12 times, until a replica returns it and the browser caches it. Then it
// reloads, at most six times a minute.
(() => {
  let begun = false;
  const kept = async ({ href }) => {
    for (let tries = 0; tries < 12 && !(await fetch(href)).ok; tries++) await new Promise((go) => setTimeout(go, 100));
  };
  const again = async () => {
    try {
      const [times, since] = (sessionStorage.getItem("again") || "0 0").split(" ").map(Number);
      const late = Date.now() - since > 60000;
      if (!late && times > 5) return;
      sessionStorage.setItem("again", late ? `1 ${Date.now()}` : `${times + 1} ${since}`);
      await Promise.all([...document.querySelectorAll('link[rel="modulepreload"], link[rel="stylesheet"]')].map(kept));
      location.reload();
    } catch {}
  };
  addEventListener("load", () => {
    if ([...document.querySelectorAll('link[rel="stylesheet"]')].some((link) => !link.sheet)) again();
  });
  const begin = () => {
    if (begun) return;
    begun = true;
    document.querySelectorAll('link[rel="later"]').forEach((link) => (link.rel = "modulepreload"));
    const script = document.createElement("script");
    script.type = "module";
    script.onerror = again;
    script.textContent = document.querySelector('script[type="later"]').textContent;
    document.head.append(script);
  };
  requestAnimationFrame(() => setTimeout(begin));
  setTimeout(begin, 500);
})();
