// Captions: the line below the graph that says what a step computes, in symbols and in numbers.

/** The formulas of a node's operation; null without one, or after an edit of a number that it writes out. */
function captionFor(place) {
  const caption = nodes[place].c === undefined ? null : data.captions[nodes[place].c];
  if (caption && (caption.c || []).some((position) => edited.has(edges[ins[place][position]].a))) return null;
  return caption;
}

/** The equations of a step: {left, symbols, numbers, sign, shown, note, place, entry, row, gradient}. */
function equationsOf(step) {
  const now = schedule.steps[step - 1];
  if (!now || stale.has(now.node)) return [];
  if (now.kind === "run") return forwardEquations(now.node);
  if (now.kind === "seed") return seedEquations(now.node);
  if (now.kind === "descend") return descentEquations(now.node);
  const sources_ = [...new Set(ins[now.node].map((number) => edges[number].a))].filter((from) => schedule.active.has(from) && nodes[from].g);
  return sources_.slice(0, 4).flatMap((from) => backwardEquations(now.node, from, step));
}

function allNumbers(place) {
  return sizeOf(place) === 1 && ins[place].every((number) => sizeOf(edges[number].a) === 1);
}

// ---------------------------------------------------------------- forward

function forwardEquations(place) {
  const caption = captionFor(place);
  const value = valueOf(place);
  if (nodes[place].as !== undefined && ins[place].length === 1) return [assignment(place, value)];
  const head = { left: named(place), symbols: caption ? namedIn(caption.w, place) : "", place, gradient: false };
  if (isComplex(place)) return complexEquation(place, head);
  if (!value || nodes[place].parts || nodes[place].t !== "operation") return caption ? [{ ...head, note: shapeNote(place) }] : [];
  if (allNumbers(place)) {
    const side = entryEquation(place, 0);
    if (side) return [{ ...head, ...side, symbols: head.symbols || side.symbols, entry: 0 }];
    return [{ ...head, sign: signOf(value.data[0], 4, nodes[place].d), shown: numberText(value.data[0]), entry: 0 }];
  }
  const entry = nodes[place].ex ? nodes[place].ex.e : telling(value.data);
  const side = sizeOf(place) ? entryEquation(place, entry) : null;
  const from = [...readEntries(place, entry)].map(([one, some]) => part_(one, some)).filter(Boolean).slice(0, 3);
  const note = from.length && !(side && side.symbols) ? `from ${from.join(" and ")}` : "";
  const whole = { ...head, note: shapeNote(place) };
  if (!side) return sizeOf(place) === 1 ? [{ ...head, sign: signOf(value.data[0], 4, nodes[place].d), shown: numberText(value.data[0]), entry: 0, note }] : [whole];
  if (sizeOf(place) === 1) return [{ ...head, ...side, symbols: head.symbols, entry: 0, note }];
  return [whole, { ...side, left: `${named(place)}${indexText(nodes[place].sh, entry)}`, place, entry, gradient: false, note }];
}

/** w ← what it is assigned. */
function assignment(place, value) {
  const whole = { left: `${named(nodes[place].as)} ←`, symbols: named(edges[ins[place][0]].a), place, gradient: false };
  if (!value || sizeOf(place) !== 1 || isComplex(place)) return { ...whole, note: shapeNote(place) };
  return { ...whole, sign: signOf(value.data[0], 4, nodes[place].d), shown: numberText(value.data[0]), entry: 0 };
}

/** Terms as a sum: those that write elements in brackets, a minus in front instead of + −. */
function termsAdded(terms) {
  if (terms.length === 1) return terms[0];
  const closed = terms.map((term) => (/ (?:←|\S=) /.test(term) && !/^\(.*\)$/.test(term) ? `(${term})` : term));
  return closed.reduce((sum, term) => (term.startsWith("−") ? `${sum} − ${term.slice(1)}` : `${sum} + ${term}`));
}

/** A formula with the names of the node's operands. */
function namedIn(template, place) {
  return filled(template, (hole) => (hole === OWN ? named(place) : hole === SEED ? barOf(place) : named(edges[ins[place][hole - HOLE]].a)));
}

function shapeNote(place) {
  return nodes[place].sh && nodes[place].sh.length ? `shape ${shapeText(nodes[place].sh)}` : "";
}

/** A node's name with the entries that take part. */
function part_(place, entries) {
  if (sizeOf(place) === 1) return null;
  const text = sliceText(nodes[place].sh, entries);
  return text === null ? `${entries.length} entries of ${named(place)}` : `${named(place)}${text}`;
}

/** The entry that is worked out: the first one that isn't 0. */
function telling(numbers) {
  return Math.max(0, numbers.findIndex((x) => x !== 0 && Number.isFinite(x)));
}

// ---------------------------------------------------------------- backward

function seedEquations(place) {
  const barred = [...schedule.active].some((one) => sizeOf(one) !== 1);
  if (sizeOf(place) === 1) return [{ left: partialOf(place), symbols: "", sign: "=", shown: "1", place, entry: 0, row: 0, gradient: true, note: `the backward pass starts here${barred ? `; x̄ is short for ∂${named(place)}/∂x` : ""}` }];
  return [{ left: partialOf(place), symbols: "identity", place, gradient: true, note: `${counted(sizeOf(place))} × ${counted(sizeOf(place))}: the backward pass starts here` }];
}

/** What the pull of `place` adds to the gradient of `from`. */
function backwardEquations(place, from, step) {
  const caption = captionFor(place);
  const here = ins[place].filter((number) => edges[number].a === from);
  const { all, come } = arrivals(from, step);
  const before = come.filter((number) => !here.includes(number));
  const note = come.length < all.length || before.length ? `${come.length} of ${all.length} contributions` : "";
  const rule = (number) => (caption && caption.d ? caption.d[edges[number].i] : null);
  const head = { place: from, gradient: true, note };
  const total = totalOf(place);
  if (allNumbers(place) && total && total.rows === 1) {
    const local = (number) => (rule(number) ? namedIn(rule(number), place) : `∂${named(place)}/∂${named(from)}`);
    const symbols = [...(before.length ? ["…"] : []), ...here.map((number) => `${partialOf(place)} · ${local(number)}`)].join(" + ");
    return [{ ...head, left: partialOf(from), symbols, ...backwardSide(place, here, before, come.length === all.length, 0, 0) }];
  }
  const rules = here.map((number) => (rule(number) ? namedIn(rule(number), place) : null));
  const adjoint = { ...head, left: barOf(from), symbols: rules.includes(null) || (total && total.rows > 1) ? chainText(place, from) : termsAdded([...(before.length ? ["…"] : []), ...rules]) };
  if (total && total.rows > 1) adjoint.left = partialOf(from);
  if (!total || sizeOf(from) * sizeOf(place) > LARGEST) return [adjoint];
  const [row, entry] = largestSent(here, total);
  const side = backwardSide(place, here, before, come.length === all.length, row, entry);
  if (!side.numbers) return [adjoint];
  const index = indexText(nodes[from].sh, entry);
  const left = total.rows > 1 ? `∂${named(result)}${indexText(nodes[result].sh, row)}/∂${named(from)}${index}` : `${barOf(from).includes("/") ? partialOf(from) : barOf(from)}${index}`;
  return [adjoint, { ...head, ...side, left, symbols: "", note: [note, side.used.length > 1 ? `through ${part_(place, side.used) || named(place)}` : ""].filter(Boolean).join("; ") }];
}

function chainText(place, from) {
  return `${partialOf(place)} · ∂${named(place)}/∂${named(from)}`;
}

/** The row and the entry of the largest contribution of some edges. */
function largestSent(numbers, total) {
  let [best, top] = [0, -1];
  let n = 1;
  for (const number of numbers) {
    const sent = contributionOf(number);
    if (!sent) continue;
    n = sent.n;
    sent.data.forEach((x, k) => {
      if (Math.abs(x) > top) [best, top] = [k, Math.abs(x)];
    });
  }
  return [Math.floor(best / n), best % n];
}

/** The sum of cotangents times local derivatives for one entry, after what has arrived before. */
function backwardSide(place, here, before, complete, row, entry) {
  const total = totalOf(place);
  const from = edges[here[0]].a;
  const n = sizeOf(from);
  const terms = [];
  const used = [];
  let sum = 0;
  for (const number of here) {
    const local = localOf(number);
    const sent = contributionOf(number);
    if (!total || !local || !local.whole || !sent) return {};
    sum += sent.data[row * n + entry];
    for (let k = 0; k < local.m; k++) {
      const slope = local.data[k * n + entry];
      if (slope === 0 && local.m > 1) continue;
      terms.push([total.data[row * total.n + k], slope]);
      used.push(k);
    }
  }
  let prior = 0;
  for (const number of before) {
    const sent = contributionOf(number);
    if (!sent) return {};
    prior += sent.data[row * n + entry];
  }
  const value = complete && totalOf(from) ? totalOf(from).data[row * n + entry] : prior + sum;
  const write = (digits) => {
    const dtype = nodes[from].d;
    const arrived = !before.length || shownWhole(prior, digits, dtype);
    if (!terms.length) return { text: before.length ? numberText(prior, digits) : "0", value: asShown(prior, digits), exact: arrived };
    const side = backwardText(terms, digits, dtype);
    if (!before.length) return side;
    return { text: `${numberText(prior, digits)} + ${side.text.startsWith("−") ? `(${side.text})` : side.text}`, value: asShown(prior, digits) + side.value, exact: arrived && side.exact };
  };
  const side = trueTo(value, write, nodes[from].d);
  return side ? { ...side, entry, row, used } : { sign: signOf(value, 4, nodes[from].d), shown: numberText(value), entry, row, used };
}

/** cotangent·slope + …, with factors of 1 written. */
function backwardText(terms, digits, dtype) {
  if (terms.length > 6) return sumText(terms, digits, null, dtype);
  const parts = terms.map(([g, slope]) => {
    const second = numberText(slope, digits);
    return `${numberText(g, digits)} · ${ATOM.test(second) ? second : `(${second})`}`;
  });
  const text = parts.reduce((whole, part) => (whole ? `${whole} + ${part.startsWith("−") ? `(${part})` : part}` : part), "");
  const exact = terms.every(([g, slope]) => shownWhole(g, digits, dtype) && shownWhole(slope, digits, dtype));
  return { text, value: terms.reduce((sum, [g, slope]) => sum + asShown(g, digits) * asShown(slope, digits), 0), exact };
}

// ---------------------------------------------------------------- update

function descentEquations(place) {
  const [value, total] = [valueOf(place), totalOf(place)];
  if (!value || !total || total.rows !== 1) return [];
  const entry = telling(total.data);
  const [x, g] = [value.data[entry], total.data[entry]];
  const index = indexText(nodes[place].sh, entry);
  const write = (digits) => {
    const second = numberText(g, digits);
    return { text: `${numberText(x, digits)} − ${rate}·${ATOM.test(second) ? second : `(${second})`}`, value: asShown(x, digits) - rate * asShown(g, digits), exact: shownWhole(x, digits) && shownWhole(g, digits) };
  };
  const side = trueTo(x - rate * g, write);
  const head = { place, gradient: false, update: true, left: `${named(place)}${index} ←`, symbols: `${named(place)}${index} − ${rate}·${partialOf(place)}${index}` };
  return [side ? { ...head, ...side, entry } : head];
}

// ---------------------------------------------------------------- as HTML

/** The equations of a step as HTML, "" if there are none. */
function captionOf(step) {
  return equationsOf(step).map(equationHtml).join(" ");
}

function equationHtml({ left, symbols, numbers, sign, bind, shown, digits, note, overflow, place, entry, row, gradient, update }) {
  const arrow = left.endsWith("←");
  if (symbols === numbers || symbols === shown || symbols === left) symbols = ""; // constants are called by their numbers
  const sides = [];
  if (symbols) sides.push(`<span class="symbols">${safe(symbols)}</span>`);
  if (numbers) sides.push(`<span class="numbers">${safe(numbers)}</span>`);
  let text = `<b>${safe(left)}</b>`;
  sides.forEach((side, k) => (text += `${!k && arrow ? " " : side === sides[1] || !symbols ? ` ${bind || "="} ` : " = "}${side}`));
  if (shown) text += ` ${sign} <span class="shown${gradient ? " gradient" : ""}">${safe(shown)}</span>`;
  note = [note, overflow].filter(Boolean).join("; ");
  if (note) text += ` <small>(${safe(note)})</small>`;
  const marks = entry === undefined ? "" : ` data-entry="${entry}" data-digits="${digits || 4}" data-sign="${sign}"${row === undefined ? "" : ` data-row="${row}"`}`;
  return `<span class="equation ${update ? "update" : gradient ? "backward" : "forward"}" data-node="${nodes[place].k}"${marks}>${text}</span>`;
}
