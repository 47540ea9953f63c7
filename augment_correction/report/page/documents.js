// Each file as a strip of its passages.

const FILES_A_PAGE = 50;
const SORTS = {order: ['in the order read', null], name: ['by name', (a, b) => (a.name < b.name ? -1 : 1)], passages: ['most passages first', (a, b) => b.rows - a.rows || a.id - b.id], kept: ['least kept first', (a, b) => keptShare(a) - keptShare(b) || b.rows - a.rows]};

function keptIn(file) {
  if (file.kept === undefined) {
    file.kept = 0;
    for (const row of rowsOfFile(file)) if (classes[rowClass[row]].status === 'kept') file.kept++;
  }
  return file.kept;
}
const keptShare = (file) => (file.rows ? keptIn(file) / file.rows : 2);

function legend() {
  const entries = [...classes].sort((a, b) => STATUSES.indexOf(a.status) - STATUSES.indexOf(b.status) || b.count - a.count);
  return h('ul', {class: 'legend'}, entries.map((each) => h('li', {}, h('a', {href: link('conversations', {status: each.status, why: each.status === 'rejected' || each.status === 'failed' ? each.id : undefined})},
    dot(each), each.status === 'rejected' ? reasonAt(each) : each.status === 'failed' ? `failed: ${reasonAt(each)}` : each.status === 'kept' && kinds.length > 1 ? `kept: ${words(each.kind)}` : each.status, h('span', {class: 'quiet'}, ` ${number(each.count)}`)))));
}

function fileRow(file) {
  const open = (row) => { location.hash = link('conversations', {file: file.id, row}); };
  const inside = [file.documents > 1 && plural(file.documents, 'document'), file.title && file.title !== file.name && file.title].filter(Boolean).join(' · ');
  return h('div', {class: 'file'},
    h('div', {class: 'file-name'}, h('a', {href: link('conversations', {file: file.id})}, h('bdi', {}, file.name)), inside && h('bdi', {class: 'quiet'}, inside)),
    file.rows ? strip(file, open) : h('div', {class: 'quiet'}, 'no passage of it was drawn'),
    h('div', {class: 'file-count'}, file.rows > 0 && [h('b', {}, share(keptIn(file), file.rows)), h('span', {class: 'quiet'}, `${number(keptIn(file))} of ${number(file.rows)}`)]));
}

function unreadCard() {
  const more = index.unread_count - index.unread.length;
  return card(`Not read: ${number(index.unread_count)}`, 'Files, pages or lines that could not become a document.',
    h('div', {class: 'scroll'}, h('table', {class: 'table'}, h('thead', {}, h('tr', {}, ['Where', 'Reason', 'Detail'].map((name) => h('th', {}, name)))),
      h('tbody', {}, index.unread.map(([source, reason, detail]) => h('tr', {}, h('td', {}, h('bdi', {}, source)), h('td', {}, words(reason)), h('td', {class: 'quiet'}, h('bdi', {}, rich(detail)))))))),
    more > 0 && h('p', {class: 'note'}, `and ${number(more)} more, in rejected.jsonl`));
}

function documentsPage(state) {
  const sort = SORTS[state.sort] ? state.sort : 'order';
  const find = (state.find || '').toLowerCase();
  let shown = files.filter((file) => !find || file.name.toLowerCase().includes(find) || file.title.toLowerCase().includes(find));
  if (SORTS[sort][1]) shown = [...shown].sort(SORTS[sort][1]);
  const pages = Math.ceil(shown.length / FILES_A_PAGE);
  const page = Math.max(0, Math.min(pages - 1, Number(state.page) || 0));
  const go = (change) => { location.hash = link('documents', {sort, find: state.find, ...change}); };
  return [h('div', {class: 'hero'}, h('h1', {}, plural(files.length, 'file'), h('span', {class: 'thin'}, ` with ${plural(index.documents, 'document')} and ${short(index.characters)} characters`))),
    h('section', {class: 'card'},
      h('div', {class: 'controls'},
        h('input', {type: 'search', id: 'search', placeholder: 'Find a file', 'aria-label': 'Find a file', value: state.find || '', onchange: (event) => go({find: event.target.value})}),
        h('select', {'aria-label': 'Order', onchange: (event) => go({sort: event.target.value})}, Object.entries(SORTS).map(([name, [label]]) => option(name, label, sort))),
        h('span', {class: 'grow'}), pager(page, pages, (to) => go({page: to}))),
      legend(),
      h('div', {class: 'files'}, shown.slice(page * FILES_A_PAGE, (page + 1) * FILES_A_PAGE).map(fileRow)),
      !shown.length && h('p', {class: 'empty'}, 'No file has that in its name.')),
    index.unread_count > 0 && unreadCard()];
}
