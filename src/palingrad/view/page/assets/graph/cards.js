// Closed boxes as cards, open ones as frames: how they are drawn, and how they move.

/** The frames of open boxes, with their titles and the mark that closes them. */
function paintFrames(g) {
  for (const [path, frame] of frames) {
    const phase = boxKind(path) === "phase";
    g.beginPath();
    g.roundRect(frame.left, frame.top, frame.right - frame.left, frame.bottom - frame.top, 12);
    if (phase) {
      g.fillStyle = ink[`${groupRole(path)}-wash`];
      g.globalAlpha = 0.28 * scene.fade;
      g.fill();
    }
    g.strokeStyle = state.group === path ? ink.chosen : phase ? ink[groupRole(path)] : ink["strong-line"];
    g.globalAlpha = 0.75 * scene.fade;
    if (!phase) g.setLineDash([1, 4]);
    g.lineCap = "round";
    g.lineWidth = 1.6;
    g.stroke();
    g.setLineDash([]);
    g.globalAlpha = scene.fade;
    const size = type(11);
    if (size > 24) continue;
    const space = frame.right - frame.left - 40;
    g.fillStyle = phase ? ink[groupRole(path)] : ink.soft;
    g.font = `600 ${size}px ${ink.sans}`;
    g.textAlign = "left";
    g.textBaseline = "alphabetic";
    mark(g, frame.left + 15, frame.top + 12, false);
    g.fillText(fitted(g, boxTitle(path), space), frame.left + 26, frame.top + Math.max(16, 0.9 * size + 3));
    g.globalAlpha = 1;
  }
  g.globalAlpha = 1;
}

/** A plus for a closed box, a minus for an open one. */
function mark(g, x, y, closed) {
  g.strokeStyle = ink.soft;
  g.lineWidth = Math.max(1.6, 1 / camera.scale);
  g.beginPath();
  g.moveTo(x - 5, y);
  g.lineTo(x + 5, y);
  if (closed) {
    g.moveTo(x, y - 5);
    g.lineTo(x, y + 5);
  }
  g.stroke();
}

/** A closed box: its title, what it contains, and a second edge behind it that says that there is more. */
function paintGroup(g, box, detail, fill) {
  const [left, top] = [box.x - box.w / 2, box.y - box.h / 2];
  const role = groupRole(box.group);
  g.save();
  g.clip();
  g.fillStyle = ink[boxKind(box.group) === "phase" ? role : `${role}-wash`];
  g.fillRect(left, top, 7, box.h);
  g.restore();
  g.lineWidth = 1;
  g.strokeStyle = ink["strong-line"];
  g.beginPath();
  g.moveTo(left + 14, top + box.h + 4);
  g.lineTo(left + box.w - 14, top + box.h + 4);
  g.stroke();
  mark(g, left + box.w - 16, box.y, true);
  const space = box.w - 48;
  const variables = contents(box.group).variables;
  g.textAlign = "left";
  g.fillStyle = fill ? contrast(fill) : ink.ink;
  if (detail !== 2) {
    const size = Math.min(30, type(13));
    g.textBaseline = "middle";
    g.font = `600 ${size}px ${ink.sans}`;
    g.fillText(fitted(g, boxTitle(box.group), space), left + 16, box.y);
    return;
  }
  g.textBaseline = "alphabetic";
  g.font = `600 ${type(13)}px ${ink.sans}`;
  g.fillText(fitted(g, boxTitle(box.group), space), left + 16, box.y - 4);
  g.fillStyle = fill ? contrast(fill) : ink.soft;
  g.font = `${type(11)}px ${ink.sans}`;
  g.fillText(fitted(g, boxFacts(box.group), space + 8), left + 16, box.y + 16);
  if (variables) {
    g.fillStyle = ink[role];
    g.fillRect(left + 7, top, 3, box.h);
  }
}

/** The colour of a closed box in the active overlay: that of the member with the largest number or difference. */
function groupFill(path) {
  const members = groups.get(path);
  if (state.differences) {
    const apart_ = members.filter((place) => state.differences.has(place));
    if (!apart_.length) return null;
    if (apart_.includes(state.firstDifference)) return "#d55e00";
    return ramp(most_(apart_.map((place) => state.differences.get(place))));
  }
  if (!paint) return null;
  const known = members.filter((place) => paint.colours[place] && paint.numbers[place] !== null);
  if (!known.length) return null;
  return paint.colours[known.reduce((a, b) => (paint.numbers[b] > paint.numbers[a] ? b : a))];
}

/** The text, shortened to a width. */
function fitted(g, text, width) {
  if (g.measureText(text).width <= width) return text;
  let [low, high] = [0, text.length];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (g.measureText(`${text.slice(0, middle)}…`).width <= width) low = middle;
    else high = middle - 1;
  }
  return low ? `${text.slice(0, low)}…` : "";
}

// ---------------------------------------------------------------- motion

const MOVING = 320; // milliseconds
let moving = 0;

/** The place from which a card starts to move: its own, or that of the box that it was or becomes a part of. */
function origins(before) {
  const byNode = new Map();
  const byGroup = new Map();
  for (const box of before.boxes) {
    if (box.node !== null) byNode.set(box.node, box);
    else byGroup.set(box.group, box);
  }
  return (box) => {
    if (box.inner) return byNode.get(box.inner.loop.at) || null;
    if (box.node !== null && byNode.has(box.node)) return byNode.get(box.node);
    if (box.group !== null && byGroup.has(box.group)) return byGroup.get(box.group);
    const path = box.group ?? (nodes[box.node].s || []).join("/");
    for (const [group, one] of byGroup) if (path === group || path.startsWith(`${group}/`)) return one;
    const inside = before.frames.get(box.group);
    return inside ? { x: (inside.left + inside.right) / 2, y: (inside.top + inside.bottom) / 2 } : null;
  };
}

/** Lays the cards out anew, moves them there, and keeps the box that was opened or closed in view. */
function rearrange() {
  const before = scene.closed;
  const old = { boxes: scene.boxes.map((box) => ({ ...box })), frames: new Map(frames) };
  const changed = [...before].filter((path) => !state.collapsed.has(path)).concat([...state.collapsed].filter((path) => !before.has(path)));
  const turned = changed.filter((path) => !changed.some((other) => path.startsWith(`${other}/`)));
  for (const path of changed) outline.open[state.collapsed.has(path) ? "delete" : "add"](path);
  const anchor = turned.length === 1 ? placeOf(turned[0]) : null;
  arrange();
  if (anchor) hold(turned[0], anchor);
  else begin(); // everything if it is legible then: key 0 shows all
  if (still.matches) return;
  const start = performance.now();
  const from = origins(old);
  const now_ = scene;
  const [, ax, ay] = anchor || [null, 0, 0];
  const [, bx, by] = (anchor && placeOf(turned[0])) || [null, ax, ay];
  const moves = scene.boxes.map((box) => {
    const old_ = from(box); // the anchor stays where it is on the screen: old places move with it
    return { box, x: old_ ? old_.x + bx - ax : box.x, y: old_ ? old_.y + by - ay : box.y, toX: box.x, toY: box.y };
  });
  cancelAnimationFrame(moving);
  const move = (now) => {
    if (scene !== now_) return;
    const t = Math.max(0, Math.min(1, (now - start) / MOVING));
    const eased = 1 - (1 - t) ** 3;
    for (const one of moves) {
      one.box.x = one.x + (one.toX - one.x) * eased;
      one.box.y = one.y + (one.toY - one.y) * eased;
    }
    scene.fade = t < 1 ? t * t : 1;
    redraw();
    if (t < 1) moving = requestAnimationFrame(move);
  };
  move(start);
}

/** The rectangle of a box, closed or open, and its centre: [rectangle, x, y], or null if it is inside a closed one. */
function placeOf(path) {
  const frame = frames.get(path);
  const loop = loops.get(path);
  if (!frame && loop) return [boundsOf([boxFor(loop.at)]), boxFor(loop.at).x, boxFor(loop.at).y];
  if (frame) return [frame, (frame.left + frame.right) / 2, (frame.top + frame.bottom) / 2];
  const box = scene.ofGroup.has(path) ? scene.boxes[scene.ofGroup.get(path)] : null;
  return box ? [boundsOf([box]), box.x, box.y] : null;
}

/** Keeps a box's centre where it was on the screen, then brings all of the box into view if it isn't. */
function hold(path, [, x, y]) {
  const now = placeOf(path);
  if (!now) return;
  camera.x += now[1] - x;
  camera.y += now[2] - y;
  const [{ left, top, right, bottom }] = now;
  const [x0, y0] = toScreen(left, top);
  const [x1, y1] = toScreen(right, bottom);
  if (x0 >= 0 && y0 >= 0 && x1 <= stage.width && y1 <= stage.height) return;
  const scale = Math.max(Math.min(camera.scale, filling(right - left, bottom - top)), Math.min(camera.scale, ROOMY));
  const [wide, tall] = [(stage.width - 40) / scale, (stage.height - 40) / scale];
  const start = (low, high, space) => (high - low <= space ? (low + high) / 2 : low + space / 2); // a large box is shown from its start
  glideTo({ x: right - left <= wide ? (left + right) / 2 : now[1], y: start(top, bottom, tall), scale }, MOVING);
}
