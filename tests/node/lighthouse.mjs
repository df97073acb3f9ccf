// Runs Lighthouse with its default phone (simulated slow 4G, CPU four times slower) and prints one line of JSON.
// Argument: {"url", "chrome", "flags", "cookie": {"name", "value"} or null}. Each run has a browser profile of its own.
import { launch } from "chrome-launcher";
import lighthouse from "lighthouse";
import puppeteer from "puppeteer-core";

const { url, chrome, flags, cookie } = JSON.parse(process.argv[2]);
const categories = ["performance", "accessibility", "best-practices", "seo"];
const browser = await launch({ chromePath: chrome, chromeFlags: [...flags, "--headless=new"], logLevel: "error" });
try {
  if (cookie) {
    // A real cookie rather than an extra header: the websocket's handshake needs it too.
    const connection = await puppeteer.connect({ browserURL: `http://127.0.0.1:${browser.port}` });
    await connection.setCookie({ ...cookie, domain: new URL(url).hostname, path: "/", httpOnly: true, sameSite: "Lax" });
    await connection.disconnect();
  }
  const result = await lighthouse(url, {
    port: browser.port,
    output: "json",
    logLevel: "error",
    onlyCategories: categories,
    disableStorageReset: Boolean(cookie),
  });
  const { lhr } = result;
  if (lhr.runtimeError) throw new Error(lhr.runtimeError.message);
  const audit = (id) => lhr.audits[id]?.numericValue ?? null;
  const failed = categories.flatMap((id) =>
    lhr.categories[id].auditRefs
      .filter((ref) => ref.weight > 0 && id !== "performance" && (lhr.audits[ref.id].score ?? 1) < 1)
      .map((ref) => `${id}: ${lhr.audits[ref.id].title}`),
  );
  const lcp = lhr.audits["lcp-breakdown-insight"]?.details?.items?.find((item) => item.type === "node");
  console.log(
    JSON.stringify({
      url: lhr.finalDisplayedUrl,
      scores: Object.fromEntries(categories.map((id) => [id, Math.round(lhr.categories[id].score * 100)])),
      fcp: audit("first-contentful-paint"),
      lcp: audit("largest-contentful-paint"),
      tbt: audit("total-blocking-time"),
      cls: audit("cumulative-layout-shift"),
      si: audit("speed-index"),
      element: lcp?.snippet ?? "",
      unused: lhr.audits["unused-javascript"]?.details?.overallSavingsBytes ?? 0,
      failed,
    }),
  );
} finally {
  await browser.kill();
}
