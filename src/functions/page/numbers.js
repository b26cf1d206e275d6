// Numbers, sizes and times as people read them.

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const short = new Intl.NumberFormat('en', { maximumSignificantDigits: 3, notation: 'compact' });

/** 1,234,567 */
export const count = (number) => whole.format(number);

/** 1.23M, from ten thousand on */
export const about = (number) => (number < 10_000 ? whole.format(number) : short.format(number));

/** 1 query, 2 queries */
export function counted(number, one, many = `${one}s`) {
  return `${count(number)} ${number === 1 ? one : many}`;
}

/** Bytes: 1.5 MB */
export function bytes(number) {
  for (const [unit, size] of [['GB', 1e9], ['MB', 1e6], ['kB', 1e3]]) {
    if (number >= size) return `${(number / size).toPrecision(3)} ${unit}`;
  }
  return counted(number, 'byte');
}

/** Seconds: 3 min 20 s */
export function duration(seconds) {
  if (!Number.isFinite(seconds)) return 'unknown';
  if (seconds < 1) return 'less than a second';
  const total = Math.round(seconds);
  const parts = [['d', 86_400], ['h', 3_600], ['min', 60], ['s', 1]];
  const first = parts.findIndex(([, size]) => total >= size);
  const [unit, size] = parts[first];
  const rest = parts[first + 1];
  const left = rest ? Math.floor((total % size) / rest[1]) : 0;
  return `${Math.floor(total / size)} ${unit}${left ? ` ${left} ${rest[0]}` : ''}`;
}

/** A time as this place writes it. */
export function when(time) {
  const date = new Date(time);
  return date.toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
}

/** A day alone. */
export const day = (time) => new Date(time).toLocaleDateString(undefined, { dateStyle: 'medium' });

/** How long until then, or since: in 3 days, 5 hours ago */
export function fromNow(time) {
  const seconds = (new Date(time) - Date.now()) / 1000;
  const format = new Intl.RelativeTimeFormat('en', { numeric: 'auto' });
  for (const [unit, size] of [['day', 86_400], ['hour', 3_600], ['minute', 60]]) {
    if (Math.abs(seconds) >= size) return format.format(Math.round(seconds / size), unit);
  }
  return seconds < 0 ? 'just now' : 'in less than a minute';
}

/** An E-value of no particular report: 2e-30, 0.05 */
export function evalue(value) {
  if (value === 0) return '0';
  return value < 1e-3 || value >= 1e4 ? value.toExponential(0).replace('e+', 'e') : String(Number(value.toPrecision(2)));
}
