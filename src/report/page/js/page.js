// Opens the run that the address names, shows its figure, and the buttons of the page.

const figures = new Map();

// The figure of a sheet, made when it is first seen.
async function figureOf(sheet) {
  const stage = sheet.querySelector(".stage");
  if (!stage || figures.has(stage.id)) return figures.get(stage?.id);
  figures.set(stage.id, null);
  try {
    const figure = new Figure(stage, await runsOf(stage));
    figures.set(stage.id, figure);
    for (const choice of sheet.querySelectorAll("[data-run]")) choice.addEventListener("click", () => use(sheet, Number(choice.dataset.run)));
    use(sheet, 0);
  } catch (error) {
    stage.textContent = `The picture cannot be shown: ${error.message}. It needs a browser of 2023 or later.`;
  }
  return figures.get(stage.id);
}

function use(sheet, number) {
  const figure = figures.get(sheet.querySelector(".stage").id);
  if (figure.number !== number) figure.use(number);
  for (const choice of sheet.querySelectorAll("[data-run]")) choice.setAttribute("aria-pressed", String(Number(choice.dataset.run) === number));
}

// `#cell-LOCK-FAMILY`, and `/INDEX` of an event behind it.
async function show() {
  const [id, index] = decodeURIComponent(location.hash.slice(1)).split("/");
  for (const open of document.querySelectorAll("dialog.run[open]")) {
    if (open.id !== id) open.close();
  }
  const sheet = id ? document.getElementById(id) : null;
  if (!sheet?.matches(".run")) return;
  if (sheet.matches("dialog") && !sheet.open) {
    sheet.showModal();
    sheet.scrollTop = 0;
  }
  const figure = await figureOf(sheet);
  const place = figure?.run.places.get(Number(index));
  if (place !== undefined) figure.choose(figure.run.events[place]);
}

function forget(dialog) {
  if (location.hash.slice(1).split("/")[0] === dialog.id) history.replaceState(null, "", location.pathname + location.search);
  [...document.querySelectorAll("a.cell")].find((link) => link.hash === `#${dialog.id}`)?.focus();
}

for (const dialog of document.querySelectorAll("dialog")) {
  // Escape closes a modal dialog by itself.
  if (dialog.matches(".run")) dialog.addEventListener("close", () => forget(dialog));
  dialog.addEventListener("click", (event) => {
    const close = event.target.closest("[data-close]");
    if (close) event.preventDefault();
    if (close || event.target === dialog) dialog.close();
  });
}

function copy(button) {
  const done = () => {
    button.textContent = "copied";
    setTimeout(() => { button.textContent = "copy"; }, 1500);
  };
  // Where copying is not allowed, the text is selected for the reader to copy.
  const select = () => getSelection().selectAllChildren(button.previousElementSibling);
  if (navigator.clipboard) navigator.clipboard.writeText(button.previousElementSibling.textContent).then(done, select);
  else select();
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-copy]");
  if (button) return copy(button);
  // The same cell again: the address does not change, so nothing else would open it.
  const link = event.target.closest("a.cell");
  if (link && link.hash === location.hash) show();
});

// Arrow keys go from cell to cell of the table.
document.querySelector("table.matrix")?.addEventListener("keydown", (event) => {
  const steps = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
  const step = steps[event.key];
  const cell = event.target.closest("td");
  if (!step || !cell) return;
  event.preventDefault();
  const rows = [...cell.closest("tbody").rows];
  let [row, column] = [cell.parentElement.rowIndex - 1, cell.cellIndex];
  do {
    [row, column] = [row + step[0], column + step[1]];
  } while (rows[row]?.cells[column] && !rows[row].cells[column].querySelector("a.cell"));
  rows[row]?.cells[column]?.querySelector("a.cell")?.focus();
});

document.addEventListener("keydown", (event) => {
  if (event.key === "?" && !event.target.closest("input, select")) {
    event.preventDefault();
    document.getElementById("help").showModal();
  }
});

// Paper is narrower than a screen: drawn for its width, labels keep their size.
addEventListener("beforeprint", () => figures.forEach((figure) => figure?.paint(760)));
addEventListener("afterprint", () => figures.forEach((figure) => figure?.draw()));

addEventListener("hashchange", show);
for (const sheet of document.querySelectorAll("main.run")) figureOf(sheet);
show();
