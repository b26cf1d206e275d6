// FASTA as the server reads it, which is as BLAST+ does: what is refused, what is left out, what is odd. The rules are
// those of src/sequence/fasta.

import { kindOf, pieces } from './compressed.js';
import { counted } from './numbers.js';

const LISTED = 20;
/** Bytes of the beginning that are kept. */
const BEGINNING = 1 << 16;
const LONGEST_SEQUENCE = 4 << 20;
const JUDGED = 70;
const SHORTEST_JUDGED = 30;
const NUCLEOTIDE_PERCENT = 90;

// What a byte is inside a sequence.
const [OTHER, RESIDUE, BLANK, REMARK] = [0, 1, 2, 3];
const ROLES = new Uint8Array(256);
for (let letter = 65; letter <= 90; letter++) ROLES[letter] = ROLES[letter + 32] = RESIDUE;
ROLES[42] = RESIDUE;
for (const blank of [9, 11, 12, 32]) ROLES[blank] = BLANK;
ROLES[59] = REMARK;

// What a line is.
const [UNDECIDED, DEFLINE, IGNORED, SEQUENCE] = [0, 1, 2, 3];

/** Whether the first line of a sequence resembles one: NCBI's measure. */
export function isPlausible(line) {
  let good = 0;
  let bad = 0;
  for (const byte of line.subarray(0, JUDGED)) {
    if (byte === 59) break;
    if (ROLES[byte] === RESIDUE) good++;
    else if (ROLES[byte] !== BLANK && (byte < 48 || byte > 57)) bad++;
  }
  return bad < Math.floor(good / 3) || (line.length <= 3 && good > 0 && bad <= good);
}

/** Reads bytes as they come, and keeps what there is to tell of them. */
export class FastaChecker {
  records = 0;
  residues = 0;
  emptyRecords = 0;
  nucleotideRecords = 0;
  longest = 0;
  firstId = '';
  errors = [];
  furtherErrors = 0;
  warnings = [];
  furtherWarnings = 0;

  #line = 1;
  #kind = UNDECIDED;
  #start = true;
  #afterReturn = false;
  #defline = [];
  #text = [];
  #length = 0;
  #record = null;
  #dropped = null;
  #decoder = new TextDecoder();

  /** Takes the next bytes. */
  push(bytes) {
    let place = 0;
    if (this.#start) {
      // A byte-order mark.
      if (bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) place = 3;
      if (bytes.length > 0) this.#start = false;
    }
    for (; place < bytes.length; place++) {
      const byte = bytes[place];
      if (byte === 10 || byte === 13) {
        if (byte === 10 && this.#afterReturn) {
          this.#afterReturn = false;
          continue;
        }
        this.#endLine();
        this.#afterReturn = byte === 13;
        this.#line++;
        continue;
      }
      this.#afterReturn = false;
      switch (this.#kind) {
        case SEQUENCE:
          this.#letter(byte);
          break;
        case DEFLINE:
          if (this.#defline.length < 400) this.#defline.push(byte);
          break;
        case UNDECIDED:
          if (ROLES[byte] === BLANK) break;
          if (byte === 62) {
            this.#kind = DEFLINE;
            this.#defline = [];
          } else if (byte === 59 || byte === 35 || byte === 33) {
            this.#kind = IGNORED;
          } else {
            this.#beginSequenceLine();
            this.#letter(byte);
          }
      }
    }
  }

  /** Nothing more comes. */
  finish() {
    this.#endLine();
    this.#endRecord();
    if (this.records === 0) this.#error(null, 'there is no sequence in it');
    else if (this.residues === 0 && this.errors.length === 0) this.#error(null, 'none of the records has residues');
    return this;
  }

  #beginSequenceLine() {
    this.#kind = SEQUENCE;
    if (!this.#record) this.#begin('');
    this.#text = [];
    this.#length = 0;
    this.#dropped = null;
    this.#record.before = this.#record.residues;
    this.#record.remark = false;
  }

  #letter(byte) {
    const record = this.#record;
    if (record.before === 0) {
      if (this.#text.length < JUDGED) this.#text.push(byte);
    }
    this.#length++;
    if (record.remark) return;
    const role = ROLES[byte];
    if (role === RESIDUE) {
      record.residues++;
      record.letters[byte & 31]++;
    } else if (role === REMARK) {
      record.remark = true;
    } else if (role === OTHER) {
      this.#dropped ??= { digits: 0, dashes: 0, others: 0 };
      if (byte >= 48 && byte <= 57) this.#dropped.digits++;
      else if (byte === 45 || byte === 46) this.#dropped.dashes++;
      else if ((byte & 0xc0) !== 0x80) this.#dropped.others++;
    }
  }

  #endLine() {
    const kind = this.#kind;
    this.#kind = UNDECIDED;
    if (kind === DEFLINE) this.#endDefline();
    if (kind !== SEQUENCE) return;
    const record = this.#record;
    if (record.before === 0 && !record.refused && !isPlausible(this.#judged())) {
      record.refused = true;
      const text = this.#decoder.decode(new Uint8Array(this.#text)).slice(0, 40);
      this.#error(record, `“${text}” is not a protein sequence; expected a line with > and a name, then lines of residue letters`);
    }
    if (this.#dropped && !record.refused) {
      const { digits, dashes, others } = this.#dropped;
      const parts = [
        digits && counted(digits, 'digit'),
        dashes && counted(dashes, 'dash or dot', 'dashes or dots'),
        others && counted(others, 'character that is no residue', 'characters that are no residues'),
      ];
      record.oddLines++;
      if (record.oddLines <= 3) this.#warn(record, `${parts.filter(Boolean).join(', ')} left out`);
      else this.furtherWarnings++;
    }
  }

  /** The line without blanks at its end, as far as it is judged. */
  #judged() {
    let length = this.#length;
    if (length === this.#text.length) while (length > 0 && ROLES[this.#text[length - 1]] === BLANK) length--;
    const line = new Uint8Array(length > 3 ? Math.max(4, Math.min(length, this.#text.length)) : length);
    line.set(this.#text.slice(0, line.length));
    return line;
  }

  #endDefline() {
    const text = this.#decoder.decode(new Uint8Array(this.#defline));
    const gap = /^\?(unk100|\d+)\s*$/.exec(text);
    if (gap) {
      if (!this.#record) this.#begin('');
      this.#record.residues += gap[1] === 'unk100' ? 100 : Math.max(1, Number(gap[1]));
      return;
    }
    this.#endRecord();
    this.#begin(text.trim().split(/\s/, 1)[0]);
  }

  #begin(id) {
    this.records++;
    if (this.records === 1) this.firstId = id;
    this.#record = {
      number: this.records,
      id,
      line: this.#line,
      residues: 0,
      before: 0,
      oddLines: 0,
      refused: false,
      remark: false,
      letters: new Uint32Array(32),
    };
  }

  #endRecord() {
    const record = this.#record;
    if (!record) return;
    this.#record = null;
    this.residues += record.residues;
    this.longest = Math.max(this.longest, record.residues);
    if (record.refused) return;
    if (record.residues === 0) {
      this.emptyRecords++;
      this.#warn(record, 'no residues, so it is not searched', record.line);
    } else if (record.residues > LONGEST_SEQUENCE) {
      this.#error(record, `longer than ${LONGEST_SEQUENCE} residues; is it a protein?`);
    } else if (isNucleotide(record)) {
      this.nucleotideRecords++;
      this.#warn(record, 'looks like nucleotides, but is searched as protein', record.line);
    }
  }

  #error(record, message) {
    if (this.errors.length < LISTED) this.errors.push(this.#told(record, message, this.#line));
    else this.furtherErrors++;
  }

  #warn(record, message, line = this.#line) {
    if (this.warnings.length < LISTED) this.warnings.push(this.#told(record, message, line));
    else this.furtherWarnings++;
  }

  #told(record, message, line) {
    return { record: record?.number ?? null, id: record?.id ?? '', line: record ? line : null, message };
  }
}

function isNucleotide({ residues, letters }) {
  if (residues < SHORTEST_JUDGED) return false;
  const of = (letter) => letters[letter.charCodeAt(0) & 31];
  const each = [of('A'), of('C'), of('G'), of('T') + of('U')];
  const all = each.reduce((sum, number) => sum + number, of('N'));
  return all * 100 >= residues * NUCLEOTIDE_PERCENT && each.every((number) => number > 0);
}

/** What is told of a record: record 3 (P12345), line 17: … */
export function place({ record, id, line, message }) {
  if (record === null) return message;
  return `record ${record}${id ? ` (${id.slice(0, 60)})` : ''}, line ${line}: ${message}`;
}

/** Checks a file or a text, letting the page live meanwhile. `told` hears how many bytes have been read. */
export async function checkFasta(blob, { signal, told = () => {} } = {}) {
  const checker = new FastaChecker();
  const kind = await kindOf(blob);
  if (kind === 'zstd') return Object.assign(checker, { kind, unchecked: true });
  if (kind !== 'text' && kind !== 'gzip') {
    checker.errors.push({ record: null, message: `this is ${kind}, not FASTA; save the sequences as plain text` });
    return Object.assign(checker, { kind });
  }
  let read = 0;
  const beginning = [];
  let pause = performance.now() + 12;
  try {
    for await (const piece of pieces(blob, kind, signal)) {
      if (read < BEGINNING) beginning.push(piece.slice(0, BEGINNING - read));
      // Pieces may be large, and people want to scroll.
      for (let start = 0; start < piece.length; start += 1 << 18) {
        checker.push(piece.subarray(start, start + (1 << 18)));
        if (performance.now() > pause) {
          told(read + start);
          await new Promise((resolve) => setTimeout(resolve));
          signal?.throwIfAborted();
          pause = performance.now() + 12;
        }
      }
      read += piece.length;
    }
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    // Several gzip files in one, as bgzip and cat make them, are good; browsers stop behind the first.
    if (/junk|trailing|after the end|unexpected input/i.test(error.message)) return Object.assign(new FastaChecker(), { kind, unchecked: true });
    checker.finish();
    checker.errors = [{ record: null, message: `the file cannot be read to its end: ${error.message || 'it is damaged'}` }];
    return Object.assign(checker, { kind });
  }
  return Object.assign(checker.finish(), { kind, bytes: read, beginning: new Blob(beginning) });
}
