// Edits of leaves: recomputes values and gradients in the page.

const CELLS = 64; // elements of the largest leaf that can be edited element by element

function startWhatIf() {
  watch(["tab"], () => state.tab === "whatif" && showWhatIf());
  watch(["version"], () => {
    if (state.tab !== "whatif") return;
    showOutcome();
    for (const field of at("whatif").querySelectorAll("[data-leaf]")) refreshField(field);
  });
}

/** The leaves that can be edited: of known shape, not too large; Variables and inputs before constants. */
function editable() {
  const rank = (node) => ({ variable: 0, placeholder: 1, constant: node.g ? 2 : 3 })[node.t];
  return nodes.map((_, place) => place)
    .filter((place) => !ins[place].length && !isComplex(place) && nodes[place].t !== "operation" && sizeOf(place) !== null && sizeOf(place) <= CELLS && sizeOf(place) > 0)
    .sort((a, b) => rank(nodes[a]) - rank(nodes[b]) || a - b);
}

/** The operations that the page can't compute, with the reasons. */
function blocked() {
  return nodes.map((_, place) => place).filter((place) => ins[place].length && nodes[place].b === undefined && nodes[place].r !== "update");
}

function showWhatIf() {
  const panel = at("whatif");
  const leaves = editable();
  const cant = blocked();
  const complex = nodes.filter((node, place) => !ins[place].length && isComplex(place)).length;
  const big = nodes.filter((node, place) => !ins[place].length && node.t === "variable" && (sizeOf(place) ?? 0) > CELLS).length;
  panel.replaceChildren(
    make("h3", {}, "What if a leaf were different?"),
    make("p", { class: "note" }, "Change a number: the page recomputes everything that depends on it, forward and backward."),
    make("div", { id: "outcome", role: "status", "aria-live": "polite" }),
    make("div", { class: "row", style: "margin:10px 0" },
      make("button", { type: "button", id: "reset", onclick: () => { resetEdits(); showWhatIf(); } }, "Undo all"), descentButton()),
    ...(leaves.length ? leaves.slice(0, 60).map(leafEditor) : [make("p", { class: "note" }, "No leaf is small enough to edit.")]),
    ...(leaves.length > 60 ? [make("p", { class: "note" }, `and ${counted(leaves.length - 60)} more leaves: choose one in the graph first.`)] : []),
    ...(complex ? [make("p", { class: "note" }, `${complex === 1 ? "One leaf is" : `${complex} leaves are`} complex and can't be edited: the page doesn't compute with complex numbers.`)] : []),
    ...(big ? [make("p", { class: "note" }, `${big} Variables have more than ${CELLS} elements and can't be edited.`)] : []),
    ...(cant.length ? [part("Not computed in the page", make("ul", { class: "list" }, ...cant.slice(0, 20).map((place) => link_(place, make("span", { class: "note", style: "margin-left:auto;text-align:right" }, nodes[place].why || "")))))] : []));
  const chosen = leaves.indexOf(state.node);
  if (chosen >= 0) panel.querySelectorAll(".leaf")[chosen]?.scrollIntoView({ block: "center" });
  showOutcome();
}

/** One step of gradient descent on all Variables, as an edit. */
function descentButton() {
  const learn = nodes.map((_, place) => place).filter((place) => nodes[place].tr && schedule.active.has(place));
  if (!learn.length) return null;
  const input = make("input", { type: "number", id: "rate", value: rate, step: "any", style: "width:76px", "aria-label": "learning rate", oninput: () => { rate = Number(input.value) || 0; } });
  return make("span", { class: "row" }, make("button", { type: "button", id: "descend", onclick: () => {
    const next = learn.map((place) => [place, valueOf(place), totalOf(place)]).filter(([, value, total]) => value && total && total.rows === 1);
    for (const [place, value, total] of next) edited.set(place, { shape: nodes[place].sh, data: value.data.map((x, k) => x - rate * total.data[k]) });
    recompute();
    set({ version: state.version + 1 });
    showWhatIf();
  } }, "One step of descent"), make("label", { class: "field" }, "rate", input));
}

function leafEditor(place) {
  const node = nodes[place];
  const size = sizeOf(place);
  const value = valueOf(place);
  const numbers = value ? Array.from(value.data) : new Array(size).fill(0);
  const put = (k, x) => {
    numbers[k] = x;
    edit(place, numbers);
  };
  const head = make("div", { class: "row" }, make("b", {}, node.n, " ", make("span", { class: "tag" }, node.t)), make("button", { class: "link", type: "button", onclick: () => goTo(place) }, "show"));
  const field = (k, label) => make("input", { type: "number", step: "any", value: Object.is(numbers[k], -0) ? "-0" : fieldText(numbers[k], node.d), "aria-label": label, "data-leaf": node.k, "data-at": k, onchange: (event) => {
    const x = Number(event.target.value);
    if (event.target.value.trim() !== "" && Number.isFinite(x)) put(k, /int/.test(node.d) ? Math.round(x) : x);
  } });
  if (size === 1) {
    const box = field(0, node.n);
    const reach = Math.max(1, Math.abs(numbers[0])) * 2;
    const slide = make("input", { type: "range", min: numbers[0] - reach, max: numbers[0] + reach, step: /int/.test(node.d) ? 1 : reach / 200, value: numbers[0], "aria-label": `${node.n}, slider`, "data-slide": node.k, oninput: () => {
      box.value = String(Number(Number(slide.value).toPrecision(6)));
      put(0, Number(box.value));
    } });
    return make("div", { class: "leaf" }, head, make("div", { class: "row" }, slide, box));
  }
  const columns = node.sh.length > 1 ? node.sh[node.sh.length - 1] : size;
  const rows = size / columns;
  const cells = Array.from({ length: rows }, (_, i) => make("tr", {}, ...Array.from({ length: columns }, (_, j) => make("td", {}, field(i * columns + j, `${node.n}[${i}, ${j}]`)))));
  return make("div", { class: "leaf" }, head, make("div", { class: "matrix" }, make("table", {}, ...cells)));
}

/** Updates each field to its leaf's current value, except the field that has the focus. */
function refreshField(field) {
  const place = byKey.get(field.dataset.leaf);
  const value = valueOf(place);
  if (value && field !== document.activeElement) field.value = fieldText(value.data[Number(field.dataset.at)], nodes[place].d);
}

function fieldText(x, dtype) {
  return full(x, dtype).replaceAll("−", "-");
}

/** The result before and after the edits, and the number of recomputed nodes. */
function showOutcome() {
  const box = at("outcome");
  if (!box) return;
  const lines = [];
  if (result !== null) {
    const [before, now] = [exportedValue(result), valueOf(result)];
    const name = nodes[result].n;
    const single = sizeOf(result) === 1;
    if (now && single && !edited.size) lines.push(make("div", { class: "big", html: `${safe(name)} = ${digitsOf(now.data[0], nodes[result].d)}` }));
    else if (now && single) {
      lines.push(make("div", { class: "big", id: "now", html: `${safe(name)} = ${digitsOf(now.data[0], nodes[result].d)}` }));
      if (before) lines.push(make("div", { class: "note" }, `before ${short(before.data[0], 6)}, ${now.data[0] >= before.data[0] ? "+" : "−"}${short(Math.abs(now.data[0] - before.data[0]), 4)}`));
    } else if (!now && stale.size) lines.push(make("p", { class: "warn" }, `${name} isn't computed in the page: ${stale.get(result) || "an input is missing"}.`));
  }
  if (edited.size) lines.push(make("div", { class: "caption", id: "recomputed", "data-count": recomputed }, `${counted(recomputed)} of ${counted(nodes.length)} nodes recomputed${stale.size ? `, ${counted(stale.size)} greyed: the page can't compute them` : ""}`));
  box.replaceChildren(...lines);
}
