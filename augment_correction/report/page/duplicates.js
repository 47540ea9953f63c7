// Questions that say nearly the same, group by group.

const GROUPS_A_PAGE = 40;

function groupView(group, id) {
  return h('section', {class: 'group'},
    h('header', {}, h('b', {}, plural(group.count, 'question')), h('a', {href: link('conversations', {dup: id})}, 'read them')),
    h('ul', {}, group.shown.map(([row, similarity, text, times], place) => h('li', {},
      h('span', {class: 'likeness', title: 'Jaccard similarity to the first'}, place ? (similarity === 1 ? '1.0' : similarity.toFixed(2)) : 'first'),
      h('a', {href: link('conversations', {dup: id, row}), dir: 'auto'}, rich(text), times > 1 && h('span', {class: 'quiet'}, ` × ${number(times)}`)))),
    group.more > 0 && h('li', {}, h('span', {class: 'likeness'}), h('a', {href: link('conversations', {dup: id})}, `and ${number(group.more)} more`))));
}

function duplicatesPage(state) {
  const {groups_count: count, rows_count: rows, similar} = index.duplicates;
  const pages = Math.ceil(groups.length / GROUPS_A_PAGE);
  const page = Math.max(0, Math.min(pages - 1, Number(state.page) || 0));
  const go = (to) => { location.hash = link('duplicates', {page: to || undefined}); };
  return [h('div', {class: 'hero'}, h('h1', {}, plural(rows, 'question'), h('span', {class: 'thin'}, ` in ${plural(count, 'group')} say nearly the same`)),
    h('p', {class: 'lead'}, `Of the ${number(totals.kept)} kept conversations, ${share(rows, totals.kept)} share their question with another. Nearly the same: a Jaccard similarity of ${similar} or more over pieces of four characters; MinHash finds the candidates, an exact comparison decides.`)),
  count ? h('section', {class: 'card'}, h('div', {class: 'controls'}, h('span', {class: 'quiet'}, 'Largest groups first'), h('span', {class: 'grow'}), pager(page, pages, go)),
    groups.slice(page * GROUPS_A_PAGE, (page + 1) * GROUPS_A_PAGE).map((group, place) => groupView(group, page * GROUPS_A_PAGE + place)),
    page + 1 === pages && count > groups.length && h('p', {class: 'note'}, `and ${number(count - groups.length)} smaller groups`))
    : h('p', {class: 'empty'}, 'No two questions are nearly the same.')];
}
