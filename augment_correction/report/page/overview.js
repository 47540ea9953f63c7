// What the run came to.

function card(title, note, ...content) {
  return h('section', {class: 'card'}, h('h2', {}, title), note && h('p', {class: 'note'}, note), content);
}

function tile(label, value, note, href) {
  return h(href ? 'a' : 'div', {class: 'tile', href}, h('span', {class: 'tile-label'}, label), h('span', {class: 'tile-value'}, value), h('span', {class: 'tile-note'}, note));
}

function spent() {
  const used = index.spending.filter((each) => each.requests);
  const unknown = used.some((each) => each.cost === null);
  return {cost: unknown ? null : used.reduce((sum, each) => sum + each.cost, 0), input: used.reduce((sum, each) => sum + each.input, 0), output: used.reduce((sum, each) => sum + each.output, 0)};
}

function tiles() {
  const {cost, input, output} = spent();
  const total = index.rows.length;
  const duplicates = index.duplicates;
  return h('div', {class: 'tiles'},
    tile('Kept', share(totals.kept, total), `${number(totals.kept)} of ${number(total)}`, link('conversations', {status: 'kept'})),
    totals.gate > 0 && tile('Gate', number(totals.gate), 'for evaluation, never trained', link('conversations', {status: 'gate'})),
    tile('Rejected', number(totals.rejected), share(totals.rejected, total), link('conversations', {status: 'rejected'})),
    totals.failed > 0 && tile('Failed', number(totals.failed), 'retried by the next run', link('conversations', {status: 'failed'})),
    totals.pending > 0 && tile('Pending', number(totals.pending), 'the run stopped before them', link('conversations', {status: 'pending'})),
    index.unread_count > 0 && tile('Not read', number(index.unread_count), 'files, pages or lines', link('documents')),
    tile('Near-duplicate questions', number(duplicates.rows_count), `in ${plural(duplicates.groups_count, 'group')}`, link('duplicates')),
    tile('Tokens', short(input + output), `${short(input)} in, ${short(output)} out`),
    tile('Cost', money(cost), cost && totals.kept ? `${money(cost / totals.kept)} a conversation` : cost === 0 ? 'nothing was paid' : cost === null ? 'a price is unknown' : ''));
}

function reasonTable() {
  const most = Math.max(...reasons.map((each) => each.count));
  return h('table', {class: 'table bars'},
    h('thead', {}, h('tr', {}, h('th', {}, 'Reason'), h('th', {}, 'Stage'), h('th', {class: 'num'}, 'Passages'), h('th', {class: 'bar-cell', 'aria-hidden': 'true'}))),
    h('tbody', {}, reasons.map((each) => h('tr', {},
      h('td', {}, h('a', {href: link('conversations', {status: each.status, why: each.id})}, dot(each), reasonName(each)), each.status === 'failed' && h('span', {class: 'pill failed'}, 'failed')),
      h('td', {class: 'quiet'}, words(each.stage)),
      h('td', {class: 'num'}, number(each.count)),
      h('td', {class: 'bar-cell'}, h('span', {class: 'meter', style: {width: `${(100 * each.count) / most}%`, background: each.color}}))))));
}

const dot = (each) => h('span', {class: 'dot', style: {background: each.color}, 'aria-hidden': 'true'});

function spendingTable() {
  const rows = index.spending;
  const sum = spent();
  const names = ['Calls', 'Retries', 'Tokens in', 'Tokens out', 'Cost'];
  const parts = (count, kind) => (count === null ? null : `${number(count)} of them ${kind}`);
  const cells = (each) => [number(each.requests), number(each.failures), number(each.input), number(each.output), money(each.cost)].map((value, place) => h('td', {
    class: 'num', 'data-name': names[place], title: place === 2 ? parts(each.cached_input, 'cached') : place === 3 ? parts(each.reasoning, 'reasoning') : null}, value));
  const all = {...sum, requests: rows.reduce((count, each) => count + each.requests, 0), failures: rows.reduce((count, each) => count + each.failures, 0), cached_input: null, reasoning: null};
  return [h('table', {class: 'table stack'},
    h('thead', {}, h('tr', {}, ['Stage', 'Model'].map((name) => h('th', {}, name)), names.map((name) => h('th', {class: 'num'}, name)))),
    h('tbody', {}, rows.map((each) => h('tr', {},
      h('td', {}, words(each.stage)), h('td', {}, h('bdi', {}, each.model), ' ', h('span', {class: 'quiet'}, each.role)), cells(each)))),
    h('tfoot', {}, h('tr', {}, h('td', {}, 'All'), h('td', {}), cells(all)))),
  rows.some((each) => each.estimated) && h('p', {class: 'note'}, 'Some servers reported no usage; their tokens were counted by this program.')];
}

const LENGTH_NAMES = {passage: ['Passage', 'var(--ink-2)'], question: ['Question', 'var(--ink-2)'], mistake: ['Mistake', 'var(--mask)'], correction: ['Correction', 'var(--kept)']};
function lengthCards() {
  return h('div', {class: 'grid four'}, index.lengths.filter((each) => each.total).map((each) => {
    const [name, color] = LENGTH_NAMES[each.name];
    return h('figure', {class: 'histogram'}, h('figcaption', {}, h('b', {}, name), h('span', {class: 'quiet'}, ` ${each.unit}`)), histogram(each, color),
      h('p', {class: 'note'}, `95% up to ${number(each.p95)}, longest ${number(each.max)}`));
  }));
}

// Longer corrections than mistakes teach a model that length is truth: worth a line where it is so.
function lengthNote() {
  const [, , mistake, correction] = index.lengths;
  if (!mistake.total || !correction.total || !mistake.median) return null;
  const times = correction.median / mistake.median;
  if (times < 1.5 && times > 0.67) return null;
  return h('p', {class: 'note'}, `The median correction is ${times >= 1 ? times.toFixed(1) + ' times as long as' : Math.round(100 * times) + '% of the length of'} the median mistake: a model may learn the length with the answer.`);
}

// What was drawn for the passages, beside the shares that were asked for; the line is where a share should end.
function drawnTables() {
  return h('div', {class: 'grid four'}, index.drawn.map(({name, words: rows}) => {
    const all = rows.reduce((sum, [, , got]) => sum + got, 0);
    return h('table', {class: 'table'},
      h('thead', {}, h('tr', {}, h('th', {}, words(name)), h('th', {class: 'num'}, 'Wanted'), h('th', {class: 'num'}, 'Drawn'), h('th', {class: 'num'}, 'Kept'))),
      h('tbody', {}, rows.map(([word, wanted, got, kept]) => h('tr', {},
        h('td', {}, words(word)), h('td', {class: 'num quiet'}, share(wanted, 1)), h('td', {class: 'num', title: plural(got, 'passage')}, share(got, all)), h('td', {class: 'num'}, number(kept))))));
  }));
}

const MESSAGES = {question: 'Questions', doubt: 'Doubts', answer: 'Last answers'};
function openingsTable() {
  return h('table', {class: 'table'},
    h('thead', {}, h('tr', {}, h('th', {}, 'Message'), ['Looked at', 'Distinct', 'Self-BLEU', 'Compression'].map((name) => h('th', {class: 'num'}, name)))),
    h('tbody', {}, Object.entries(index.openings).map(([name, each]) => h('tr', {},
      h('td', {}, MESSAGES[name] || words(name)), h('td', {class: 'num'}, number(each.count)), h('td', {class: 'num'}, share(each.distinct, 1)), h('td', {class: 'num'}, each.self_bleu.toFixed(2)), h('td', {class: 'num'}, each.compression.toFixed(1))))));
}

function varietyCards() {
  return [
    index.drawn.length > 0 && card('What was drawn', 'The share of the passages that got each word, beside the share that was asked for. The judge and the checks come after the draw.', drawnTables()),
    Object.keys(index.openings).length > 0 && card('How messages begin', 'Distinct: the first four words are those of no other message. Self-BLEU (0 to 1) and compression of the first 20 words: the lower, the more diverse.', openingsTable())];
}

function overview() {
  const total = index.rows.length;
  const head = h('div', {class: 'hero'},
    h('h1', {}, plural(totals.kept, 'conversation'), h('span', {class: 'thin'}, ` from ${plural(index.passages, 'passage')} of ${plural(index.documents, 'document')}`)),
    index.pipeline.about && h('p', {class: 'lead'}, index.pipeline.about.replaceAll('`', '')));
  if (!total) {
    const cost = spent().cost;
    return [head, h('p', {class: 'empty'}, index.unread_count ? `No passage was read: ${plural(index.unread_count, 'file, page or line', 'files, pages or lines')} could not be. ` : 'No passage was read. ',
      `${cost ? 'Earlier calls of this folder cost ' + money(cost) : 'No model was asked and nothing was paid'}.`), index.unread_count > 0 && unreadCard()];
  }
  return [head, tiles(),
    card('From passages to conversations', null, flow()),
    h('div', {class: 'grid two'},
      card('Why passages were rejected', reasons.length ? 'Choose a reason to read its passages.' : 'Nothing was rejected.', reasons.length > 0 && reasonTable()),
      card('Tokens and cost', 'The cost of all runs into this folder, earlier runs included.', index.spending.length ? spendingTable() : h('p', {class: 'quiet'}, 'No model was asked.'))),
    varietyCards(),
    card('Lengths', null, lengthCards(), lengthNote())];
}
