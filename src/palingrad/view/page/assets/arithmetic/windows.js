// Sliding windows, for convolutions and pooling: padded, windows, unwindowed.

/** All index tuples of a shape, in row-major order. */
function* tuples(shape) {
  const n = count(shape);
  const strides = stridesOf(shape);
  for (let k = 0; k < n; k++) yield shape.map((d, axis) => Math.floor(k / strides[axis]) % d);
}

/** Pads the spatial axes of x (n, c, *space) with `value`. */
m.padded = (x, padding, value = 0) => {
  const shape = x.shape.map((d, axis) => (axis < 2 ? d : d + padding[axis - 2][0] + padding[axis - 2][1]));
  const found = new Float64Array(count(shape)).fill(Number(value));
  const strides = stridesOf(shape);
  let k = 0;
  for (const place of tuples(x.shape)) {
    const to = place.reduce((sum, p, axis) => sum + (p + (axis < 2 ? 0 : padding[axis - 2][0])) * strides[axis], 0);
    found[to] = x.data[k++];
  }
  return tensor(shape, found);
};

/** The windows of x (n, c, *space) as (n, c, *places, *size): one for each position. */
m.windows = (x, size, stride, dilation) => {
  const places = size.map((k, axis) => Math.floor((x.shape[axis + 2] - (k - 1) * dilation[axis] - 1) / stride[axis]) + 1);
  const shape = [x.shape[0], x.shape[1], ...places, ...size];
  const strides = stridesOf(x.shape);
  const from = [];
  for (const index of tuples(shape)) {
    let place = index[0] * strides[0] + index[1] * strides[1];
    size.forEach((_, axis) => {
      place += (index[2 + axis] * stride[axis] + index[2 + size.length + axis] * dilation[axis]) * strides[2 + axis];
    });
    from.push(place);
  }
  return gathered(x, from, shape);
};

/** The adjoint of windows: adds parts (n, c, *places, *size) at their positions in zeros (n, c, *space). */
m.unwindowed = (parts, space, stride, padding, dilation) => {
  const shape = [parts.shape[0], parts.shape[1], ...space];
  const found = new Float64Array(count(shape));
  const strides = stridesOf(shape);
  const ndim = space.length;
  let k = 0;
  for (const index of tuples(parts.shape)) {
    let place = index[0] * strides[0] + index[1] * strides[1];
    let inside = true;
    for (let axis = 0; axis < ndim; axis++) {
      const to = index[2 + axis] * stride[axis] + index[2 + ndim + axis] * dilation[axis] - padding[axis][0];
      inside = inside && to >= 0 && to < space[axis];
      place += to * strides[2 + axis];
    }
    if (inside) found[place] += parts.data[k];
    k++;
  }
  return tensor(shape, found);
};
