// Runs as the picture and the lists use them, from the packed columns in the page.

// Signs of marks in the order of their numbers: [id, meaning, how easily it is left out].
const SIGNS = JSON.parse(document.getElementById("kinds").textContent);
const KINDS = ["invoke", "ok", "fail", ""];

// The sheets of each pack that was opened.
const packs = new Map();

// The runs of a stage: of its sheet in the pack that it shares with others.
async function runsOf({ dataset }) {
  const pack = document.getElementById(`pack-${dataset.pack}`);
  if (!packs.has(pack)) packs.set(pack, unpack(pack.textContent));
  return (await packs.get(pack))[dataset.place].map(expand);
}

async function unpack(text) {
  const bytes = Uint8Array.from(atob(text.trim()), (character) => character.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  return JSON.parse(await new Response(stream).text());
}

function expand(run) {
  run.events = expandEvents(run);
  run.messages = run.messages && expandMessages(run);
  run.places = new Map(run.events.map((event, place) => [event.index, place]));
  return run;
}

// A column of differences as values.
const sums = (column) => {
  let sum = 0;
  return column.map((difference) => (sum += difference));
};

function expandEvents({ events, hosts, zero }) {
  const [index, at] = [sums(events.index), sums(events.at)];
  return index.map((number, row) => {
    const [host, kind, op] = [hosts[events.who[row]], KINDS[events.kind[row]], events.ops[events.op[row]]];
    const words = [host, kind, op].filter(Boolean).join(" ");
    const [steady, wall] = [events.steady[row] ?? null, events.wall[row] ?? null];
    return { index: number, at: at[row], host, kind, op, words, steady, wall, text: `${seconds(zero + at[row], 3)} ${words}` };
  });
}

function expandMessages({ messages, hosts }) {
  return sums(messages.sent).map((sent, row) => {
    const took = messages.took[row];
    return {
      from: hosts[messages.from[row]],
      to: hosts[messages.to[row]],
      sent,
      arrived: took < 0 ? null : sent + took,
      text: messages.texts[messages.text[row]],
    };
  });
}

// Microseconds as seconds; cut and not rounded, as the stories do it.
function seconds(us, digits) {
  const whole = Math.floor(us / 10 ** (6 - digits));
  return `${(whole / 10 ** digits).toFixed(digits)} s`;
}

function milliseconds(us) {
  return `${Number((us / 1000).toFixed(3))} ms`;
}

// The messages that an event is about: what its process sent for it, or what it was told.
function messagesOf(run, event) {
  if (!run.messages) return [];
  const soon = 50_000;
  const sent = run.messages.find((one) => one.from === event.host && one.sent >= event.at && one.sent <= event.at + soon);
  const told = run.messages.findLast((one) => one.to === event.host && one.arrived !== null && one.arrived <= event.at && one.arrived >= event.at - soon);
  const wanted = event.kind === "invoke" ? [sent] : event.kind ? [told] : [told, sent];
  return wanted.filter((message) => message && (event.kind || message.sent === event.at || message.arrived === event.at));
}
