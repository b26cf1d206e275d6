// The form: whatever is pasted is answered in place, by record and line, and nothing that was typed is lost.

import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { after, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { HAEMOGLOBIN, close, open, says, send, shot, URL_OF_SERVER } from './browser.mjs';

after(close);

const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'skyblast-page-'));
after(() => fs.rmSync(folder, { recursive: true }));

function file(name, content) {
  const made = path.join(folder, name);
  fs.writeFileSync(made, content);
  return made;
}

const form = async (context) => {
  const page = await open(context);
  await page.locator('#database option').first().waitFor({ state: 'attached' });
  return page;
};

for (const [what, pasted, expected] of [
  ['quotes of a text processor', '>a\n“”“”“”\n', /record 1 \(a\), line 2: .*not a protein sequence/],
  ['numbers alone', '>first\nMVLSPADKTN\n>second\n1 2 3 4\n', /record 2 \(second\), line 4: .*not a protein/],
  ['line numbers of a PDF', '>a\n1 MVLSPADKTN\n11 VKAAWGKVGA\n', /record 1 \(a\), line 3: 2 digits left out/],
  ['quotes around a sequence', '>a\n“MVLSPADKTNVKAAWGKVGAHAGEYGAE”\n', /line 2: 2 characters that are no residues left out/],
  ['no residues', '>a\n>b\nMVLSPADK\n', /record 1 \(a\), line 1: no residues/],
  ['nothing but names', '>a\n>b\n', /none of the records has residues/],
  ['nucleotides', `>gene\n${'ACGTTGCA'.repeat(8)}\n`, /looks like DNA or RNA/],
  ['old line ends', '>a\rMVLSPADK\r>b\r1234\r', /record 2 \(b\), line 4/],
]) {
  test(`${what}: the record and the line are named`, async (context) => {
    const page = await form(context);
    await page.fill('#query', pasted);
    await page.locator('#query-report details summary').click({ timeout: 2_000 }).catch(() => {});
    await says(page, '#drop', expected);
    await page.reload();
    assert.equal(await page.inputValue('#query'), pasted.replaceAll('\r', '\n'), 'and survives');
  });
}

test('an empty box is answered, and the cursor is where it belongs', async (context) => {
  const page = await form(context);
  await page.click('#submit');
  await says(page, '#query-error', /no sequences yet/);
  assert.equal(await page.evaluate(() => document.activeElement.id), 'query');
  await page.fill('#query', '   \n\n');
  await page.click('#submit');
  await says(page, '#query-error', /no sequences yet|no sequence in it/);
});

test('what belongs elsewhere is answered where it is', async (context) => {
  const page = await form(context);
  await page.fill('#query', HAEMOGLOBIN);
  await page.fill('#option-evalue', 'MVLSPADKTNVKAAWGKVGAHAG');
  await page.click('#folded summary');
  await page.fill('#option-word_size', '9');
  await page.click('#submit');
  await says(page, '#option-evalue-error', /number above 0.*looks like a sequence/);
  await says(page, '#option-word_size-error', /2 to 7/);
  assert.equal(await page.evaluate(() => document.activeElement.id), 'option-evalue');
  assert.equal(await page.inputValue('#query'), HAEMOGLOBIN);
  await page.fill('#option-evalue', '“1e–5”');
  await page.fill('#option-word_size', '');
  await page.press('#option-word_size', 'Tab');
  await page.waitForFunction(() => document.getElementById('option-evalue-error').textContent === '');
  assert.match(await page.locator('#command-blastp').textContent(), /-evalue 1e-5 /);
});

test('what the server refuses is said beside the option, and nothing is lost', async (context) => {
  const page = await form(context);
  await page.fill('#query', HAEMOGLOBIN);
  await page.fill('#label', 'my own words');
  await says(page, '#query-report', /1 record/);
  await page.click('#folded summary');
  await page.fill('#option-gapopen', '3');
  await page.click('#submit');
  await says(page, '#option-gapopen-error', /gapopen/);
  assert.deepEqual([await page.inputValue('#query'), await page.inputValue('#label')], [HAEMOGLOBIN, 'my own words']);
});

test('what is no text is called by its name', async (context) => {
  const page = await form(context);
  for (const [name, content, expected] of [
    ['paper.pdf', '%PDF-1.7\n', /this is a PDF, not FASTA/],
    ['table.xlsx', 'PK\u0003\u0004', /Word, Excel or zip/],
    ['cut.fa.gz', gzipSync(HAEMOGLOBIN.repeat(500)).subarray(0, 200), /cannot be read to its end/],
  ]) {
    await page.setInputFiles('#file', file(name, content));
    await says(page, '#query-report', expected);
    await page.click('#submit');
    assert.match(page.url(), /#\/$|\/$/);
  }
  await page.click('#drop-file');
  assert.equal(await page.isVisible('#drop-file'), false);
});

test('a compressed file is checked and searched', async (context) => {
  const page = await form(context);
  await page.setInputFiles('#file', file('two.fa.gz', gzipSync(HAEMOGLOBIN + HAEMOGLOBIN)));
  await says(page, '#query-report', /2 records, 284 residues \(gzip\)/);
  await page.click('#submit');
  await page.waitForURL(/#\/searches\/[0-9a-f]{32}$/);
  await says(page, '#search-state', /completed/);
});

test('several compressed files in one are left to the server', async (context) => {
  const page = await form(context);
  await page.setInputFiles('#file', file('blocks.fa.gz', Buffer.concat([gzipSync(HAEMOGLOBIN), gzipSync(HAEMOGLOBIN)])));
  await says(page, '#query-report', /the server checks it/);
  await page.click('#submit');
  await page.waitForURL(/#\/searches\/[0-9a-f]{32}$/);
  await page.click('.facts summary');
  await says(page, '#facts', /2 queries, 284 residues/);
});

test('what is longer than a request is sent in parts', async (context) => {
  const page = await form(context);
  const parts = [];
  page.on('request', (request) => request.method() === 'PUT' && parts.push(new URL(request.url()).pathname));
  const records = Array.from({ length: 30_000 }, (_, number) => HAEMOGLOBIN.replace('HBA_HUMAN', `COPY${number}`)).join('');
  await page.setInputFiles('#file', file('parts.fa', records));
  await says(page, '#query-report', /30,000 records/);
  await page.click('#submit');
  await page.waitForURL(/#\/searches\/[0-9a-f]{32}$/);
  assert.ok(parts.length >= 2 && parts.every((part, number) => part.endsWith(`/parts/${number}`)), parts.join());
  await page.click('.facts summary');
  await says(page, '#facts', /30,000 queries/);
  await page.click('#cancel');
  await page.click('#cancel');
  await says(page, '#search-state', /cancelled/);
});

test('a hundred megabytes are checked while the page lives', async (context) => {
  const page = await form(context);
  const record = `>protein of a large file\n${'MVLSPADKTNVKAAWGKVGAHAGEYGAEALERMFLSFPTTKTYFPHFDLSHGSAQVKGHG\n'.repeat(16)}`;
  const made = file('large.fa', record.repeat(Math.ceil(100e6 / record.length)));
  const started = performance.now();
  await page.setInputFiles('#file', made);
  await says(page, '#checking', /Checking/);
  // Something else works meanwhile.
  await page.fill('#label', 'typed meanwhile', { timeout: 2_000 });
  await says(page, '#query-report', /[\d,]+ records, 9\d,\d{3},\d{3} residues/);
  context.diagnostic(`100 MB checked in ${Math.round(performance.now() - started)} ms`);
  assert.equal(await page.inputValue('#query'), '');
});

test('a text of megabytes is pasted beside the field', async (context) => {
  const page = await form(context);
  await page.evaluate(() => {
    const data = new DataTransfer();
    data.setData('text', `>pasted\n${'MVLSPADKTN'.repeat(150_000)}\n`);
    document.getElementById('query').dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
  });
  await says(page, '#query-report', /1 record, 1,500,000 residues/);
  await says(page, '#file-name', /pasted.fa, 1.50 MB/);
});

test('a dropped file is taken, and one that misses does not replace the page', async (context) => {
  const page = await form(context);
  await page.fill('#label', 'typed');
  const drop = (selector) =>
    page.evaluate((selector) => {
      const data = new DataTransfer();
      data.items.add(new File(['>dropped\nMVLSPADKTN\n'], 'dropped.fa'));
      document.querySelector(selector).dispatchEvent(new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true }));
    }, selector);
  await drop('footer');
  assert.equal(await page.inputValue('#label'), 'typed');
  await drop('#drop');
  await says(page, '#query-report', /1 record, 10 residues/);
});

test('the form works by keyboard alone, and the command lines say the same', async (context) => {
  const page = await form(context);
  await page.focus('#query');
  await page.keyboard.insertText(HAEMOGLOBIN);
  for (let pressed = 0; pressed < 30; pressed++) {
    await page.keyboard.press('Tab');
    if ((await page.evaluate(() => document.activeElement.id)) === 'option-evalue') break;
  }
  await page.keyboard.press('Control+a');
  await page.keyboard.type('1e-3');
  const curl = await page.locator('#command-curl').textContent();
  assert.match(curl, /curl --data-binary @queries.fa '.*\/api\/searches\?database=examples&evalue=1e-3'/);
  assert.match(await page.locator('#command-skyblast').textContent(), /--database examples --evalue 1e-3 --wait/);
  await page.selectOption('#option-mode', 'seeded');
  assert.match(await page.locator('#command-curl').textContent(), /&mode=seeded&evalue=1e-3'|&evalue=1e-3&mode=seeded'/);
  assert.doesNotMatch(await page.locator('#command-blastp').textContent(), /mode/);
  await says(page, '#estimate', /comparisons \(1 query × /);
  await says(page, '#estimate', /About .* here \(.* to .*\), if nothing else waits, as measured on .*: 1?\d shards?\. /);
  await says(page, '#estimate', /costs nothing here; in Azure it would be about 0\.\d+ USD \(.*; list prices of East US/);
  await shot(page, 'submit');
  await page.focus('#option-evalue');
  await page.keyboard.press('Enter');
  await page.waitForURL(/#\/searches\/[0-9a-f]{32}$/);
  await says(page, '#search-state', /completed/);
  await page.click('.facts summary');
  await says(page, '#facts', /evalue 0\.001/);
});

test('a search that is sent twice by one click is one search', async (context) => {
  const page = await form(context);
  const sent = [];
  const submits = (request) => request.method() === 'POST' && !request.url().includes('dry_run');
  page.on('request', (request) => submits(request) && sent.push(request.headers()['idempotency-key']));
  await page.fill('#query', HAEMOGLOBIN);
  await page.evaluate(() => {
    document.getElementById('submit').click();
    document.getElementById('submit').click();
  });
  await page.waitForURL(/#\/searches\//);
  assert.equal(sent.length, 1);
  assert.ok(sent[0].length >= 16);
});

test('a key in the address is kept for the tab and sent as a header only', async (context) => {
  const page = await open(context, { hash: '#key=s3cret%2Fkey' });
  await page.waitForURL(`${URL_OF_SERVER}/`);
  const asked = page.waitForRequest(/\/api\/searches/);
  await page.click('text=My searches');
  assert.equal((await asked).headers()['x-functions-key'], 's3cret/key');
  assert.ok(!(await asked).url().includes('s3cret'));
  const id = await send(page, HAEMOGLOBIN);
  assert.match(id, /^[0-9a-f]{32}$/);
});
