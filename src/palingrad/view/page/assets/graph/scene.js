// The scene: positions of node cards, boxes of collapsed scopes, and the lines between them.
//
// Positions never change: a collapsed scope is drawn at the centre of its members.

const HEIGHT = 46;
const frames = new Map(); // scope → the rectangle that the layout reserved for its members
for (const path of groups.keys()) {
  const [left, top, width, height] = (data.frames || {})[path] || around(groups.get(path));
  frames.set(path, { left, top, right: left + width, bottom: top + height });
}

/** The rectangle around some nodes: [left, top, width, height]. */
function around(members) {
  const xs = members.flatMap((place) => [nodes[place].p[0] - nodes[place].w / 2, nodes[place].p[0] + nodes[place].w / 2]);
  const ys = members.flatMap((place) => [nodes[place].p[1] - nodes[place].h / 2, nodes[place].p[1] + nodes[place].h / 2]);
  const [left, top] = [Math.min(...xs) - 12, Math.min(...ys) - 24];
  return [left, top, Math.max(...xs) + 12 - left, Math.max(...ys) + 12 - top];
}

let scene = null; // {boxes, lines, grid}
const CELL = 400;

/** The outermost collapsed scope that contains a node, or null. */
function collapsedScope(place) {
  const scope = nodes[place].s;
  if (!scope || !state.collapsed.size) return null;
  for (let depth = 1; depth <= scope.length; depth++) {
    const path = scope.slice(0, depth).join("/");
    if (state.collapsed.has(path)) return path;
  }
  return null;
}

/** Builds the boxes and lines for the currently collapsed scopes. */
function arrange() {
  const boxes = [];
  const boxOf = new Array(nodes.length);
  const ofGroup = new Map();
  nodes.forEach((node, place) => {
    const path = collapsedScope(place);
    if (path === null) {
      boxOf[place] = boxes.length;
      boxes.push({ node: place, group: null, x: node.p[0], y: node.p[1], w: node.w, h: node.h });
      return;
    }
    if (!ofGroup.has(path)) {
      const frame = frames.get(path);
      const name = path.split("/").pop();
      ofGroup.set(path, boxes.length);
      const w = Math.max(130, 40 + 8 * name.length);
      boxes.push({ node: null, group: path, x: (frame.left + frame.right) / 2, y: (frame.top + frame.bottom) / 2, w, h: 58 });
    }
    boxOf[place] = ofGroup.get(path);
  });
  const lines = [];
  const merged = new Map();
  edges.forEach((edge, number) => {
    const [from, to] = [boxOf[edge.a], boxOf[edge.b]];
    if (from === to && boxes[from].group !== null) return;
    if (boxes[from].group === null && boxes[to].group === null) {
      lines.push(bounded({ edges: [number], from, to, points: edge.q }));
      return;
    }
    const key = `${from} ${to}`;
    if (merged.has(key)) {
      merged.get(key).edges.push(number);
      return;
    }
    const [a, b] = [boxes[from], boxes[to]];
    const down = b.y >= a.y;
    const line = bounded({ edges: [number], from, to, points: [a.x, a.y + (down ? a.h : -a.h) / 2, b.x, b.y - (down ? b.h : -b.h) / 2] });
    merged.set(key, line);
    lines.push(line);
  });
  scene = { boxes, boxOf, lines, ofGroup, grid: gridded(boxes, lines) };
}

function bounded(line) {
  const xs = line.points.filter((_, k) => k % 2 === 0);
  const ys = line.points.filter((_, k) => k % 2);
  return Object.assign(line, { left: Math.min(...xs), right: Math.max(...xs), top: Math.min(...ys), bottom: Math.max(...ys) });
}

/** A spatial index: the elements in each cell of a coarse grid, for drawing and hit tests. Lines that
 *  cross many cells are in a separate list and tested one by one. */
function gridded(boxes, lines) {
  const cells = new Map();
  const long = [];
  const put = (kind, index, left, right, top, bottom) => {
    if (((right - left) / CELL + 1) * ((bottom - top) / CELL + 1) > 24) {
      long.push(index);
      return;
    }
    for (let i = Math.floor(left / CELL); i <= Math.floor(right / CELL); i++)
      for (let j = Math.floor(top / CELL); j <= Math.floor(bottom / CELL); j++) {
        const key = i * 65536 + j;
        if (!cells.has(key)) cells.set(key, { boxes: [], lines: [] });
        cells.get(key)[kind].push(index);
      }
  };
  boxes.forEach((b, index) => put("boxes", index, b.x - b.w / 2, b.x + b.w / 2, b.y - b.h / 2, b.y + b.h / 2));
  lines.forEach((l, index) => put("lines", index, l.left, l.right, l.top, l.bottom));
  return { cells, long };
}

/** The boxes and lines in a rectangle, each once. */
function visible(left, right, top, bottom) {
  const [i0, i1] = [Math.floor(left / CELL), Math.floor(right / CELL)];
  const [j0, j1] = [Math.floor(top / CELL), Math.floor(bottom / CELL)];
  if ((i1 - i0 + 1) * (j1 - j0 + 1) > scene.grid.cells.size * 2) {
    return { boxes: scene.boxes.map((_, k) => k), lines: scene.lines.map((_, k) => k) };
  }
  const boxes = new Set();
  const lines = new Set();
  for (let i = i0; i <= i1; i++)
    for (let j = j0; j <= j1; j++) {
      const cell = scene.grid.cells.get(i * 65536 + j);
      if (!cell) continue;
      for (const k of cell.boxes) boxes.add(k);
      for (const k of cell.lines) lines.add(k);
    }
  for (const k of scene.grid.long) {
    const line = scene.lines[k];
    if (line.left <= right && line.right >= left && line.top <= bottom && line.bottom >= top) lines.add(k);
  }
  return { boxes: [...boxes], lines: [...lines] };
}

/** The element at a point of the graph: {node}, {group}, {edge} or null. */
function hit(x, y, slack) {
  const near = visible(x - slack, x + slack, y - slack, y + slack);
  for (const k of near.boxes) {
    const box = scene.boxes[k];
    if (Math.abs(x - box.x) <= box.w / 2 && Math.abs(y - box.y) <= box.h / 2) {
      return box.group === null ? { node: box.node } : { group: box.group };
    }
  }
  let best = null;
  let least = slack;
  for (const k of near.lines) {
    const d = distance(bent(scene.lines[k]), x, y);
    if (d < least) {
      least = d;
      best = scene.lines[k];
    }
  }
  return best ? { edge: best.edges[0] } : null;
}

/** A line as short straight segments; it is curved between points that aren't vertically aligned. */
function bent(line) {
  if (line.bent) return line.bent;
  const p = line.points;
  const found = [p[0], p[1]];
  for (let k = 0; k + 3 < p.length; k += 2) {
    const [ax, ay, bx, by] = [p[k], p[k + 1], p[k + 2], p[k + 3]];
    const pieces = Math.abs(ax - bx) < 0.5 ? 1 : 12;
    for (let n = 1; n <= pieces; n++) {
      const t = n / pieces;
      const s = 3 * t * t - 2 * t * t * t; // the cubic Bézier curve with control points halfway, above and below
      const y = pieces === 1 ? by : ay + (by - ay) * (1.5 * t * (1 - t) * (1 - t) + 1.5 * t * t * (1 - t) + t * t * t);
      found.push(ax + (bx - ax) * s, y);
    }
  }
  line.bent = found;
  return found;
}

/** The distance of a point from a polyline. */
function distance(points, x, y) {
  let least = Infinity;
  for (let k = 0; k + 3 < points.length; k += 2) {
    const [ax, ay, bx, by] = points.slice(k, k + 4);
    const length = (bx - ax) ** 2 + (by - ay) ** 2;
    const t = length ? Math.max(0, Math.min(1, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length)) : 0;
    least = Math.min(least, Math.hypot(x - ax - t * (bx - ax), y - ay - t * (by - ay)));
  }
  return least;
}

/** The point at the fraction `t` of a line's length. */
function along(points, t) {
  let total = 0;
  for (let k = 0; k + 3 < points.length; k += 2) total += Math.hypot(points[k + 2] - points[k], points[k + 3] - points[k + 1]);
  let left = t * total;
  for (let k = 0; k + 3 < points.length; k += 2) {
    const part = Math.hypot(points[k + 2] - points[k], points[k + 3] - points[k + 1]);
    if (left <= part || k + 5 >= points.length) {
      const share = part ? Math.min(1, left / part) : 0;
      return [points[k] + share * (points[k + 2] - points[k]), points[k + 1] + share * (points[k + 3] - points[k + 1])];
    }
    left -= part;
  }
  return [points[0], points[1]];
}

/** The box that currently shows a node. */
function boxFor(place) {
  return scene.boxes[scene.boxOf[place]];
}
