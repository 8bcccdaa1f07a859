// The layered layout: boxes in layers, top to bottom, in nested frames, with the points of each edge.

const PAD = 14; // between a frame and its contents
const TITLE = 20; // height of a frame's title
const SLOT = 24; // the largest distance between the ends of edges at one box
const PASS_GAP = 18; // between adjacent long edges
const GAP = 30;
const RANK_GAP = 40;

/** Arranges boxes [{w, h, path, title widths}] with edges [[a, b]]: {positions, paths, frames, width, height}.
 *  `titles` maps a joined path to the least width of its frame; edges in `upward` point up. */
function layout(boxes, pairs, { titles = new Map(), upward = new Set(), weak = new Set() } = {}) {
  const parts = componentsOf(boxes, pairs).map(([vertices, numbers]) => {
    const local = new Map(vertices.map((vertex, place) => [vertex, place]));
    const inPart = (chosen) => new Set(numbers.map((n, place) => [n, place]).filter(([n]) => chosen.has(n)).map(([, place]) => place));
    const drawing = new Drawing(vertices.map((v) => boxes[v]), numbers.map((n) => pairs[n].map((v) => local.get(v))), titles, inPart(upward), inPart(weak));
    return { vertices, numbers, ...drawing.result() };
  });
  return packed(boxes.length, pairs.length, parts);
}

/** The layout of one connected component. */
class Drawing {
  constructor(boxes, pairs, titles, upward, weak) {
    this.boxes = boxes;
    this.pairs = pairs;
    const nesting = new Nesting();
    const group = boxes.map((box) => nesting.of(box.path));
    let down = pairs.map(([a, b], n) => (upward.has(n) ? [b, a] : [a, b]));
    const turned = acyclic(boxes.length, down);
    down = down.map(([a, b], n) => (turned[n] ? [b, a] : [a, b]));
    const rank = ranked(boxes.length, down, weak, leastLengths(nesting, group, down, weak));
    this.graph = layeredGraph(nesting, rank, pairs, group);
    this.layers = ordered(this.graph);
    const { half, gap } = this.widths();
    this.titles = new Map();
    const least_ = [];
    for (const [one, border] of this.graph.borders) {
      const wide = titles.get(nesting.path[one].join("/"));
      if (wide === undefined) continue;
      this.titles.set(one, wide);
      least_.push([...border.pairs.get(border.first), wide]);
    }
    const x = across(this.graph, this.layers, half, gap, least_);
    const left = Math.min(...half.map((h, v) => x[v] - h), Infinity);
    this.x = Array.from(x, (one) => one - left);
    this.width = this.x.reduce((wide, one, v) => Math.max(wide, one + half[v]), 0);
    this.above = this.nested("first");
    this.under = this.nested("last");
    this.bands();
  }

  widths() {
    const { count: n, rank, side } = this.graph;
    const half = rank.map((_, v) => (v < n ? this.boxes[v].w / 2 : 0));
    const gap = rank.map((_, v) => (side.has(v) ? PAD : v < n ? GAP : PASS_GAP));
    return { half, gap };
  }

  /** For each group, the depth of nested frames that start in its first layer, or end in its last. */
  nested(edge) {
    const { borders, nesting } = this.graph;
    const depth = new Map();
    const inner = [...borders.keys()].sort((a, b) => nesting.depth[b] - nesting.depth[a]);
    for (const group of inner) {
      depth.set(group, (depth.get(group) || 0) + 1);
      const outer = nesting.parent[group];
      if (outer && borders.get(outer)[edge] === borders.get(group)[edge]) depth.set(outer, Math.max(depth.get(outer) || 0, depth.get(group)));
    }
    return depth;
  }

  /** The top and bottom of each layer, with space for frames and for edges with wide jumps. */
  bands() {
    const { graph, layers } = this;
    const wide = new Float64Array(layers.length + 1);
    for (const [a, b] of graph.segments) wide[graph.rank[a]] = Math.max(wide[graph.rank[a]], Math.abs(this.x[a] - this.x[b]));
    const before = new Float64Array(layers.length + 1);
    const after = new Float64Array(layers.length + 1);
    for (const [group, { first, last }] of graph.borders) {
      before[first] = Math.max(before[first], this.above.get(group) * (PAD + TITLE));
      after[last] = Math.max(after[last], this.under.get(group) * PAD);
    }
    [this.top, this.bottom] = [[], []];
    let y = before[0];
    layers.forEach((layer, rank) => {
      const tall = layer.reduce((high, v) => (v < graph.count ? Math.max(high, this.boxes[v].h) : high), 0);
      this.top.push(y);
      this.bottom.push(y + tall);
      y += tall + RANK_GAP + Math.min(0.06 * wide[rank], 60) + after[rank] + before[rank + 1];
    });
    this.height = layers.length ? this.bottom[layers.length - 1] + after[layers.length - 1] : 0;
  }

  result() {
    const { graph } = this;
    this.y = graph.rank.map((rank) => (this.top[rank] + this.bottom[rank]) / 2);
    const slots = this.slots();
    return {
      positions: this.boxes.map((_, v) => [this.x[v], this.y[v]]),
      paths: this.pairs.map((_, n) => this.path(n, slots)),
      frames: this.frames(), width: this.width, height: this.height,
    };
  }

  /** The frame of each group, within its border vertices: [path, left, top, width, height]. */
  frames() {
    const { graph } = this;
    const { nesting } = graph;
    const sides = new Map();
    const widen = (group, left, right) => {
      const old = sides.get(group) || [left, right];
      sides.set(group, [Math.min(old[0], left), Math.max(old[1], right)]);
    };
    graph.group.forEach((group, v) => {
      if (!group || graph.side.has(v)) return;
      const half = v < graph.count ? this.boxes[v].w / 2 : 0;
      widen(group, this.x[v] - half, this.x[v] + half);
    });
    const found = [];
    for (const group of [...graph.borders.keys()].sort((a, b) => nesting.depth[b] - nesting.depth[a])) {
      const { pairs, first, last } = graph.borders.get(group);
      const leftmost = least([...pairs.values()].map(([v]) => this.x[v]));
      const rightmost = most_([...pairs.values()].map(([, v]) => this.x[v]));
      let [left, right] = sides.get(group);
      left = Math.max(left - PAD, leftmost);
      right = Math.min(right + PAD, rightmost);
      const wide = this.titles.get(group) || 0;
      right = Math.min(Math.max(right, left + wide), rightmost);
      left = Math.max(Math.min(left, right - wide), leftmost);
      const top = this.top[first] - this.above.get(group) * (PAD + TITLE);
      const bottom = this.bottom[last] + this.under.get(group) * PAD;
      found.push([nesting.path[group].join("/"), left, top, right - left, bottom - top]);
      if (nesting.parent[group]) widen(nesting.parent[group], left, right);
    }
    return found;
  }

  step([a, b]) {
    return this.graph.rank[b] > this.graph.rank[a] ? 1 : -1;
  }

  /** The x at which edges touch boxes; all edges that leave a side share one. */
  slots() {
    const sides = new Map();
    const side = (vertex, which) => {
      const key = `${vertex} ${which}`;
      if (!sides.has(key)) sides.set(key, { vertex, users: new Map() });
      return sides.get(key).users;
    };
    this.pairs.forEach(([a, b], n) => {
      const step = this.step([a, b]);
      const chain = this.graph.chains[n];
      const leaving = side(a, step);
      if (!leaving.has(-1)) leaving.set(-1, this.x[chain.length ? chain[0] : b]);
      side(b, -step).set(n, this.x[chain.length ? chain[chain.length - 1] : a]);
    });
    const slots = new Map();
    for (const [key, { vertex, users }] of sides) {
      const space = Math.min(SLOT, Math.max(this.boxes[vertex].w - 20, 4) / Math.max(users.size - 1, 1));
      const sorted = [...users].sort((p, q) => p[1] - q[1] || p[0] - q[0]);
      sorted.forEach(([n], place) => slots.set(`${key} ${n}`, this.x[vertex] + (place - (users.size - 1) / 2) * space));
    }
    return slots;
  }

  /** The points of an edge; those inside a vertical segment are left out. */
  path(n, slots) {
    const [a, b] = this.pairs[n];
    const { rank, chains } = this.graph;
    const step = this.step([a, b]);
    const [starts, ends] = step > 0 ? [this.top, this.bottom] : [this.bottom, this.top];
    const x = slots.get(`${a} ${step} -1`);
    const end = slots.get(`${b} ${-step} ${n}`);
    const points = [[x, this.y[a] + (step * this.boxes[a].h) / 2], [x, ends[rank[a]]]];
    for (const v of chains[n]) points.push([this.x[v], starts[rank[v]]], [this.x[v], ends[rank[v]]]);
    points.push([end, starts[rank[b]]], [end, this.y[b] - (step * this.boxes[b].h) / 2]);
    const found = [points[0]];
    for (let k = 1; k < points.length; k++) {
      const before = found[found.length - 1];
      const here = points[k];
      if (Math.hypot(here[0] - before[0], here[1] - before[1]) <= 1e-6) continue;
      if (found.length > 1 && before[0] === here[0] && found[found.length - 2][0] === here[0]) found.pop();
      found.push(here);
    }
    return found;
  }
}

/** The vertices and edges of each connected component; each outermost group is connected. */
function componentsOf(boxes, pairs) {
  const parent = boxes.map((_, v) => v);
  const root = (v) => {
    while (parent[v] !== v) {
      parent[v] = parent[parent[v]];
      v = parent[v];
    }
    return v;
  };
  const first = new Map();
  boxes.forEach((box, v) => {
    if (!box.path.length) return;
    if (!first.has(box.path[0])) first.set(box.path[0], v);
    parent[root(v)] = root(first.get(box.path[0]));
  });
  for (const [a, b] of pairs) parent[root(b)] = root(a);
  const found = new Map();
  boxes.forEach((_, v) => {
    if (!found.has(root(v))) found.set(root(v), [[], []]);
    found.get(root(v))[0].push(v);
  });
  pairs.forEach(([a], n) => found.get(root(a))[1].push(n));
  return [...found.values()];
}

/** The components in rows, with a total width of about 1.6 times the height. */
function packed(count_, edges_, parts) {
  const space = 48;
  const area = parts.reduce((sum, part) => sum + (part.width + space) * (part.height + space), 0);
  const widest = parts.length === 1 ? Infinity : Math.max(Math.sqrt(1.6 * area), ...parts.map((part) => part.width + space));
  const found = { positions: new Array(count_), paths: new Array(edges_), frames: [], width: 0, height: 0 };
  let [x, y, tall] = [0, 0, 0];
  for (const part of parts) {
    if (x && x + part.width > widest) [x, y, tall] = [0, y + tall + space, 0];
    part.vertices.forEach((v, k) => { found.positions[v] = [part.positions[k][0] + x, part.positions[k][1] + y]; });
    part.numbers.forEach((n, k) => { found.paths[n] = part.paths[k].map(([a, b]) => [a + x, b + y]); });
    for (const [path, left, top, w, h] of part.frames) found.frames.push([path, left + x, top + y, w, h]);
    tall = Math.max(tall, part.height);
    found.width = Math.max(found.width, x + part.width);
    found.height = Math.max(found.height, y + part.height);
    x += part.width + space;
  }
  return found;
}
