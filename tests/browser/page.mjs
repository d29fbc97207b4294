// What a reader can do with the pages, done.

import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { after, before, test } from "node:test";
import { FILES, browser, seenWith, shot } from "./browser.mjs";

const CELL = "cell-redis-token-cad-process-pause";
const PICTURE = ".picture svg.timeline";

let chromium;
before(async () => { chromium = await browser(); });
after(() => chromium.close());

// A test with a page that is open.
const on = (name, file, look, act) =>
  test(name, async () => {
    const { page, done } = await chromium.open(FILES[file], look);
    await act(page);
    await done();
  });

const focusedIn = (page, selector) => page.evaluate((selector) => document.activeElement?.closest(selector) !== null, selector);
// The picture follows with the next frame.
const drawn = (page) => page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
const shown = async (page) => {
  await drawn(page);
  const text = await page.locator("dialog[open] .shown, main.run .shown").first().textContent();
  const [, from, until] = text.match(/Shown: ([\d.]+) s to ([\d.]+) s/);
  return [Number(from), Number(until)];
};
const close = (a, b) => Math.abs(a - b) < 0.002;

test("the full comparison stays below two megabytes", () => {
  const { size } = statSync(FILES.compare);
  assert.ok(size > 300_000 && size <= 2_000_000, `${size} bytes`);
});

on("a click on a cell opens its run, Escape closes it", "compare", {}, async (page) => {
  await shot(page, "compare");
  await page.click(`a[href="#${CELL}"]`);
  await page.waitForSelector(`#${CELL}[open] ${PICTURE} rect.belief`);
  assert.equal(await page.locator(`#${CELL} .story`).first().locator("li").count(), 3);
  for (const part of ["rect.granted", "rect.valid", "rect.stale", "rect.clash", "rect.overlap", "rect.band", "path.steps", "text.violation"]) {
    assert.ok(await page.locator(`#${CELL} ${PICTURE} ${part}`).count(), part);
  }
  await shot(page, "cell");
  await page.keyboard.press("Escape");
  assert.equal(await page.locator("dialog[open]").count(), 0);
  assert.ok(await focusedIn(page, `a[href="#${CELL}"]`), "back at the cell");
});

on("by keyboard from the matrix to an event and back", "compare", {}, async (page) => {
  await page.locator("a.cell").first().focus();
  for (const key of ["ArrowDown", "ArrowLeft", "ArrowLeft", "ArrowDown", "ArrowDown"]) await page.keyboard.press(key);
  assert.ok(await focusedIn(page, `a[href="#${CELL}"]`), "arrow keys reach the cell");
  await page.keyboard.press("Enter");
  await page.waitForSelector(`#${CELL}[open] ${PICTURE}`);
  for (let step = 0; step < 40 && !(await focusedIn(page, PICTURE)); step += 1) await page.keyboard.press("Tab");
  assert.ok(await focusedIn(page, PICTURE), "Tab reaches the picture");
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  assert.equal(outline, "solid", "focus can be seen");
  await page.keyboard.press("e");
  const details = page.locator(`#${CELL} .chosen-event`);
  assert.match(await details.textContent(), /true time.*steady clock of.*wall clock of.*proves2 holders/s);
  await page.keyboard.press("Escape");
  assert.ok(await details.isHidden());
  assert.equal(await page.locator("dialog[open]").count(), 1);
  await page.keyboard.press("Escape");
  assert.ok(await focusedIn(page, `a[href="#${CELL}"]`));
});

on("zoom and pan by keys, buttons, wheel and drag", "run", {}, async (page) => {
  const start = await shown(page);
  await page.focus(PICTURE);
  await page.keyboard.press("+");
  const near = await shown(page);
  assert.ok(near[1] - near[0] < (start[1] - start[0]) / 1.5, `${near}`);
  await page.keyboard.press("ArrowRight");
  const right = await shown(page);
  assert.ok(right[0] > near[0] && close(right[1] - right[0], near[1] - near[0]));
  await page.keyboard.press("0");
  assert.deepEqual(await shown(page), start);
  await page.click('button[title^="zoom in"]');
  assert.deepEqual(await shown(page), near);
  await page.click('button[title^="show as much"]');
  assert.deepEqual(await shown(page), [0, 6]);
  await page.click('button[title^="back to"]');
  const box = await page.locator(PICTURE).boundingBox();
  await page.mouse.move(box.x + box.width / 2, box.y + 100);
  await page.focus(PICTURE);
  await page.mouse.wheel(0, -300);
  const wheeled = await shown(page);
  assert.ok(wheeled[1] - wheeled[0] < start[1] - start[0]);
  await page.mouse.down();
  await page.mouse.move(box.x + box.width / 2 - 150, box.y + 100, { steps: 5 });
  await page.mouse.up();
  const dragged = await shown(page);
  assert.ok(dragged[0] > wheeled[0] && close(dragged[1] - dragged[0], wheeled[1] - wheeled[0]), `${wheeled} ${dragged}`);
});

on("two fingers zoom", "run", {}, async (page) => {
  const start = await shown(page);
  await page.evaluate((selector) => {
    const svg = document.querySelector(selector);
    const box = svg.getBoundingClientRect();
    svg.setPointerCapture = () => {};
    const touch = (type, pointerId, part) => svg.dispatchEvent(new PointerEvent(type, { pointerId, pointerType: "touch", bubbles: true, clientX: box.left + box.width * part, clientY: box.top + 100 }));
    touch("pointerdown", 1, 0.4);
    touch("pointerdown", 2, 0.6);
    touch("pointermove", 2, 0.8);
    touch("pointerup", 1, 0.4);
    touch("pointerup", 2, 0.8);
  }, PICTURE);
  const pinched = await shown(page);
  assert.ok(close((pinched[1] - pinched[0]) * 2, start[1] - start[0]), `${start} ${pinched}`);
});

on("a plain wheel scrolls the page", "run", {}, async (page) => {
  const start = await shown(page);
  const box = await page.locator(PICTURE).boundingBox();
  await page.mouse.move(box.x + 300, box.y + 100);
  await page.mouse.wheel(0, 200);
  assert.deepEqual(await shown(page), start);
});

on("search finds events, n and N jump", "run", {}, async (page) => {
  await page.focus(PICTURE);
  await page.keyboard.press("/");
  assert.ok(await focusedIn(page, 'input[type="search"]'));
  await page.keyboard.type("redis lock record expired");
  assert.match(await page.locator(".count").textContent(), /^– of \d+$/);
  await page.keyboard.press("Enter");
  assert.match(await page.locator(".chosen-event h4").textContent(), /^#\d+ redis lock record expired/);
  assert.ok(await page.locator(".events li.found").count() > 0);
  assert.equal(await page.locator('.events li[aria-selected="true"]').count(), 1);
  const first = await page.locator(".count").textContent();
  await page.focus(PICTURE);
  assert.match(first, /^1 of/);
  await page.fill('input[type="search"]', "client 2 ok acquire");
  await page.focus(PICTURE);
  await page.keyboard.press("n");
  const one = await page.locator(".chosen-event h4").textContent();
  await page.keyboard.press("n");
  const two = await page.locator(".chosen-event h4").textContent();
  await page.keyboard.press("N");
  assert.notEqual(one, two);
  assert.equal(await page.locator(".chosen-event h4").textContent(), one);
  await page.fill('input[type="search"]', "no such thing");
  assert.equal(await page.locator(".count").textContent(), "none");
});

on("a click on the picture or the list chooses an event", "run", {}, async (page) => {
  await page.waitForSelector(`${PICTURE} circle.witness`);
  const circle = await page.locator(`${PICTURE} circle.witness`).nth(2).boundingBox();
  await page.mouse.click(circle.x + circle.width / 2, circle.y + circle.height / 2);
  assert.match(await page.locator(".chosen-event").textContent(), /proves/);
  await page.click(".event-box summary");
  await page.click('.events li[data-place="3"]');
  assert.match(await page.locator(".chosen-event h4").textContent(), /^#3 /);
  await page.click(".evidence >> nth=0");
  assert.match(await page.locator(".chosen-event dl").textContent(), /1 of \d/);
  await page.click('.chosen-event button:has-text("next ›")');
  assert.match(await page.locator(".chosen-event dl").textContent(), /2 of \d/);
  await shot(page, "event");
});

on("messages on demand: all, of one host, of the chosen event", "run", {}, async (page) => {
  const arrows = () => page.locator(`${PICTURE} .message path`).count();
  await drawn(page);
  assert.equal(await arrows(), 0);
  await page.focus(PICTURE);
  await page.keyboard.press("m");
  await drawn(page);
  const all = await arrows();
  assert.ok(all > 20, `${all}`);
  await shot(page, "messages");
  await page.click('rect[data-lane="shop"]');
  await drawn(page);
  const some = await arrows();
  assert.ok(some > 0 && some < all, `${some}`);
  assert.equal(await page.locator('select[aria-label^="show messages"]').inputValue(), "shop");
  await page.selectOption('select[aria-label^="show messages"]', "none");
  await drawn(page);
  assert.equal(await arrows(), 0);
  await page.click(".evidence >> nth=0");
  await drawn(page);
  assert.ok(await arrows() > 0, "the message of the chosen event");
});

on("a counterfactual opens over the same stretch of time", "run", {}, async (page) => {
  const start = await shown(page);
  await page.click('[data-run="1"]');
  assert.match(await page.locator(".banner").textContent(), /What if: without the process pause of client 1 ✓ nothing wrong/);
  await drawn(page);
  assert.equal(await page.locator(`${PICTURE} rect.overlap`).count(), 0);
  assert.deepEqual(await shown(page), start);
  await page.click('[data-run="2"]');
  await drawn(page);
  assert.match(await page.locator(".banner").textContent(), /with fencing tokens \(redis-token-fenced\) △ 2 holders, no damage/);
  assert.ok(await page.locator(`${PICTURE} use[href="#m-refused"]`).count(), "the stale write is refused");
  assert.equal(await page.locator('[data-run="2"]').getAttribute("aria-pressed"), "true");
  await shot(page, "fenced");
  await page.click('[data-run="0"]');
  assert.ok(await page.locator(".banner").isHidden());
});

on("an address names a run and an event", "compare", { hash: `#${CELL}` }, async (page) => {
  // An event that the page has, however much of the run stands in it.
  const proof = page.locator(`#${CELL}[open] .proofs button`).first();
  const [, index] = (await proof.textContent()).match(/^#(\d+) /);
  await page.evaluate((hash) => history.replaceState(null, "", hash), `#${CELL}/${index}`);
  await page.reload();
  await page.waitForSelector(`#${CELL}[open] .chosen-event h4`);
  assert.ok((await page.locator(`#${CELL} .chosen-event h4`).textContent()).startsWith(`#${index} `));
});

on("? lists the keys", "run", {}, async (page) => {
  await page.keyboard.press("?");
  assert.ok(await page.locator("#help[open]").isVisible());
  await page.keyboard.press("Escape");
  assert.equal(await page.locator("dialog[open]").count(), 0);
});

on("a history without its plan is shown and says what it lacks", "old", {}, async (page) => {
  await page.waitForSelector(`${PICTURE} rect.band`);
  assert.match(await page.locator("main").textContent(), /without its plan this history has no messages/);
  assert.ok(await page.locator('select[aria-label^="show messages"]').isDisabled());
});

// How light a colour is, as WCAG has it.
const CONTRAST = `(selector, property) => {
  const light = (text) => {
    const [r, g, b] = text.match(/[\\d.]+/g).slice(0, 3).map((part) => part / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const element = document.querySelector(selector);
  const [a, b] = [getComputedStyle(element)[property], getComputedStyle(document.body).backgroundColor].map(light).sort((x, y) => y - x);
  return (a + 0.05) / (b + 0.05);
}`;

for (const colorScheme of ["light", "dark"]) {
  on(`contrast is enough on a ${colorScheme} screen`, "run", { colorScheme }, async (page) => {
    await page.waitForSelector(`${PICTURE} rect.clash`);
    const contrast = (selector, property) => page.evaluate(`(${CONTRAST})(${JSON.stringify(selector)}, ${JSON.stringify(property)})`);
    for (const selector of [`${PICTURE} text.violation`, `${PICTURE} text.row`, `${PICTURE} text.label.stale`]) {
      const found = await contrast(selector, "fill");
      assert.ok(found >= 4.5, `${selector}: ${found}`);
    }
    for (const part of ["belief", "valid", "operation"]) {
      const found = await contrast(`${PICTURE} rect.${part}`, "fill");
      assert.ok(found >= 3, `${part}: ${found}`);
    }
    assert.ok((await contrast(".hint", "color")) >= 4.5);
    await shot(page, `run-${colorScheme}`, { fullPage: true });
  });
}

on("colour-blind readers: pictures to look at, and shapes besides colours", "run", {}, async (page) => {
  await page.waitForSelector(`${PICTURE} rect.clash`);
  for (const deficiency of ["deuteranopia", "protanopia", "tritanopia", "achromatopsia"]) await seenWith(page, deficiency, `run-${deficiency}`);
  const fills = await page.evaluate((selector) => ["stale", "clash", "granted"].map((part) => getComputedStyle(document.querySelector(`${selector} rect.${part}`)).fill), PICTURE);
  for (const fill of fills) assert.match(fill, /url/, "hatched");
});

on("forced colours keep the picture", "run", { forcedColors: "active", colorScheme: "dark" }, async (page) => {
  await page.waitForSelector(`${PICTURE} rect.clash`);
  await shot(page, "run-forced-colors");
});

on("a narrow screen has no sideways scrolling", "run", { viewport: { width: 390, height: 844 } }, async (page) => {
  await page.waitForSelector(`${PICTURE} rect.clash`);
  assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 390);
  await shot(page, "run-narrow", { fullPage: true });
});

on("a narrow comparison opens its runs", "compare", { viewport: { width: 390, height: 844 } }, async (page) => {
  await page.locator(`a[href="#${CELL}"]`).click();
  await page.waitForSelector(`#${CELL}[open] ${PICTURE} rect.clash`);
  const box = await page.locator(`#${CELL} ${PICTURE}`).boundingBox();
  assert.ok(box.x >= 0 && box.x + box.width <= 390, JSON.stringify(box));
  await shot(page, "cell-narrow");
});

on("on paper: the story and the picture, light, without controls", "compare", { colorScheme: "dark", hash: `#${CELL}` }, async (page) => {
  await page.waitForSelector(`#${CELL}[open] ${PICTURE} rect.clash`);
  await page.emulateMedia({ media: "print", colorScheme: "dark" });
  for (const hidden of [".tools", ".proofs", ".event-box", ".close", "main"]) {
    assert.ok(await page.locator(hidden === "main" ? hidden : `#${CELL} ${hidden}`).first().isHidden(), hidden);
  }
  for (const visible of [".story", PICTURE]) assert.ok(await page.locator(`#${CELL} ${visible}`).first().isVisible(), visible);
  assert.equal(await page.evaluate(() => getComputedStyle(document.body).backgroundColor), "rgb(255, 255, 255)");
  await page.pdf({ path: "shots/cell.pdf", format: "A4", printBackground: true });
});

on("nothing moves for those who want that", "run", { reducedMotion: "reduce" }, async (page) => {
  const moving = await page.evaluate(() => document.getAnimations().length);
  assert.equal(moving, 0);
});
