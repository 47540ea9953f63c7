// Three pages: the result, the questions, and what was sealed.

const OUTCOMES = {'SUPPORTED': 'kept', 'NOT SUPPORTED': 'failed', 'UNDECIDED': 'rejected'};
const MARKS = new Map([[true, ['✓', 'holds']], [false, ['✗', 'broken']], [null, ['?', 'not known']]]);

function reasons(list) {
  return h('ul', {class: 'reasons'}, list.map((reason) => {
    const [mark, says] = MARKS.get(reason.holds);
    return h('li', {class: says.replace(' ', '-')}, h('span', {class: 'mark', role: 'img', 'aria-label': says}, mark), h('span', {}, reason.text));
  }));
}

function verdict() {
  const {text, outcome, why} = index.hypothesis;
  return h('section', {class: `card decision ${OUTCOMES[outcome]}`},
    h('h1', {}, 'The hypothesis is ', h('span', {class: 'outcome'}, outcome.toLowerCase())),
    h('p', {class: 'lead'}, text), h('p', {class: 'lead'}, `${why[0].toUpperCase()}${why.slice(1)}.`),
    index.unverified && h('p', {class: 'notice'}, 'The student wrote its training data itself, and no other model verified them.'));
}

function decision() {
  const found = round();
  return card(`Round ${found.round}: the model was ${{accept: 'accepted', reject: 'rejected', undecided: 'not accepted (undecided)'}[found.model]}`, 'On questions of the weak areas that found nothing and were never trained.',
    reasons(found.reasons), h('h3', {}, 'Guards'), reasons(found.guards));
}

function measured(title, note, figures) {
  const head = ['Model', 'Right answers', 'Perplexity', 'Loss (nats)', 'Diversity (distinct-2)'];
  const row = (name, made) => cells(name, percent(made.accuracy), perplexity(made.perplexity), fixed(made.nll, 3), made.diversity ? made.diversity.distinct_2.toFixed(3) : '');
  const rows = Object.entries(figures).filter(([, made]) => made && typeof made === 'object').flatMap(([name, made]) => made.seeds ? [row(`${words(name)}, mean`, made), ...made.seeds.map((seed, place) => row(`${words(name)}, seed ${index.config.seeds[place]}`, seed))] : [row(name, made)]);
  return card(title, note, table(head, rows));
}

function roundsTable() {
  if (index.rounds.length < 2) return null;
  return card('Rounds', 'Perplexity and right answers on the weak areas of each round; each arm is trained anew from the student.',
    table(['Round', 'Weak areas', ...arms().flatMap((arm) => [`${words(arm)}: perplexity`, `${words(arm)}: right`]), 'Model', 'Hypothesis'],
      index.rounds.map((found) => cells(String(found.round), found.areas.filter((area) => area.chosen).map((area) => area.name).join(', '),
        ...arms().flatMap((arm) => [perplexity(found.weak_dev[arm].perplexity), percent(found.weak_dev[arm].accuracy)]), found.model, found.hypothesis))));
}

function dataTable() {
  const found = round();
  return card('Training data', `The arms differ in their source items alone.${found.in_both_arms ? ` ${plural(found.in_both_arms, 'row')} are in both arms.` : ''}`,
    table(['Arm', 'Source items', 'Generated', 'Rows', 'Trained tokens', 'Passes', 'Steps'],
      Object.entries(found.arms).map(([name, arm]) => cells(words(name), number(arm.source_items), number(arm.generated), number(arm.rows_in_all), number(arm.tokens_in_all), fixed(arm.epochs, 1), arm.steps.join(', ')))));
}

function areasTable() {
  return card('Areas', 'Of the probe set. The weak ones that were chosen are marked.',
    table(['Area', 'Items', 'Weak', 'Mean score of the weak', 'Error codes'],
      round().areas.map((area) => cells(`${area.chosen ? '● ' : ''}${area.name}`, number(area.items), number(area.weak), fixed(area.score, 2), Object.entries(area.codes).slice(0, 3).map(([name, count]) => `${name} ${count}`).join(', ') || '–'))));
}

function sentinels() {
  const found = round();
  if (!found.sentinel) return null;
  const abilities = Object.entries(found.sentinel_by_ability);
  return card('Sentinels', `What must not be lost.${found.sentinel.nll_ratio ? ` The loss became ${found.sentinel.nll_ratio.toFixed(2)} times what it was.` : ''}`,
    table(['Ability', 'Questions', 'base', ...arms().map(words)], abilities.map(([name, made]) => cells(name || 'unnamed', number(made.base.items), percent(made.base.accuracy), ...arms().map((arm) => percent(made[arm].accuracy))))));
}

function spending() {
  const rows = Object.entries(index.spending).map(([role, spent]) => cells(role, spent.name, number(spent.input_tokens), number(spent.output_tokens), money(spent.total_cost)));
  if (!rows.length) return card('Cost', 'No call was counted.');
  return card('Cost', null, table(['Role', 'Model', 'Tokens in', 'Tokens out', 'Cost'], rows));
}

function final() {
  const found = index.final;
  if (!found) return card('Final set', 'It stays sealed: no round was accepted.');
  return card('Final set', `Opened once, after round ${found.round}: ${plural(found.items, 'question')} of the weak areas.`,
    table(['Difference', 'Value', 'Interval'], Object.entries(found.differences).map(([name, each]) => cells(name, each ? `${signed(each.value)} ${UNIT}` : '–', each ? range(each) : '–'))));
}

function resultPage() {
  const found = round();
  const pairs = [...new Set(found.by_area.flatMap((area) => Object.keys(area.differences)))];
  const chooser = index.rounds.length > 1 && h('p', {class: 'chooser'}, h('label', {}, 'Round ', h('select', {onchange: (event) => { shownRound = Number(event.target.value); show(); }}, index.rounds.map((each, place) => option(place, each.round, shownRound)))));
  return [verdict(), chooser, decision(),
    card('By area', `● weak areas. 95 % intervals; these figures are descriptive and decide nothing. ${BY_LOSS ? 'Loss of the reference answer, plus: less.' : 'Share of right answers.'}`, forest(found.by_area), legend(pairs)),
    card('Loss before and after', 'Each dot is a dev question; below the line its reference answer became likelier. Grey: areas that were not weak.', h('div', {class: 'scatters'}, arms().map((arm) => h('div', {}, h('h3', {}, words(arm)), scatter(found.items, arm))))),
    measured('Arms and seeds, weak areas', null, found.weak_dev), measured('Arms and seeds, all dev questions', null, found.dev),
    roundsTable(), dataTable(), areasTable(), sentinels(), final(), spending()];
}

function itemsPage() {
  const found = round();
  const verdictOf = (right) => (right === null || right === undefined ? '–' : right === true || right === 1 ? 'right' : right === false || right === 0 ? 'wrong' : percent(right));
  const loss = (value) => (value === null || value === undefined ? '–' : value.toFixed(2));
  const rows = found.items.map((item) => h('tr', {}, h('td', {}, rich(item.question), h('div', {class: 'quiet'}, rich(item.reference))), h('td', {'data-name': 'area'}, item.area),
    h('td', {'data-name': 'base'}, rich(item.base.answer), h('div', {class: 'quiet'}, `${verdictOf(item.base.right)}, ${loss(item.base.nll)}`)),
    arms().map((arm) => h('td', {'data-name': words(arm)}, rich(item.after[arm].answer), h('div', {class: 'quiet'}, `${verdictOf(item.after[arm].right)}, ${loss(item.after[arm].nll)}`)))));
  return [card('Questions of the dev set', 'Answers of the base and of the first seed of each arm; under each the verdict (of all seeds) and the loss of the reference answer in nats a token.',
    h('div', {class: 'wide'}, h('table', {class: 'table answers'}, h('thead', {}, h('tr', {}, ['Question, reference', 'Area', 'base', ...arms().map(words)].map((name) => h('th', {}, name)))), h('tbody', {}, rows))))];
}

function sealedPage() {
  const row = ([name, value]) => h('tr', {}, h('td', {}, words(name)), h('td', {class: 'mono'}, typeof value === 'string' ? value : JSON.stringify(value)));
  return [card('Sealed before any model was asked', 'preregistration.json', h('table', {class: 'table'}, h('tbody', {}, Object.entries(index.sealed).map(row))))];
}

const PAGES = {result: ['Result', resultPage], questions: ['Questions', itemsPage], sealed: ['Sealed', sealedPage]};
const KEYS = [['1 2 3', 'Result, Questions, Sealed'], ['t', 'light or dark'], ['?', 'these keys']];

function show() {
  const name = location.hash.slice(1).split('?')[0];
  const page = PAGES[name] ? name : 'result';
  put(byId('tabs'), Object.entries(PAGES).map(([key, [label]]) => h('a', {href: `#${key}`, 'aria-current': key === page ? 'page' : null}, label)));
  put(byId('main'), PAGES[page][1]());
  scrollTo(0, 0);
}

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || byId('help-dialog').open || event.target.matches('input, select')) return;
  const place = Object.keys(PAGES)[Number(event.key) - 1];
  const act = {'?': help, t: turnTheme}[event.key] || (place && (() => { location.hash = place; }));
  if (!act) return;
  act();
  event.preventDefault();
});

byId('run-name').textContent = index.name;
document.title = `${index.name}: experiment`;
byId('theme').addEventListener('click', turnTheme);
byId('help').addEventListener('click', help);
byId('skip').addEventListener('click', (event) => { event.preventDefault(); byId('main').focus(); });
try { setTheme(localStorage.getItem('report-theme')); } catch { /* a browser may forbid it to files */ }
addEventListener('hashchange', show);
show();
