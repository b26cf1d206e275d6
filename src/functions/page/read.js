// A report: the queries on one side, what was found with one of them on the other.

import { byId } from './dom.js';
import { closeHits, showHits } from './hits.js';
import { closeQueries, neighbour, showQueries } from './queries.js';

let current = null;

/** Shows a report, at the query in this place. */
export function showReport(status, place) {
  if (current?.id === status.id && current.place === place) return;
  const isNew = current?.id !== status.id;
  current = { id: status.id, status, place };
  // A single query needs no list, and one has to be open on a screen with room for it.
  const opened = place ?? (status.queries === 1 || (isNew && matchMedia('(min-width: 900px)').matches) ? 1 : null);
  byId('query-list').hidden = status.queries === 1;
  byId('report').classList.toggle('alone', status.queries === 1);
  byId('report').classList.toggle('opened', opened !== null);
  showQueries(status.id, status.queries, opened);
  if (opened) showHits(status.id, opened);
  else closeHits();
}

/** Lets go of the report. */
export function closeReport() {
  current = null;
  closeQueries();
  closeHits();
}

/** Goes to the query before or behind. */
export function step(by) {
  const place = neighbour(by);
  if (!current || !place) return;
  location.hash = `#/searches/${current.id}/queries/${place}`;
  // The address is told of later: the next key, if it comes before that, must begin at this query.
  showReport(current.status, place);
}

/** Back to the list, where there is room for one of them only. */
export const toList = () => current && (location.hash = `#/searches/${current.id}`);
