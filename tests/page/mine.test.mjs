// My searches: listed, labelled, deleted.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { HAEMOGLOBIN, close, open, says, send, shot } from './browser.mjs';

after(close);

test('searches are listed, labelled and deleted', async (context) => {
  const page = await open(context);
  const id = await send(page, HAEMOGLOBIN, { label: 'before' });
  await says(page, '#search-state', /completed/);
  await page.click('text=My searches');
  const row = page.locator('#mine-rows tr', { has: page.locator(`a[href="#/searches/${id}"]`) });
  await row.waitFor();
  assert.match(await row.innerText(), /completed.*examples.*in 2 weeks|completed[^]*examples[^]*in 1[34] days/);
  const label = row.locator('input');
  assert.equal(await label.inputValue(), 'before');
  await label.fill('afterwards');
  await Promise.all([page.waitForResponse((response) => response.request().method() === 'PATCH'), label.press('Enter')]);
  await shot(page, 'mine');
  await page.reload();
  await row.waitFor();
  assert.equal(await row.locator('input').inputValue(), 'afterwards');
  await row.locator('button').click();
  await row.locator('button', { hasText: 'Really delete?' }).click();
  await row.waitFor({ state: 'detached' });
  assert.notEqual(await page.evaluate(() => document.activeElement), null);
  await page.goto(page.url().replace(/#.*/, `#/searches/${id}`));
  await says(page, '#search-error', /no such search/);
});

test('where the server lists nothing, the browser remembers', async (context) => {
  const page = await open(context);
  const id = await send(page, HAEMOGLOBIN);
  await page.route(/\/api\/searches\?/, (route) =>
    route.fulfill({ status: 403, contentType: 'application/problem+json', body: JSON.stringify({ type: 'urn:skyblast:problem:no-list', detail: 'no list' }) }));
  await page.click('text=My searches');
  await page.locator(`#mine-rows a[href="#/searches/${id}"]`).waitFor();
  await says(page, '#mine-note', /remembered by this browser/);
});
