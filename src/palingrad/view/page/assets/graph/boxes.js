// Boxes: phases, scopes, repetitions and parts, by their paths; what their cards say.

const GROUP_HEIGHT = 58;
const SHARED = 2; // uses in an optimizer's step above which a node counts as shared by all Variables
const USES = 8; // uses above which a leaf of a large graph counts as frequently used
const LARGE = 1500; // visible cards from which on the layout ignores edges of such leaves
const CROWDED = 60; // visible cards from which on the layout of the step ignores edges of shared nodes
const BETWEEN = 120; // between the passes and the optimizer's step

/** The title of a box, its kind, and how often its content repeats. */
function boxTitle(path) {
  return data.boxes[path]?.t ?? path.split("/").pop();
}

function boxKind(path) {
  return data.boxes[path]?.k ?? "scope";
}

const known_ = new Map();

/** What a box contains: {nodes, variables, numbers, role, result}. */
function contents(path) {
  if (!known_.has(path)) {
    const found = { nodes: 0, variables: 0, numbers: 0, roles: new Set(), result: false };
    for (const place of groups.get(path)) {
      const node = nodes[place];
      found.nodes++;
      found.roles.add(node.r);
      if (place === result) found.result = true;
      if (!node.tr || node.r !== "forward") continue;
      found.variables++;
      found.numbers += sizeOf(place) || 0;
    }
    found.role = found.roles.size === 1 ? [...found.roles][0] : "forward";
    known_.set(path, found);
  }
  return known_.get(path);
}

function groupRole(path) {
  return contents(path).role;
}

/** The second line of a closed box's card. */
function boxFacts(path) {
  const { nodes: n, variables, numbers } = contents(path);
  const plural = (count_, word) => `${counted(count_)} ${word}${count_ === 1 ? "" : "s"}`;
  if (boxKind(path) === "leaves") return variables ? plural(numbers, "number") : plural(n, "node");
  return variables ? `${plural(n, "node")}, ${plural(variables, "Variable")}` : plural(n, "node");
}

function groupWidth(path) {
  return Math.min(280, Math.max(130, 54 + 9.8 * boxTitle(path).length, 50 + 8.2 * boxFacts(path).length));
}

/** The layout of the visible cards: the passes, and beside them the optimizer's step. */
function placed(boxes, lines) {
  const uses = new Map();
  for (const line of lines) uses.set(line.from, (uses.get(line.from) || 0) + 1);
  const seen = new Set();
  const first = (from) => !seen.has(from) && Boolean(seen.add(from));
  const several = boxes.filter((box) => box.role === "update").length > 1; // a closed step is a card like others
  const crowded = boxes.length > CROWDED;
  const update = (k) => several && boxes[k].role === "update";
  const far = (line) => {
    if (update(line.from) !== update(line.to)) return true;
    if (!update(line.from)) return boxes.length >= LARGE && boxes[line.from].leaf && uses.get(line.from) > USES && !first(line.from);
    return (boxes[line.to].node !== null && Boolean(nodes[boxes[line.to].node].parts)) || (crowded && uses.get(line.from) > SHARED && !first(line.from));
  };
  const apart_ = lines.map(far);
  const found = { positions: new Array(boxes.length), paths: new Array(lines.length), frames: [], width: 0, height: 0 };
  for (const step of [false, true]) {
    const chosen = boxes.map((_, k) => k).filter((k) => update(k) === step);
    if (!chosen.length) continue;
    const local = new Map(chosen.map((k, place) => [k, place]));
    const near = lines.map((_, n) => n).filter((n) => !apart_[n] && update(lines[n].from) === step);
    const roles = (test) => new Set(near.map((n, place) => [boxes[lines[n].from].role, boxes[lines[n].to].role, place]).filter(([a, b]) => test(a, b)).map(([, , place]) => place));
    const part = layout(chosen.map((k) => boxes[k]), near.map((n) => [local.get(lines[n].from), local.get(lines[n].to)]), {
      titles: titleWidths(boxes), upward: roles((a, b) => a === "backward" && b === "backward"), weak: roles((a, b) => a !== b),
    });
    const beside = found.width < 2 * found.height;
    const [right, down] = !found.width ? [0, 0] : beside ? [found.width + BETWEEN, 0] : [0, found.height + BETWEEN];
    chosen.forEach((k, place) => { found.positions[k] = [part.positions[place][0] + right, part.positions[place][1] + down]; });
    near.forEach((n, place) => { found.paths[n] = part.paths[place].map(([x, y]) => [x + right, y + down]); });
    for (const [path, x, y, w, h] of part.frames) found.frames.push([path, x + right, y + down, w, h]);
    Object.assign(found, { width: Math.max(found.width, part.width + right), height: Math.max(found.height, part.height + down) });
  }
  lines.forEach((line, n) => { found.paths[n] ||= straight(boxes, found.positions, line); });
  return found;
}

/** The least widths of the visible frames, so that their titles fit. */
function titleWidths(boxes) {
  const found = new Map();
  for (const box of boxes) {
    let path = "";
    for (const part_ of box.path) {
      path = path ? `${path}/${part_}` : part_;
      if (!found.has(path)) found.set(path, 34 + 7 * boxTitle(path).length);
    }
  }
  return found;
}

function straight(boxes, positions, { from, to }) {
  const [[ax, ay], [bx, by]] = [positions[from], positions[to]];
  const down = by >= ay ? 1 : -1;
  return [[ax, ay + (down * boxes[from].h) / 2], [bx, by - (down * boxes[to].h) / 2]];
}
