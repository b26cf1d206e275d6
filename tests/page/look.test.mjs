// How the page looks to those who see it, those who do not, and those who hold it in a hand.

import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { LARGE, accessible, close, open, shot, URL_OF_SERVER } from './browser.mjs';

after(close);

const VIEWS = {
  submit: ['#/', '#database option'],
  mine: ['#/searches', '#mine-rows tr'],
  list: [`#/searches/${LARGE}`, '#query-rows a'],
  read: [`#/searches/${LARGE}/queries/2`, '#hit-rows button.link'],
};

for (const [look, options] of Object.entries({
  light: { colorScheme: 'light' },
  dark: { colorScheme: 'dark' },
  phone: { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true },
})) {
  for (const [name, [hash, there]] of Object.entries(VIEWS)) {
    test(`${name}, ${look}: accessible, as wide as the screen, and nothing jumps`, async (context) => {
      const page = await open(context, { hash: null, ...options });
      await page.addInitScript(() => {
        window.shifted = 0;
        new PerformanceObserver((list) => {
          for (const { value, hadRecentInput } of list.getEntries()) if (!hadRecentInput) window.shifted += value;
        }).observe({ type: 'layout-shift', buffered: true });
      });
      await page.goto(`${URL_OF_SERVER}/${hash}`);
      await page.locator(there).first().waitFor({ state: 'attached' });
      await page.waitForTimeout(400);
      await shot(page, `${look}-${name}`, { fullPage: true });
      const [over, shifted] = await page.evaluate(() => [document.documentElement.scrollWidth - window.innerWidth, window.shifted]);
      assert.ok(over <= 0, `${over} pixels beyond the screen`);
      assert.ok(shifted < 0.1, `shifted by ${shifted}`);
      if (name === 'submit') await page.click('#folded summary');
      if (name !== 'submit' && name !== 'mine') await page.click('.facts summary');
      await accessible(page, `${name}, ${look}`);
    });
  }
}

test('without JavaScript it says what to do instead', async (context) => {
  const page = await open(context, { javaScriptEnabled: false });
  assert.match(await page.locator('body').innerText(), /needs JavaScript/);
});

test('the dialog for keys can be left by keyboard', async (context) => {
  const page = await open(context);
  await page.click('#open-access');
  await accessible(page, 'access');
  await page.keyboard.press('Escape');
  assert.equal(await page.isVisible('#access'), false);
  assert.equal(await page.evaluate(() => document.activeElement.id), 'open-access');
});
