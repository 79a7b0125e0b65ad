// Elements. Text is only ever set as text: no name in the data becomes markup.

const byId = (id) => document.getElementById(id);

/** An element with its attributes (a function is a listener, null and false are left out) and children. */
function el(name, attributes = {}, ...children) {
  return build(document.createElement(name), attributes, children);
}

/** The same of a picture. */
function svg(name, attributes = {}, ...children) {
  return build(document.createElementNS('http://www.w3.org/2000/svg', name), attributes, children);
}

function build(node, attributes, children) {
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === 'function') node.addEventListener(key, value);
    else if (value !== null && value !== undefined && value !== false) node.setAttribute(key, value === true ? '' : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return node;
}

/** A table with a caption, column heads and rows of cells; the first cell of a row is its head. */
function table(caption, heads, rows) {
  const cell = (content, i) => el(i === 0 ? 'th' : 'td', i === 0 ? { scope: 'row' } : {}, content);
  return el(
    'table', {}, el('caption', {}, caption),
    el('thead', {}, el('tr', {}, heads.map((head) => el('th', { scope: 'col' }, head)))),
    el('tbody', {}, rows.map((cells) => el('tr', {}, cells.map(cell)))),
  );
}

/** Buttons of which one is on. `change` gets the value of the one that is pressed. */
function choice(label, options, chosen, change) {
  const buttons = options.map(([value, text]) => el('button', {
    type: 'button', 'aria-pressed': String(value === chosen),
    click: (event) => {
      for (const button of buttons) button.setAttribute('aria-pressed', String(button === event.currentTarget));
      change(value);
    },
  }, text));
  return el('div', { class: 'choice', role: 'group', 'aria-label': label }, el('span', { class: 'label' }, label), buttons);
}

/** A list to choose from, with its label. */
function select(label, options, chosen, change) {
  const node = el('select', { change: (event) => change(Number(event.target.value)) },
    options.map(([value, text]) => el('option', { value, selected: value === chosen }, text)));
  return el('label', { class: 'field' }, el('span', { class: 'label' }, label), node);
}

/** Calls at most once a frame, with the last arguments. */
function onceAFrame(work) {
  let last = null;
  return (...given) => {
    if (last === null) requestAnimationFrame(() => { const now = last; last = null; work(...now); });
    last = given;
  };
}
