// The command lines that do the same as the form.

const quoted = (text) => (/^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`);

/** The lines for a search of `file` in `database` with these options; `withKey` if the server asks for one. */
export function commands({ file, database, options, label, withKey, server }) {
  const pairs = Object.entries(options);
  const hyphens = pairs.map(([name, value]) => ` --${name.replaceAll('_', '-')} ${quoted(value)}`).join('');
  // blastp has one mode.
  const blastp = pairs.filter(([name]) => name !== 'mode').map(([name, value]) => ` -${name} ${quoted(value)}`).join('');
  const parameters = new URLSearchParams({ database, ...options, ...(label && { label }) }).toString();
  const key = withKey ? " -H \"x-functions-key: $SKYBLAST_KEY\"" : '';
  return {
    curl: `curl --data-binary @${quoted(file)}${key} ${quoted(`${server}/api/searches?${parameters}`)}`,
    skyblast: `skyblast submit --server ${quoted(server)} --query ${quoted(file)} --database ${quoted(database)}${hyphens} --wait --out hits.tsv`,
    blastp: `blastp -query ${quoted(file)} -db ${quoted(database)}${blastp}${'outfmt' in options ? '' : ' -outfmt 6'}`,
  };
}
