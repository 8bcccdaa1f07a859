// m, the maths namespace of formulas, for the page: the names of Python's `Maths`.

/** 1 for a nonzero x, including NaN. */
const truth = (x) => (x || Number.isNaN(x) ? 1 : 0);
/** A zero with the sign of x. */
const zero = (x) => (x < 0 || Object.is(x, -0) ? -0 : 0);
const each = (f) => (x) => map(f, x);
const both = (f) => (x, y) => zip(f, x, y);

/** NumPy's max and min propagate NaN, as Math.max and Math.min do. */
const larger = (a, b) => Math.max(a, b);
const smaller = (a, b) => Math.min(a, b);

/** Python's remainder, with the sign of the divisor. */
function remainder(a, b) {
  const r = a % b;
  if (r === 0) return zero(b);
  return r !== 0 && r < 0 !== b < 0 ? r + b : r;
}

/** ⌊a/b⌋ from the exact remainder, as in NumPy; NaN for an infinite a. */
function quotient(a, b) {
  if (b === 0) return a / b;
  const rest = a % b;
  const found = (a - rest) / b - (rest !== 0 && rest < 0 !== b < 0 ? 1 : 0);
  return found === 0 ? zero(a / b) : Math.floor(found + 0.5);
}

/** Conversion to an integer dtype: truncates, saturates at the dtype's bounds, and maps NaN to 0. */
function integral(dtype) {
  const bits = Number(dtype.match(/\d+/)[0]);
  const [low, high] = dtype.startsWith("u") ? [0, 2 ** bits - 1] : [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1];
  return (x) => (Number.isNaN(x) ? 0 : Math.min(Math.max(Math.trunc(x), low), high));
}

/** Rounds to the nearest integer, ties to even. */
function nearest(x) {
  const down = Math.floor(x);
  const apart = x - down;
  const found = apart < 0.5 ? down : apart > 0.5 ? down + 1 : down % 2 === 0 ? down : down + 1;
  return found === 0 ? zero(x) : found;
}

/** x to the power y: Math.pow, except that 1 to any power is 1, as in C and NumPy. */
function power(x, y) {
  return x === 1 ? 1 : x === -1 && !Number.isFinite(y) && !Number.isNaN(y) ? 1 : Math.pow(x, y);
}

function logaddexp(a, b) {
  if (a === b) return a + Math.LN2;
  const top = Math.max(a, b);
  return top + Math.log1p(Math.exp(-Math.abs(a - b)));
}

/** The sum of data[start … end), by pairwise summation, with at most the error of NumPy's. */
function summed(values, start, end) {
  if (end - start <= 8) {
    let total = 0;
    for (let k = start; k < end; k++) total += values[k];
    return total;
  }
  const half = start + ((end - start) >> 1);
  return summed(values, start, half) + summed(values, half, end);
}

function extreme(better) {
  return (values, start, end) => {
    let best = start;
    for (let k = start; k < end; k++) {
      if (Number.isNaN(values[best])) break;
      if (Number.isNaN(values[k]) || better(values[k], values[best])) best = k;
    }
    return best;
  };
}

const highest = extreme((a, b) => a > b);
const lowest = extreme((a, b) => a < b);

// W. J. Cody, "Rational Chebyshev approximations for the error function", Math. Comp. 23 (1969), as
// in Python's maths/numpy.py.
const CODY = {
  small: [
    [1.85777706184603153e-1, 3.1611237438705656, 1.13864154151050156e2, 3.77485237685302021e2, 3.20937758913846947e3],
    [1, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3],
  ],
  middle: [
    [2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594, 6.61191906371416295e1, 2.98635138197400131e2,
      8.8195222124176909e2, 1.71204761263407058e3, 2.05107837782607147e3, 1.23033935479799725e3],
    [1, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3,
      3.29079923573346963e3, 4.36261909014324716e3, 3.43936767414372164e3, 1.23033935480374942e3],
  ],
  large: [
    [1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1,
      1.60837851487422766e-2, 6.58749161529837803e-4],
    [1, 2.56852019228982242, 1.87295284992346725, 5.27905102951428412e-1, 6.05183413124413191e-2, 2.33520497626869185e-3],
  ],
};

function ratio(x, [top, bottom]) {
  const at = (table) => table.reduce((sum, c) => sum * x + c, 0);
  return at(top) / at(bottom);
}

function erfc(x) {
  if (Number.isNaN(x)) return NaN;
  const size = Math.min(Math.abs(x), 30);
  const coarse = Math.trunc(size * 16) / 16;
  const decay = Math.exp(-coarse * coarse) * Math.exp(-(size - coarse) * (size + coarse));
  let found;
  if (size <= 0.46875) found = 1 - size * ratio(size * size, CODY.small);
  else if (size <= 4) found = decay * ratio(size, CODY.middle);
  else {
    const inverse = 1 / (size * size);
    found = (decay / size) * (1 / 1.7724538509055160273 - inverse * ratio(inverse, CODY.large));
  }
  return x < 0 ? 2 - found : found;
}

function erf(x) {
  if (Math.abs(x) <= 0.46875) return x * ratio(x * x, CODY.small);
  return Math.sign(x) * (1 - erfc(Math.abs(x)));
}

/** Concatenates tensors along an axis. */
function concatenated(parts, axis) {
  const at = axis < 0 ? axis + parts[0].shape.length : axis;
  const shape = [...parts[0].shape];
  shape[at] = parts.reduce((sum, part) => sum + part.shape[at], 0);
  const found = new Float64Array(count(shape));
  const outer = count(shape.slice(0, at));
  let start = 0;
  for (const part of parts) {
    const run = count(part.shape.slice(at));
    const row = count(shape.slice(at));
    for (let n = 0; n < outer; n++) found.set(part.data.subarray(n * run, (n + 1) * run), n * row + start);
    start += run;
  }
  return { shape, data: found };
}

function taken(x, indices, axis) {
  const at = axis < 0 ? axis + x.shape.length : axis;
  const [outer, length, inner] = [count(x.shape.slice(0, at)), x.shape[at], count(x.shape.slice(at + 1))];
  const places = [];
  for (let n = 0; n < outer; n++)
    for (const one of indices.data)
      for (let k = 0; k < inner; k++) places.push((n * length + (one < 0 ? one + length : one)) * inner + k);
  return gathered(x, places, [...x.shape.slice(0, at), ...indices.shape, ...x.shape.slice(at + 1)]);
}

function takenBack(g, indices, axis, size) {
  const shape = [...g.shape.slice(0, axis), size, ...g.shape.slice(axis + indices.shape.length)];
  const found = new Float64Array(count(shape));
  const [outer, inner] = [count(shape.slice(0, axis)), count(shape.slice(axis + 1))];
  let from = 0;
  for (let n = 0; n < outer; n++)
    for (const one of indices.data)
      for (let k = 0; k < inner; k++) found[(n * size + (one < 0 ? one + size : one)) * inner + k] += g.data[from++];
  return { shape, data: found };
}

function splitUp(x, ends, axis) {
  const length = x.shape[axis < 0 ? axis + x.shape.length : axis];
  const at = axis < 0 ? axis + x.shape.length : axis;
  const stops = [...ends.map(Number), length];
  return stops.map((stop, k) => {
    const index = Array.from({ length: at }, () => ({ slice: [null, null, null] }));
    const { places, shape } = indexed(x.shape, [...index, { slice: [k ? stops[k - 1] : 0, stop, null] }]);
    return gathered(x, places, shape);
  });
}

const resolvedShape = (shape, n) => {
  const sizes = Array.isArray(shape) ? shape : [shape];
  const known = sizes.reduce((a, d) => (d < 0 ? a : a * d), 1);
  return sizes.map((d) => (d < 0 ? n / known : d));
};

const m = {
  absolute: each(Math.abs), absorbing_product: both((a, b) => (a === 0 && !Number.isFinite(b) ? 0 : a * b)), add: both((a, b) => a + b), arccos: each(Math.acos), arccosh: each(Math.acosh),
  arcsin: each(Math.asin), arcsinh: each(Math.asinh), arctan: each(Math.atan), arctan2: both(Math.atan2),
  arctanh: each(Math.atanh), bitwise_and: both((a, b) => a & b), bitwise_invert: each((a) => truth(!a)),
  bitwise_or: both((a, b) => a | b), bitwise_xor: both((a, b) => a ^ b), cbrt: each(Math.cbrt),
  ceil: each(Math.ceil), cos: each(Math.cos), cosh: each(Math.cosh), divide: both((a, b) => a / b),
  equal: both((a, b) => truth(a === b)), erf: each(erf), erfc: each(erfc), exp: each(Math.exp),
  exp2: each((a) => 2 ** a), expm1: each(Math.expm1), floor: each(Math.floor),
  floor_divide: both(quotient), greater: both((a, b) => truth(a > b)),
  greater_equal: both((a, b) => truth(a >= b)), hypot: both(Math.hypot), isfinite: each((a) => truth(Number.isFinite(a))),
  isinf: each((a) => truth(a === Infinity || a === -Infinity)), isnan: each((a) => truth(Number.isNaN(a))),
  less: both((a, b) => truth(a < b)), less_equal: both((a, b) => truth(a <= b)), log: each(Math.log),
  log10: each(Math.log10), log1p: each(Math.log1p), log2: each(Math.log2), logaddexp: both(logaddexp),
  logical_and: both((a, b) => truth(a) && truth(b)), logical_not: each((a) => 1 - truth(a)),
  logical_or: both((a, b) => truth(a) || truth(b)), logical_xor: both((a, b) => truth(a) ^ truth(b)),
  maximum: both(larger), minimum: both(smaller), mod: both(remainder), multiply: both((a, b) => a * b),
  negative: each((a) => -a), not_equal: both((a, b) => truth(a !== b)), positive: each((a) => a),
  power: both(power), reciprocal: each((a) => 1 / a), rint: each(nearest), sign: each((a) => (a === 0 ? 0 : Math.sign(a))),
  sin: each(Math.sin), sinh: each(Math.sinh), sqrt: each(Math.sqrt), square: each((a) => a * a),
  subtract: both((a, b) => a - b), tan: each(Math.tan), tanh: each(Math.tanh), trunc: each(Math.trunc),

  all: (x, o) => reduced((v, a, b) => truth(v.subarray(a, b).every(truth)), x, o),
  any: (x, o) => reduced((v, a, b) => truth(v.subarray(a, b).some(truth)), x, o),
  argmax: (x, o) => reduced((v, a, b) => highest(v, a, b) - a, x, o),
  argmin: (x, o) => reduced((v, a, b) => lowest(v, a, b) - a, x, o),
  max: (x, o) => reduced((v, a, b) => v[highest(v, a, b)], x, o),
  min: (x, o) => reduced((v, a, b) => v[lowest(v, a, b)], x, o),
  prod: (x, o) => reduced((v, a, b) => v.subarray(a, b).reduce((p, q) => p * q, 1), x, o),
  sum: (x, o) => reduced(summed, x, o),

  matmul: (x, y) => product(asTensor(x), asTensor(y)),

  arange: (n) => ({ shape: [n], data: Float64Array.from({ length: n }, (_, k) => k) }),
  broadcast_to: (x, shape) => broadcastTo(asTensor(x), Array.isArray(shape) ? shape : [shape]),
  cast: (x, dtype) => (/int/.test(dtype) ? map(integral(dtype), x) : dtype === "bool" ? map(truth, x) : asTensor(x)),
  concatenate: (parts, { axis = 0 } = {}) => concatenated(parts, axis),
  expand_dims: (x, axis) => {
    const ndim = x.shape.length + (Array.isArray(axis) ? axis.length : 1);
    const added = axesIn(axis, ndim);
    const kept = [...x.shape];
    return tensor(Array.from({ length: ndim }, (_, k) => (added.includes(k) ? 1 : kept.shift())), x.data);
  },
  ones: (shape) => tensor([].concat(shape), new Float64Array(count([].concat(shape))).fill(1)),
  ones_like: (x) => map(() => 1, x),
  place: (x, shape, index) => {
    const found = new Float64Array(count(shape));
    indexed(shape, index).places.forEach((place, k) => (found[place] = x.data[k]));
    return tensor(shape, found);
  },
  reshape: (x, shape) => tensor(resolvedShape(shape, x.data.length), x.data),
  slice_of: (x, index) => {
    const { places, shape } = indexed(x.shape, index);
    return gathered(x, places, shape);
  },
  split: (x, ends, { axis = 0 } = {}) => splitUp(x, ends, axis),
  squeeze: (x, axis = null) => {
    const gone = axis === null ? null : axesIn(axis, x.shape.length);
    return tensor(x.shape.filter((d, k) => (gone ? !gone.includes(k) : d !== 1)), x.data);
  },
  stack: (parts, { axis = 0 } = {}) => {
    const at = axis < 0 ? axis + parts[0].shape.length + 1 : axis;
    return concatenated(parts.map((part) => m.expand_dims(part, at)), at);
  },
  swapaxes: (x, a, b) => {
    const order = x.shape.map((_, k) => k);
    const [first, second] = axesIn([a, b], x.shape.length);
    [order[first], order[second]] = [second, first];
    return transposed(x, order);
  },
  take: (x, indices, { axis = 0 } = {}) => taken(x, asTensor(indices), axis),
  take_add: (g, indices, axis, size) => takenBack(g, asTensor(indices), axis, size),
  transpose: (x, axes = null) => transposed(x, axes),
  where: (c, x, y) => {
    const [a, b, d] = [asTensor(c), asTensor(x), asTensor(y)];
    const shape = joined(a.shape, b.shape, d.shape);
    const [i, j, k] = [a, b, d].map((one) => sources(one.shape, shape));
    return tensor(shape, Float64Array.from(i, (p, n) => (truth(a.data[p]) ? b.data[j[n]] : d.data[k[n]])));
  },
  zeros: (shape) => tensor([].concat(shape), new Float64Array(count([].concat(shape)))),
  zeros_like: (x) => map(() => 0, x),
};
