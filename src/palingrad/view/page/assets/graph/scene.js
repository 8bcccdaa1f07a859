// The scene: the cards and frames that are visible, where they stand, and the lines between them.
//
// A closed box is one card. Whenever boxes open or close, the layout of the visible cards is done anew.

const HEIGHT = 46;
const frames = new Map(); // open box → its rectangle

let scene = null; // {boxes, boxOf, ofGroup, lines, grid, width, height, fade, closed}
const CELL = 400;

/** The outermost closed box that contains a node, or null. */
function collapsedScope(place) {
  const scope = nodes[place].s;
  if (!scope || !state.collapsed.size) return null;
  let path = "";
  for (const part of scope) {
    path = path ? `${path}/${part}` : part;
    if (state.collapsed.has(path)) return path;
  }
  return null;
}

/** Builds the visible cards and lines, and lays them out. */
function arrange() {
  const boxes = [];
  const boxOf = new Array(nodes.length);
  const ofGroup = new Map();
  nodes.forEach((node, place) => {
    const path = collapsedScope(place);
    if (path === null) {
      boxOf[place] = boxes.length;
      boxes.push({ node: place, group: null, w: node.w, h: node.h || HEIGHT, path: node.s || [], role: node.r, leaf: !ins[place].length });
      return;
    }
    if (!ofGroup.has(path)) {
      ofGroup.set(path, boxes.length);
      boxes.push({ node: null, group: path, w: groupWidth(path), h: GROUP_HEIGHT, path: path.split("/").slice(0, -1), role: groupRole(path), leaf: false });
    }
    boxOf[place] = ofGroup.get(path);
  });
  const bodies = openBodies(boxes, boxOf);
  const lines = [...linesBetween(boxes, boxOf), ...bodies];
  const drawn = placed(boxes, lines);
  frames.clear();
  for (const [path, left, top, width, height] of drawn.frames) frames.set(path, { left, top, right: left + width, bottom: top + height });
  boxes.forEach((box, k) => {
    [box.x, box.y] = drawn.positions[k];
    if (box.node !== null) nodes[box.node].p = drawn.positions[k];
  });
  lines.forEach((line, k) => {
    line.points = drawn.paths[k].flat();
    bounded(line);
    if (line.edges.length === 1) edges[line.edges[0]].q = line.points;
  });
  scene = { boxes, boxOf, lines, ofGroup, grid: gridded(boxes, lines), width: drawn.width, height: drawn.height, fade: 1, closed: state.collapsed };
}

/** One line for each edge between nodes, and one for all edges between two boxes of which one is closed. */
function linesBetween(boxes, boxOf) {
  const lines = [];
  const merged = new Map();
  edges.forEach((edge, number) => {
    const [from, to] = [boxOf[edge.a], boxOf[edge.b]];
    if (from === to || (isOpened(edge.b) && boxes[to].group === null)) return;
    if (boxes[from].group === null && boxes[to].group === null) {
      lines.push({ edges: [number], from, to });
      return;
    }
    const key = from * nodes.length + to;
    if (!merged.has(key)) {
      merged.set(key, { edges: [], from, to });
      lines.push(merged.get(key));
    }
    merged.get(key).edges.push(number);
  });
  return betweenPhases(boxes, boxOf, lines);
}

/** A closed phase has one line from each other phase: from its result if that is visible, else from its last card. */
function betweenPhases(boxes, boxOf, lines) {
  const isPhase = (k) => boxes[k].group !== null && boxKind(boxes[k].group) === "phase";
  const kept = new Map();
  const rank = (line) => (result !== null && line.from === boxOf[result] ? Infinity : isPhase(line.to) ? line.from : -line.to);
  for (const line of lines) {
    if (!isPhase(line.to) && !isPhase(line.from)) continue;
    const key = isPhase(line.to) ? `${boxes[line.from].role} to ${line.to}` : `${line.from} to ${boxes[line.to].role}`;
    const best = kept.get(key);
    if (!best || rank(line) > rank(best)) kept.set(key, line);
  }
  const updates = [...kept.values()].filter((line) => boxes[line.to].role === "update");
  if (updates.some((line) => boxes[line.from].role === "backward")) { // what the step reads of the forward pass is in the panel
    for (const [key, line] of kept) if (boxes[line.to].role === "update" && boxes[line.from].role === "forward") kept.delete(key);
  }
  const chosen = new Set(kept.values());
  return lines.filter((line) => (!isPhase(line.to) && !isPhase(line.from)) || chosen.has(line));
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

/** The element at a point of the graph: {node}, {group}, {edge} or null; `opens` at the mark that opens or closes
 *  a box. */
function hit(x, y, slack) {
  const near = visible(x - slack, x + slack, y - slack, y + slack);
  for (const k of near.boxes) {
    const box = scene.boxes[k];
    if (Math.abs(x - box.x) <= box.w / 2 && Math.abs(y - box.y) <= box.h / 2) {
      if (box.inner) return { inner: box.inner };
      if (loopAt.has(box.node) && x > box.x + box.w / 2 - 24 && y < box.y) return { group: loopAt.get(box.node).path, opens: true };
      if (box.group === null) return { node: box.node };
      return x > box.x + box.w / 2 - 28 ? { group: box.group, opens: true } : { group: box.group };
    }
  }
  let best = null;
  let least = slack;
  for (const k of near.lines) {
    if (scene.lines[k].body) continue;
    const d = distance(bent(scene.lines[k]), x, y);
    if (d < least) {
      least = d;
      best = scene.lines[k];
    }
  }
  return best ? { edge: best.edges[0] } : titleAt(x, y);
}

/** The innermost frame whose title is at a point. */
function titleAt(x, y) {
  let found = null;
  for (const [path, frame] of frames) {
    if (x < frame.left || x > frame.right || y < frame.top || y > frame.top + 24) continue;
    if (found && found.group.length > path.length) continue;
    found = x < frame.left + 26 ? { group: path, opens: true } : x < frame.left + 40 + 8 * boxTitle(path).length ? { group: path } : found;
  }
  return found;
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
