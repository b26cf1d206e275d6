// What a search will take: as measured on earlier searches of this server, or nothing is said. Work grows with query
// residues times database residues.

import { list, status } from './api.js';
import { remembered } from './remembered.js';

const ASKED = 12;
const MEASURED = 5;

let measured;

/** Residue pairs per second of instance time and of waiting, of some earlier searches. */
async function measure() {
  let ids = remembered();
  try {
    const { searches } = await list({ state: 'completed', limit: ASKED });
    ids = [...searches.map(({ id }) => id), ...ids];
  } catch {
    // The server gives out no ids; those that this browser knows will do.
  }
  const rates = [];
  for (const id of [...new Set(ids)].slice(0, ASKED)) {
    if (rates.length === MEASURED) break;
    try {
      const { state, residues, database_size: size, instance_seconds: instance, elapsed_seconds: elapsed } = await status(id);
      // What was over at once says little.
      if (state === 'completed' && instance > 0.05) rates.push({ pairs: residues * size.residues, instance, elapsed });
    } catch {
      // It is gone.
    }
  }
  return rates;
}

/** Looks at earlier searches, once. */
export function measuredRates() {
  measured ??= measure();
  return measured;
}

/** Those that are forgotten when another search has ended. */
export const measureAgain = () => (measured = undefined);

/** What so many residues of queries in a database will take; nothing if no search has been measured. */
export async function estimate(residues, database) {
  const rates = await measuredRates();
  if (rates.length === 0) return null;
  const sum = (name) => rates.reduce((total, rate) => total + rate[name], 0);
  const pairs = residues * database.residues;
  return {
    searches: rates.length,
    instance: (pairs * sum('instance')) / sum('pairs'),
  };
}
