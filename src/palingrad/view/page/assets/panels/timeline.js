// The timeline bar: plays both passes, or steps through them, one operation at a time.

let playing = 0;

function startTimeline() {
  const total = schedule.steps.length;
  const slider = at("step");
  slider.max = total;
  for (const { phase, from, to } of phases()) {
    at("phases").append(make("i", { class: phase, style: `flex:${to - from}`, title: phase }));
  }
  slider.oninput = () => goStep(Number(slider.value));
  at("first").onclick = () => goStep(0);
  at("back").onclick = () => goStep(state.step - 1);
  at("next").onclick = () => goStep(state.step + 1, true);
  at("last").onclick = () => goStep(total);
  at("play").onclick = togglePlay;
  for (const id of ["first", "back", "next", "last", "play", "step"]) at(id).disabled = !total;
  watch(["step", "version"], showStep);
  showStep();
}

/** Milliseconds between two steps during playback. */
function stepTime() {
  return 1100 / Number(at("speed").value);
}

/** Duration of the animation along an edge, in milliseconds. */
function pulseTime() {
  return Math.min(700, 0.62 * (playing ? stepTime() : 900));
}

function goStep(step, animate = false) {
  const next = Math.max(0, Math.min(schedule.steps.length, step));
  if (!animate) pulse.edges = [];
  if (animate && next > state.step) {
    const { node, kind } = schedule.steps[next - 1];
    const back = kind === "pull";
    const numbers = ins[node].filter((n) => !back || schedule.active.has(edges[n].a));
    startPulse(kind === "run" || back ? numbers : [], back);
  }
  set({ step: next });
}

function togglePlay() {
  if (playing) {
    stopPlaying();
    return;
  }
  if (state.step >= schedule.steps.length) goStep(0);
  at("play").textContent = "❚❚";
  at("play").setAttribute("aria-label", "Pause");
  const tick = () => {
    goStep(state.step + 1, true);
    const place = schedule.steps[state.step - 1].node;
    if (camera.scale > 0.4) reveal(boxFor(place));
    if (state.step >= schedule.steps.length) stopPlaying();
    else playing = setTimeout(tick, stepTime());
  };
  playing = setTimeout(tick, 60);
}

function stopPlaying() {
  clearTimeout(playing);
  playing = 0;
  at("play").textContent = "▶";
  at("play").setAttribute("aria-label", "Play");
}

/** Updates the slider, the description of the step, and the ready queue. */
function showStep() {
  const { step } = state;
  at("step").value = step;
  const now = schedule.steps[step - 1];
  const phase = at("phase");
  phase.className = `phase ${now ? now.phase : ""}`;
  const count_ = `${counted(step)} of ${counted(schedule.steps.length)}`;
  phase.textContent = now ? `${now.phase} · ${count_}` : "start";
  at("step").setAttribute("aria-valuetext", `${now ? now.phase : "start"}, step ${count_}`);
  at("story").innerHTML = now ? story(now) : "Only the leaves have values so far. Press play, or step forward.";
  const next = schedule.steps[step];
  const queue = readyQueue(step);
  const shown = queue.slice(0, 12).map((place) => {
    const first = next && place === next.node;
    return make("li", { class: first ? `next ${next.phase}` : "", "data-node": nodes[place].k }, (next.kind === "descend" ? "← " : "") + nodes[place].n);
  });
  if (queue.length > 12) shown.push(make("li", {}, `+${counted(queue.length - 12)}`));
  at("ready").replaceChildren(...(shown.length ? shown : [make("li", {}, step ? "empty: finished" : "empty")]));
  redraw();
}

/** Describes a step in a sentence with its numbers. */
function story({ node: place, kind }) {
  const name = `<b>${safe(nodes[place].n)}</b>`;
  if (kind === "seed") return `The derivative of ${name} with respect to itself is <span class="number">1</span>: the backward pass starts here.`;
  if (kind === "descend") return descent(place);
  if (kind === "pull") return pullStory(place);
  const inputs = ins[place].map((number) => edges[number].a);
  const given = inputs.slice(0, 4).map((from) => `${safe(nodes[from].n)}${sizeOf(from) === 1 && valueOf(from) ? ` = <span class="number">${short(valueOf(from).data[0])}</span>` : ""}`).join(", ");
  const value = valueOf(place);
  const outcome = value && sizeOf(place) === 1 ? ` = <span class="number">${short(value.data[0], 6)}</span>` : nodes[place].sh ? ` has shape <span class="number">${shapeText(nodes[place].sh)}</span>` : "";
  return `${name}${outcome}: <i>${safe(nodes[place].o)}</i> of ${given}${inputs.length > 4 ? " …" : ""}.`;
}

/** The contributions of an operation to its inputs, and their accumulated gradients. */
function pullStory(place) {
  const sent = ins[place].filter((number) => schedule.arrived[number] === state.step).slice(0, 4).map((number) => {
    const from = edges[number].a;
    const found = contributionOf(number);
    const { all, come } = arrivals(from, state.step);
    if (!found || found.data.length !== 1) return `to <b>${safe(nodes[from].n)}</b>${all.length > 1 ? ` (${come.length} of ${all.length})` : ""}`;
    const [local, total] = [localOf(number), totalOf(place)];
    const factors_ = local && total ? `<span class="number">${short(total.data[0])}</span> × <span class="number">${factor(local.data[0])}</span> = ` : "";
    const sum = come.reduce((s, n) => s + (contributionOf(n)?.data[0] ?? NaN), 0);
    const running = all.length > 1 ? `; the sum of ${come.length} of ${all.length} contributions is <span class="number">${short(sum)}</span>` : "";
    return `${factors_}<span class="number gradient">${short(found.data[0])}</span> to <b>${safe(nodes[from].n)}</b>${running}`;
  });
  return `<b>${safe(nodes[place].n)}</b> sends back ${sent.join("; ")}.`;
}

let rate = 0.1; // the learning rate of the gradient descent shown in the update phase

/** w − η·∂L/∂w for a Variable; the program's optimizer is not part of this graph. */
function descent(place) {
  const value = valueOf(place);
  const total = totalOf(place);
  const name = `<b>${safe(nodes[place].n)}</b>`;
  if (!value || !total || total.rows !== 1) return `${name} takes a step against its gradient.`;
  if (value.data.length > 1) return `${name} ← ${name} − ${rate} · its gradient, for all ${counted(value.data.length)} elements.`;
  const next = value.data[0] - rate * total.data[0];
  return `${name} ← <span class="number">${short(value.data[0])}</span> − ${rate} · <span class="number">${factor(total.data[0])}</span> = <span class="number">${short(next, 6)}</span>, by gradient descent.`;
}
