// Which page is shown (the address says it, so that every view can be linked), keys, and light or dark.

const PAGES = {
  overview: ['Overview', overview],
  documents: ['Documents', documentsPage],
  conversations: ['Conversations', browsePage],
  duplicates: ['Duplicates', duplicatesPage],
};
const KEYS = [['1 2 3 4', 'Overview, Documents, Conversations, Duplicates'], ['/', 'search'], ['j k', 'next, previous (also ↓ ↑ in the list)'], ['[ ]', 'previous, next page of the list'], ['← →', 'move along a strip of Documents; Enter opens the passage'], ['t', 'light or dark'], ['?', 'these keys']];

function show() {
  const [name, query] = location.hash.slice(1).split(/\?(.*)/s);
  const page = PAGES[name] ? name : 'overview';
  const typing = document.activeElement?.id === 'search';
  document.body.dataset.page = page;
  put(byId('tabs'), Object.entries(PAGES).map(([key, [label]]) => h('a', {href: `#${key}`, 'aria-current': key === page ? 'page' : null}, label)));
  showTip(null, '');
  put(byId('main'), PAGES[page][1](Object.fromEntries(new URLSearchParams(query || ''))));
  if (typing) byId('search')?.focus();
  if (page !== 'conversations') scrollTo(0, 0);
}

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || byId('help-dialog').open) return;
  if (event.target.matches('input, select, textarea')) {
    if (event.key !== 'Escape') return;
    event.preventDefault(); // a browser would empty the search
    event.target.blur();
    return;
  }
  const browsingNow = document.body.dataset.page === 'conversations';
  const act = {
    '/': () => byId('search')?.focus(), '?': help, t: turnTheme,
    j: browsingNow && (() => step(1)), k: browsingNow && (() => step(-1)),
    '[': browsingNow && (() => goPage(browsing.page - 1)), ']': browsingNow && (() => goPage(browsing.page + 1)),
  }[event.key] || (Object.keys(PAGES)[Number(event.key) - 1] && (() => { location.hash = Object.keys(PAGES)[Number(event.key) - 1]; }));
  if (!act) return;
  act();
  event.preventDefault();
});

// A report that is served has a token in its address, and not the folder's name.
const folder = location.protocol === 'file:' ? decodeURIComponent(location.pathname).split('/').slice(-2)[0] : '';
byId('run-name').textContent = folder || index.pipeline.name;
document.title = `${folder || index.pipeline.name}: report`;
byId('theme').addEventListener('click', turnTheme);
byId('help').addEventListener('click', help);
byId('skip').addEventListener('click', (event) => { event.preventDefault(); byId('main').focus(); });
try { setTheme(localStorage.getItem('report-theme')); } catch { /* as above */ }
addEventListener('hashchange', show);
show();
