// The data: columns become typed arrays, and each run answers questions about its examples.

const KINDS = { f64: Float64Array, u32: Uint32Array, i32: Int32Array, u8: Uint8Array };
const DATA = JSON.parse(byId('data').textContent, (_, value) => {
  if (!value || typeof value.base64 !== 'string' || !KINDS[value.type]) return value;
  const bytes = Uint8Array.from(atob(value.base64), (letter) => letter.charCodeAt(0));
  return new KINDS[value.type](bytes.buffer);
});
const RUNS = DATA.runs;
const CURVES = [];

RUNS.forEach((run, index) => {
  run.index = index;
  run.size = run.idx.length;
  run.place = new Map();
  run.idx.forEach((idx, at) => run.place.set(idx, at));
  run.picture = new Map();
  if (run.pictures) run.pictures.places.forEach((at, i) => run.picture.set(at, run.pictures.urls[i]));
  run.curves.forEach((curve, of) => {
    Object.assign(curve, { run, of, at: CURVES.length });
    curve.sorted = curve.radius.filter((_, at) => curve.counted[at] === 1).sort();
    CURVES.push(curve);
  });
});

/** The radii that count are sorted: how many are at least r. */
function certifiedAt(curve, radius) {
  let low = 0;
  let high = curve.sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (curve.sorted[middle] < radius) low = middle + 1; else high = middle;
  }
  return curve.sorted.length - low;
}

const accuracy = (curve, radius) => (curve.run.size ? certifiedAt(curve, radius) / curve.run.size : NaN);
const largest = (curves) => curves.reduce((most, { sorted }) => Math.max(most, sorted[sorted.length - 1] || 0), 0);

/** 'right', 'wrong' or 'none' (nothing certified); of a run without true labels 'certified' or 'none'. */
function outcome(curve, at) {
  if (curve.predict[at] < 0) return 'none';
  if (!curve.run.labelled) return 'certified';
  return curve.counted[at] ? 'right' : 'wrong';
}

const OUTCOMES = {
  right: ['✓', 'right'], wrong: ['✕', 'wrong'], none: ['–', 'abstained'], certified: ['✓', 'certified'],
};

/** A label with its name, where it has one. */
function labelled(label) {
  if (label < 0) return '–';
  const name = DATA.names[label];
  return name === undefined || name === String(label) ? String(label) : `${name} (${label})`;
}

const called = (curve) => (RUNS.length > 1 ? `${curve.run.name}, ${curve.name}` : curve.name);
