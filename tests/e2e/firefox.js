// The main job in Firefox, whose protocol Playwright speaks only to a build of its own: what was
// seen at each step, as JSON. Usage: node firefox.js <the browser> <the page's address> <a photo> <scheme>
import process from "node:process";
import puppeteer from "puppeteer-core";

const CAT = [0.5, 0.35];
const [executablePath, address, photo, scheme] = process.argv.slice(2);

const browser = await puppeteer.launch({
  browser: "firefox",
  executablePath,
  headless: true,
  extraPrefsFirefox: { "layout.css.prefers-color-scheme.content-override": scheme === "dark" ? 0 : 1 },
});
const page = await browser.newPage();
const problems = [];
page.on("pageerror", (error) => problems.push(String(error)));
page.on("console", (message) => {
  if (message.type() === "error") problems.push(message.text());
});

/** How much of each tile's canvas has something painted on it. */
function painted(name) {
  return page.$$eval(`.pp-tile .pp-${name}`, (canvases) =>
    canvases.map((canvas) => {
      const { width, height } = canvas;
      if (!width || !height) return 0;
      const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
      let count = 0;
      for (let at = 3; at < data.length; at += 4) if (data[at]) count += 1;
      return count / (width * height);
    }),
  );
}

/** Where on the screen a place of a picture is. */
async function place(selector, [x, y]) {
  const box = await (await page.$(selector)).boundingBox();
  return [box.x + x * box.width, box.y + y * box.height];
}

const answered = () =>
  page.waitForFunction(() => {
    const { asked, shown } = document.querySelector(".pp-workspace").dataset;
    return asked !== undefined && asked === shown;
  });

const previewed = (count) =>
  page.waitForFunction(
    (more) => Number(document.querySelector(".pp-workspace").dataset.previews ?? 0) >= more,
    {},
    count,
  );

/** Of the page, as it keeps them for a reload: whether each is positive. */
const clicks = () =>
  page.evaluate(() =>
    JSON.parse(sessionStorage["pointprompt-kept"]).history.present.clicks.map(
      ({ positive }) => positive,
    ),
  );

/** A picture for who looks at it, where SHOTS names a folder. */
async function look(name) {
  const folder = process.env.SHOTS;
  if (folder) await page.screenshot({ path: `${folder}/firefox-${scheme}-${name}.png` });
}

const seen = {};
await page.setViewport({ width: 1280, height: 900 });
await page.goto(address);
await page.waitForSelector(".pp-workspace[data-set=example][data-state=open]");
await page.waitForFunction(() =>
  [...document.querySelectorAll(".pp-tile .pp-photo")].every((image) => image.naturalWidth > 0),
);
await answered();
seen.tiles = (await page.$$(".pp-tile")).length;

await page.mouse.move(...(await place(".pp-overlay", CAT)));
await previewed(1);
seen.hovered = await painted("preview");
await page.keyboard.press("]");
await previewed(2);
seen.more = await painted("preview");
await page.keyboard.press("[");
await previewed(3);

await page.mouse.click(...(await place(".pp-overlay", CAT)));
await answered();
seen.clicked = await painted("overlay");
await page.mouse.move(5, 300);
await look("clicked");

await page.mouse.click(...(await place(".pp-overlay", [0.05, 0.05])), { button: "right" });
await answered();
seen.kept = await clicks();
await page.keyboard.down("Control");
await page.keyboard.press("z");
await page.keyboard.up("Control");
await answered();
seen.undone = await clicks();

await page.focus(".pp-overlay");
await page.keyboard.press("f");
await page.waitForSelector(".pp-workspace[data-focus]");
const large = await place(".pp-stage .pp-overlay", [0.5, 0.5]);
await page.mouse.move(...large);
await page.mouse.wheel({ deltaY: -300 });
await page.waitForFunction(() => document.querySelector(".pp-zoom output").textContent !== "100%");
await look("large");
await page.keyboard.press("Escape");

await page.click("#pp-setup > button");
const field = await page.waitForSelector("#pp-files input[type=file]");
await field.uploadFile(photo);
await page.waitForFunction(() => !document.querySelector("#pp-analyze").disabled);
await page.click("#pp-analyze");
await page.waitForSelector(".pp-workspace[data-set=own][data-state=open]");
seen.own = (await page.$$(".pp-tile")).length;
await look("own");
seen.problems = problems;
process.stdout.write(JSON.stringify(seen));
await browser.close();
