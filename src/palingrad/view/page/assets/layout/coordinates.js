// Coordinates: the x of each vertex, with straight long edges (Brandes & Köpf 2002).

/** The x of each vertex's centre; adjacent vertices are their half widths and mean gap apart. */
function across(graph, layers, half, gap, least_) {
  const place = placesIn(graph, layers);
  const conflicts = conflictsOf(graph, layers, place);
  const above = graph.rank.map(() => []);
  const below = graph.rank.map(() => []);
  for (const [a, b] of spine(graph)) {
    above[b].push(a);
    below[a].push(b);
  }
  for (const near of [...above, ...below]) near.sort((a, b) => place[a] - place[b]);
  const results = [];
  for (const upward of [false, true]) {
    const rows = upward ? [...layers].reverse() : layers;
    for (const right of [false, true]) {
      const root = aligned(rows, upward ? below : above, place, conflicts, right);
      results.push(compacted(layers, root, half, gap, least_, right));
    }
  }
  return averaged(results, half);
}

function placesIn(graph, layers) {
  const place = new Int32Array(graph.rank.length);
  for (const layer of layers) layer.forEach((vertex, index) => { place[vertex] = index; });
  return place;
}

function pairKey(a, b) {
  return a * 4294967296 + b;
}

/** The segments along which vertices may be aligned: none between a leaf and a chain that goes on. */
function spine(graph) {
  const size = graph.rank.length;
  const first = new Array(size).fill(true);
  const last = new Array(size).fill(true);
  for (const [a, b] of graph.segments) first[b] = last[a] = false;
  const fed = new Array(size).fill(false);
  const used = new Array(size).fill(false);
  for (const [a, b] of graph.segments) {
    if (!first[a]) fed[b] = true;
    if (!last[b]) used[a] = true;
  }
  return graph.segments.filter(([a, b]) => !(first[a] && fed[b]) && !(last[b] && used[a]));
}

/** The segments that cross a border or an inner segment of a long edge; those stay straight. */
function conflictsOf(graph, layers, place) {
  const byRank = layers.map(() => []);
  for (const [a, b] of graph.segments) byRank[graph.rank[a]].push([a, b]);
  const conflicts = new Set();
  for (const pairs of byRank) {
    pairs.sort((p, q) => place[p[0]] - place[q[0]] || place[p[1]] - place[q[1]]);
    const straight = pairs.filter(([a]) => graph.side.has(a)).map(([a, b]) => [place[a], place[b]]);
    for (const inner of [true, false]) {
      const starts = straight.map(([start]) => start);
      const ends = straight.map(([, end]) => end);
      let high = -1;
      for (const [a, b] of pairs) {
        if (graph.side.has(a) || (a >= graph.count && b >= graph.count) !== inner) continue;
        if (crosses(starts, ends, place[a], place[b]) || (inner && place[b] < high)) conflicts.add(pairKey(a, b));
        else if (inner) {
          straight.push([place[a], place[b]]);
          high = place[b];
        }
      }
      straight.sort((p, q) => p[0] - q[0] || p[1] - q[1]);
    }
  }
  return conflicts;
}

/** Whether a segment crosses one of the sorted, mutually non-crossing segments. */
function crosses(starts, ends, start, end) {
  const left = lowerBound(starts, start);
  if (left && ends[left - 1] > end) return true;
  const right = upperBound(starts, start);
  return right < ends.length && ends[right] < end;
}

/** The block of each vertex, identified by the block's first vertex. */
function aligned(rows, near, place, conflicts, right) {
  const root = Int32Array.from(place, (_, v) => v);
  const taken = new Uint8Array(place.length);
  for (const row of rows) {
    let reached = right ? place.length : -1;
    for (const vertex of right ? [...row].reverse() : row) {
      const around = near[vertex];
      if (!around.length) continue;
      const [low, high] = [(around.length - 1) >> 1, around.length >> 1];
      for (const median of right ? [high, low] : [low, high]) {
        const other = around[median];
        if (taken[other] || root[vertex] !== vertex) continue;
        if (conflicts.has(pairKey(other, vertex)) || conflicts.has(pairKey(vertex, other))) continue;
        if (right ? place[other] < reached : place[other] > reached) {
          reached = place[other];
          root[vertex] = root[other];
          taken[other] = 1;
        }
      }
    }
  }
  return root;
}

/** The x of each block: as far left (or right) as possible, then moved towards the next one. */
function compacted(layers, root, half, gap, least_, right) {
  const apart_ = new Map();
  const keepApart = (a, b, distance) => {
    const [p, q] = right ? [root[b], root[a]] : [root[a], root[b]];
    const key = pairKey(p, q);
    if (p !== q) apart_.set(key, Math.max(apart_.get(key) || 0, distance));
  };
  for (const layer of layers) {
    for (let k = 0; k + 1 < layer.length; k++) {
      const [a, b] = [layer[k], layer[k + 1]];
      keepApart(a, b, half[a] + half[b] + (gap[a] + gap[b]) / 2);
    }
  }
  for (const [a, b, distance] of least_) keepApart(a, b, distance);
  const after = new Map();
  for (const block of root) after.set(block, []);
  const waiting = new Int32Array(root.length);
  for (const [key, distance] of apart_) {
    const [a, b] = [Math.floor(key / 4294967296), key % 4294967296];
    after.get(a).push([b, distance]);
    waiting[b]++;
  }
  const x = new Float64Array(root.length);
  const order = [...after.keys()].filter((block) => !waiting[block]);
  for (let k = 0; k < order.length; k++) {
    for (const [b, distance] of after.get(order[k])) {
      x[b] = Math.max(x[b], x[order[k]] + distance);
      if (!--waiting[b]) order.push(b);
    }
  }
  for (const block of order.reverse()) {
    const next = after.get(block);
    if (next.length) x[block] = Math.max(x[block], least(next.map(([b, distance]) => x[b] - distance)));
  }
  return Float64Array.from(root, (block) => (right ? -x[block] : x[block]));
}

/** The mean of the two middle results for each vertex, after aligning all four with the narrowest one. */
function averaged(results, half) {
  if (!half.length) return [];
  const lefts = results.map((xs) => xs.reduce((low, x, k) => Math.min(low, x - half[k]), Infinity));
  const rights = results.map((xs) => xs.reduce((high, x, k) => Math.max(high, x + half[k]), -Infinity));
  let best = 0;
  for (let k = 1; k < 4; k++) if (rights[k] - lefts[k] < rights[best] - lefts[best]) best = k;
  const moved = results.map((xs, k) => {
    const shift = k % 2 ? rights[best] - rights[k] : lefts[best] - lefts[k];
    return xs.map((x) => x + shift);
  });
  return Array.from(half, (_, v) => {
    const four = moved.map((xs) => xs[v]).sort((a, b) => a - b);
    return (four[1] + four[2]) / 2;
  });
}
