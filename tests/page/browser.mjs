// A browser for the tests, and what they all look at: errors of the page, requests to elsewhere, accessibility.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { chromium } from 'playwright-core';

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** The server, and a search there with 10,000 queries that has ended. */
export const URL_OF_SERVER = process.env.PAGE_URL;
export const LARGE = process.env.PAGE_LARGE;

const axe = fs.readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

let browser;

/** Opens a page; it must end without an error of its own and without a request to elsewhere. */
export async function open(test, { hash = '', ...options } = {}) {
  browser ??= await chromium.launch({ executablePath: '/usr/bin/chromium', args: FLAGS });
  const context = await browser.newContext({ viewport: { width: 1400, height: 1000 }, locale: 'en-GB', ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  const troubles = [];
  page.on('pageerror', (error) => troubles.push(`error: ${error.message}`));
  page.on('console', (message) => {
    // What the server refuses is told by the browser, too; the tests look at what the page makes of it.
    if (message.type() === 'error' && !/Failed to load resource/.test(message.text())) troubles.push(message.text());
  });
  page.on('request', (request) => {
    const { protocol, origin } = new URL(request.url());
    if (origin !== new URL(URL_OF_SERVER).origin && !['blob:', 'data:'].includes(protocol)) troubles.push(`asked ${request.url()}`);
  });
  test.after(async () => {
    await context.close();
    assert.deepEqual(troubles, []);
  });
  if (hash !== null) await page.goto(`${URL_OF_SERVER}/${hash}`);
  return page;
}

/** Ends the browser. */
export async function close() {
  await browser?.close();
  browser = undefined;
}

/** Looks at what there is for accessibility; there must be nothing to say. */
export async function accessible(page, what) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() =>
    axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }));
  const told = violations.map(({ id, nodes }) => `${what}: ${id}: ${nodes.map(({ target }) => target.join(' ')).join(', ')}`);
  assert.deepEqual(told, []);
}

/** The text of an element. */
export const text = (page, selector) => page.locator(selector).innerText();

/** Waits until an element has a text like this. */
export async function says(page, selector, expected) {
  await page.waitForFunction(
    ([selector, source, flags]) => [...document.querySelectorAll(selector)].some((element) => new RegExp(source, flags).test(element.innerText)),
    [selector, expected.source, expected.flags]);
}

/** Sends some queries by the form; gives the id of the search. */
export async function send(page, queries, options = {}) {
  await page.goto(`${URL_OF_SERVER}/#/`);
  await page.locator('#database option').first().waitFor({ state: 'attached' });
  if (queries.length < 50_000) await page.fill('#query', queries);
  else await page.setInputFiles('#file', { name: 'queries.fa', mimeType: 'text/plain', buffer: Buffer.from(queries) });
  for (const [name, value] of Object.entries(options)) await page.fill(`[name=${name}]`, value);
  await page.click('#submit');
  await page.waitForURL(/#\/searches\/[0-9a-f]{32}$/);
  return new URL(page.url()).hash.split('/')[2];
}

/** Keeps a picture, if somebody wants to look at it. */
export async function shot(page, name, options = {}) {
  const folder = process.env.PAGE_SHOTS;
  if (!folder) return;
  fs.mkdirSync(folder, { recursive: true });
  await page.screenshot({ path: path.join(folder, `${name}.png`), ...options });
}

export const HAEMOGLOBIN = `>sp|P69905|HBA_HUMAN Hemoglobin subunit alpha
MVLSPADKTNVKAAWGKVGAHAGEYGAEALERMFLSFPTTKTYFPHFDLSHGSAQVKGHG
KKVADALTNAVAHVDDMPNALSALSDLHAHKLRVDPVNFKLLSHCLLVTLAAHLPAEFTP
AVHASLDKFLASVSTVLTSKYR
`;
