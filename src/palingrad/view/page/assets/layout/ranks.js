// Layers: the rank of each vertex; every edge leads to a later layer, and edges are short.
//
// The layout in this folder is that of view/drawing/layout, step by step, so that a graph looks alike in a
// drawing and on the page; a test compares the two.

/** Nested groups as numbers: 0 is outside all groups; `of` gives the number of a path of names. */
class Nesting {
  constructor() {
    this.parent = [-1];
    this.depth = [0];
    this.path = [[]];
    this.known = new Map();
  }

  of(path) {
    let group = 0;
    for (const name of path) {
      const key = `${group}/${name}`;
      if (!this.known.has(key)) {
        this.known.set(key, this.parent.length);
        this.parent.push(group);
        this.depth.push(this.depth[group] + 1);
        this.path.push([...this.path[group], name]);
      }
      group = this.known.get(key);
    }
    return group;
  }

  /** The innermost group that contains both. */
  common(a, b) {
    while (this.depth[a] > this.depth[b]) a = this.parent[a];
    while (this.depth[b] > this.depth[a]) b = this.parent[b];
    while (a !== b) [a, b] = [this.parent[a], this.parent[b]];
    return a;
  }

  /** The group itself and those around it, outermost first, without 0. */
  around(group) {
    const found = [];
    for (; group > 0; group = this.parent[group]) found.push(group);
    return found.reverse();
  }
}

/** Whether to reverse each edge to make the graph acyclic: the back edges of a depth-first search. */
function acyclic(count, pairs) {
  const after = Array.from({ length: count }, () => []);
  pairs.forEach(([a, b], number) => after[a].push([b, number]));
  const turned = pairs.map(() => false);
  const visited = new Uint8Array(count); // 0 new, 1 on the path, 2 done
  for (let start = 0; start < count; start++) {
    if (visited[start]) continue;
    visited[start] = 1;
    const stack = [[start, 0]];
    while (stack.length) {
      const top = stack[stack.length - 1];
      const [vertex, from] = top;
      if (from >= after[vertex].length) {
        visited[vertex] = 2;
        stack.pop();
        continue;
      }
      top[1]++;
      const [b, number] = after[vertex][from];
      if (visited[b] === 1) turned[number] = true;
      else if (!visited[b]) {
        visited[b] = 1;
        stack.push([b, 0]);
      }
    }
  }
  return turned;
}

/** The least length of each edge, 1 or 2: 2 where a leaf or a result of a group needs the layer between. */
function leastLengths(nesting, group, pairs, weak) {
  const fed = group.map(() => false);
  const used = group.map(() => false);
  for (const [a, b] of pairs) fed[b] = used[a] = true;
  const above = group.map(() => 0);
  const below = group.map(() => 0);
  const depth = pairs.map(([a, b]) => nesting.depth[nesting.common(group[a], group[b])]);
  pairs.forEach(([a, b], n) => {
    if (!fed[a]) above[b] = Math.max(above[b], depth[n]);
    if (!used[b]) below[a] = Math.max(below[a], depth[n]);
  });
  return pairs.map(([a, b], n) => (!weak.has(n) && ((fed[a] && above[b] > depth[n]) || (used[b] && below[a] > depth[n])) ? 2 : 1));
}

/** The rank of each vertex of an acyclic graph; `weak` edges don't count in the total length. */
function ranked(count, pairs, weak, lengths) {
  const before = Array.from({ length: count }, () => []);
  const after = Array.from({ length: count }, () => []);
  const waiting = new Int32Array(count);
  const pull = new Int32Array(count); // outgoing minus incoming edges
  const strong = new Set();
  pairs.forEach(([a, b], n) => {
    if (a === b) return;
    before[b].push([a, lengths[n]]);
    after[a].push([b, lengths[n]]);
    waiting[b]++;
    if (weak.has(n)) return;
    pull[a]++;
    pull[b]--;
    strong.add(a);
  });
  const rank = new Array(count).fill(0);
  const order = [];
  for (let v = 0; v < count; v++) if (!waiting[v]) order.push(v);
  for (let k = 0; k < order.length; k++) {
    for (const [b, length] of after[order[k]]) {
      rank[b] = Math.max(rank[b], rank[order[k]] + length);
      if (!--waiting[b]) order.push(b);
    }
  }
  for (let round = 0; round < 2; round++) {
    for (const v of [...order].reverse()) {
      if (strong.has(v) && pull[v] >= 0) rank[v] = least(after[v].map(([b, length]) => rank[b] - length));
    }
    for (const v of order) {
      if (before[v].length && pull[v] < 0) rank[v] = most_(before[v].map(([a, length]) => rank[a] + length));
    }
  }
  const lowest = count ? least(rank) : 0;
  return rank.map((one) => one - lowest);
}

function least(numbers) {
  return numbers.reduce((a, b) => Math.min(a, b), Infinity);
}

function most_(numbers) {
  return numbers.reduce((a, b) => Math.max(a, b), -Infinity);
}
