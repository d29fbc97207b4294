// The events of a run as a list, the chosen one in detail, and the evidence.

class EventList {
  constructor(figure) {
    this.figure = figure;
    this.details = htmlElement("section", { class: "chosen-event", "aria-live": "polite", hidden: "" });
    this.proofs = htmlElement("div", { class: "proofs" });
    this.list = htmlElement("ol", { class: "events", role: "listbox", tabindex: 0, "aria-label": "events" });
    this.box = htmlElement("details", { class: "event-box" });
    this.summary = htmlElement("summary");
    this.box.append(this.summary, this.list);
    this.box.addEventListener("toggle", () => this.box.open && this.write());
    this.list.addEventListener("click", (event) => {
      const row = event.target.closest("li");
      if (row) figure.choose(this.run.events[row.dataset.place]);
    });
  }

  fill(run) {
    this.run = run;
    this.rows = null;
    this.list.replaceChildren();
    this.details.hidden = true;
    this.evidence = new Set(run.proofs.flatMap((proof) => proof.events));
    this.summary.textContent = `${run.events.length} events; what proves a violation is marked ▸`;
    this.proofs.replaceChildren(...run.proofs.map((proof) => this.proof(proof)));
    if (this.box.open) this.write();
  }

  // The rows are made when somebody wants to see them: a long run has thousands.
  write() {
    if (this.rows) return;
    this.rows = this.run.events.map((event, place) => {
      const mark = this.evidence.has(event.index) ? "▸" : " ";
      const row = htmlElement("li", { role: "option", "data-place": place, id: `${this.figure.stage.id}-${event.index}`, "aria-selected": "false" });
      row.append(htmlElement("span", { class: "number" }, `${mark}${event.index}`), event.text);
      if (mark === "▸") row.classList.add("proof");
      return row;
    });
    this.list.replaceChildren(...this.rows);
    this.found(this.figure.look.hits);
    this.mark(this.figure.look.event);
  }

  found(hits) {
    if (hits.length && !this.box.open) this.box.open = true;
    const places = new Set(hits.map((event) => this.run.places.get(event.index)));
    this.rows?.forEach((row, place) => row.classList.toggle("found", places.has(place)));
  }

  proof(proof) {
    const line = htmlElement("p", { class: "proof-line" });
    const promise = proof.claimed ? "promise broken" : "not promised";
    line.append(`Evidence of ${proof.word} (${promise}): `);
    for (const index of proof.events) {
      const event = this.run.events[this.run.places.get(index)];
      if (!event) continue;
      const jump = button(`#${index} ${event.host}`, event.text, () => {
        this.figure.choose(event);
        this.figure.svg.focus();
      });
      jump.className = "evidence";
      line.append(jump);
    }
    return line;
  }

  // Shows an event in detail and in the list.
  mark(event) {
    this.list.querySelector('[aria-selected="true"]')?.setAttribute("aria-selected", "false");
    this.details.hidden = !event;
    if (!event) return this.list.removeAttribute("aria-activedescendant");
    const row = this.rows?.[this.run.places.get(event.index)];
    if (row) {
      row.setAttribute("aria-selected", "true");
      this.list.setAttribute("aria-activedescendant", row.id);
      const { list } = this;
      if (row.offsetTop < list.scrollTop || row.offsetTop + row.offsetHeight > list.scrollTop + list.clientHeight) {
        list.scrollTop = row.offsetTop - list.clientHeight / 2;
      }
    }
    this.detail(event);
  }

  detail(event) {
    const facts = htmlElement("dl");
    const fact = (name, ...values) => {
      const value = htmlElement("dd");
      value.append(...values);
      const row = htmlElement("div");
      row.append(htmlElement("dt", {}, name), value);
      facts.append(row);
    };
    const { run, figure } = this;
    const now = run.zero + event.at;
    fact("true time", seconds(now, 6));
    if (event.steady !== null) {
      fact(`steady clock of ${event.host}`, `${seconds(now + event.steady, 6)} since the run began${difference(event.steady)}`);
      fact(`wall clock of ${event.host}`, `${wallTime(now + event.wall)}${difference(event.wall)}`);
    }
    for (const message of messagesOf(run, event)) fact(message.from === event.host ? `message to ${message.to}` : `message from ${message.from}`, travelled(run, message));
    for (const proof of run.proofs.filter((one) => one.events.includes(event.index))) {
      const place = proof.events.indexOf(event.index);
      const other = (by) => run.events[run.places.get(proof.events[place + by])];
      const links = [["‹ before", -1], ["next ›", 1]].filter(([, by]) => other(by));
      fact("proves", `${proof.word} at ${proof.at} (${place + 1} of ${proof.events.length}) `, ...links.map(([text, by]) => button(text, "other evidence", () => figure.choose(other(by)))));
    }
    const heading = htmlElement("h4", {}, `#${event.index} ${event.words}`);
    const tools = htmlElement("span", { class: "group" });
    tools.append(
      button("‹", "the event before (k)", () => figure.step(-1)),
      button("›", "the next event (j)", () => figure.step(1)),
      button("✕", "close (Escape)", () => { figure.choose(null); figure.svg.focus(); }),
    );
    this.details.replaceChildren(heading, tools, facts);
  }
}

function difference(us) {
  return us === 0 ? "" : ` (${us > 0 ? "+" : "−"}${milliseconds(Math.abs(us))} off)`;
}

// The time of day; every run begins at midnight.
function wallTime(us) {
  return new Date(Date.UTC(2024, 0, 1) + us / 1000).toISOString().replace("T", " ").replace("Z", " UTC");
}

function travelled(run, { text, sent, arrived }) {
  const left = `“${text}”, sent ${seconds(run.zero + sent, 3)}`;
  return arrived === null ? `${left}, never arrived` : `${left}, arrived ${seconds(run.zero + arrived, 3)}`;
}
