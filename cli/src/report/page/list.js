// A list of many rows, of which only those in sight are made. One row is chosen; the arrow keys choose another.

const ROW = 52;
const CHUNK = 8_000_000;

/** `row(i)` gives the content of a row, `chosen(i)` is told of the row that is chosen. */
function virtualList(host, label, row, chosen) {
  const space = el('div', { class: 'space' });
  const box = el('div', {
    class: 'rows', role: 'listbox', tabindex: '0', 'aria-label': label, scroll: onceAFrame(() => show()), keydown: key,
  }, space);
  host.replaceChildren(box);
  let size = 0;
  let at = -1;
  const made = new Map();

  // A browser has no element of 100 million pixels.
  const scale = () => Math.max(1, (size * ROW) / CHUNK);

  function show() {
    const top = box.scrollTop * scale();
    const first = Math.max(0, Math.floor(top / ROW) - 4);
    const last = Math.min(size, Math.ceil((top + box.clientHeight) / ROW) + 4);
    for (const [i, node] of made) if (i < first || i >= last) { node.remove(); made.delete(i); }
    for (let i = first; i < last; i += 1) {
      let node = made.get(i);
      if (!node) {
        node = el('div', {
          class: 'row', role: 'option', id: `row-${i}`, 'aria-setsize': size, 'aria-posinset': i + 1,
          click: () => choose(i),
        }, row(i));
        made.set(i, node);
        space.append(node);
      }
      node.style.transform = `translateY(${i * ROW - top + box.scrollTop}px)`;
      node.setAttribute('aria-selected', String(i === at));
    }
  }

  function choose(i, quiet) {
    if (!size) return;
    at = Math.min(Math.max(0, i), size - 1);
    const top = box.scrollTop * scale();
    if (at * ROW < top) box.scrollTop = (at * ROW) / scale();
    if ((at + 1) * ROW > top + box.clientHeight) box.scrollTop = ((at + 1) * ROW - box.clientHeight) / scale();
    show();
    box.setAttribute('aria-activedescendant', `row-${at}`);
    if (!quiet) chosen(at);
  }

  function key(event) {
    const page = Math.max(1, Math.floor(box.clientHeight / ROW) - 1);
    const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -size, End: size };
    if (!(event.key in moves)) return;
    event.preventDefault();
    choose(at + moves[event.key]);
  }

  return {
    choose,
    /** Other rows, the first of them at the top. */
    fill(rows) {
      size = rows;
      at = -1;
      made.forEach((node) => node.remove());
      made.clear();
      space.style.height = `${Math.min(size * ROW, CHUNK)}px`;
      box.scrollTop = 0;
      box.removeAttribute('aria-activedescendant');
      show();
    },
  };
}
