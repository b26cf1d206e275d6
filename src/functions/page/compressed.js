// What a file is, by its first bytes, and its text if browsers can take it out.

const starts = (bytes, ...values) => values.every((value, place) => bytes[place] === value);

/** Looks at the beginning of a file: the name of what it is. */
export async function kindOf(blob) {
  const bytes = new Uint8Array(await blob.slice(0, 512).arrayBuffer());
  if (starts(bytes, 0x1f, 0x8b)) return 'gzip';
  if (starts(bytes, 0x28, 0xb5, 0x2f, 0xfd)) return 'zstd';
  if (starts(bytes, 0x25, 0x50, 0x44, 0x46)) return 'a PDF';
  if (starts(bytes, 0x50, 0x4b, 3, 4)) return 'a Word, Excel or zip file';
  if (starts(bytes, 0xd0, 0xcf, 0x11, 0xe0)) return 'a Word or Excel file';
  if (starts(bytes, 0x42, 0x5a, 0x68)) return 'a bzip2 file';
  if (starts(bytes, 0xfd, 0x37, 0x7a, 0x58)) return 'an xz file';
  if (starts(bytes, 0x7b, 0x5c, 0x72, 0x74)) return 'an RTF document';
  if (starts(bytes, 0xff, 0xfe) || starts(bytes, 0xfe, 0xff)) return 'a text in UTF-16';
  return 'text';
}

/** The bytes of a file, decompressed, piece by piece. */
export async function* pieces(blob, kind, signal) {
  let stream = blob.stream();
  if (kind === 'gzip') stream = stream.pipeThrough(new DecompressionStream('gzip'));
  const reader = stream.getReader();
  try {
    for (;;) {
      signal?.throwIfAborted();
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
