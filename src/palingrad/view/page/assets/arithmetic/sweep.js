// Sweeps: the result as a function of one element of a leaf, with everything else held fixed.

const PATIENCE = 60; // milliseconds for one curve; a graph that takes longer has fewer points, or none
const FEWEST = 9; // points of the coarsest curve

/** The nodes between a leaf and the result, in the order of computation. */
function between_(place) {
  const reached = new Set([place]);
  const order = [];
  for (let k = place + 1; k <= result; k++) {
    if (!ins[k].some((number) => reached.has(edges[number].a))) continue;
    reached.add(k);
    order.push(k);
  }
  const needed = new Set([result]);
  for (const k of [...order].reverse()) if (needed.has(k)) for (const number of ins[k]) needed.add(edges[number].a);
  return reached.has(result) ? order.filter((k) => needed.has(k)) : [];
}

/** A function from numbers to the result's values there, or null if the page can't compute them.
 *
 *  With `exact`, in double precision even if the graph computes in float32. */
function resultOver(place, element, exact = false) {
  const value = valueOf(place);
  if (result === null || sizeOf(result) !== 1 || !value || stale.has(result)) return null;
  const order = between_(place);
  if (!order.length || order.some((k) => nodes[k].b === undefined || !valueOf(k))) return null;
  return (xs) => {
    const kept = [place, ...order].map((k) => [k, values[k]]);
    try {
      return xs.map((x) => {
        const data_ = Float64Array.from(value.data);
        data_[element] = x;
        const moved = { shape: value.shape, data: data_ };
        values[place] = exact ? moved : rounded(moved, nodes[place].d);
        for (const k of order) {
          const found = computed(k, exact);
          if (!found) return NaN;
          values[k] = found;
        }
        return values[result].data[0];
      });
    } finally {
      for (const [k, before] of kept) values[k] = before;
    }
  };
}

/** The number of points that can be computed in good time, or 0. */
function affordable(f, x, most_) {
  const times = [1, 2, 3].map(() => {
    const start = performance.now();
    f([x]);
    return performance.now() - start;
  });
  const each = Math.min(...times); // a pause of the machine isn't the graph's time
  const count_ = Math.floor(PATIENCE / Math.max(each, 1e-3));
  return count_ < FEWEST ? 0 : Math.min(most_, count_);
}

/** Points of the result over one element, about its value: {xs, ys}, or null. */
function curveOver(place, element) {
  const f = resultOver(place, element);
  if (!f) return null;
  const x = valueOf(place).data[element];
  if (!Number.isFinite(x)) return null;
  const whole = /int|bool/.test(nodes[place].d || "");
  const reach = whole ? Math.max(4, Math.abs(x)) : Math.max(1, Math.abs(x));
  const count_ = affordable(f, x, 61) | 1; // odd: the middle point is the value itself
  if (count_ < FEWEST) return null;
  const half = (count_ - 1) / 2;
  let xs = Array.from({ length: count_ }, (_, k) => x + ((k - half) / half) * reach);
  if (whole) xs = [...new Set(xs.map(Math.round))];
  return { xs, ys: f(xs), x, y: f([x])[0], whole };
}

/** Difference quotients for h = 1 … 10⁻¹², in double precision: [[h, one-sided, central], …], or null. */
function quotientsOver(place, element) {
  const f = resultOver(place, element, true);
  if (!f) return null;
  const x = valueOf(place).data[element];
  if (!Number.isFinite(x) || affordable(f, x, 75) < 75) return null;
  const [here] = f([x]);
  return Array.from({ length: 25 }, (_, k) => 10 ** (-k / 2)).map((h) => {
    const [up, down] = [x + h, x - h];
    const [above, below] = f([up, down]);
    return [h, (above - here) / (up - x), (above - below) / (up - down)];
  });
}
