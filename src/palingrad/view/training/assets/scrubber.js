// The page of a recording: one card for each array, and one slider for all of them.
"use strict";

const at = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 340, BARS = 96, TRAIL = 128; // in pixels of the drawings, which CSS scales
const state = { place: data.steps.length - 1, group: firstGroup(), playing: null };
const cards = [];

function firstGroup() {
  return Object.keys(data.groups).find((name) => data.groups[name].length) || "parameters";
}

/** Creates an HTML or SVG element with attributes and children. */
function make(name, attributes = {}, ...children) {
  const svg = ["svg", "rect", "path", "line", "text", "circle", "polyline", "title"].includes(name);
  const made = svg ? document.createElementNS(SVG, name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) made[key] = value;
    else made.setAttribute(key, value);
  }
  made.append(...children);
  return made;
}

/** A number with at most four significant digits. */
function short(x) {
  if (x === null || x === undefined) return "NaN";
  if (x === 0) return "0";
  const size = Math.abs(x);
  const text = size >= 1e5 || size < 1e-3 ? x.toExponential(1) : String(Number(x.toPrecision(3)));
  return text.replace("-", "−").replace("e−", "e−").replace("e+", "e");
}

// ---------------------------------------------------------------- the loss curve and the current step

function drawLoss() {
  const [width, height, pad] = [1140, 118, 6];
  const box = at("loss");
  box.setAttribute("viewBox", `0 0 ${width} ${height}`);
  const values = data.losses.map((one) => one[1]).filter((y) => y !== null);
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const x = (step) => pad + ((step - 1) / Math.max(1, data.total - 1)) * (width - 2 * pad);
  const y = (value) => height - 22 - ((value - low) / (high - low || 1)) * (height - 22 - pad);
  const points = data.losses.filter((one) => one[1] !== null).map(([s, v]) => `${x(s).toFixed(1)},${y(v).toFixed(1)}`);
  box.replaceChildren(...data.epochs.slice(0, -1).map(([step]) => make("line", { class: "grid", x1: x(step), x2: x(step), y1: pad, y2: height - 20 })),
    make("polyline", { class: "train", points: points.join(" ") }),
    make("line", { id: "cursor", class: "cursor", y1: 0, y2: height - 18 }),
    make("text", { class: "tick", x: pad, y: height - 4 }, "loss of each mini-batch"),
    make("text", { class: "tick", x: width - pad, y: height - 4, "text-anchor": "end" }, `step ${data.total}`));
  box.onclick = (event) => {
    const step = 1 + ((event.offsetX / box.clientWidth) * width - pad) / (width - 2 * pad) * (data.total - 1);
    go(nearest(step));
  };
  drawLoss.x = x;
}

/** The index of the recorded step nearest to a step. */
function nearest(step) {
  let best = 0;
  data.steps.forEach((one, k) => { if (Math.abs(one - step) < Math.abs(data.steps[best] - step)) best = k; });
  return best;
}

// ---------------------------------------------------------------- cards

function buildCards() {
  cards.length = 0;
  const group = data.groups[state.group];
  at("tracks").replaceChildren(...group.map((track) => {
    const range = rangeOf(track);
    const bars = make("svg", { class: "bars", viewBox: `0 0 ${WIDTH} ${BARS}`, role: "img" });
    const trail = make("canvas", { class: "trail", width: Math.max(2, track.steps.length), height: TRAIL, title: "all steps: time from left to right, values upwards; click to go there" });
    const mark = make("div", { class: "mark" });
    const facts = make("p", { class: "numbers" });
    const wrap = make("div", { class: "wrap" }, trail, mark);
    trail.onclick = (event) => go(nearest(track.steps[Math.min(track.steps.length - 1, Math.floor(event.offsetX / trail.clientWidth * track.steps.length))]));
    const badge = make("span", { class: "badge" });
    cards.push({ track, range, bars, mark, facts, badge });
    drawTrail(trail, track, range);
    const size = track.shape.length ? track.shape.join(" × ") : "one number";
    return make("section", { class: "card track" },
      make("h2", {}, track.name, " ", make("span", { class: "shape" }, size), badge), bars,
      make("div", { class: "ends" }, make("span", {}, short(range[0])), make("span", {}, short(range[1]))), wrap, facts);
  }));
  if (!group.length) at("tracks").replaceChildren(make("p", { class: "lead" }, "No arrays of this kind were recorded."));
}

/** The range of a card's axis: the same at every step, so that steps can be compared. */
function rangeOf(track) {
  const low = Math.min(...track.low), high = Math.max(...track.high);
  return high > low ? [low, high] : [low - 1, high + 1];
}

/** The histogram of one step, on the card's axis. */
function bins(track, k, range) {
  const [low, high, count] = [track.low[k], track.high[k], track.counts[k].length];
  const width = high > low ? (high - low) / count : (range[1] - range[0]) / 60;
  const first = high > low ? low : low - width * (count / 2 + 0.5);
  const scale = (value) => ((value - range[0]) / (range[1] - range[0]));
  const all = track.counts[k].map((n, i) => ({ from: scale(first + i * width), to: scale(first + (i + 1) * width), n }));
  return all.filter((one) => one.n > 0);
}

/** All steps as one heat map: a column for each step, darker for more elements. */
function drawTrail(canvas, track, range) {
  const paint = canvas.getContext("2d");
  const colour = getComputedStyle(document.documentElement).getPropertyValue("--heat").trim().split(/\s+/).join(",");
  track.steps.forEach((_, k) => {
    const column = bins(track, k, range);
    const most = Math.max(...column.map((one) => one.n / Math.max(one.to - one.from, 1e-9)), 1e-9);
    for (const one of column) {
      const share = one.n / Math.max(one.to - one.from, 1e-9) / most;
      paint.fillStyle = `rgba(${colour},${(0.08 + 0.92 * Math.sqrt(share)).toFixed(3)})`;
      const [top, bottom] = [Math.round(TRAIL * (1 - one.to)), Math.round(TRAIL * (1 - one.from))];
      paint.fillRect(k, top, 1, Math.max(bottom - top, 1)); // whole pixels, so that no seams are visible
    }
  });
}

function drawCard(card) {
  const { track, range, bars, mark, facts, badge } = card;
  const step = data.steps[state.place];
  let k = track.steps.indexOf(step);
  if (k < 0) k = Math.max(0, track.steps.findLastIndex((one) => one <= step));
  const shown = bins(track, k, range);
  const most = Math.max(...shown.map((one) => one.n), 1);
  const zero = (0 - range[0]) / (range[1] - range[0]);
  bars.replaceChildren(
    ...(zero > 0 && zero < 1 ? [make("line", { class: "zero", x1: zero * WIDTH, x2: zero * WIDTH, y1: 0, y2: BARS })] : []),
    ...shown.map((one) => make("rect", { x: one.from * WIDTH, width: Math.max(1, (one.to - one.from) * WIDTH - 0.6), y: BARS - 2 - (BARS - 6) * one.n / most, height: 2 + (BARS - 6) * one.n / most })));
  mark.style.left = `${((k + 0.5) / track.steps.length) * 100}%`;
  const size = track.shape.reduce((a, b) => a * b, 1);
  const odd = track.nans[k] + track.infinities[k];
  badge.textContent = odd ? `${odd} non-finite` : "";
  const parts = [["mean", short(track.mean[k])], ["±", short(track.deviation[k])], ["norm", short(track.norm[k])]];
  if (track.zeros[k]) parts.push(["zeros", `${Math.round(100 * track.zeros[k] / size)} %`]);
  facts.replaceChildren(...parts.flatMap(([name, value]) => [make("span", {}, name), ` ${value}  `]));
  bars.setAttribute("aria-label", `${track.name} at step ${step}: mean ${short(track.mean[k])}, from ${short(track.low[k])} to ${short(track.high[k])}`);
}

// ---------------------------------------------------------------- changing the step

function go(place) {
  state.place = Math.max(0, Math.min(data.steps.length - 1, place));
  const step = data.steps[state.place];
  at("slider").value = state.place;
  const loss = data.losses.reduce((best, one) => (Math.abs(one[0] - step) < Math.abs(best[0] - step) ? one : best), data.losses[0] || [0, null]);
  const epoch = data.epochs.findIndex(([last]) => step <= last);
  at("where").textContent = `step ${step} of ${data.total}` + (epoch >= 0 ? ` · epoch ${epoch + 1}` : "") + ` · loss ${short(loss[1])}`;
  const cursor = at("cursor");
  if (cursor) {
    cursor.setAttribute("x1", drawLoss.x(step));
    cursor.setAttribute("x2", drawLoss.x(step));
  }
  cards.forEach(drawCard);
  history.replaceState(null, "", `#group=${state.group}&step=${step}`);
}

function play() {
  if (state.playing) {
    clearInterval(state.playing);
    state.playing = null;
  } else {
    if (state.place === data.steps.length - 1) go(0);
    state.playing = setInterval(() => (state.place === data.steps.length - 1 ? play() : go(state.place + 1)), 110);
  }
  at("play").textContent = state.playing ? "❚❚" : "▶";
}

function choose(group) {
  state.group = group;
  at("tabs").replaceChildren(...Object.keys(data.groups).map((name) => make("button", {
    role: "tab", "aria-selected": String(name === group), id: `tab-${name}`, onclick: () => choose(name),
  }, `${name} (${data.groups[name].length})`)));
  buildCards();
  go(state.place);
}

/** Reads the group and the step from a link such as #group=gradients&step=30. */
function follow() {
  const found = new URLSearchParams(location.hash.slice(1));
  if (data.groups[found.get("group")]) state.group = found.get("group");
  if (found.has("step")) state.place = nearest(Number(found.get("step")));
}

function start() {
  follow();
  at("lead").textContent = `${data.total.toLocaleString("en")} steps, ${data.steps.length} of them recorded with all their arrays`;
  if (!data.steps.length) return;
  at("slider").max = data.steps.length - 1;
  at("slider").oninput = () => go(Number(at("slider").value));
  at("play").onclick = play;
  at("back").onclick = () => go(state.place - 1);
  at("next").onclick = () => go(state.place + 1);
  addEventListener("keydown", (event) => {
    if (event.target.id === "slider" && event.key !== " ") return;
    if (event.key === "ArrowRight") go(state.place + 1);
    else if (event.key === "ArrowLeft") go(state.place - 1);
    else if (event.key === " " && event.target.tagName !== "BUTTON") play();
    else return;
    event.preventDefault();
  });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => choose(state.group));
  addEventListener("hashchange", () => { follow(); choose(state.group); });
  drawLoss();
  choose(state.group);
}

start();
document.documentElement.dataset.ready = "yes";
