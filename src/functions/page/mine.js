// My searches: those that the server lists for whoever is signed in, or that this browser remembers.

import * as api from './api.js';
import { byId, h, say } from './dom.js';
import { counted, day, fromNow, when } from './numbers.js';
import { forget, remembered } from './remembered.js';
import { stateMark } from './search.js';

const PAGE = 50;

let next = null;
let left = [];

async function fromServer(after) {
  const { searches, next: behind } = await api.list({ limit: PAGE, after });
  return { searches, next: behind ?? null };
}

/** One by one, as the server gives out no lists. */
async function fromMemory(ids) {
  const asked = ids.slice(0, PAGE).map(async (id) => {
    try {
      return await api.status(id);
    } catch (problem) {
      if (problem.status === 404) forget(id);
      else if (problem.status === 0 || problem.status === 401) throw problem;
      return null;
    }
  });
  return (await Promise.all(asked)).filter(Boolean);
}

function nameField(search) {
  const input = h('input', {
    value: search.label ?? '',
    'aria-label': `Label of the search of ${when(search.submitted)}`,
    maxlength: 200,
    placeholder: 'Label…',
    change: async ({ target }) => {
      try {
        await api.label(search.id, target.value.trim());
        say('Saved');
        target.removeAttribute('aria-invalid');
      } catch (problem) {
        target.setAttribute('aria-invalid', 'true');
        byId('mine-note').textContent = problem.message;
      }
    },
  });
  return input;
}

function deleteButton(search, row) {
  let sure = false;
  const final = search.state !== 'queued' && search.state !== 'running';
  const words = final ? 'Delete' : 'Cancel';
  const button = h('button', {
    type: 'button',
    class: 'quiet',
    'aria-label': `${words} the search of ${when(search.submitted)}`,
    click: async () => {
      if (!sure) {
        sure = true;
        button.textContent = `Really ${words.toLowerCase()}?`;
        button.removeAttribute('aria-label');
        setTimeout(() => {
          sure = false;
          button.textContent = words;
        }, 5_000);
        return;
      }
      try {
        if (final) {
          await api.remove(search.id);
          forget(search.id);
          const following = row().nextElementSibling ?? row().previousElementSibling;
          row().remove();
          (following?.querySelector('a') ?? byId('mine-title')).focus();
          say('Deleted');
        } else {
          await api.cancel(search.id);
          say('Cancelled');
          showMine();
        }
      } catch (problem) {
        byId('mine-note').textContent = problem.message;
      }
    },
  }, words);
  return button;
}

function rowOf(search) {
  const row = h('tr', {},
    h('th', { scope: 'row' }, h('a', { href: `#/searches/${search.id}`, title: search.id }, when(search.submitted))),
    h('td', {}, nameField(search)),
    h('td', {}, stateMark(search.state)),
    h('td', {}, search.database.name),
    h('td', {}, search.expires ? h('time', { datetime: search.expires, title: day(search.expires) }, fromNow(search.expires)) : search.finished ? 'never' : 'after its end'),
    h('td', {}, deleteButton(search, () => row)));
  return row;
}

async function more() {
  const body = byId('mine-rows');
  try {
    let found;
    if (next !== null) {
      const page = await fromServer(next || undefined);
      ({ searches: found, next } = page);
    } else {
      found = await fromMemory(left);
      left = left.slice(PAGE);
    }
    body.append(...found.map(rowOf));
  } catch (problem) {
    byId('mine-note').textContent = problem.message;
  }
  byId('mine-more').hidden = next === null && left.length === 0;
}

/** Lists them anew. */
export async function showMine() {
  byId('mine-note').textContent = 'Looking…';
  let searches;
  let words;
  next = null;
  left = [];
  try {
    ({ searches, next } = await fromServer());
    words = searches.length ? '' : 'There are none yet.';
  } catch (problem) {
    if (problem.kind !== 'no-list') {
      byId('mine-note').textContent = problem.message;
      return;
    }
    const ids = remembered();
    left = ids.slice(PAGE);
    try {
      searches = await fromMemory(ids);
    } catch (failed) {
      byId('mine-note').textContent = failed.message;
      return;
    }
    words = `This server lists nobody's searches. ${searches.length ? `These ${counted(searches.length, 'search is', 'searches are')} remembered by this browser.` : 'Those that you send from this browser will be here.'}`;
  }
  byId('mine-note').textContent = words;
  byId('mine-table').hidden = searches.length === 0;
  byId('mine-rows').replaceChildren(...searches.map(rowOf));
  byId('mine-more').hidden = next === null && left.length === 0;
}

/** Makes the list work. */
export function startMine() {
  byId('mine-more').addEventListener('click', more);
}
