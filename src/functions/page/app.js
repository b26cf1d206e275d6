// The page: which of its views is shown. The place is the part of the address behind `#`, so that it can be kept, sent
// and gone back to:
//
//   #/                              a new search
//   #/searches                      my searches
//   #/searches/ID                   one of them
//   #/searches/ID/queries/7         and what was found with its seventh query

import { access, keep, takeFromAddress } from './access.js';
import { health, onRefused } from './api.js';
import { byId, say, showOnly } from './dom.js';
import { startDownloads } from './downloads.js';
import { startHits } from './hits.js';
import { showMine, startMine } from './mine.js';
import { startQueries } from './queries.js';
import { step, toList } from './read.js';
import { closeSearch, openSearch, startSearch } from './search.js';
import { startSpecies } from './species.js';
import { showForm, startForm } from './submit.js';

const VIEWS = ['view-submit', 'view-mine', 'view-search'].map(byId);
const SEARCH = /^#\/searches\/([0-9a-f]{32})(?:\/queries\/(\d+))?$/;

let place = null;

function route() {
  takeFromAddress();
  const hash = location.hash || '#/';
  const search = SEARCH.exec(hash);
  const view = byId(search ? 'view-search' : hash === '#/searches' ? 'view-mine' : 'view-submit');
  const isNew = view.hidden || place === null;
  showOnly(view, VIEWS);
  for (const link of document.querySelectorAll('nav a')) {
    const isHere = (link.hash === '#/searches' && view.id === 'view-mine') || (link.hash === '#/' && view.id === 'view-submit');
    if (isHere) link.setAttribute('aria-current', 'page');
    else link.removeAttribute('aria-current');
  }
  if (search) {
    openSearch(search[1], search[2] ? Number(search[2]) : null);
  } else {
    closeSearch();
    document.title = view.id === 'view-mine' ? 'My searches · skyblast' : 'skyblast';
    if (view.id === 'view-mine') showMine();
    else showForm();
  }
  // Whoever follows a link by keyboard or ear begins at the top of what it leads to.
  if (isNew && place !== null) {
    view.querySelector('h1').focus({ preventScroll: true });
    scrollTo(0, 0);
  }
  place = hash;
}

async function showServer() {
  try {
    const { version, status, storage, sign_in: signIn } = await health();
    byId('server').textContent = `skyblast ${version}${status === 'ok' ? '' : `: storage is not usable (${storage})`}`;
    byId('token-field').hidden = !signIn;
    if (signIn?.audience) byId('token-command').textContent = `az account get-access-token --resource ${signIn.audience} --query accessToken -o tsv`;
  } catch (problem) {
    byId('server').textContent = problem.message;
  }
}

function startAccess() {
  const dialog = byId('access');
  const form = byId('access-form');
  const open = (reason) => {
    if (dialog.open) return;
    byId('access-reason').textContent = reason;
    form.elements.key.value = access().key;
    form.elements.token.value = access().token;
    dialog.showModal();
  };
  byId('open-access').addEventListener('click', () => open(''));
  byId('close-access').addEventListener('click', () => dialog.close());
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    keep({ key: form.elements.key.value, token: form.elements.token.value });
    dialog.close();
    say('Kept for this tab');
    closeSearch();
    route();
  });
  onRefused(({ detail }) => open(detail));
}

function startKeys() {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest('input, textarea, select, dialog')) return;
    if (byId('view-search').hidden || byId('report').hidden) return;
    if (event.key === 'j') step(1);
    else if (event.key === 'k') step(-1);
    else return;
    event.preventDefault();
  });
  byId('query-before').addEventListener('click', () => step(-1));
  byId('query-behind').addEventListener('click', () => step(1));
  byId('to-list').addEventListener('click', toList);
}

startForm();
startSearch();
startQueries();
startHits();
startDownloads();
startSpecies();
startMine();
startAccess();
startKeys();
window.addEventListener('hashchange', route);
route();
showServer();
