// The layered graph: boxes, dummy vertices of long edges and borders of groups, which have a layer each.

const MOST_PASSES = 40000; // dummy vertices; beyond this number the longest edges get none

/** {count, rank, group, segments, chains, borders, side, nesting} for boxes with these ranks. */
function layeredGraph(nesting, rank, pairs, group) {
  const graph = { nesting, count: rank.length, rank: [...rank], group: [...group], segments: [], chains: pairs.map(() => []), borders: new Map(), side: new Map() };
  const direct = directEdges(rank, pairs);
  const rows = rowsOf(graph);
  const trunks = new Map();
  pairs.forEach(([a, b], number) => {
    if (direct.has(number)) return;
    const key = `${a} ${rank[b] > rank[a] ? 1 : -1}`;
    if (!trunks.has(key)) trunks.set(key, []);
    trunks.get(key).push(number);
  });
  for (const [key, numbers] of trunks) {
    const [a, step] = key.split(" ").map(Number);
    const targets = numbers.map((n) => pairs[n][1]).sort((x, y) => step * (rank[x] - rank[y]));
    const passed = trunk_(graph, a, step, targets, rows);
    for (const n of numbers) graph.chains[n] = passed.slice(0, Math.abs(rank[pairs[n][1]] - rank[a]) - 1);
    const links = new Map();
    const link_ = (x, y) => links.set(x * 4294967296 + y, [x, y]);
    [a, ...passed].slice(0, -1).forEach((x, k) => link_(x, passed[k]));
    for (const n of numbers) link_(graph.chains[n].length ? graph.chains[n][graph.chains[n].length - 1] : a, pairs[n][1]);
    const sorted = [...links.values()].sort((p, q) => p[0] - q[0] || p[1] - q[1]);
    for (const [x, y] of sorted) graph.segments.push(step > 0 ? [x, y] : [y, x]);
  }
  addBorders(graph, rows);
  return graph;
}

/** Adds a vertex without size. */
function addVertex(graph, rank, group) {
  graph.rank.push(rank);
  graph.group.push(group);
  return graph.rank.length - 1;
}

/** The longest edges, which get no dummy vertices if the total number would be too large. */
function directEdges(rank, pairs) {
  const reach = new Map();
  for (const [a, b] of pairs) {
    const key = `${a} ${rank[b] > rank[a]}`;
    reach.set(key, Math.max(reach.get(key) || 0, Math.abs(rank[b] - rank[a])));
  }
  let limit = rank.length;
  const total = () => [...reach.values()].reduce((sum, one) => sum + Math.min(one, limit), 0);
  while (total() > Math.max(MOST_PASSES, 4 * rank.length)) limit = Math.floor(limit / 2);
  const found = new Set();
  pairs.forEach(([a, b], n) => (a === b || Math.abs(rank[b] - rank[a]) > limit) && found.add(n));
  return found;
}

/** Dummy vertices from `a` to the layer before the last target, each in the frames around all later targets. */
function trunk_(graph, a, step, targets, rows) {
  const { nesting, rank, group } = graph;
  const last = rank[targets[targets.length - 1]];
  let shared = group[targets[targets.length - 1]];
  const rest = [...targets];
  const around = [];
  for (let at_ = last - step; at_ !== rank[a]; at_ -= step) {
    while (rest.length && step * rank[rest[rest.length - 1]] > step * at_) shared = nesting.common(shared, group[rest.pop()]);
    around.push(within(nesting, group[a], shared, [rank[a], at_, last], rows));
  }
  around.reverse();
  return around.map((inside, k) => addVertex(graph, rank[a] + step * (k + 1), inside));
}

/** The group of a dummy vertex on an edge between two groups: it enters a frame as late as possible. */
function within(nesting, source, target, [start, rank, end], rows) {
  const both = nesting.common(source, target);
  const reached = [[source, end], [target, start]].map(([group, other]) => {
    let inside = both;
    for (const one of nesting.around(group).slice(nesting.depth[both])) {
      const [first, last] = rows.get(one);
      if (!(first <= rank && rank <= last) || (first <= other && other <= last)) break;
      inside = one;
    }
    return inside;
  });
  const [left, entered] = reached;
  if (left !== both && entered !== both) return both;
  return nesting.depth[entered] > nesting.depth[left] ? entered : left;
}

/** The first and last rank of each group's boxes. */
function rowsOf(graph) {
  const rows = new Map();
  for (let v = 0; v < graph.count; v++) {
    const rank = graph.rank[v];
    for (const group of graph.nesting.around(graph.group[v])) {
      const [first, last] = rows.get(group) || [rank, rank];
      rows.set(group, [Math.min(first, rank), Math.max(last, rank)]);
    }
  }
  return rows;
}

/** A left and a right border vertex for each group in every layer that it spans. */
function addBorders(graph, rows) {
  const byPath = [...rows.keys()].sort((a, b) => comparePaths(graph.nesting.path[a], graph.nesting.path[b]));
  for (const group of byPath) {
    const [first, last] = rows.get(group);
    const pairs = new Map();
    for (let rank = first; rank <= last; rank++) {
      const pair = [addVertex(graph, rank, group), addVertex(graph, rank, group)];
      graph.side.set(pair[0], -1);
      graph.side.set(pair[1], 1);
      if (rank > first) pairs.get(rank - 1).forEach((above, k) => graph.segments.push([above, pair[k]]));
      pairs.set(rank, pair);
    }
    graph.borders.set(group, { pairs, first, last });
  }
}

function comparePaths(a, b) {
  for (let k = 0; k < Math.min(a.length, b.length); k++) if (a[k] !== b[k]) return a[k] < b[k] ? -1 : 1;
  return a.length - b.length;
}
