// The example browser: filters, the list, and the example that is chosen.

const browse = { curve: CURVES[0], outcome: 'all', order: 'index', text: '', found: [], example: -1, list: null };

const ORDERS = {
  index: ['Order of the data', null],
  smallest: ['Smallest radius first', (curve) => (a, b) => curve.radius[a] - curve.radius[b] || a - b],
  largest: ['Largest radius first', (curve) => (a, b) => curve.radius[b] - curve.radius[a] || a - b],
  samples: ['Most samples first', (curve) => (a, b) => curve.run.samples[b] - curve.run.samples[a] || a - b],
};

/** Whether an example is one of those that the text asks for: by index, label, name or file. */
function matches(curve, at, text) {
  if (!text) return true;
  const run = curve.run;
  return String(run.idx[at]) === text || labelled(run.label[at]).toLowerCase().includes(text)
    || Boolean(run.file && run.file[at].toLowerCase().includes(text));
}

function find() {
  const { curve, text } = browse;
  const found = [];
  for (let at = 0; at < curve.run.size; at += 1) {
    if ((browse.outcome === 'all' || outcome(curve, at) === browse.outcome) && matches(curve, at, text)) found.push(at);
  }
  const order = ORDERS[browse.order][1];
  if (order) found.sort(order(curve));
  browse.found = found;
  byId('found').textContent = `${grouped(found.length)} of ${grouped(curve.run.size)} examples of ${called(curve)}`;
  browse.list.fill(found.length);
  if (found.length) {
    const again = found.indexOf(browse.example);
    browse.list.choose(Math.max(0, again));
  } else {
    byId('detail').replaceChildren(el('p', { class: 'empty' }, curve.run.size ? 'No example is like that.' : 'This run has no example.'));
  }
}

function tag(kind) {
  const [sign, word] = OUTCOMES[kind];
  return el('span', { class: `tag ${kind}` }, el('span', { 'aria-hidden': 'true' }, `${sign} `), word);
}

function thumbnail(run, at, size) {
  const url = run.picture.get(at);
  const what = `What the model sees of example ${run.idx[at]}, true label ${labelled(run.label[at])}`;
  return url ? el('img', { src: url, alt: size === 'large' ? what : '', class: size })
    : el('span', { class: `${size} blank`, 'aria-hidden': 'true' }, size === 'large' ? null : labelled(run.label[at]).slice(0, 2));
}

function exampleRow(i) {
  const { curve, found } = browse;
  const at = found[i];
  const run = curve.run;
  const bar = el('span', { class: 'meter', 'aria-hidden': 'true' }, el('span', {}));
  bar.firstChild.style.width = `${largestRadius ? Math.min(100, (curve.radius[at] / largestRadius) * 100) : 0}%`;
  return [
    thumbnail(run, at, 'small'),
    el('span', { class: 'who' }, el('strong', {}, `#${run.idx[at]}`), ' ',
      el('span', { class: 'faint' }, (run.file && run.file[at]) || (run.label[at] < 0 ? '' : labelled(run.label[at])))),
    el('span', { class: 'how' }, el('span', { class: 'number' }, curve.predict[at] < 0 ? '' : withUnit(curve, curve.radius[at])), bar),
    tag(outcome(curve, at)),
  ];
}

/** Shows an example of the run in the browser, and gives it an address. */
function showExample(at) {
  browse.example = at;
  const { run } = browse.curve;
  const file = run.file && run.file[at];
  const address = `#example/${run.index}/${run.idx[at]}`;
  history.replaceState(null, '', address);
  const pairs = [
    ['True label', labelled(run.label[at])],
    run.samples ? [run.enumerated ? 'Rows classified' : 'Samples used', grouped(run.samples[at])] : null,
    file ? ['File', file] : null,
  ].filter(Boolean);
  byId('detail').replaceChildren(
    el('div', { class: 'head' },
      thumbnail(run, at, 'large'),
      el('div', {},
        el('h3', {}, `Example ${run.idx[at]}`, RUNS.length > 1 ? el('span', { class: 'faint' }, ` of ${run.name}`) : null),
        el('dl', {}, pairs.map(([name, value]) => [el('dt', {}, name), el('dd', {}, value)])))),
    radii(run, at),
    ...(run.ends.length ? [bars(run, at)] : []),
    record(run, at, address),
  );
}

/** What is certified, for each k. */
function radii(run, at) {
  const norms = [...new Set(run.curves.flatMap((curve) => Object.keys(curve.in || {})))];
  const what = run.answers ? 'Returned labels' : 'Label';
  const heads = ['k', what, `Radius (${run.norm})`, ...norms.map((norm) => `in ${norm}`), 'Decision', 'Outcome'];
  return table('Certified for each k', heads.filter((head) => run.records || head !== 'Decision'), run.curves.map((curve) => [
    curve.k === null ? '–' : String(curve.k),
    run.answers ? answer(curve, at) : labelled(curve.predict[at]),
    radiusText(curve.radius[at], run.whole),
    ...norms.map((norm) => radiusText(curve.in[norm][at])),
    ...(run.records ? [DATA.decisions[curve.decision[at]]] : []),
    tag(outcome(curve, at)),
  ]));
}

/** The labels of an answer, each with the radius within which it stays. */
function answer(curve, at) {
  const each = Array.from({ length: curve.k }, (_, i) => i + at * curve.k).filter((i) => curve.answer[i] >= 0);
  if (!each.length) return '–';
  return el('ul', { class: 'plain' }, each.map((i) => el('li', {}, labelled(curve.answer[i]),
    el('span', { class: 'faint' }, ` stays within ${radiusText(curve.answer_radius[i], curve.run.whole)}`))));
}

/** The largest counts: a table whose last column is the picture. */
function bars(run, at) {
  const rows = [];
  let rest = run.samples[at];
  for (let i = at ? run.ends[at - 1] : 0; i < run.ends[at]; i += 1) {
    rest -= run.count[i];
    rows.push([run.count_label[i], labelled(run.count_label[i]), run.count[i]]);
  }
  if (rest > 0) rows.push([-1, 'all others', rest]);
  const certified = new Set(run.curves.map((curve) => curve.predict[at]));
  const line = ([label, name, count]) => {
    const bar = el('span', { class: `bar${label >= 0 && label === run.label[at] ? ' true' : ''}` });
    bar.style.width = `${(count / run.samples[at]) * 100}%`;
    const notes = [label >= 0 && label === run.label[at] ? 'true' : '', label >= 0 && certified.has(label) ? 'certified' : ''];
    const note = notes.filter(Boolean).join(', ');
    return [
      el('span', {}, name, note ? el('span', { class: 'faint' }, ` ${note}`) : null),
      grouped(count), percent(count / run.samples[at]), el('span', { class: 'track' }, bar),
    ];
  };
  const made = table(run.enumerated ? 'Rows that gave each label' : 'Samples that gave each label',
    ['Label', 'Count', 'Share', el('span', { class: 'unseen' }, 'Bar')], rows.map(line));
  made.className = 'bars';
  return made;
}

/** Where its record is. */
function record(run, at, address) {
  const link = el('a', { href: address, class: 'anchor' }, 'Link to this example');
  if (!run.line) return el('p', { class: 'record' }, link);
  const command = `sed -n ${run.line[at]}p ${quoted(run.records)}`;
  const copy = el('button', {
    type: 'button', class: 'quiet screen',
    click: (event) => {
      const button = event.currentTarget;
      const say = (word) => { button.textContent = word; setTimeout(() => { button.textContent = 'Copy'; }, 2000); };
      // From a file there may be no clipboard: the command stands there to be marked.
      if (!navigator.clipboard) say('Mark it and copy');
      else navigator.clipboard.writeText(command).then(() => say('Copied'), () => say('Mark it and copy'));
    },
  }, 'Copy');
  return el('p', { class: 'record' }, `Its record is line ${grouped(run.line[at])} of ${run.records}. `,
    el('code', {}, command), ' ', copy, ' ', link);
}

/** A word of a shell. */
const quoted = (text) => (/^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);

function filters() {
  const { run } = browse.curve;
  const counts = { all: run.size };
  for (let at = 0; at < run.size; at += 1) {
    const kind = outcome(browse.curve, at);
    counts[kind] = (counts[kind] || 0) + 1;
  }
  const kinds = [['all', 'All'], ...(run.labelled ? [['right', 'Right'], ['wrong', 'Wrong']] : [['certified', 'Certified']]),
    ['none', 'Abstained']];
  if (!kinds.some(([kind]) => kind === browse.outcome)) browse.outcome = 'all';
  const set = (name, again) => (value) => { browse[name] = value; if (again) filters(); find(); };
  const orders = Object.keys(ORDERS).filter((order) => order !== 'samples' || run.samples);
  byId('filters').replaceChildren(...[
    RUNS.length > 1 ? select('Run', RUNS.map((each) => [each.index, each.name]), run.index, (index) => {
      const same = RUNS[index].curves.find((curve) => curve.name === browse.curve.name) || RUNS[index].curves[0];
      const idx = run.idx[browse.example];
      const at = RUNS[index].place.get(idx);
      browse.example = at === undefined ? -1 : at;
      set('curve', true)(same);
    }) : null,
    run.curves.length > 1 ? choice('Top', run.curves.map((curve) => [curve, curve.name]), browse.curve, set('curve', true)) : null,
    choice('Outcome', kinds.map(([kind, word]) => [kind,
      [word, el('span', { class: 'count' }, ` ${grouped(counts[kind] || 0)}`)]]), browse.outcome, set('outcome')),
    select('Order', orders.map((order, i) => [i, ORDERS[order][0]]), orders.indexOf(browse.order),
      (i) => set('order')(orders[i])),
    el('label', { class: 'field' }, el('span', { class: 'label' }, 'Find'),
      el('input', {
        type: 'search', placeholder: 'index, label or file', value: browse.text,
        input: (event) => set('text')(event.target.value.trim().toLowerCase()),
      })),
  ].filter(Boolean));
}

/** What the address asks for: `#example/RUN/INDEX`. */
function followAddress() {
  const [, index, idx] = /^#example\/(\d+)\/(\d+)$/.exec(location.hash) || [];
  const run = RUNS[Number(index)];
  const at = run && run.place.get(Number(idx));
  if (at === undefined) return false;
  openExample(run, at, browse.curve.run === run ? browse.curve : run.curves[0]);
  return true;
}

/** Brings an example into the browser, whatever is filtered. */
function openExample(run, at, curve) {
  Object.assign(browse, { curve, outcome: 'all', text: '', example: at });
  filters();
  find();
  byId('examples').scrollIntoView();
}

function startExamples() {
  const shown = RUNS.reduce((sum, run) => sum + run.picture.size, 0);
  const all = RUNS.reduce((sum, run) => sum + run.size, 0);
  const few = shown < all ? ` ${grouped(shown)} of ${grouped(all)} examples have one, the wrong and the abstained first.` : '';
  const none = DATA.with_data ? 'The inputs of these data are no images: there are no pictures.'
    : 'The data were not given, so there are no pictures: smoothtopk report --data D shows what the model sees.';
  byId('pictures').textContent = shown ? `Pictures are what the model sees, without noise.${few}` : none;
  if (!browse.curve) return;
  browse.list = virtualList(byId('list'), 'Examples', exampleRow, (i) => showExample(browse.found[i]));
  filters();
  const address = location.hash;
  find();
  history.replaceState(null, '', address || location.pathname);
  followAddress();
  addEventListener('hashchange', followAddress);
}
