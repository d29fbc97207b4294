// A browser with an empty profile, and pages in it that must stay silent and alone: any console
// error or warning, any exception, any request but for the file itself fails the test.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { chromium } from "playwright-core";

const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];

export const FILES = {
  compare: resolve("../picklock/compare/index.html"),
  run: resolve("run.html"),
  old: resolve("old.html"),
};

export async function browser() {
  const profile = mkdtempSync(join(tmpdir(), "picklock-browser-"));
  const context = await chromium.launchPersistentContext(profile, { executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", headless: true, args: FLAGS, viewport: { width: 1280, height: 800 } });
  const close = async () => {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  };
  return { open: (file, look) => open(context, file, look), close };
}

// `look`: viewport, media, colorScheme, forcedColors, hash.
async function open(context, file, { viewport, hash = "", ...media } = {}) {
  const page = await context.newPage();
  const noise = [];
  page.on("console", (message) => noise.push(`${message.type()}: ${message.text()}`));
  page.on("pageerror", (error) => noise.push(`exception: ${error.message}`));
  const address = pathToFileURL(file).href;
  page.on("request", (request) => request.url().split("#")[0] === address || noise.push(`request: ${request.url()}`));
  if (viewport) await page.setViewportSize(viewport);
  await page.emulateMedia(media);
  await page.goto(address + hash);
  const done = async () => {
    assert.deepEqual(noise, [], "the page is silent and alone");
    await page.close();
  };
  return { page, done };
}

export const shot = (page, name, options = {}) => page.screenshot({ path: join("shots", `${name}.png`), ...options });

// A picture as somebody with this deficiency sees it.
export async function seenWith(page, deficiency, name) {
  const session = await page.context().newCDPSession(page);
  await session.send("Emulation.setEmulatedVisionDeficiency", { type: deficiency });
  await shot(page, name);
  await session.send("Emulation.setEmulatedVisionDeficiency", { type: "none" });
}
