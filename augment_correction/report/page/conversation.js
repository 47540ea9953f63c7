// One row: the conversation with its mask, and the passage it was made from beside it.

const ROLE_NAMES = {mistake: 'assistant, mistake', correction: 'assistant, correction'};
const SHARED_WORDS = 4;

const wordsOf = (text) => [...text.matchAll(/[\p{L}\p{N}]+/gu)].map((match) => [match.index, match.index + match[0].length, match[0].toLowerCase()]);

// Ranges of `text` whose words, four in a row or more, stand in `other` too.
function sharedRanges(text, other) {
  const grams = (list) => list.slice(0, Math.max(0, list.length - SHARED_WORDS + 1)).map((_, at) => list.slice(at, at + SHARED_WORDS).map((word) => word[2]).join(' '));
  const known = new Set(grams(wordsOf(other)));
  const own = wordsOf(text);
  const ranges = [];
  grams(own).forEach((gram, at) => {
    if (!known.has(gram)) return;
    const [start, end] = [own[at][0], own[at + SHARED_WORDS - 1][1]];
    const last = ranges[ranges.length - 1];
    if (last && start <= last[1]) last[1] = end; else ranges.push([start, end, 'shared']);
  });
  return ranges;
}

function turnView(turn, passage, terms) {
  const ranges = termRanges(turn.text, terms);
  if (turn.role === 'assistant' && turn.train) ranges.push(...sharedRanges(turn.text, passage));
  return h('article', {class: `turn ${turn.role} ${turn.train ? 'trained' : 'masked'}`},
    h('header', {}, h('span', {class: 'role'}, ROLE_NAMES[turn.is] || turn.role), h('span', {class: 'mask-name'}, turn.train ? 'trained' : 'no loss on this')),
    h('div', {class: 'said', dir: 'auto'}, rich(turn.text, ranges)));
}

function maskLegend(row) {
  return h('div', {class: 'mask-legend'},
    h('span', {}, h('i', {class: 'swatch masked'}), 'masked: no loss on this'),
    h('span', {}, h('i', {class: 'swatch trained'}), 'trained: loss on this and its end of turn'),
    h('span', {}, h('i', {class: 'swatch shared'}), `${SHARED_WORDS}+ words in a row that the passage has too`),
    row.scaffold === false && h('span', {}, 'template text between the turns: no loss'));
}

function passageView(row, terms) {
  const answer = (row.turns || []).filter((turn) => turn.role === 'assistant' && turn.train).map((turn) => turn.text).join('\n');
  const ranges = [...termRanges(row.text, terms), ...sharedRanges(row.text, answer)];
  return h('section', {class: 'passage', 'aria-label': 'Source passage'},
    h('h3', {}, 'Source passage', h('span', {class: 'quiet'}, ` ${plural(row.tokens, 'token')}`)),
    h('ul', {class: 'places'}, row.places.slice(0, 5).map((place) => h('li', {}, h('bdi', {class: 'mono'}, place.source), place.page ? ` page ${place.page}` : '', ` · characters ${number(place.start)} to ${number(place.end)}`,
      place.heading.length > 0 && [' · ', h('bdi', {class: 'quiet'}, place.heading.join(' › '))])),
    row.places.length > 5 && h('li', {class: 'quiet'}, `and ${plural(row.places.length - 5, 'other place')}`)),
    h('div', {class: 'source-text', dir: 'auto'}, rich(row.text, ranges)));
}

// Who made the mistake, and what the checks found: scores below 1 only, since 1 means that nothing is wrong.
function foundView(row) {
  const {scores = {}, ...found} = row.found || {};
  for (const [name, score] of Object.entries(scores)) if (score < 1) found[`score of ${name}`] = score;
  const entries = Object.entries(found).filter(([, value]) => value.length !== 0);
  if (!entries.length) return null;
  return h('dl', {class: 'found'}, entries.map(([name, value]) => [h('dt', {}, words(name)), h('dd', {dir: 'auto'}, Array.isArray(value) ? value.join(', ') : String(value))]));
}

function stepsView(row) {
  if (!row.steps.length) return null;
  return h('ol', {class: 'steps'}, row.steps.map((step) => {
    const last = step === row.steps[row.steps.length - 1];
    const bad = Boolean(step.reason);
    const said = step.because || (bad && step.detail);
    return h('li', {class: bad ? 'bad' : 'good'}, h('b', {}, words(step.stage)), step.verdict && h('span', {}, ` ${step.verdict}`), bad && step.reason !== step.verdict && h('span', {}, ` ${words(step.reason)}${last ? '' : ', asked again'}`),
      said && said !== row.detail && h('bdi', {class: 'quiet'}, rich(` ${said}`)));
  }));
}

function whyView(row, kind) {
  if (kind.status === 'pending') return h('div', {class: 'why pending'}, h('b', {}, 'Not made yet'), h('p', {}, 'The run stopped before this passage; the same command resumes with it.'));
  const verdict = {failed: `Failed by ${words(kind.stage)}`, gate: 'Held out'}[kind.status] || `Rejected by ${words(kind.stage)}`;
  return h('div', {class: `why ${kind.status}`, style: {'--why': kind.color}},
    h('b', {}, `${verdict}: ${reasonName(kind)}`),
    row.detail && h('p', {dir: 'auto'}, rich(row.detail)),
    row.reply && h('details', {open: true}, h('summary', {}, 'What the model replied last'), h('pre', {dir: 'auto'}, rich(row.reply))));
}

function rowView(number_, row, terms) {
  const kind = classes[rowClass[number_]];
  const place = row.places[0];
  const group = groupOfRow.get(number_);
  const copy = (event) => navigator.clipboard?.writeText(row.conversation || row.id).then(() => { event.target.textContent = 'copied'; });
  return [h('header', {class: 'row-head'},
    h('div', {}, h('h2', {}, h('bdi', {}, rich(place ? place.title : row.id)), place && h('span', {class: 'quiet'}, ` passage ${place.index + 1}`)),
      h('p', {class: 'meta'}, h('span', {class: `pill ${kind.status}`}, kind.status), kind.kind && h('span', {class: 'pill'}, words(kind.kind)),
        group !== undefined && h('a', {class: 'pill', href: link('conversations', {dup: group})}, `${groups[group].count - 1} with nearly the same question`),
        h('button', {type: 'button', class: 'id', title: 'Copy the id', onclick: copy}, row.conversation || row.id),
        row.story && h('a', {href: 'debug_outputs/' + row.story.split('/').map(encodeURIComponent).join('/')}, 'all steps, call by call'))),
    ),
  row.turns && maskLegend(row),
  h('div', {class: 'beside'},
    h('section', {class: 'conversation', 'aria-label': 'Conversation'}, kind.status !== 'kept' && whyView(row, kind), (row.turns || []).map((turn) => turnView(turn, row.text, terms)), foundView(row), stepsView(row)),
    passageView(row, terms))];
}
