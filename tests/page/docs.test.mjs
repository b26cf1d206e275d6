// The API's description as a page: it can be read and tried by keyboard alone.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { URL_OF_SERVER, accessible, close, open, says, shot } from './browser.mjs';

after(close);

for (const colorScheme of ['light', 'dark']) {
  test(`every operation is there, ${colorScheme}, and accessible`, async (context) => {
    const page = await open(context, { hash: 'api/docs', colorScheme });
    await page.locator('#health summary').waitFor();
    const { paths } = await (await fetch(`${URL_OF_SERVER}/api/openapi.json`)).json();
    const names = Object.values(paths).flatMap((item) => Object.values(item)).map(({ operationId }) => operationId);
    for (const name of names) assert.equal(await page.locator(`#${name}`).count(), 1, name);
    await page.click('#submit_search summary');
    await shot(page, `docs-${colorScheme}`, { fullPage: true });
    await accessible(page, 'docs');
  });
}

test('a request is filled in and sent by keyboard', async (context) => {
  const page = await open(context, { hash: 'api/docs' });
  await page.focus('#search_status summary');
  await page.keyboard.press('Enter');
  await page.keyboard.press('Tab');
  await page.keyboard.type('0'.repeat(32));
  await page.keyboard.press('Enter');
  await says(page, '#search_status pre', /^404 [^]*urn:skyblast:problem:unknown-search/);
});
