// A search on its way: shown, survived, ended.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { HAEMOGLOBIN, accessible, close, open, says, send, shot, text, URL_OF_SERVER } from './browser.mjs';

after(close);

/** Enough to be seen at work: many copies of a protein, every hit wanted. */
const LONG = Array.from({ length: 3_000 }, (_, number) => HAEMOGLOBIN.replace('HBA_HUMAN', `COPY${number}`)).join('');

test('a search is watched through a reload, a sleep and a lost network, and cancelled', async (context) => {
  const page = await open(context);
  const id = await send(page, LONG, { evalue: '1e5', label: 'a long one' });
  await says(page, '#progress-facts', /\d+ of [1-9]\d*/);
  await page.locator('#map-figure').waitFor();
  assert.match(await page.getAttribute('#map', 'aria-label'), /of \d+ shards are done/);
  await accessible(page, 'watch');
  await shot(page, 'watch');
  await page.reload();
  await says(page, '#progress-facts', /of [1-9]\d*/);
  assert.equal(await text(page, '#search-name'), 'a long one');
  await page.context().setOffline(true);
  await page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
  await says(page, '#search-error', /Trying again/);
  await page.context().setOffline(false);
  await page.locator('#search-error').waitFor({ state: 'hidden' });
  await page.click('#cancel');
  await says(page, '#cancel', /Really cancel/);
  await page.click('#cancel');
  await says(page, '#search-state', /cancelled/);
  await says(page, '#no-report', /cancelled/);
  assert.equal(new URL(page.url()).hash, `#/searches/${id}`);
});

test('a search that does not exist is told of', async (context) => {
  const page = await open(context, { hash: `#/searches/${'0'.repeat(32)}` });
  await says(page, '#search-error', /no such search/);
  await page.goto(`${URL_OF_SERVER}/#/nonsense`);
  await page.locator('#view-submit').waitFor();
});
