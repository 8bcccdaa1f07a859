// Tensors, row-major: {shape, data}. Broadcasting, reductions and layouts as in NumPy.

function tensor(shape, data) {
  return { shape, data };
}

function scalar(x) {
  return { shape: [], data: Float64Array.of(Number(x)) };
}

/** Converts a number, a boolean or a tensor to a tensor. */
function asTensor(x) {
  return typeof x === "object" ? x : scalar(x);
}

function count(shape) {
  let n = 1;
  for (const d of shape) n *= d;
  return n;
}

/** The row-major strides of a shape. */
function stridesOf(shape) {
  const strides = new Array(shape.length);
  let n = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = n;
    n *= shape[axis];
  }
  return strides;
}

/** The broadcast shape of several shapes. */
function joined(...shapes) {
  const ndim = Math.max(0, ...shapes.map((shape) => shape.length));
  const found = new Array(ndim).fill(1);
  for (const shape of shapes) {
    shape.forEach((d, axis) => {
      const place = axis + ndim - shape.length;
      if (d !== 1) found[place] = d;
    });
  }
  return found;
}

/** For each element of `shape`, the index of its source in an array of shape `from`. */
function sources(from, shape) {
  const n = count(shape);
  const places = new Int32Array(n);
  const own = stridesOf(from);
  const strides = stridesOf(shape);
  const lead = shape.length - from.length;
  for (let axis = lead; axis < shape.length; axis++) {
    const step = from[axis - lead] === 1 ? 0 : own[axis - lead];
    if (!step) continue;
    const size = shape[axis];
    const stride = strides[axis];
    for (let k = 0; k < n; k++) places[k] += (Math.floor(k / stride) % size) * step;
  }
  return places;
}

function sameShape(a, b) {
  return a.length === b.length && a.every((d, axis) => d === b[axis]);
}

/** Applies `f` to each element. */
function map(f, x) {
  const { shape, data } = asTensor(x);
  const found = new Float64Array(data.length);
  for (let k = 0; k < data.length; k++) found[k] = f(data[k]);
  return { shape, data: found };
}

/** Applies `f` to the elements of two tensors after broadcasting. */
function zip(f, first, second) {
  const x = asTensor(first);
  const y = asTensor(second);
  if (x.data.length === 1 && y.data.length === 1 && !x.shape.length && !y.shape.length) {
    return scalar(f(x.data[0], y.data[0]));
  }
  const shape = joined(x.shape, y.shape);
  const found = new Float64Array(count(shape));
  const a = sameShape(x.shape, shape) ? null : sources(x.shape, shape);
  const b = sameShape(y.shape, shape) ? null : sources(y.shape, shape);
  for (let k = 0; k < found.length; k++) found[k] = f(x.data[a ? a[k] : k], y.data[b ? b[k] : k]);
  return { shape, data: found };
}

function broadcastTo(x, shape) {
  const places = sources(x.shape, shape);
  const found = new Float64Array(places.length);
  for (let k = 0; k < found.length; k++) found[k] = x.data[places[k]];
  return { shape: [...shape], data: found };
}

/** Gathers the elements at `places`, in a new shape. */
function gathered(x, places, shape) {
  const found = new Float64Array(places.length);
  for (let k = 0; k < found.length; k++) found[k] = x.data[places[k]];
  return { shape, data: found };
}

/** Normalises axes (a number, a list or null for all) to non-negative numbers. */
function axesIn(axis, ndim) {
  if (axis === null || axis === undefined) return Array.from({ length: ndim }, (_, k) => k);
  return (Array.isArray(axis) ? axis : [axis]).map((one) => (one < 0 ? one + ndim : one));
}

function transposed(x, axes) {
  const ndim = x.shape.length;
  const order = axes ? axesIn(axes, ndim) : Array.from({ length: ndim }, (_, k) => ndim - 1 - k);
  const shape = order.map((axis) => x.shape[axis]);
  const own = stridesOf(x.shape);
  const strides = stridesOf(shape);
  const places = new Int32Array(x.data.length);
  order.forEach((axis, to) => {
    for (let k = 0; k < places.length; k++) {
      places[k] += (Math.floor(k / strides[to]) % shape[to]) * own[axis];
    }
  });
  return gathered(x, places, shape);
}

/** Moves the reduced axes last: {rows, one for each result; the shapes of the result}. */
function lined(x, axis) {
  const ndim = x.shape.length;
  const axes = axesIn(axis, ndim);
  const kept = x.shape.map((_, k) => k).filter((k) => !axes.includes(k));
  const moved = transposed(x, [...kept, ...axes]);
  const shape = kept.map((k) => x.shape[k]);
  const wide = x.shape.map((d, k) => (axes.includes(k) ? 1 : d));
  return { data: moved.data, rows: count(shape), length: count(axes.map((k) => x.shape[k])), shape, wide };
}

/** Reduces each row to a number by `f(data, start, end)`. */
function reduced(f, x, { axis = null, keepdims = false } = {}) {
  const { data, rows, length, shape, wide } = lined(asTensor(x), axis);
  const found = new Float64Array(rows);
  for (let row = 0; row < rows; row++) found[row] = f(data, row * length, (row + 1) * length);
  return { shape: keepdims ? wide : shape, data: found };
}

/** Matrix product over the last two axes with broadcasting; 1-D operands as in NumPy. */
function product(x, y) {
  const a = x.shape.length === 1 ? { shape: [1, ...x.shape], data: x.data } : x;
  const b = y.shape.length === 1 ? { shape: [...y.shape, 1], data: y.data } : y;
  const [rows, inner] = a.shape.slice(-2);
  const columns = b.shape[b.shape.length - 1];
  const batch = joined(a.shape.slice(0, -2), b.shape.slice(0, -2));
  const whereA = sources(a.shape.slice(0, -2), batch);
  const whereB = sources(b.shape.slice(0, -2), batch);
  const found = new Float64Array(count(batch) * rows * columns);
  for (let n = 0; n < whereA.length; n++) {
    const startA = whereA[n] * rows * inner;
    const startB = whereB[n] * inner * columns;
    for (let i = 0; i < rows; i++) {
      for (let k = 0; k < inner; k++) {
        const left = a.data[startA + i * inner + k];
        const from = startB + k * columns;
        const to = (n * rows + i) * columns;
        for (let j = 0; j < columns; j++) found[to + j] += left * b.data[from + j];
      }
    }
  }
  const shape = [...batch];
  if (x.shape.length > 1) shape.push(rows);
  if (y.shape.length > 1) shape.push(columns);
  return { shape, data: found };
}

/** For each element of x[index], its position in x; and the shape: integers, slices, null and "...". */
function indexed(shape, index) {
  const named = index.filter((one) => one !== null && one !== "...").length;
  const whole = index.includes("...") ? index : [...index, "..."];
  const full = whole.flatMap((one) =>
    one === "..." ? Array.from({ length: shape.length - named }, () => ({ slice: [null, null, null] })) : [one],
  );
  const strides = stridesOf(shape);
  let places = [0];
  const found = [];
  let axis = 0;
  for (const one of full) {
    if (one === null) {
      found.push(1);
      continue;
    }
    const size = shape[axis];
    const stride = strides[axis++];
    if (typeof one === "number") {
      const k = one < 0 ? one + size : one;
      places = places.map((place) => place + k * stride);
      continue;
    }
    const chosen = sliced(one.slice, size);
    found.push(chosen.length);
    places = places.flatMap((place) => chosen.map((k) => place + k * stride));
  }
  return { places, shape: found };
}

/** The indices that a Python slice selects from `size` elements. */
function sliced([start, stop, step], size) {
  const by = step === null ? 1 : step;
  const clamp = (end, low, high) => Math.max(low, Math.min(high, end < 0 ? end + size : end));
  const found = [];
  if (by > 0) {
    const end = stop === null ? size : clamp(stop, 0, size);
    for (let k = start === null ? 0 : clamp(start, 0, size); k < end; k += by) found.push(k);
  } else {
    const end = stop === null ? -1 : clamp(stop, -1, size - 1);
    for (let k = start === null ? size - 1 : clamp(start, -1, size - 1); k > end; k += by) found.push(k);
  }
  return found;
}
