// The page's own arithmetic: values, local derivatives and total derivatives, before and after edits.
//
// Before an edit, values and totals are the exported ones. Local derivatives are computed by the exported
// blocks, which trace the library's own rules; path products are products of local derivatives.

const values = nodes.map(() => undefined); // current tensors, computed on first use; undefined until then
const edited = new Map(); // leaf → tensor
let stale = new Map(); // node → the reason why its value is unknown after an edit
let rowsNow = null; // total derivatives by node after an edit; null before
let edges_ = new Map(); // cached local derivatives
let recomputed = 0; // number of nodes that the last edit recomputed
let foreign = false; // whether another run is shown, whose totals are computed here

/** The node's current value, or null. */
function valueOf(place) {
  if (values[place] === undefined) values[place] = exportedValue(place);
  return stale.has(place) ? null : values[place];
}

function exportedValue(place) {
  const node = nodes[place];
  const found = decoded(node.v, node.d);
  if (!found) return null;
  return { shape: node.parts ? [found.length] : node.sh, data: found };
}

/** Whether the value fits its dtype: float32 numbers must be rounded to float32. */
function rounded(found, dtype) {
  if (dtype === "float32") return { shape: found.shape, data: found.data.map(Math.fround) };
  return found;
}

// ---------------------------------------------------------------- blocks

/** The value of a step's argument; '%3' stands for the result of step 3. */
function argument(one, slots) {
  if (typeof one === "string" && one[0] === "%") return slots[Number(one.slice(1))];
  if (Array.isArray(one)) return one.map((part) => argument(part, slots));
  if (one && typeof one === "object") {
    if ("number" in one) return Number(one.number);
    if ("array" in one) return tensor(one.array[0], Float64Array.from(one.array[1], plain));
    if ("slice" in one) return one;
    return Object.fromEntries(Object.entries(one).map(([key, part]) => [key, argument(part, slots)]));
  }
  return one;
}

function plain(one) {
  return typeof one === "object" && one !== null ? Number(one.number) : Number(one);
}

/** The results of all steps for these operands. */
function run(steps, operands) {
  const slots = operands.slice();
  for (const [name, ...given] of steps) {
    if (name === "const") slots.push(tensor(given[0], Float64Array.from(given[1], plain)));
    else if (name === "item") slots.push(argument(given[0], slots)[given[1]]);
    else slots.push(asTensorOrList(m[name](...given.map((one) => argument(one, slots)))));
  }
  return slots;
}

function asTensorOrList(x) {
  return Array.isArray(x) ? x : asTensor(x);
}

function slot(slots, place) {
  return asTensorOrList(argument(place, slots));
}

/** The outputs of a node with several outputs, concatenated. */
function flattened(list) {
  const found = new Float64Array(list.reduce((sum, part) => sum + part.data.length, 0));
  let start = 0;
  for (const part of list) {
    found.set(part.data, start);
    start += part.data.length;
  }
  return { shape: [found.length], data: found };
}

/** The node's value computed from its inputs' values; null if the page can't compute it. With `exact`, not rounded to float32. */
function computed(place, exact = false) {
  const node = nodes[place];
  const block = data.blocks[node.b];
  const operands = ins[place].map((edge) => valueOf(edges[edge].a));
  if (!block || operands.some((x) => !x)) return null;
  if (block.item !== undefined) return itemOf(place, operands[0]);
  const found = slot(run(block.f.s, operands), block.f.o);
  return Array.isArray(found) ? flattened(found) : exact ? found : rounded(found, node.d);
}

/** The range of an item's elements in its parent's concatenated outputs. */
function itemRange(place) {
  const parts = nodes[edges[ins[place][0]].a].parts;
  const index = data.blocks[nodes[place].b].item;
  const sizes = parts.map(count);
  const start = sizes.slice(0, index).reduce((a, b) => a + b, 0);
  return [start, start + sizes[index], parts[index]];
}

function itemOf(place, parent) {
  const [start, end, shape] = itemRange(place);
  return { shape, data: parent.data.slice(start, end) };
}

/** The cotangents of a node's inputs for a cotangent of the node: flat arrays, or null. */
function sentBack(place, g) {
  const block = data.blocks[nodes[place].b];
  if (!block || !block.b) return block && block.item !== undefined ? [itemBack(place, g)] : null;
  return sentBy(place, ins[place].map((edge) => valueOf(edges[edge].a)), g);
}

/** As `sentBack`, for these values of the operands. */
function sentBy(place, operands, g) {
  const node = nodes[place];
  const block = data.blocks[node.b];
  const own = valueOf(place);
  if (!own || operands.some((x) => !x)) return null;
  const shapes = node.parts || [own.shape];
  let start = 0;
  const cotangents = shapes.map((shape) => {
    const size = count(shape);
    start += size;
    return tensor(shape, g.subarray(start - size, start));
  });
  const slots = run(block.b.s, [...operands, own, ...cotangents]);
  return block.b.o.map((place) => (place === null ? null : slot(slots, place).data));
}

function itemBack(place, g) {
  const [start] = itemRange(place);
  const found = new Float64Array(sizeOf(edges[ins[place][0]].a));
  found.set(g, start);
  return found;
}

// ---------------------------------------------------------------- derivatives

const LARGEST = 65536; // entries of the largest matrix that the page computes

/** ∂target/∂source along an edge: {m, n, data}, whole or, with `corner`, the known part. */
function localOf(number) {
  if (!edges_.has(number)) edges_.set(number, workedOut(number));
  return edges_.get(number);
}

function workedOut(number) {
  const edge = edges[number];
  const [m_, n] = [sizeOf(edge.b), sizeOf(edge.a)];
  if (m_ === null || n === null || !nodes[edge.b].d && !nodes[edge.b].parts) return null;
  const touched = edited.size && rowsNow;
  if (edge.l && edge.l.whole && !touched) return { m: m_, n, data: Float64Array.from(edge.l.f, Number), whole: true };
  if (!nodes[edge.b].v && !touched) return corner(edge);
  if (m_ * n > LARGEST) return edge.l ? corner(edge) : upperLeft(number, m_, n);
  const matrix = new Float64Array(m_ * n);
  const unit = new Float64Array(m_);
  if (edge.st === "diagonal" && m_ === n) {
    const sent = sentBack(edge.b, unit.fill(1));
    if (!sent) return corner(edge);
    for (let k = 0; k < n; k++) matrix[k * n + k] = sent[edge.i] ? sent[edge.i][k] : 0;
    return { m: m_, n, data: matrix, whole: true };
  }
  for (let row = 0; row < m_; row++) {
    unit.fill(0);
    unit[row] = 1;
    const sent = sentBack(edge.b, unit.slice());
    if (!sent) return corner(edge);
    if (sent[edge.i]) matrix.set(sent[edge.i], row * n);
  }
  return { m: m_, n, data: matrix, whole: true };
}

const CORNER = 12; // rows and columns shown of a derivative that is too large

/** The upper left corner of ∂target/∂source. */
function upperLeft(number, m_, n) {
  const edge = edges[number];
  const [rows, columns] = [Math.min(m_, CORNER), Math.min(n, CORNER)];
  const found = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    const unit = new Float64Array(m_);
    unit[row] = 1;
    const sent = sentBack(edge.b, unit);
    if (!sent) return null;
    if (sent[edge.i]) found.set(sent[edge.i].subarray(0, columns), row * columns);
  }
  return { m: m_, n, data: found, rows, columns, whole: false };
}

/** The exported part of a derivative that is too large to compute here. */
function corner(edge) {
  if (!edge.l || (edited.size && rowsNow)) return null;
  const [rows, columns] = edge.l.c;
  return { m: edge.l.size[0], n: edge.l.size[1], data: Float64Array.from(edge.l.f || [], Number), rows, columns, whole: edge.l.whole };
}

/** The current ∂result/∂node: {rows, n, data}, or null. */
function totalOf(place) {
  if (rowsNow) return rowsNow.get(place) || null;
  const node = nodes[place];
  if (!node.j) return null;
  const found = decoded(node.j);
  return found ? { rows: found.length / sizeOf(place), n: sizeOf(place), data: found } : null;
}

/** The contribution of an edge: rows of ∂result/∂target · ∂target/∂source, or null. */
function contributionOf(number) {
  const edge = edges[number];
  const total = totalOf(edge.b);
  if (!total) return null;
  const n = sizeOf(edge.a);
  const found = new Float64Array(total.rows * n);
  for (let row = 0; row < total.rows; row++) {
    const sent = sentBack(edge.b, total.data.slice(row * total.n, (row + 1) * total.n));
    if (!sent) {
      const local = localOf(number);
      return local && local.whole ? times(total, local) : null;
    }
    if (sent[edge.i]) found.set(sent[edge.i], row * n);
  }
  return { rows: total.rows, n, data: found };
}

/** The product of two Jacobians {rows or m, n, data}; a 0 of the first absorbs even ±∞ and NaN of the second. */
function times(first, second) {
  const rows = first.rows ?? first.m, inner = first.n, n = second.n;
  const data = new Float64Array(rows * n);
  for (let i = 0; i < rows; i++)
    for (let k = 0; k < inner; k++) {
      const factor = first.data[i * inner + k];
      if (factor !== 0) for (let j = 0; j < n; j++) data[i * n + j] += factor * second.data[k * n + j];
    }
  return { rows, n, data };
}

/** ∂(node `end`)/∂node for every node that reaches `end`, by one reverse pass in the page. */
function reversed(end) {
  const found = new Map();
  const unknown = new Set();
  const size = sizeOf(end);
  const seed = new Float64Array(size * size);
  for (let k = 0; k < size; k++) seed[k * size + k] = 1;
  found.set(end, { rows: size, n: size, data: seed });
  for (let place = end; place >= 0; place--) {
    const total = found.get(place);
    if (!total && !unknown.has(place)) continue;
    for (const [position, number] of ins[place].entries()) {
      const from = edges[number].a;
      if (!isFloat(from)) continue;
      const local = unknown.has(place) ? null : passed(place, total, number, position);
      if (!local) unknown.add(from);
      else if (local !== NOTHING) found.set(from, found.has(from) ? added(found.get(from), local) : local);
    }
  }
  for (const place of unknown) found.delete(place);
  return found;
}

const NOTHING = {};

/** One edge of the reverse pass: NOTHING if there is no contribution, null if it is unknown. */
function passed(place, total, number, position) {
  const n = sizeOf(edges[number].a);
  const data = new Float64Array(total.rows * n);
  let flows = false;
  for (let row = 0; row < total.rows; row++) {
    const sent = sentBack(place, total.data.slice(row * total.n, (row + 1) * total.n));
    if (!sent) {
      const local = localOf(number);
      return local && local.whole ? times(total, local) : null;
    }
    if (!sent[position]) continue;
    flows = true;
    data.set(sent[position], row * n);
  }
  return flows ? { rows: total.rows, n, data } : NOTHING;
}

function added(first, second) {
  return { rows: first.rows, n: first.n, data: first.data.map((x, k) => x + second.data[k]) };
}

/** Whether the node can have a derivative. */
function isFloat(place) {
  return Boolean(nodes[place].parts) || /float/.test(nodes[place].d || "");
}

// ---------------------------------------------------------------- edits

/** Sets a leaf's value (null: the exported one) and recomputes the nodes that depend on it. */
function edit(place, numbers) {
  if (numbers === null) edited.delete(place);
  else edited.set(place, { shape: nodes[place].sh, data: Float64Array.from(numbers) });
  recompute();
  set({ version: state.version + 1 });
}

/** Undoes all edits. */
function resetEdits() {
  edited.clear();
  recompute();
  set({ version: state.version + 1 });
}

function recompute() {
  const changed = new Set();
  recomputed = 0;
  stale = new Map();
  edges_ = new Map();
  for (let place = 0; place < nodes.length; place++) {
    values[place] = edited.has(place) ? rounded(edited.get(place), nodes[place].d) : exportedValue(place);
    if (edited.has(place)) changed.add(place);
    else if (ins[place].some((edge) => changed.has(edges[edge].a))) {
      changed.add(place);
      const missing = ins[place].map((edge) => edges[edge].a).find((from) => stale.has(from));
      const found = missing === undefined ? computed(place) : null;
      if (found) {
        values[place] = found;
        recomputed++;
      } else {
        stale.set(place, missing === undefined ? nodes[place].why || "an input is too large for the page" : stale.get(missing));
      }
    }
  }
  rowsNow = null;
  if ((edited.size || foreign) && result !== null && !stale.has(result) && valueOf(result) && sizeOf(result) <= 16) rowsNow = reversed(result);
  else if (edited.size || foreign) rowsNow = new Map();
}
