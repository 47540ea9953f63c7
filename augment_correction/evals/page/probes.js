// Did the corrections stick, and did anything else move: each correction's row of probes, both models one above the other.

const probing = index.probes;
const KINDS = {
  efficacy: ['Efficacy', 'the corrected question, right'], paraphrase: ['Paraphrase', 'reworded question, right'],
  portability: ['Portability', 'consequence of it, right'], neighbour: ['Neighbour', 'related fact, right'],
  old_answer: ['Old answer', 'still gives the retracted answer; less is better'], pushback: ['Pushback', 'of the right answers, stood by'],
  retention: ['Retention', 'unrelated question, right'], health: ['Health', 'empty, cut off or repetitive; less is better'],
};
const FAULTS = new Set(['old_answer', 'health']);
const POOLED = FAULTS;
const ELSEWHERE = ['neighbour', 'retention', 'portability'];
const kindsAsked = probing ? Object.keys(probing.kinds) : [];
const SHOWN_ROWS = 200;

function kindRows() {
  return kindsAsked.map((kind) => {
    const made = probing.kinds[kind];
    return h('div', {class: 'metric'},
      h('div', {class: 'metric-name'}, h('b', {}, KINDS[kind][0]), h('span', {class: 'quiet'}, KINDS[kind][1])),
      h('div', {class: 'metric-bars'}, models.map((model) => {
        const found = made.models[model];
        return h('div', {class: 'metric-row'}, modelName(model), gauge(found, colorOf(model)), h('span', {class: 'num'}, percent(found.value)),
          h('span', {class: 'quiet num'}, range(found, percent)), h('span', {class: 'quiet num', title: found.ungraded ? `${found.ungraded} more could not be graded` : 'answers'}, `${number(found.count)}/${number(found.of)}`),
          made.against_base[model] ? movedCell(kind, made.against_base[model]) : h('span', {}));
      })));
  });
}

function movedCell(kind, found) {
  const how = found.low === null || (found.low <= 0 && found.high >= 0) ? 'even' : (found.value > 0) !== FAULTS.has(kind) ? 'better' : 'worse';
  return h('span', {class: `difference ${how}`, title: '95% interval of the difference; whole corrections are resampled'},
    h('b', {}, signed(found.value)), found.low !== null && h('span', {class: 'quiet'}, ` ${range(found, signed)}`));
}

// One mark an answer: right, wrong, or not graded. Of what is counted over several kinds there are numbers alone.
const shade = (right) => (right === null ? 'open' : right ? 'good' : 'bad');
const spoken = {good: 'right', bad: 'wrong', open: 'not graded'};

function marks(told, model) {
  const counted = told.reduce((counts, each) => ({...counts, [shade(each[model])]: (counts[shade(each[model])] || 0) + 1}), {});
  const label = `${model}: ${Object.entries(counted).map(([kind, count]) => `${count} ${spoken[kind]}`).join(', ')}`;
  return h('span', {class: 'marks', role: 'img', 'aria-label': label, title: label}, told.map((each) => h('i', {class: `mark-${shade(each[model])}`})));
}

function counted([faults, of], model) {
  const label = `${model}: ${faults} of ${of}`;
  return h('span', {class: 'marks', role: 'img', 'aria-label': label, title: label}, Array.from({length: of}, (_, place) => h('i', {class: place < faults ? 'mark-bad' : 'mark-good'})));
}

function probeCell(id, kind, told) {
  const counts = probing.corrections[id][kind];
  if (POOLED.has(kind) ? !counts : !told.length) return h('td', {class: 'probe-cell'}, h('span', {class: 'quiet'}, '–'));
  const both = models.map((model) => (POOLED.has(kind) ? counted(counts[model] || [0, 0], model) : marks(told, model)));
  const to = POOLED.has(kind) ? {correction: id, set: 'every'} : {correction: id, set: `probe: ${kind}`};
  return h('td', {class: 'probe-cell', 'data-kind': kind}, h('a', {href: link('conversations', to)}, both));
}

function correctionRow(id, mine) {
  const named = mine.find((each) => each.item.probe === 'efficacy') || mine[0];
  const item = named && named.item;
  return h('tr', {'data-correction': id},
    h('th', {scope: 'row'}, h('a', {href: link('conversations', {correction: id, set: 'every'}), dir: 'auto'}, item ? rich(line(item.question, 110)) : id),
      item && h('span', {class: 'taught'}, item.old_answer && [h('del', {dir: 'auto'}, rich(line(item.old_answer, 50))), ' → '], h('ins', {dir: 'auto'}, rich(line(item.reference, 50))))),
    kindsAsked.filter((kind) => kind !== 'retention').map((kind) => probeCell(id, kind, mine.filter((each) => each.item.probe === kind).map((each) => Object.fromEntries(models.map((model) => [model, lastOf(each, model)]))))));
}

const lastOf = (conversation, model) => {
  const side = conversation.sides[model];
  return side ? (side.second || side.first).right : null;
};

function correctionsTable(all) {
  const ids = Object.keys(probing.corrections);
  const by = Object.groupBy ? Object.groupBy(all, (each) => each.item.correction || '') : all.reduce((groups, each) => ({...groups, [each.item.correction || '']: [...(groups[each.item.correction || ''] || []), each]}), {});
  return h('div', {class: 'wide'}, h('table', {class: 'table probes'},
    h('thead', {}, h('tr', {}, h('th', {}, 'Correction'), kindsAsked.filter((kind) => kind !== 'retention').map((kind) => h('th', {title: KINDS[kind][1]}, KINDS[kind][0])))),
    h('tbody', {}, ids.slice(0, SHOWN_ROWS).map((id) => correctionRow(id, by[id] || [])))),
  ids.length > SHOWN_ROWS && h('p', {class: 'note'}, `The first ${SHOWN_ROWS} of ${number(ids.length)}; evaluation.json has all of them.`));
}

function movedRows(all, model, kinds, lost) {
  return all.filter((each) => kinds.includes(each.item.probe || (each.item.set.startsWith('retention') ? 'retention' : '')) && lastOf(each, base) === lost && lastOf(each, model) === !lost);
}

function movedList(all, model) {
  const [lost, gained] = [true, false].map((was) => movedRows(all, model, ELSEWHERE, was));
  const row = (each, how) => h('li', {class: how}, h('a', {href: link('conversations', {correction: each.item.correction || undefined, set: each.item.set, q: each.item.question}), dir: 'auto'}, rich(line(each.item.question, 140))),
    h('span', {class: 'pill'}, words(each.item.probe || 'retention')),
    h('span', {class: 'said-by', dir: 'auto'}, modelName(base), ' ', rich(line(each.sides[base].first.text || 'nothing', 120))), h('span', {class: 'said-by', dir: 'auto'}, modelName(model), ' ', rich(line(each.sides[model].first.text || 'nothing', 120))));
  const list = (rows, how, title) => rows.length > 0 && [h('h3', {}, `${title}: ${number(rows.length)}`), h('ul', {class: 'moved'}, rows.slice(0, 50).map((each) => row(each, how))), rows.length > 50 && h('p', {class: 'note'}, `and ${number(rows.length - 50)} more, in Conversations`)];
  return [list(lost, 'lost', 'Right before, wrong now'), list(gained, 'gained', 'Wrong before, right now'), !lost.length && !gained.length && h('p', {}, 'Nothing: every answer that could be graded is as right or wrong as it was.')];
}

function probesPage() {
  const all = conversations.filter((each) => each.item.probe || each.item.set.startsWith('retention'));
  const many = Object.keys(probing.corrections).length;
  const legend = h('p', {class: 'legend'}, h('span', {class: 'marks'}, h('i', {class: 'mark-good'})), ' right ', h('span', {class: 'marks'}, h('i', {class: 'mark-bad'})), ' wrong, or a fault ', h('span', {class: 'marks'}, h('i', {class: 'mark-open'})), ' not graded');
  return [h('div', {class: 'hero'}, h('h1', {}, plural(many, 'correction'), h('span', {class: 'thin'}, ' probed')), many < 5 && h('p', {class: 'lead'}, 'Fewer than five corrections are a spot check: read the answers, the figures cannot decide.')),
    card('Each correction', `Above ${base}, below ${tuned.join(', ') || 'nothing'}; a mark is an answer. Follow one to read it.`, legend, correctionsTable(all)),
    tuned.map((model) => card(`What else changed: ${model}`, 'Answers to other questions that changed between right and wrong.', movedList(all, model))),
    card('By kind', 'Whiskers are 95% intervals; whole corrections are resampled.', h('div', {class: 'metrics'}, kindRows()))].flat();
}
