// Which page is shown (the address says it, so that every view can be linked), keys, and light or dark.

const PAGES = {result: ['Result', resultPage], ...(probing ? {probes: ['Probes', probesPage]} : {}), conversations: ['Conversations', conversationsPage]};
const KEYS = [[Object.keys(PAGES).map((_, place) => place + 1).join(' '), Object.values(PAGES).map(([label]) => label).join(', ')], ['/', 'search'], ['j k', 'next, previous (also ↓ ↑ in the list)'], ['t', 'light or dark'], ['?', 'these keys']];

function show() {
  const [name, query] = location.hash.slice(1).split(/\?(.*)/s);
  const page = PAGES[name] ? name : 'result';
  document.body.dataset.page = page;
  put(byId('tabs'), Object.entries(PAGES).map(([key, [label]]) => h('a', {href: `#${key}`, 'aria-current': key === page ? 'page' : null}, label)));
  put(byId('main'), PAGES[page][1](Object.fromEntries(new URLSearchParams(query || ''))));
  scrollTo(0, 0);
}

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || byId('help-dialog').open) return;
  if (event.target.matches('input, select')) {
    if (event.key === 'Escape') event.target.blur();
    return;
  }
  const reading = document.body.dataset.page === 'conversations';
  const place = Object.keys(PAGES)[Number(event.key) - 1];
  const act = {'/': () => byId('search')?.focus(), '?': help, t: turnTheme, j: reading && (() => step(1)), k: reading && (() => step(-1))}[event.key] || (place && (() => { location.hash = place; }));
  if (!act) return;
  act();
  event.preventDefault();
});

byId('run-name').textContent = index.name;
document.title = `${index.name}: evaluation`;
byId('theme').addEventListener('click', turnTheme);
byId('help').addEventListener('click', help);
byId('skip').addEventListener('click', (event) => { event.preventDefault(); byId('main').focus(); });
try { setTheme(localStorage.getItem('report-theme')); } catch { /* as above */ }
readConversations().then(() => {
  addEventListener('hashchange', show);
  show();
}, (problem) => put(byId('main'), h('p', {class: 'notice'}, problem.message)));
