// A search on its way: shown, survived, ended.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { HAEMOGLOBIN, LARGE, accessible, close, open, says, send, shot, text, URL_OF_SERVER } from './browser.mjs';

after(close);

/** Enough to be seen at work: many copies of a protein, every hit wanted. */
const LONG = Array.from({ length: 3_000 }, (_, number) => HAEMOGLOBIN.replace('HBA_HUMAN', `COPY${number}`)).join('');

test('a search is watched through a reload, a sleep and a lost network, and cancelled', async (context) => {
  const page = await open(context);
  const id = await send(page, LONG, { evalue: '1e5', label: 'a long one' });
  await says(page, '#progress-facts', /\d+ of [1-9]\d*/);
  await says(page, '#progress-facts', /Running\s+\d+, and \d+ waiting/);
  await says(page, '#progress-facts', /Computing time\s+\S+ .*so far/);
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

test('what failed of a search is tried again', async (context) => {
  const page = await open(context, { hash: null });
  // A search that has ended, told otherwise: what the server does is tested without a browser.
  const lacking = ({ shards }) => ({
    state: 'completed_with_failed_shards',
    shards: { ...shards, done: shards.total - 1, failed: 1 },
    failed_shards: [{ chunk: 0, volume: 0, reason: 'the volume is missing' }],
  });
  const running = ({ shards, chunks }) => ({
    state: 'running',
    finished: null,
    shards: { ...shards, done: shards.total - 3, failed: 0 },
    chunks: { ...chunks, done: 1 },
    underway: { waiting: 1, running: 2, running_in_cloud: 0, seconds_left: 125 },
  });
  let told = lacking;
  await page.route(new RegExp(`/api/searches/${LARGE}([?]|$)`), async (route) => {
    const response = await route.fetch();
    const status = await response.json();
    await route.fulfill({ response, json: { ...status, ...told(status) } });
  });
  let refuse = true;
  await page.route(new RegExp(`/api/searches/${LARGE}/retry$`), async (route) => {
    assert.equal(route.request().method(), 'POST');
    if (refuse) {
      await route.fulfill({ status: 409, contentType: 'application/problem+json', json: { status: 409, title: 'Conflict', detail: 'not now' } });
      return;
    }
    told = running;
    await route.fulfill({ status: 202, json: { id: LARGE, state: 'running', begun: true } });
  });
  await page.goto(`${URL_OF_SERVER}/#/searches/${LARGE}`);
  await says(page, '#missing', /the volume is missing/);
  await page.click('#retry');
  await says(page, '#search-error', /not now/);
  refuse = false;
  await page.click('#retry');
  await says(page, '#search-state', /running/);
  await says(page, '#progress-facts', /Running\s+2, and 1 waiting/);
  await says(page, '#progress-facts', /Time left\s+about 2 min/);
  await page.locator('#retry').waitFor({ state: 'hidden' });
  await page.locator('#search-actions summary').click();
  await says(page, '#search-actions', /on the queries that have been searched so far/);
  assert.match(await page.getAttribute('#formats a', 'href'), /partial=true/);
  await accessible(page, 'retry');
  await shot(page, 'retry');
  told = () => ({});
  await page.locator('#report').waitFor();
  await page.locator('#missing').waitFor({ state: 'hidden' });
});
