// Lists: select all rows of the page, and say how many are selected.
{
  const rows = [...document.querySelectorAll("input[name=_selected_action][type=checkbox]")];
  const place = document.querySelector("[data-select-all]");
  const counter = document.querySelector("[data-selected]");
  const across = document.querySelector("input[name=select_across][type=checkbox]");
  if (place && rows.length) {
    const all = document.createElement("input");
    all.type = "checkbox";
    all.setAttribute("aria-label", place.dataset.selectAll);
    place.replaceChildren(all);
    const count = () => {
      const selected = rows.filter((row) => row.checked).length;
      all.checked = selected === rows.length;
      all.indeterminate = selected > 0 && !all.checked;
      if (counter) counter.textContent = selected ? `${counter.dataset.selected} ${selected}` : "";
      if (across) {
        across.parentElement.hidden = !all.checked;
        if (!all.checked) across.checked = false;
      }
    };
    all.addEventListener("change", () => {
      for (const row of rows) row.checked = all.checked;
      count();
    });
    let last = null;
    for (const row of rows) {
      row.addEventListener("click", (event) => {
        // With Shift, every row between this one and the last one.
        if (event.shiftKey && last) {
          const [from, to] = [rows.indexOf(last), rows.indexOf(row)].sort((a, b) => a - b);
          for (const between of rows.slice(from, to + 1)) between.checked = row.checked;
        }
        last = row;
        count();
      });
    }
    count();
  }
  // Where the filters stand beside the rows, they need not be asked for.
  const filters = document.querySelector("[data-filters]");
  if (filters && window.matchMedia("(min-width: 80rem)").matches) filters.open = true;
}
