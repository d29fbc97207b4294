// Opens the counterexample that the address names; without script, :target shows it.
(() => {
  const show = () => {
    const id = decodeURIComponent(location.hash.slice(1));
    for (const open of document.querySelectorAll("dialog[open]")) {
      if (open.id !== id) open.close();
    }
    const dialog = id.startsWith("cell-") ? document.getElementById(id) : null;
    if (dialog && !dialog.open) {
      dialog.showModal();
      dialog.scrollTop = 0;
    }
  };
  const forget = (dialog) => {
    if (location.hash === "#" + dialog.id) {
      history.replaceState(null, "", location.pathname + location.search);
    }
    const link = [...document.querySelectorAll("a.cell")].find((a) => a.hash === "#" + dialog.id);
    if (link) link.focus();
  };
  for (const dialog of document.querySelectorAll("dialog")) {
    // Escape closes a modal dialog by itself.
    dialog.addEventListener("close", () => forget(dialog));
    dialog.addEventListener("click", (event) => {
      const close = event.target.closest("[data-close]");
      if (close) event.preventDefault();
      if (close || event.target === dialog) dialog.close();
    });
  }
  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) {
      // The same cell again: the address does not change, so nothing else would open it.
      const link = event.target.closest("a.cell");
      if (link && link.hash === location.hash) show();
      return;
    }
    const done = () => {
      button.textContent = "copied";
      setTimeout(() => { button.textContent = "copy"; }, 1500);
    };
    // Where copying is not allowed, the text is selected for the reader to copy.
    const select = () => getSelection().selectAllChildren(button.previousElementSibling);
    if (navigator.clipboard) navigator.clipboard.writeText(button.dataset.copy).then(done, select);
    else select();
  });
  addEventListener("hashchange", show);
  show();
})();
