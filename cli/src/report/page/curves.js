// The curves, what is switched on, and the radius at which they are read off.

const COLOURS = 7;
const DASHES = ['', '7 4', '2 3', '10 3 2 3', '4 2'];
const KS = [...new Set(CURVES.map((curve) => curve.name))];
const state = { runs: new Set(RUNS), ks: new Set(KS), radius: 0, listeners: [] };
const largestRadius = largest(CURVES);
const step = roundStep(largestRadius, 8);
const right = step * Math.max(1, Math.floor((largestRadius * 1.01) / step) + 1);
const visible = () => CURVES.filter((curve) => state.runs.has(curve.run) && state.ks.has(curve.name));

/** Runs by colour and k by dashes; the curves of a single run by colour. */
function lookOf(curve) {
  const colour = RUNS.length > 1 ? curve.run.index : curve.of;
  const turn = RUNS.length > 1 ? KS.indexOf(curve.name) : Math.floor(curve.of / COLOURS);
  return { colour: `c${colour % COLOURS}`, dash: DASHES[turn % DASHES.length] };
}

function swatch(curve) {
  const { colour, dash } = lookOf(curve);
  return svg('svg', { class: 'swatch', viewBox: '0 0 28 10', 'aria-hidden': 'true' },
    svg('line', { x1: 0, y1: 5, x2: 28, y2: 5, class: `curve ${colour}`, 'stroke-dasharray': dash }));
}

/** Changes the radius at which everything is read off. */
function readAt(radius, from) {
  state.radius = Math.min(Math.max(0, Number.isFinite(radius) ? radius : 0), right);
  const curve = CURVES[0];
  if (from !== 'number') byId('radius').value = radiusText(state.radius, false).replace(/\.?0+$/, '') || '0';
  byId('radius-slider').value = String(Math.round((state.radius / right) * 1000));
  const spoken = visible().map((each) => `${called(each)}: ${percent(accuracy(each, state.radius))}`).join('; ');
  byId('radius-slider').setAttribute('aria-valuetext', `${byId('radius').value}. ${spoken}`);
  byId('radius-label').textContent = curve ? `Read off at r (${axisName()})` : 'Read off at r';
  showReadings();
  state.listeners.forEach((listener) => listener());
}

function axisName() {
  const names = new Set(CURVES.map((curve) => curve.run.axis));
  return names.size === 1 ? [...names][0] : 'radius, each run in its own norm';
}

function showReadings() {
  const rows = visible().map((curve) => [
    el('span', { class: 'named' }, swatch(curve), called(curve)),
    percent(accuracy(curve, state.radius)),
    `${grouped(certifiedAt(curve, state.radius))} of ${grouped(curve.run.size)}`,
  ]);
  const made = table(`Certified with a radius of at least ${byId('radius').value}`,
    ['Curve', CURVES.every((curve) => curve.run.labelled) ? 'Accuracy' : 'Share', 'Examples'], rows);
  byId('read').replaceChildren(...made.children);
  moveCursor();
}

const BOX = { left: 46, top: 14, width: 640, height: 360, bottom: 44 };
const across = (radius) => BOX.left + (BOX.width * radius) / right;
const up = (share) => BOX.top + BOX.height * (1 - share);

function drawCurves() {
  const grid = [];
  for (const share of [0, 0.2, 0.4, 0.6, 0.8, 1]) {
    grid.push(svg('line', { class: 'grid', x1: BOX.left, x2: BOX.left + BOX.width, y1: up(share), y2: up(share) }));
    grid.push(svg('text', { class: 'tick', x: BOX.left - 8, y: up(share) + 4, 'text-anchor': 'end' }, `${share * 100}%`));
  }
  for (const [radius, text] of ticks(right, step)) {
    grid.push(svg('line', { class: 'grid', x1: across(radius), x2: across(radius), y1: BOX.top, y2: BOX.top + BOX.height }));
    grid.push(svg('text', { class: 'tick', x: across(radius), y: BOX.top + BOX.height + 18, 'text-anchor': 'middle' }, text));
  }
  grid.push(svg('text', { class: 'axis', x: BOX.left + BOX.width / 2, y: BOX.top + BOX.height + 38, 'text-anchor': 'middle' },
    axisName()));
  const curves = visible().map((curve) => {
    const { colour, dash } = lookOf(curve);
    return svg('path', { class: `curve ${colour}`, d: pathOf(curve), 'stroke-dasharray': dash });
  });
  const cursor = svg('g', { id: 'cursor', class: 'cursor' });
  const picture = svg('svg', {
    viewBox: `0 0 ${BOX.left + BOX.width + 14} ${BOX.top + BOX.height + BOX.bottom}`, role: 'img', id: 'picture',
    'aria-label': `Certified accuracy against ${axisName()}; the table beside it reads the curves off`,
    pointermove: onceAFrame(follow), pointerdown: onceAFrame(follow),
  }, grid, curves, cursor);
  byId('plot').replaceChildren(picture);
  moveCursor();
}

/** Level up to each radius, then down to the share that is left; corners nearer than a fifth of a pixel are one. */
function pathOf({ sorted, run }) {
  if (!run.size) return '';
  let path = `M${BOX.left} ${up(sorted.length / run.size).toFixed(2)}`;
  let drawn = BOX.left;
  for (let i = 0; i < sorted.length; i += 1) {
    const x = across(sorted[i]);
    const last = i + 1 === sorted.length;
    if (!last && across(sorted[i + 1]) - drawn < 0.2) continue;
    path += `H${x.toFixed(2)}V${up((sorted.length - 1 - i) / run.size).toFixed(2)}`;
    drawn = x;
  }
  return path;
}

function follow(event) {
  const box = byId('picture').getBoundingClientRect();
  const x = ((event.clientX - box.left) / box.width) * (BOX.left + BOX.width + 14);
  readAt(((x - BOX.left) / BOX.width) * right);
}

function moveCursor() {
  const cursor = byId('cursor');
  if (!cursor) return;
  const x = across(state.radius);
  const points = visible().filter((curve) => curve.run.size).map((curve) => svg('circle', {
    class: `point ${lookOf(curve).colour}`, cx: x, cy: up(accuracy(curve, state.radius)), r: 4,
  }));
  cursor.replaceChildren(svg('line', { x1: x, x2: x, y1: BOX.top, y2: BOX.top + BOX.height }), ...points);
}

/** A button for each run and each k, where there are several. */
function switches() {
  const group = (label, all, on, name, look) => el('div', { class: 'choice', role: 'group', 'aria-label': label },
    el('span', { class: 'label' }, label),
    all.map((one) => el('button', {
      type: 'button', 'aria-pressed': 'true',
      click: (event) => {
        const pressed = !on.delete(one);
        if (pressed) on.add(one);
        event.currentTarget.setAttribute('aria-pressed', String(pressed));
        drawCurves();
        readAt(state.radius);
      },
    }, look(one), name(one))));
  const dot = (colour) => el('span', { class: `dot ${colour}`, 'aria-hidden': 'true' });
  const groups = [];
  if (RUNS.length > 1) {
    groups.push(group('Runs', RUNS, state.runs, (run) => run.name, (run) => dot(lookOf(run.curves[0]).colour)));
  }
  if (KS.length > 1) {
    groups.push(group('Top', KS, state.ks, (k) => k,
      (k) => (RUNS.length > 1 ? null : dot(lookOf(CURVES.find((curve) => curve.name === k)).colour))));
  }
  byId('switches').replaceChildren(...groups);
}

function startCurves() {
  switches();
  byId('radius').step = String(step / 10);
  byId('radius').max = String(right);
  byId('radius').addEventListener('input', (event) => readAt(event.target.valueAsNumber, 'number'));
  byId('radius-slider').addEventListener('input', (event) => readAt((event.target.valueAsNumber / 1000) * right));
  drawCurves();
  readAt(step);
}
