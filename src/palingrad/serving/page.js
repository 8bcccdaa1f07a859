"use strict";
// The page to try a model: draw an image, type a prompt, fill in a row, or edit JSON.

const $ = (id) => document.getElementById(id);

function element(name, fields = {}, ...children) {
  const made = Object.assign(document.createElement(name), fields);
  made.append(...children);
  return made;
}

async function predict(body) {
  $("fault").textContent = "";
  const response = await fetch("predict", {
    method: "POST", headers: {"content-type": "application/json"}, body: JSON.stringify(body),
  });
  const answer = await response.json();
  if (!response.ok) {
    $("fault").textContent = answer.error.message;
    return null;
  }
  return answer;
}

function button(text, action) {
  const run = async () => {
    try { await action(); } catch (error) { $("fault").textContent = String(error); }
  };
  return element("button", {type: "button", textContent: text, onclick: run});
}

function show(answer) {
  if (answer) $("result").replaceChildren(element("pre", {textContent: JSON.stringify(answer, null, 1)}));
}

// ------------------------------------------------------------------ images

// Pixels of a drawing as in MNIST: the strokes' box scaled to 20/28 of the side, their mass centred.
function pixels(canvas, side) {
  const size = canvas.width, data = canvas.getContext("2d").getImageData(0, 0, size, size).data;
  let left = size, right = -1, top = size, bottom = -1;
  for (let y = 0; y < size; y++) for (let x = 0; x < size; x++) {
    if (data[4 * (y * size + x)] > 30) {
      left = Math.min(left, x); right = Math.max(right, x);
      top = Math.min(top, y); bottom = Math.max(bottom, y);
    }
  }
  if (right < 0) return null;
  const box = Math.max(right - left, bottom - top) + 1, scale = (side * 20 / 28) / box;
  const drawn = (dx, dy) => {
    const small = element("canvas", {width: side, height: side}), context = small.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.fillRect(0, 0, side, side);
    const width = (right - left + 1) * scale, height = (bottom - top + 1) * scale;
    context.drawImage(canvas, left, top, right - left + 1, bottom - top + 1,
      (side - width) / 2 + dx, (side - height) / 2 + dy, width, height);
    const found = context.getImageData(0, 0, side, side).data;
    return Array.from({length: side * side}, (_, place) => found[4 * place] / 255);
  };
  const first = drawn(0, 0);
  let mass = 0, mx = 0, my = 0;
  first.forEach((v, place) => { mass += v; mx += v * (place % side); my += v * Math.floor(place / side); });
  const middle = (side - 1) / 2;
  return drawn(Math.round(middle - mx / mass), Math.round(middle - my / mass));
}

function image(signature) {
  const [channels, side] = signature.image;
  const canvas = element("canvas", {width: 280, height: 280});
  const context = canvas.getContext("2d", {willReadFrequently: true});
  const clear = () => {
    context.fillStyle = "#000"; context.fillRect(0, 0, 280, 280); $("result").replaceChildren();
  };
  let last = null;
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return [(event.clientX - box.left) * 280 / box.width, (event.clientY - box.top) * 280 / box.height];
  };
  const stroke = (to) => {
    Object.assign(context, {strokeStyle: "#fff", lineWidth: 20, lineCap: "round"});
    context.beginPath(); context.moveTo(...last); context.lineTo(...to); context.stroke();
    last = to;
  };
  canvas.onpointerdown = (event) => { canvas.setPointerCapture(event.pointerId); last = at(event); stroke(last); };
  canvas.onpointermove = (event) => { if (last) stroke(at(event)); };
  canvas.onpointerup = async () => { last = null; await guess(); };
  const guess = async () => {
    const flat = pixels(canvas, side);
    if (!flat) return;
    let x = flat;
    if (signature.inputs[0].shape.length === 4) {
      const rows = Array.from({length: side}, (_, row) => flat.slice(row * side, (row + 1) * side));
      x = Array.from({length: channels}, () => rows);
    }
    const answer = await predict({x: [x]});
    if (!answer) return;
    const shares = answer.probabilities[0].map((share, place) => [share, signature.classes[place]]);
    shares.sort((a, b) => b[0] - a[0]);
    $("result").replaceChildren(...shares.slice(0, 5).map(([share, name]) => element("div", {},
      element("meter", {value: share}), ` ${name} ${(100 * share).toFixed(1)} %`)));
  };
  clear();
  $("what").textContent = `Draw here: ${signature.classes.join(", ")}.`;
  $("form").append(canvas, element("br"), button("Clear", clear));
}

// ------------------------------------------------------------------ texts, rows, arrays

function text(signature) {
  const prompt = element("textarea", {rows: 4});
  const fields = {};
  $("form").append(element("label", {}, "prompt", prompt));
  for (const name of ["count", "temperature", "top_k", "seed"]) {
    fields[name] = element("input", {type: "number", step: name === "temperature" ? 0.1 : 1,
      value: signature.inputs[name].default ?? ""});
    $("form").append(element("label", {}, `${name} `, fields[name]));
  }
  $("what").textContent = "Type how a text begins.";
  $("form").append(button("Continue", async () => {
    const body = {prompt: prompt.value};
    for (const name in fields) if (fields[name].value !== "") body[name] = Number(fields[name].value);
    const answer = await predict(body);
    if (answer) $("result").replaceChildren(element("pre", {textContent: answer.prompt + answer.text}));
  }));
}

function rows(signature) {
  const fields = {};
  for (const [name, kind] of Object.entries(signature.columns)) {
    fields[name] = element("input", {type: kind === "number" ? "number" : "text", step: "any"});
    $("form").append(element("label", {}, `${name} `, fields[name]));
  }
  $("what").textContent = `Fill in a row; ${signature.target} is predicted.`;
  $("form").append(button("Predict", async () => {
    const row = {};
    for (const name in fields) row[name] = fields[name].value;
    show(await predict({rows: [row]}));
  }));
}

function arrays(signature) {
  const zeros = (shape) => shape.length ? Array.from({length: shape[0] ?? 1}, () => zeros(shape.slice(1))) : 0;
  const example = {};
  for (const one of signature.inputs) example[one.name] = zeros(one.shape ?? []);
  const box = element("textarea", {rows: 12, value: JSON.stringify(example)});
  $("what").textContent = signature.inputs.map((one) =>
    `${one.name}: ${one.dtype} [${(one.shape ?? []).map((size) => size ?? "any").join(", ")}]`).join("; ");
  $("form").append(box, button("Predict", async () => show(await predict(JSON.parse(box.value)))));
}

fetch("signature").then((response) => response.json()).then((signature) => {
  ({image, text, rows, arrays})[signature.kind](signature);
});
