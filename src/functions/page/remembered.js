// Searches that this browser has sent or opened: where the server gives out no list, this is all there is.

const NAME = 'skyblast.searches';
const MOST = 500;

/** Their ids, the newest first. */
export function remembered() {
  try {
    const ids = JSON.parse(localStorage.getItem(NAME) ?? '[]');
    return Array.isArray(ids) ? ids.filter((id) => typeof id === 'string') : [];
  } catch {
    return [];
  }
}

function write(ids) {
  try {
    localStorage.setItem(NAME, JSON.stringify(ids.slice(0, MOST)));
  } catch {
    // A browser that keeps nothing; the address is enough to come back.
  }
}

/** Remembers a search. */
export function remember(id) {
  if (!remembered().includes(id)) write([id, ...remembered()]);
}

/** Forgets a search. */
export const forget = (id) => write(remembered().filter((known) => known !== id));
