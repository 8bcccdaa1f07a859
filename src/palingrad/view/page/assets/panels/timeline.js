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
  return (opening.on ? openingTime() : 1100) / Number(at("speed").value);
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
    if (camera.scale > 0.4 && !(opening.on && inView(boxFor(place)))) reveal(boxFor(place));
    if (state.step >= schedule.steps.length) stopPlaying();
    else playing = setTimeout(tick, stepTime());
  };
  playing = setTimeout(tick, 60);
}

function stopPlaying() {
  clearTimeout(playing);
  playing = 0;
  endOpening();
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
  at("story").innerHTML = now ? captionOf(step) || story(now) : "Only the leaves have values so far. Press play, or step forward.";
  const next = schedule.steps[step];
  const queue = readyQueue(step);
  const shown = queue.slice(0, 12).map((place) => {
    const first = next && place === next.node;
    return make("li", { class: first ? `next ${next.phase}` : "", "data-node": nodes[place].k }, (next.kind === "descend" ? "← " : "") + nodes[place].n);
  });
  if (queue.length > 12) shown.push(make("li", {}, `+${counted(queue.length - 12)}`));
  at("ready").replaceChildren(...(shown.length ? shown : [make("li", {}, step ? "empty: finished" : "empty")]));
  lightStep(step);
  redraw();
}

/** Describes a step without a caption in a sentence. */
function story({ node: place, kind }) {
  const name = `<b>${safe(named(place))}</b>`;
  if (kind === "descend") return `${name} takes a step against its gradient.`;
  const others = ins[place].map((number) => `<b>${safe(named(edges[number].a))}</b>`);
  const shown = `${others.slice(0, 4).join(", ")}${others.length > 4 ? " …" : ""}`;
  if (kind === "pull") return `${name} sends its gradient back to ${shown}.`;
  return `${name}${nodes[place].sh && !nodes[place].parts ? `, shape <span class="number">${shapeText(nodes[place].sh)}</span>` : ""}: <i>${safe(nodes[place].o)}</i> of ${shown}.`;
}

let rate = 0.1; // the learning rate of the gradient descent shown in the update phase
