// Numbers as text, and round steps of axes.

const grouped = (number) => number.toLocaleString('en-US');
const percent = (share) => (Number.isNaN(share) ? '–' : `${(share * 100).toFixed(1)}%`);

/** A radius in at most four digits after the point, rounded down: it never seems larger than it is. */
function radiusText(radius, whole = false) {
  if (whole || radius === 0 || !Number.isFinite(radius)) return String(radius);
  if (radius < 1e-3) return cut(radius.toExponential(20).split('e'), 3, 'e');
  return cut([radius.toFixed(20)], 4, '');
}

function cut([digits, exponent], places, mark) {
  const text = digits.slice(0, digits.indexOf('.') + 1 + places);
  return exponent === undefined ? text : `${text}${mark}${exponent}`;
}

const withUnit = (curve, radius) => `${radiusText(radius, curve.run.whole)} ${curve.run.norm}`;

/** The round step that takes at most so many steps to a number. */
function roundStep(to, steps) {
  if (!(to > 0)) return 0.25;
  const power = 10 ** Math.floor(Math.log10(to / steps));
  return [1, 2, 2.5, 5, 10].map((digit) => digit * power).find((step) => step * steps >= to * (1 - 1e-9));
}

/** 0 and the multiples of a step up to a number, as numbers and as text. */
function ticks(to, step) {
  const digits = Math.max(0, -Math.floor(Math.log10(step)) + (/^[25]/.test(String(step).replace(/[0.]/g, '')) ? 1 : 0));
  const count = Math.round(to / step);
  return Array.from({ length: count + 1 }, (_, i) => [i * step, String(Number((i * step).toFixed(digits)))]);
}
