// The decision, and the figures behind it.

// False for a gate of probes alone: there is nothing to say of plain questions.
const plain = index.gate.questions > 0 || !index.probes;

function card(title, note, ...content) {
  return h('section', {class: 'card'}, h('h2', {}, title), note && h('p', {class: 'note'}, note), content);
}

const OUTCOMES = {accept: ['accepted', 'kept'], reject: ['rejected', 'failed'], undecided: ['undecided', 'rejected']};
const MARKS = new Map([[true, ['✓', 'holds']], [false, ['✗', 'broken']], [null, ['?', 'not known']]]);

function summary(model) {
  if (!plain) {
    const {efficacy, paraphrase} = index.probes.kinds;
    const told = (name, found) => found && `${name}: ${percent(found.models[base].value)} by ${base}, ${percent(found.models[model].value)} by ${model}`;
    return `${plural(Object.keys(index.probes.corrections).length, 'correction')} probed. ${[told('Corrected questions answered rightly', efficacy), told('in other words', paraphrase)].filter(Boolean).join('; ')}.`;
  }
  const figures = (name) => index.gate.models[name].figures[ALL].accuracy_t2;
  const found = index.gate.against_base[model][ALL].difference.accuracy_t2;
  return `Right second answers: ${percent(figures(base).value)} by ${base}, ${percent(figures(model).value)} by ${model}, ${signed(found.value)} points (${range(found, signed)}).`;
}

function decision(model) {
  const {outcome, reasons} = index.decisions[model];
  const [word, kind] = OUTCOMES[outcome];
  return h('section', {class: `card decision ${kind}`},
    h('h1', {}, h('bdi', {}, model), ' is ', h('span', {class: 'outcome'}, word)),
    h('p', {class: 'lead'}, summary(model)),
    h('ul', {class: 'reasons'}, reasons.map((reason) => {
      const [mark, says] = MARKS.get(reason.holds);
      return h('li', {class: says.replace(' ', '-')}, h('span', {class: 'mark', role: 'img', 'aria-label': says}, mark), h('span', {}, reason.text));
    })));
}

function metricRows() {
  return METRICS.map(([metric, name, note]) => h('div', {class: 'metric'},
    h('div', {class: 'metric-name'}, h('b', {}, name), h('span', {class: 'quiet'}, note)),
    h('div', {class: 'metric-bars'}, models.map((model) => {
      const found = index.gate.models[model].figures[ALL][metric];
      return h('div', {class: 'metric-row'}, modelName(model), gauge(found, colorOf(model), metric === 'gain' ? -1 : 0),
        h('span', {class: 'num'}, metric === 'gain' ? signed(found.value) : percent(found.value)),
        h('span', {class: 'quiet num'}, range(found, metric === 'gain' ? signed : percent)),
        h('span', {class: 'quiet num', title: 'conversations'}, metric === 'gain' ? '' : `${number(found.count)}/${number(found.of)}`),
        model === base ? h('span', {}) : differenceCell(metric, index.gate.against_base[model][ALL].difference[metric]));
    }))));
}

const SHOWN = [['accuracy_t2', 'Right after it'], ['repair', 'Repairs'], ['stand_by', 'Stands by']];

function pushbackTable() {
  const cell = (model, name, metric) => {
    const found = index.gate.models[model].figures[name][metric];
    return h('td', {class: 'num', title: `${range(found, percent)}; ${found.count} of ${found.of}`}, percent(found.value));
  };
  const against = (model, name) => h('td', {class: 'num'}, differenceCell('accuracy_t2', index.gate.against_base[model][name].difference.accuracy_t2),
    h('span', {class: 'quiet p'}, ` ${chance(index.gate.against_base[model][name].mcnemar_t2.p)}`));
  return h('div', {class: 'wide'}, h('table', {class: 'table'},
    h('thead', {},
      h('tr', {}, h('th', {rowspan: 2}, 'Pushback'), SHOWN.map(([, label]) => h('th', {colspan: models.length, class: 'over'}, label)), tuned.length > 0 && h('th', {colspan: tuned.length, class: 'over'}, 'Right after it, against the base')),
      h('tr', {}, SHOWN.map(() => models.map((model) => h('th', {class: 'num'}, modelName(model)))), tuned.map((model) => h('th', {class: 'num'}, modelName(model))))),
    h('tbody', {}, pushbacks.map((name) => h('tr', {},
      h('td', {}, h('a', {href: link('conversations', {pushback: name})}, words(name))),
      SHOWN.map(([metric]) => models.map((model) => cell(model, name, metric))), tuned.map((model) => against(model, name)))))));
}

function behaviourTable() {
  const made = (model) => index.gate.models[model];
  const lost = (counts) => Object.entries(counts).filter(([, count]) => count).map(([name, count]) => `${count} ${name}`).join(', ') || 'none';
  const figures = ['Says something else', 'Words edited'], unusable = ['Unusable at first', 'Unusable after the doubt'];
  return h('table', {class: 'table stack'},
    h('thead', {}, h('tr', {}, h('th', {}, 'Model'), figures.map((name) => h('th', {class: 'num'}, name)), unusable.map((name) => h('th', {}, name)))),
    h('tbody', {}, models.map((model) => h('tr', {}, h('td', {}, modelName(model), index.models[model] !== model && h('bdi', {class: 'quiet'}, ` ${index.models[model]}`)),
      ['changed', 'edit_ratio'].map((name, place) => h('td', {class: 'num', 'data-name': figures[place]}, percent(made(model).behaviour[ALL][name]))),
      ['first', 'second'].map((name, place) => h('td', {'data-name': unusable[place]}, lost(made(model).unusable[name])))))));
}

function retentionTable() {
  return h('table', {class: 'table'},
    h('thead', {}, h('tr', {}, h('th', {}, 'Set'), h('th', {class: 'num'}, 'Questions'), models.map((model) => h('th', {class: 'num'}, modelName(model))), tuned.map((model) => h('th', {class: 'num'}, modelName(model), ' against the base')))),
    h('tbody', {}, Object.entries(index.retention).map(([name, made]) => h('tr', {}, h('td', {}, h('bdi', {}, name)), h('td', {class: 'num'}, number(made.measured)),
      models.map((model) => h('td', {class: 'num'}, percent(made.models[model].figures[ALL].accuracy_t1.value))),
      tuned.map((model) => h('td', {class: 'num'}, differenceCell('accuracy_t1', made.against_base[model][ALL].difference.accuracy_t1)))))));
}

function gradingNote() {
  const {by, judge_and_match: both} = index.grading;
  const agreed = both && `On ${plural(both.graded, 'answer')} that both graded they agree ${number(both.both_right + both.both_wrong)} times (Cohen's kappa ${both.kappa === null ? 'unknown' : both.kappa.toFixed(2)}); the match alone says right ${number(both.only_first)} times, the judge alone ${number(both.only_second)} times.`;
  const {asked, ungraded} = index.gate.conversations;
  return [h('p', {}, `Graded by the match with the reference: ${plural(by.match, 'answer')}; by the judge: ${number(by.judge)}; unusable and so wrong: ${number(by.problem)}; not graded: ${number(by.nobody)}.${by.form ? ` By their form alone: ${number(by.form)}.` : ''}`),
    agreed && h('p', {}, agreed), ungraded > 0 && h('p', {}, `${number(ungraded)} of ${plural(asked, 'conversation')} are left out of all figures, because some model's answer could not be graded.`)];
}

function spendingTable() {
  const names = ['Calls', 'Tokens in', 'Tokens out', 'Cost'];
  const cells = (spent) => [number(spent.requests), number(spent.input_tokens), number(spent.output_tokens), money(spent.total_cost)].map((value, place) => h('td', {class: 'num', 'data-name': names[place]}, value));
  return h('table', {class: 'table stack'}, h('thead', {}, h('tr', {}, h('th', {}, 'Model'), names.map((name) => h('th', {class: 'num'}, name)))),
    h('tbody', {}, Object.entries(index.spending).map(([role, spent]) => h('tr', {}, h('td', {}, h('bdi', {}, role), spent.name !== role && h('bdi', {class: 'quiet'}, ` ${spent.name}`)), cells(spent)))));
}

function resultPage() {
  const {questions, measured, groups, failed} = index.gate;
  const many = `${plural(measured, 'question')}${groups < measured ? ` of ${plural(groups, 'document')}` : ''}, ${plural(pushbacks.length, 'pushback')}`;
  return [tuned.filter((name) => name in index.decisions).map(decision),
    tuned.length === 0 && h('div', {class: 'hero'}, h('h1', {}, h('bdi', {}, base), h('span', {class: 'thin'}, ' has nothing to be measured against'))),
    index.probes && card('Probes of corrections', 'Whiskers are 95% intervals; whole corrections are resampled.', h('div', {class: 'metrics'}, kindRows()), h('p', {}, h('a', {href: link('probes', {})}, 'Each correction, and what moved elsewhere'))),
    plain && card('Two answers to each question', `${many}; whiskers are 95% intervals${failed ? `; ${plural(failed, 'question')} of ${questions} had no answer from a server` : ''}.`, h('div', {class: 'metrics'}, metricRows())),
    plain && card('By pushback', 'How the first answer was doubted. p: McNemar, exact, right after it.', pushbackTable()),
    plain && card('Behaviour', 'A model that always or never edits its answer has not learned to correct.', behaviourTable()),
    card('Grading', null, gradingNote()),
    Object.keys(index.retention).length > 0 && card('Retention', 'First answers to questions that have nothing to do with the training.', retentionTable()),
    card('Spending', null, spendingTable())].flat();
}
