// The whole report, in every format, and a link to it for others.

import { access } from './access.js';
import * as api from './api.js';
import { byId, copyButton, h, say } from './dom.js';
import { fromNow } from './numbers.js';
import { FORMATS } from './options.js';

const DOWNLOAD_SECONDS = 900;

let current = null;

const note = (words) => (byId('download-note').textContent = words);

/** The browser fetches reports itself, without the key, which must not stand in an address; so it gets a link. */
async function download(event) {
  const { key, token } = access();
  const wanted = event.currentTarget;
  if (!key && !token) return;
  event.preventDefault();
  note('Asking for the report…');
  try {
    const { link } = await api.share(current.id, DOWNLOAD_SECONDS);
    note('');
    const parameters = new URL(wanted.href).search.slice(1);
    location.assign(`${link}&${parameters}`);
  } catch (problem) {
    note(problem.message);
  }
}

async function share() {
  const box = byId('share-made');
  try {
    const days = Number(byId('share-days').value);
    const { link, expires } = await api.share(current.id, days * 86_400);
    const address = `${location.origin}${link}`;
    box.replaceChildren(
      h('input', { type: 'text', readonly: true, value: address, 'aria-label': 'Link to the report', focus: ({ target }) => target.select() }),
      copyButton(() => address),
      h('p', { class: 'hint' }, `Anyone who has it can read the report, in every format; it ends ${fromNow(expires)}.`));
    say('The link is made.');
  } catch (problem) {
    box.replaceChildren(h('p', { class: 'error' }, problem.message));
  }
}

/** Shows what can be had of a search. */
export function showDownloads({ id, outfmt, shards, finished }) {
  current = { id };
  const partial = shards.failed > 0 || !finished || null;
  const own = outfmt.split(' ')[0];
  const link = (format, words, extension) =>
    h('li', {}, h('a', { href: api.results(id, { outfmt: format, partial }), download: `${id}.${extension}`, click: download }, words),
      format === own && h('span', { class: 'faint' }, ' as asked for'));
  const columns = outfmt.includes(' ') && [outfmt, `As asked for: ${outfmt}`, ''];
  byId('formats').replaceChildren(...[...FORMATS, columns].filter(Boolean).map((format) => link(...format)));
  byId('share-made').replaceChildren();
  note(!finished ? 'These reports are on the queries that have been searched so far, and say so.' : partial ? 'These reports lack the hits of shards that failed, and say so.' : '');
}

/** Forgets the search. */
export const closeDownloads = () => (current = null);

/** Makes the buttons work. */
export function startDownloads() {
  byId('share').addEventListener('click', share);
}
