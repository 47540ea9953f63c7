// The index, which is in the page, and the rows, of which the first part is in the page and the rest in report_data/.

const index = JSON.parse(byId('index').textContent);
const KEEP_CHARACTERS = 200e6, KEEP_PARSED = 48;

const classes = index.classes.map(([status, stage, reason, kind, count], id) => ({id, status, stage, reason, kind, count}));
const rowClass = index.rows;
const files = index.files.map(([name, title, documents, characters, runs], id) => ({id, name, title, documents, characters, runs, rows: runs.reduce((sum, run) => sum + run[1], 0)}));
const groups = index.duplicates.groups;
const groupOfRow = new Map();
groups.forEach((group, id) => group.rows.forEach((row) => groupOfRow.set(row, id)));

const STATUSES = ['kept', 'gate', 'rejected', 'failed', 'pending'];
const countOf = (status) => classes.filter((each) => each.status === status).reduce((sum, each) => sum + each.count, 0);
const totals = Object.fromEntries(STATUSES.map((status) => [status, countOf(status)]));
const kinds = [...new Set(classes.map((each) => each.kind).filter(Boolean))].sort();
const reasons = classes.filter((each) => each.status === 'rejected' || each.status === 'failed').sort((a, b) => b.count - a.count || a.id - b.id);
const reasonName = (each) => words(each.reason) || each.status;
const reasonAt = (each) => `${reasonName(each)}${each.stage ? ` (${words(each.stage)})` : ''}`; // two stages may have one reason
// The commonest reasons have a colour each; the others share one.
reasons.filter((each) => each.status === 'rejected').forEach((each, rank) => { each.color = `var(--reason-${Math.min(rank, 5)})`; });
classes.forEach((each) => { each.color ||= `var(--${each.status})`; });

function* rowsOfFile(file) {
  for (const [first, count] of file.runs) for (let row = first; row < first + count; row++) yield row;
}

const shardOf = (row) => {
  let low = 0, high = index.shards.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (index.shards[middle].first <= row) low = middle; else high = middle - 1;
  }
  return low;
};

const arrivals = new Map();
window.report_shard = (name, data) => arrivals.get(name)?.(data);

function fetchShard(name) {
  if (name === null) return Promise.resolve(byId('rows').textContent);
  return new Promise((resolve, reject) => {
    const script = h('script', {src: `report_data/${name}`});
    const done = (finish) => (value) => { arrivals.delete(name); script.remove(); finish(value); };
    arrivals.set(name, done(resolve));
    script.addEventListener('error', done(() => reject(new Error(`report_data/${name} could not be read. Keep the folder report_data/ beside report.html, or write both again with: augment_correction report`))));
    document.head.append(script);
  });
}

async function unpack(base64) {
  const bytes = Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'));
  return new Response(stream).text();
}

const texts = new Map(); // shard -> a promise of its JSON; what is here stays, so that the next search need not read it
const parsed = new Map(); // shard -> a promise of its rows, the least recently used first
let kept = 0;
function shardText(id) {
  if (texts.has(id)) return texts.get(id);
  const text = fetchShard(index.shards[id].name).then(unpack);
  texts.set(id, text);
  text.then((json) => {
    if (kept + json.length > KEEP_CHARACTERS) texts.delete(id);
    else kept += json.length;
  }, () => texts.delete(id));
  return text;
}

function shardRows(id) {
  const rows = parsed.get(id) || shardText(id).then(JSON.parse);
  rows.catch(() => parsed.delete(id));
  parsed.delete(id);
  parsed.set(id, rows);
  if (parsed.size > KEEP_PARSED) parsed.delete(parsed.keys().next().value);
  return rows;
}

async function rowAt(row) {
  const id = shardOf(row);
  return (await shardRows(id))[row - index.shards[id].first];
}

// Row numbers that a choice {status, why, kind, file, dup} lets through, in the output's order (or the file's).
function chosenRows({status, why, kind, file, dup}) {
  const passes = classes.map((each) => (!status || each.status === status) && (why === undefined || each.id === why) && (!kind || each.kind === kind));
  let source = null;
  if (dup !== undefined && groups[dup]) source = groups[dup].rows;
  if (dup === 'any') source = [...groupOfRow.keys()].sort((a, b) => a - b);
  const inFile = file !== undefined && files[file] ? new Set(rowsOfFile(files[file])) : null;
  if (!source && inFile) source = inFile;
  if (!source) source = rowClass.keys();
  const found = [];
  for (const row of source) if (passes[rowClass[row]] && (!inFile || inFile.has(row))) found.push(row);
  return found;
}

// "exact words" in quotes, all others apart; all must stand in a row.
const searchTerms = (query) => [...query.matchAll(/"([^"]+)"|(\S+)/g)].map((match) => (match[1] || match[2]).toLowerCase());

function haystack(row) {
  const parts = [row.id, row.conversation, row.text, row.detail, row.reply];
  row.places.forEach((place) => parts.push(place.source, place.title, ...place.heading));
  (row.turns || []).forEach((turn) => parts.push(turn.text));
  row.steps.forEach((step) => parts.push(step.because));
  return parts.filter(Boolean).join('\n').toLowerCase().replace(/\s+/g, ' ');
}

// False only where no row of the shard can match: its JSON lacks a word. A word that JSON would escape proves nothing.
function mayMatch(json, terms) {
  const words = terms.flatMap((term) => term.split(/\s+/)).filter((word) => !/["\\\u0000-\u001f]/.test(word));
  const text = json.toLowerCase();
  return words.every((word) => text.includes(word));
}

// Calls back with the rows found so far, shard after shard; stops when `current` says so.
const READ_AHEAD = 6;
async function search(candidates, terms, current, tell) {
  const places = new Map(); // shard -> where its candidates stand
  candidates.forEach((row, place) => {
    const id = shardOf(row);
    if (places.has(id)) places.get(id).push(place); else places.set(id, [place]);
  });
  const found = [];
  const ids = [...places.keys()];
  for (let at = 0; at < ids.length; at++) {
    for (const next of ids.slice(at + 1, at + READ_AHEAD)) shardText(next).catch(() => {}); // told when its turn comes
    const json = await shardText(ids[at]);
    if (!current()) return;
    if (mayMatch(json, terms)) {
      const rows = parsed.has(ids[at]) ? await parsed.get(ids[at]) : JSON.parse(json);
      for (const place of places.get(ids[at])) {
        const text = haystack(rows[candidates[place] - index.shards[ids[at]].first]);
        if (terms.every((term) => text.includes(term))) found.push(place);
      }
    }
    tell(found, (at + 1) / ids.length);
    await new Promise((resume) => setTimeout(resume)); // keys and clicks come first
  }
  if (!ids.length) tell(found, 1);
}
