// Run against run: which examples are won and lost at the radius that is read off, and a picture of all radii.

const MOST_MOVED = 8;
const pair = { a: null, b: null, both: [], near: -1 };

/** The examples that two curves have in common: their places in both. */
function common(a, b) {
  const both = [];
  a.run.idx.forEach((idx, at) => {
    const other = b.run.place.get(idx);
    if (other !== undefined) both.push([at, other]);
  });
  return both;
}

/** The radius that counts: 0 where the example is wrong or not certified. */
const counted = (curve, at) => (curve.counted[at] ? curve.radius[at] : 0);

function showPair() {
  const { a, b } = pair;
  pair.both = common(a, b);
  drawScatter();
  showOutcome();
}

function showOutcome() {
  const { a, b, both } = pair;
  const r = state.radius;
  const has = (curve, at) => curve.counted[at] === 1 && curve.radius[at] >= r;
  const four = { both: 0, a: 0, b: 0, none: 0 };
  for (const [x, y] of both) {
    const [inA, inB] = [has(a, x), has(b, y)];
    four[inA && inB ? 'both' : inA ? 'a' : inB ? 'b' : 'none'] += 1;
  }
  const share = (count) => `${grouped(count)} (${percent(both.length ? count / both.length : NaN)})`;
  const moved = both.map(([x, y]) => [counted(b, y) - counted(a, x), x, y]).sort((one, other) => other[0] - one[0]);
  const won = moved.filter(([by]) => by > 0);
  const lost = moved.filter(([by]) => by < 0).reverse();
  byId('outcome').replaceChildren(
    el('dl', { class: 'tiles' },
      el('div', {}, el('dt', {}, 'B wins'), el('dd', { id: 'won' }, grouped(four.b))),
      el('div', {}, el('dt', {}, 'B loses'), el('dd', { id: 'lost' }, grouped(four.a)))),
    table(`Certified with a radius of at least ${byId('radius').value}`, ['', 'Examples'], [
      ['In A and B', share(four.both)], ['In B alone: won', share(four.b)],
      ['In A alone: lost', share(four.a)], ['In neither', share(four.none)],
    ]),
    movers('Won most', won), movers('Lost most', lost),
  );
}

/** Examples whose radius changed most, each a button that opens it. */
function movers(caption, all) {
  if (!all.length) return el('p', { class: 'hint' }, `${caption}: none.`);
  const { a, b } = pair;
  const rows = all.slice(0, MOST_MOVED).map(([, x, y]) => [
    el('button', { type: 'button', class: 'quiet', click: () => openExample(b.run, y, b) }, `#${b.run.idx[y]}`),
    labelled(b.run.label[y]), radiusText(counted(a, x), a.run.whole), radiusText(counted(b, y), b.run.whole),
  ]);
  return table(`${caption}, of ${grouped(all.length)}`, ['Example', 'True label', 'A', 'B'], rows);
}

const SIDE = 520;
const MARGIN = { left: 52, bottom: 46, top: 12, right: 12 };

function drawScatter() {
  const { a, b, both } = pair;
  const most = Math.max(largest([a]), largest([b])) || 1;
  const by = roundStep(most, 6);
  const end = by * Math.max(1, Math.ceil((most * 1.001) / by));
  const inner = SIDE - MARGIN.left - MARGIN.right;
  const x = (radius) => MARGIN.left + (inner * radius) / end;
  const y = (radius) => MARGIN.top + inner * (1 - radius / end);
  const grid = ticks(end, by).flatMap(([radius, text]) => [
    svg('line', { class: 'grid', x1: x(radius), x2: x(radius), y1: y(0), y2: y(end) }),
    svg('line', { class: 'grid', x1: x(0), x2: x(end), y1: y(radius), y2: y(radius) }),
    svg('text', { class: 'tick', x: x(radius), y: y(0) + 18, 'text-anchor': 'middle' }, text),
    svg('text', { class: 'tick', x: x(0) - 8, y: y(radius) + 4, 'text-anchor': 'end' }, text),
  ]);
  const height = MARGIN.top + inner + MARGIN.bottom;
  const hover = svg('circle', { class: 'hover', r: 6, visibility: 'hidden' });
  const picture = svg('svg', {
    viewBox: `0 0 ${SIDE} ${height}`, role: 'img', id: 'scatter-picture',
    'aria-label': `Radii of ${grouped(both.length)} examples, A across and B up; the tables beside it say who wins and loses`,
    pointermove: onceAFrame((event) => near(event, hover)), click: () => {
      if (pair.near >= 0) openExample(b.run, both[pair.near][1], b);
    },
  }, grid, svg('line', { class: 'diagonal', x1: x(0), y1: y(0), x2: x(end), y2: y(end) }),
  svg('text', { class: 'axis', x: MARGIN.left + inner / 2, y: height - 8, 'text-anchor': 'middle' }, `A: ${called(a)}`),
  svg('text', {
    class: 'axis', x: 0, y: 0, 'text-anchor': 'middle', transform: `translate(14 ${MARGIN.top + inner / 2}) rotate(-90)`,
  }, `B: ${called(b)}`), dots(both, x, y), hover);
  pair.position = both.map(([at, other]) => [x(counted(a, at)), y(counted(b, other))]);
  const said = el('figcaption', { id: 'scatter-said', class: 'hint' },
    'Above the line B certifies more. A radius is 0 where the example is wrong or abstained.');
  byId('scatter').replaceChildren(picture, said);
}

/** All points as one path: dots that do not differ by half a pixel are one. */
function dots(both, x, y) {
  const seen = new Set();
  const paths = { won: '', lost: '', same: '' };
  for (const [at, other] of both) {
    const [p, q] = [counted(pair.a, at), counted(pair.b, other)];
    const spot = [Math.round(x(p) * 2) / 2, Math.round(y(q) * 2) / 2];
    const key = spot.join(' ');
    if (seen.has(key)) continue;
    seen.add(key);
    paths[q > p ? 'won' : q < p ? 'lost' : 'same'] += `M${key}h0`;
  }
  return Object.entries(paths).map(([kind, d]) => svg('path', { class: `dots ${kind}`, d }));
}

function near(event, hover) {
  const box = byId('scatter-picture').getBoundingClientRect();
  const scale = SIDE / box.width;
  const [px, py] = [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
  let best = 20 * 20;
  pair.near = -1;
  pair.position.forEach(([x, y], i) => {
    const distance = (x - px) ** 2 + (y - py) ** 2;
    if (distance < best) { best = distance; pair.near = i; }
  });
  hover.setAttribute('visibility', pair.near < 0 ? 'hidden' : 'visible');
  if (pair.near < 0) return;
  const [x, y] = pair.position[pair.near];
  hover.setAttribute('cx', x);
  hover.setAttribute('cy', y);
  const [at, other] = pair.both[pair.near];
  const { a, b } = pair;
  byId('scatter-said').textContent = `Example ${a.run.idx[at]}, true label ${labelled(a.run.label[at])}: `
    + `A ${withUnit(a, counted(a, at))}, B ${withUnit(b, counted(b, other))}. Click to open it.`;
}

/** Two runs of the same data, where there are such. */
function startCompare() {
  const same = (run, other) => run !== other && (run.data === other.data || run.data === null || other.data === null);
  const first = RUNS.find((run) => RUNS.some((other) => same(run, other)));
  if (!first) return;
  byId('compare').hidden = false;
  byId('nav-compare').hidden = false;
  pair.a = first.curves[0];
  pair.b = RUNS.find((other) => same(first, other)).curves[0];
  const change = (side) => (at) => { pair[side] = CURVES[at]; choose(); showPair(); };
  const choose = () => {
    const options = (other) => CURVES.filter((curve) => same(curve.run, other.run)).map((curve) => [curve.at, called(curve)]);
    const any = CURVES.filter((curve) => RUNS.some((run) => same(run, curve.run))).map((curve) => [curve.at, called(curve)]);
    if (!same(pair.a.run, pair.b.run)) pair.b = CURVES.find((curve) => same(curve.run, pair.a.run));
    byId('pair').replaceChildren(select('A', any, pair.a.at, change('a')), select('B', options(pair.a), pair.b.at, change('b')));
    byId('pair-hint').textContent = pair.a.run.axis === pair.b.run.axis
      ? `The same examples in both. Won and lost are at the radius that is read off above (${pair.a.run.axis}).`
      : `Their radii are of different norms (${pair.a.run.axis}; ${pair.b.run.axis}): which of two is larger says little.`;
  };
  choose();
  showPair();
  state.listeners.push(onceAFrame(showOutcome));
}
