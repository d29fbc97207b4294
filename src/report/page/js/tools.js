// The tools above a picture: zoom, messages, search. Everything here has a key too.

class Tools {
  constructor(figure) {
    this.figure = figure;
    this.bar = htmlElement("div", { class: "tools", role: "toolbar", "aria-label": "timeline" });
    this.messages = this.select();
    this.search = htmlElement("input", { type: "search", placeholder: "find an event", "aria-label": "find an event: words of its text", spellcheck: "false" });
    this.count = htmlElement("span", { class: "count", role: "status" });
    this.search.addEventListener("input", () => this.find());
    this.search.addEventListener("keydown", (event) => this.typed(event));
    const group = (...children) => {
      const span = htmlElement("span", { class: "group" });
      span.append(...children);
      return span;
    };
    const label = htmlElement("label", {}, "messages ");
    label.append(this.messages);
    this.bar.append(
      group(
        button("−", "zoom out (-)", () => figure.zoom(1 / 1.6)),
        button("+", "zoom in (+)", () => figure.zoom(1.6)),
        button("fit", "back to what explains the violation (0)", () => figure.fit()),
        button("all", "show as much as there is (a)", () => figure.show([0, figure.run.span])),
        button("◂", "move left (left arrow)", () => figure.pan(-0.3)),
        button("▸", "move right (right arrow)", () => figure.pan(0.3)),
      ),
      group(label),
      group(this.search, button("↑", "find the one before (N)", () => this.jump(-1)), button("↓", "find the next (n)", () => this.jump(1)), this.count),
      group(button("keys", "list all keys (?)", () => document.getElementById("help").showModal())),
    );
  }

  select() {
    const select = htmlElement("select", { "aria-label": "show messages (m)" });
    select.addEventListener("change", () => this.ask(select.value));
    return select;
  }

  // Messages of nobody, of all, or of one host.
  ask(whose) {
    const { look } = this.figure;
    look.messages = whose !== "none";
    look.lane = ["none", "all"].includes(whose) ? null : whose;
    this.figure.draw();
  }

  toggle(lane = null) {
    const { look } = this.figure;
    const off = look.messages && look.lane === lane;
    this.ask(off ? "none" : lane ?? "all");
  }

  refresh() {
    const { run, look } = this.figure;
    const choices = run.messages ? ["none", "all", ...run.lanes.map(([host]) => host)] : ["not kept"];
    if (this.choices !== choices.join()) {
      this.choices = choices.join();
      this.messages.replaceChildren(...choices.map((choice) => htmlElement("option", {}, choice)));
    }
    this.messages.disabled = !run.messages;
    this.messages.value = !run.messages ? "not kept" : look.messages ? look.lane ?? "all" : "none";
  }

  find() {
    const { figure } = this;
    const words = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const found = (event) => words.every((word) => `#${event.index} ${event.text}`.toLowerCase().includes(word));
    figure.look.hits = words.length ? figure.run.events.filter(found) : [];
    figure.events.found(figure.look.hits);
    this.tell();
    figure.draw();
  }

  tell() {
    const { hits, event } = this.figure.look;
    const place = hits.indexOf(event);
    this.count.textContent = !this.search.value.trim() ? "" : !hits.length ? "none" : `${place < 0 ? "–" : place + 1} of ${hits.length}`;
  }

  // To the next one that was found, from the chosen event on.
  jump(by) {
    const { hits, event } = this.figure.look;
    if (!hits.length) return;
    const from = event ? event.index : -1;
    const later = by > 0 ? hits.find((one) => one.index > from) : hits.findLast((one) => one.index < from);
    this.figure.choose(later ?? (by > 0 ? hits[0] : hits.at(-1)));
    this.tell();
  }

  typed(event) {
    if (event.key === "Enter") {
      event.preventDefault();
      this.jump(event.shiftKey ? -1 : 1);
    } else if (event.key === "Escape" && (this.search.value || document.activeElement === this.search)) {
      event.preventDefault();
      event.stopPropagation();
      this.search.value = "";
      this.find();
      this.figure.svg.focus();
    }
  }
}

function button(text, title, act) {
  const element = htmlElement("button", { type: "button", title, "aria-label": title }, text);
  element.addEventListener("click", act);
  return element;
}
