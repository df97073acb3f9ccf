// Starts a prerendered page's scripts after its first frame. A page in the background draws no frames, so time counts as well.
//
// While two versions of the site serve, a page of one may ask the other for its scripts, in vain. Then all it needs is requested
// until some copy has it, which the browser keeps, and the page is reloaded; at most six times a minute.
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
