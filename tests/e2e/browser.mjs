// Opens reports in a headless browser and says what it saw, as JSON on standard output.
//
// usage: node browser.mjs MODULES CHROMIUM FILE...
//
// MODULES is the node_modules with puppeteer-core and axe-core. Judges nothing; browser.py does.

import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const [modules, chromium, ...files] = process.argv.slice(2);
const require = createRequire(`${modules}/`);
const puppeteer = require("puppeteer-core");
const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");

const LOOKS = [
  { name: "wide, light", width: 1280, scheme: "light" },
  { name: "wide, dark", width: 1280, scheme: "dark" },
  { name: "narrow, light", width: 360, scheme: "light" },
  { name: "narrow, dark", width: 360, scheme: "dark" },
];

const browser = await puppeteer.launch({
  executablePath: chromium,
  args: ["--no-sandbox", "--disable-dev-shm-usage", "--allow-file-access-from-files"],
});
const seen = [];
for (const file of files) {
  const url = pathToFileURL(file).href;
  const looks = [];
  for (const look of LOOKS) {
    const page = await browser.newPage();
    const requests = [];
    const faults = [];
    page.on("request", (request) => requests.push(request.url()));
    page.on("console", (message) => ["error", "warn"].includes(message.type()) && faults.push(message.text()));
    page.on("pageerror", (error) => faults.push(String(error)));
    await page.setViewport({ width: look.width, height: 900 });
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: look.scheme }]);
    const session = await page.createCDPSession();
    await session.send("Performance.enable");
    const started = performance.now();
    await page.goto(url, { waitUntil: "load", timeout: 120_000 });
    // It is open when the next picture after the first one is painted.
    await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
    const seconds = (performance.now() - started) / 1000;
    // What the page's process has computed, with its start: what the time would be if nothing else ran.
    const { metrics } = await session.send("Performance.getMetrics");
    const computed = metrics.find(({ name }) => name === "ProcessTime").value;
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    const findings = await page.evaluate(() => document.querySelectorAll("#findings details").length);
    looks.push({ ...look, seconds, computed, overflow, findings, requests: [...requests], faults: [...faults] });
    looks.at(-1).page = page;
  }
  seen.push({ file, url, looks });
}
for (const { looks } of seen) {
  for (const look of looks) {
    const page = look.page;
    delete look.page;
    // Audits and prints of a page with thousands of findings take minutes, and say the same thing thousands of times.
    if (look.findings <= 500) {
      look.axe = await audit(page);
    }
    if (look.name === "wide, light" && look.findings <= 500) {
      look.keyboard = await keyboard(page);
      look.printed = (await page.pdf({ format: "A4", timeout: 120_000 })).length;
    }
    await page.close();
  }
}
await browser.close();
console.log(JSON.stringify(seen));

async function audit(page) {
  await page.evaluate(() => document.querySelectorAll("details").forEach((details) => (details.open = true)));
  await page.evaluate(axe);
  const result = await page.evaluate(() => window.axe.run());
  return result.violations.map(({ id, impact, nodes }) => ({ id, impact, count: nodes.length, first: nodes[0].html.slice(0, 200) }));
}

// What the first tabs reach, whether it is in view, and whether one sees that it has the focus.
async function keyboard(page) {
  await page.bringToFront();
  const stops = [];
  for (let at = 0; at < 25; at += 1) {
    await page.keyboard.press("Tab");
    const stop = await page.evaluate(() => {
      const element = document.activeElement;
      const box = element.getBoundingClientRect();
      const style = getComputedStyle(element);
      return {
        name: element.tagName.toLowerCase(),
        text: element.textContent.trim().slice(0, 60),
        visible: box.width > 0 && box.bottom > 0 && box.top < innerHeight,
        outlined: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0,
      };
    });
    stops.push(stop);
  }
  const summary = await page.$("#findings summary");
  const toggled = await page.evaluate((element) => {
    element.focus();
    return element.parentElement.open;
  }, summary);
  await page.keyboard.press("Enter");
  const after = await page.evaluate((element) => element.parentElement.open, summary);
  return { stops, toggles: toggled !== after };
}
