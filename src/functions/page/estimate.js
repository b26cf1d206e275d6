// What a search will take, as the server reckons it: from how long its earlier searches took, or by a second of this one.

import { address, call } from './api.js';
import { about, counted, duration } from './numbers.js';

/** Asks the server; it gets the beginning of the queries, and is told how many there are. */
export function estimate(checked, wanted, signal) {
  const values = { ...wanted, dry_run: true, of_queries: checked.records, of_residues: checked.residues };
  return call('POST', address('/api/searches', values), { body: checked.beginning, type: 'text/plain', signal });
}

const money = new Intl.NumberFormat('en', { minimumFractionDigits: 2, maximumFractionDigits: 4 });

function time({ cloud, own }, local) {
  const { seconds, machines } = local ? own : cloud;
  const where = local ? 'here' : `on ${counted(machines, 'instance')}`;
  return `About ${duration(seconds.likely)} ${where} (${duration(seconds.least)} to ${duration(seconds.most)}), if nothing else waits`;
}

function basis({ measured_on: searches }) {
  return searches ? `as measured on ${counted(searches, 'earlier search', 'earlier searches')}` : 'as measured on a part of it';
}

function price({ price: { amount, currency, region, date } }, local) {
  const sum = `${money.format(amount.likely)} ${currency}`;
  const between = `${money.format(amount.least)} to ${money.format(amount.most)}; list prices of ${region}, ${date}`;
  return local ? `It costs nothing here; in Azure it would be about ${sum} (${between}).` : `Price: about ${sum} (${between}).`;
}

/** An estimate in words; `local` if the server is this computer. */
export function inWords(found, local) {
  return `${time(found, local)}, ${basis(found)}: ${about(found.shards)} ${found.shards === 1 ? 'shard' : 'shards'}. ${price(found, local)}`;
}
