// One run on show: its picture with zoom and pan, its tools, its events. Several runs share a
// figure: what happened, and what would have happened; all are shown over the same stretch.

class Figure {
  constructor(stage, runs) {
    this.stage = stage;
    this.runs = runs;
    this.look = { event: null, hits: [], messages: false, lane: null };
    this.svg = svgElement("svg", { class: "timeline", tabindex: 0, role: "group", "aria-roledescription": "timeline" });
    this.status = htmlElement("p", { class: "hint shown", role: "status" });
    this.keys = htmlElement("ul", { class: "keys" });
    this.tools = new Tools(this);
    this.events = new EventList(this);
    const picture = htmlElement("div", { class: "picture" });
    picture.append(this.svg);
    this.banner = htmlElement("div", { class: "banner", hidden: "" });
    const figure = htmlElement("figure");
    figure.append(this.tools.bar, this.banner, picture, this.events.details, this.keys, this.status);
    stage.replaceChildren(figure, this.events.proofs, this.events.box);
    this.use(0);
    new ResizeObserver(() => this.draw()).observe(picture);
    listen(this);
  }

  // Shows one of the runs.
  use(number) {
    const before = this.run;
    this.run = this.runs[number];
    this.number = number;
    this.look.event = null;
    this.view = before ? this.kept(before) : [...this.run.view];
    this.tell();
    this.events.fill(this.run);
    this.tools.refresh();
    this.draw();
  }

  // The stretch that was shown, in the time of this run.
  kept(before) {
    const moved = before.zero - this.run.zero;
    return this.clamp(this.view.map((at) => at + moved));
  }

  // A what-if says what came of it; the fact has its story above.
  tell() {
    const { what, severity, verdict, story } = this.run;
    this.banner.hidden = !what;
    const list = htmlElement("ol", { class: "story" });
    list.append(...story.map((line) => htmlElement("li", {}, line)));
    const heading = htmlElement("p");
    heading.append(htmlElement("b", {}, `What if: ${what} `), htmlElement("span", { class: `tag ${severity}` }, verdict));
    this.banner.replaceChildren(heading, ...(story.length ? [list] : []));
    this.svg.setAttribute("aria-label", `timeline, ${what || "as it happened"}: ${verdict}. Arrow keys move, + and - zoom, j and k go from event to event, ? lists all keys.`);
  }

  clamp([from, until]) {
    const { span } = this.run;
    const length = Math.min(Math.max(until - from, SHORTEST), span);
    const start = Math.min(Math.max(from, 0), span - length);
    return [start, start + length];
  }

  show(view) {
    this.view = this.clamp(view);
    this.draw();
  }

  fit() {
    this.show(this.run.view);
  }

  // Zooms by a factor; what is at `at` stays where it is: the chosen event, else the middle.
  zoom(factor, at = this.center()) {
    const [from, until] = this.view;
    this.show([at - (at - from) / factor, at + (until - at) / factor]);
  }

  center() {
    const [from, until] = this.view;
    const at = this.look.event?.at ?? -1;
    return at >= from && at <= until ? at : (from + until) / 2;
  }

  // Moves by a part of what is shown.
  pan(part) {
    const [from, until] = this.view;
    const by = (until - from) * part;
    this.show([from + by, until + by]);
  }

  choose(event) {
    this.look.event = event;
    if (event) {
      const [from, until] = this.view;
      if (event.at < from || event.at > until) {
        const half = (until - from) / 2;
        this.view = this.clamp([event.at - half, event.at + half]);
      }
    }
    this.events.mark(event);
    this.draw();
  }

  // The next event or the one before, from the chosen one or from the left edge.
  step(by) {
    const { events, places } = this.run;
    const { event } = this.look;
    const first = events.findIndex((one) => one.at >= this.view[0]);
    const place = event ? places.get(event.index) + by : first;
    if (events[place]) this.choose(events[place]);
  }

  // The event nearest to a point of the picture, in its lane if there is one near.
  nearest(x, y) {
    const near = (event) => Math.abs(this.scale.x(event.at) - x);
    const lane = this.run.lanes.find(([, top, bottom]) => y >= top && y < bottom);
    const mine = this.run.events.filter((event) => near(event) < 12 && (!lane || event.host === lane[0]));
    return mine.sort((a, b) => near(a) - near(b))[0] ?? null;
  }

  draw() {
    if (this.waiting) return;
    this.waiting = true;
    requestAnimationFrame(() => {
      this.waiting = false;
      this.paint(Math.max(this.svg.parentElement.clientWidth, 320));
      this.legend();
      this.say();
    });
  }

  paint(width) {
    this.scale = new Scale(this.run, width, this.view);
    paint(this.svg, this.scale, this.look);
  }

  // Where we are, in words.
  say() {
    const { run, view } = this;
    const at = (us) => seconds(run.zero + us, 3);
    const [from, until] = run.view;
    const all = view[0] === from && view[1] === until;
    this.status.textContent = `Shown: ${at(view[0])} to ${at(view[1])}${all ? "" : ` (the violation is explained by ${at(from)} to ${at(until)})`}. ${ledger(run, view[1])}`;
    this.tools.refresh();
  }

  // What the shapes and signs mean that can be seen.
  legend() {
    const seen = new Set([...this.svg.querySelectorAll("rect")].map((rect) => rect.getAttribute("class")));
    const signs = new Set([...this.svg.querySelectorAll("use")].map((use) => use.getAttribute("href")));
    const entries = LEGEND.filter(([style]) => seen.has(style)).map(([style, text]) => [keyBox(style), text]);
    for (const [id, text] of SIGNS) if (signs.has(`#${id}`)) entries.push([keySign(id), text]);
    if (this.svg.querySelector(".witness")) entries.push([keyRing(), "proves the violation"]);
    if (this.svg.querySelector(".odd")) entries.push([keyDot(), "write that overwrites another"]);
    this.keys.replaceChildren(...entries.map(([key, text]) => {
      const entry = htmlElement("li");
      entry.append(key, text);
      return entry;
    }));
  }
}

const LEGEND = [
  ["waiting", "asks for the lock"],
  ["belief", "believes that it holds the lock"],
  ["stale", "believes so without a valid lease"],
  ["clash", "so do others at the same time"],
  ["granted", "the server's lock record is its own"],
  ["valid", "its lease is valid by true time"],
  ["operation", "guarded operation"],
  ["band", "fault"],
];

function keyIcon(...children) {
  const icon = svgElement("svg", { class: "timeline key", viewBox: "-11 -7 22 14", width: 22, height: 14, "aria-hidden": "true" });
  icon.append(...children);
  return icon;
}
const keyBox = (style) => {
  const height = { waiting: 2, valid: 4, operation: 5, granted: 8 }[style] ?? 11;
  return keyIcon(svgElement("rect", { class: style, x: -10, y: -height / 2, width: 20, height }));
};
const keySign = (id) => keyIcon(svgElement("use", { href: `#${id}` }));
const keyRing = () => keyIcon(svgElement("circle", { class: "witness", r: 6 }));
const keyDot = () => keyIcon(svgElement("circle", { class: "odd", r: 4 }));

// What was there at an instant, what was counted, and whether it adds up.
function ledger(run, until) {
  const [number, count] = run.panels;
  const at = (panel) => panel.to[panel.at.filter((one) => one <= until).length - 1] ?? panel.before;
  const [left, counted] = [at(number), at(count)];
  if (count.limit === null) return `${number.name} ${left}, ${count.name} ${counted}.`;
  const sum = left + counted;
  const verdict = sum === count.limit ? "the books add up" : `but there were ${count.limit}`;
  return `Books at ${seconds(run.zero + until, 3)}: ${left} left + ${counted} sold = ${sum}, ${verdict}.`;
}
