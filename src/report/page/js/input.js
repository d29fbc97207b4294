// Pointer, wheel and keys of a figure.

function listen(figure) {
  const { svg, stage } = figure;
  svg.addEventListener("wheel", (event) => wheel(figure, event), { passive: false });
  drag(figure);
  stage.addEventListener("keydown", (event) => {
    const typing = event.target.closest("input, select");
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const act = KEYS[event.key] ?? (event.target.closest("button, summary") ? null : MORE_KEYS[event.key]);
    if (!act || act(figure, event) === false) return;
    event.preventDefault();
    event.stopPropagation();
  });
}

const KEYS = {
  "+": (figure) => figure.zoom(1.6),
  "=": (figure) => figure.zoom(1.6),
  "-": (figure) => figure.zoom(1 / 1.6),
  "0": (figure) => figure.fit(),
  a: (figure) => figure.show([0, figure.run.span]),
  j: (figure) => figure.step(1),
  k: (figure) => figure.step(-1),
  m: (figure) => figure.tools.toggle(),
  e: (figure) => evidence(figure),
  n: (figure) => figure.tools.jump(1),
  N: (figure) => figure.tools.jump(-1),
  "/": (figure) => figure.tools.search.focus(),
  Escape: (figure) => (figure.look.event ? figure.choose(null) : false),
};

// Keys that mean something else on a button.
const MORE_KEYS = {
  ArrowLeft: (figure, event) => figure.pan(event.shiftKey ? -0.8 : -0.2),
  ArrowRight: (figure, event) => figure.pan(event.shiftKey ? 0.8 : 0.2),
  ArrowDown: (figure) => figure.step(1),
  ArrowUp: (figure) => figure.step(-1),
  Home: (figure) => figure.show([0, figure.view[1] - figure.view[0]]),
  End: (figure) => figure.show([figure.run.span - (figure.view[1] - figure.view[0]), figure.run.span]),
  Enter: (figure) => (figure.look.event ? figure.events.details.querySelector("button").focus() : figure.step(1)),
};

// The next event that proves something.
function evidence(figure) {
  const { run, look } = figure;
  const all = run.proofs.flatMap((proof) => proof.events).sort((a, b) => a - b);
  const from = look.event ? look.event.index : -1;
  const next = all.find((index) => index > from) ?? all[0];
  return next === undefined ? false : figure.choose(run.events[run.places.get(next)]);
}

// A wheel zooms while the picture has the focus or with Ctrl (as a pinch on a touchpad does), and
// moves with Shift; else the page scrolls, as it should.
function wheel(figure, event) {
  const mine = event.ctrlKey || event.metaKey || document.activeElement === figure.svg;
  const sideways = event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY);
  if (sideways) {
    event.preventDefault();
    figure.pan(Math.sign(event.deltaX || event.deltaY) * 0.1);
  } else if (mine) {
    event.preventDefault();
    figure.zoom(event.deltaY < 0 ? 1.2 : 1 / 1.2, figure.scale.at(point(figure, event)[0]));
  }
}

// From the screen to the picture's own pixels.
function point({ svg, scale }, event) {
  const box = svg.getBoundingClientRect();
  const ratio = scale.width / box.width;
  return [(event.clientX - box.left) * ratio, (event.clientY - box.top) * ratio];
}

// One finger or the mouse moves the picture or chooses an event, two fingers zoom.
function drag(figure) {
  const { svg } = figure;
  const down = new Map();
  let moved = false;
  svg.addEventListener("pointerdown", (event) => {
    if (event.button > 0) return;
    moved = down.size > 0;
    down.set(event.pointerId, point(figure, event));
  });
  svg.addEventListener("pointermove", (event) => {
    const before = down.get(event.pointerId);
    if (!before) return;
    const now = point(figure, event);
    if (!moved && Math.abs(now[0] - before[0]) < 4) return;
    if (!moved) svg.setPointerCapture(event.pointerId);
    moved = true;
    const other = [...down].find(([id]) => id !== event.pointerId)?.[1];
    if (other) pinch(figure, other[0], before[0], now[0]);
    else {
      const by = (before[0] - now[0]) / figure.scale.perUs;
      figure.show(figure.view.map((at) => at + by));
      figure.scale = new Scale(figure.run, figure.scale.width, figure.view);
    }
    down.set(event.pointerId, now);
  });
  const up = (event) => {
    const was = down.delete(event.pointerId);
    if (!was || moved || event.type !== "pointerup") return;
    const lane = event.target.closest("[data-lane]")?.dataset.lane;
    if (lane) figure.tools.toggle(lane);
    else figure.choose(figure.nearest(...point(figure, event)));
  };
  for (const name of ["pointerup", "pointercancel"]) svg.addEventListener(name, up);
}

function pinch(figure, still, before, now) {
  const factor = Math.abs(now - still) / Math.max(Math.abs(before - still), 1);
  if (factor > 0) figure.zoom(factor, figure.scale.at(still));
  figure.scale = new Scale(figure.run, figure.scale.width, figure.view);
}
