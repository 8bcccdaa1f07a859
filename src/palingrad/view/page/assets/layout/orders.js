// Orders: sorts the vertices of each layer from left to right to reduce crossings (Sugiyama, Tagawa & Toda
// 1981; Gansner et al. 1993). A group is contiguous in every layer, with the same order in all layers.

const SMALL_LAYERS = 600; // the largest number of vertices for which adjacent vertices are swapped

/** Each layer from left to right. */
function ordered(graph) {
  return new Orders(graph).best;
}

class Orders {
  constructor(graph) {
    this.graph = graph;
    const size = graph.rank.length;
    this.above = Array.from({ length: size }, () => []);
    this.below = Array.from({ length: size }, () => []);
    for (const [a, b] of graph.segments) {
      this.above[b].push(a);
      this.below[a].push(b);
    }
    this.around = graph.group.map((group) => graph.nesting.around(group));
    this.number = new Map([...graph.borders.keys()].map((group, place) => [group, place + size]));
    this.place = new Float64Array(size);
    this.layers = Array.from({ length: graph.rank.reduce((a, b) => Math.max(a, b), -1) + 1 }, () => []);
    graph.rank.forEach((rank, vertex) => this.layers[rank].push(vertex));
    this.orderGroups(true);
    for (const layer of this.layers) this.sort(layer, (vertex) => vertex);
    this.keep();
    this.improve();
  }

  keep() {
    this.best = this.layers.map((layer) => [...layer]);
  }

  improve() {
    let fewest = this.crossings();
    const size = this.graph.rank.length;
    const rounds = size <= SMALL_LAYERS ? 24 : size < 8000 ? 10 : 5;
    let worse = 0;
    for (let round = 0; round < rounds && fewest && worse <= 3; round++) {
      this.sweep(this.layers.slice(1), this.above);
      this.sweep(this.layers.slice(0, -1).reverse(), this.below);
      this.orderGroups(false);
      for (const layer of this.layers) this.sort(layer, (vertex) => this.place[vertex]);
      if (size <= SMALL_LAYERS) this.swap();
      const now = this.crossings();
      worse++;
      if (now < fewest) {
        [fewest, worse] = [now, 0];
        this.keep();
      }
    }
  }

  /** The position of each group among its siblings, the same for all layers. */
  orderGroups(start) {
    const total = new Map();
    const count_ = new Map();
    for (let v = 0; v < this.graph.count; v++) {
      for (const group of this.around[v]) {
        total.set(group, (total.get(group) || 0) + (start ? v : this.place[v]));
        count_.set(group, (count_.get(group) || 0) + 1);
      }
    }
    this.centre = new Map([...total].map(([group, sum]) => [group, sum / count_.get(group)]));
  }

  /** Sorts a layer by groups, then by `where`; borders are first or last in a group. */
  sort(layer, where) {
    const keys = new Map();
    for (const v of layer) {
      const side = this.graph.side.get(v) || 0;
      const key = [];
      for (const group of this.around[v]) key.push(this.centre.get(group), this.number.get(group));
      key.push(side ? side * 1e12 : where(v), v);
      keys.set(v, key);
    }
    layer.sort((a, b) => {
      const [p, q] = [keys.get(a), keys.get(b)];
      for (let k = 0; k < Math.min(p.length, q.length); k++) if (p[k] !== q[k]) return p[k] - q[k];
      return p.length - q.length;
    });
    const middle = (layer.length - 1) / 2;
    layer.forEach((v, index) => { this.place[v] = index - middle; });
  }

  sweep(layers, near) {
    for (const layer of layers) {
      const centre = new Map(layer.map((v) => [v, near[v].length ? near[v].reduce((sum, one) => sum + this.place[one], 0) / near[v].length : this.place[v]]));
      this.sort(layer, (v) => centre.get(v));
    }
  }

  /** Swaps adjacent vertices of the same group if that saves crossings. */
  swap() {
    const { group, side } = this.graph;
    for (let round = 0; round < 4; round++) {
      let better = false;
      for (const layer of this.layers) {
        for (let k = 0; k + 1 < layer.length; k++) {
          const [a, b] = [layer[k], layer[k + 1]];
          if (group[a] !== group[b] || side.has(a) || side.has(b) || this.gain(a, b) <= 0) continue;
          [layer[k], layer[k + 1]] = [b, a];
          [this.place[a], this.place[b]] = [this.place[b], this.place[a]];
          better = true;
        }
      }
      if (!better) return;
    }
  }

  /** The number of crossings saved by placing b before a. */
  gain(a, b) {
    let found = 0;
    for (const near of [this.above, this.below])
      for (const x of near[a]) for (const y of near[b]) found += Math.sign(this.place[x] - this.place[y]);
    return found;
  }

  /** The number of pairs of segments that cross. */
  crossings() {
    let total = 0;
    for (const layer of this.layers) {
      const seen = [];
      for (const a of layer) {
        for (const end of this.below[a].map((b) => this.place[b]).sort((x, y) => x - y)) {
          const where = upperBound(seen, end);
          total += seen.length - where;
          seen.splice(where, 0, end);
        }
      }
    }
    return total;
  }
}

/** The number of elements ≤ x of a sorted list; `lowerBound` of those < x. */
function upperBound(list, x) {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle] <= x) low = middle + 1;
    else high = middle;
  }
  return low;
}

function lowerBound(list, x) {
  let [low, high] = [0, list.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (list[middle] < x) low = middle + 1;
    else high = middle;
  }
  return low;
}
