// Two lists in the place of a list with several choices. The list itself stays in the form, hidden.
const made = (kind, properties) => Object.assign(document.createElement(kind), properties);

function picker(select) {
  const words = select.dataset;
  const pane = (title, side) => {
    const id = `${select.id}_${side}`;
    const box = made("div", {});
    const label = made("label", { htmlFor: id, textContent: title });
    const search = made("input", { type: "search" });
    search.setAttribute("aria-label", words.search.replace("{label}", title));
    search.placeholder = search.getAttribute("aria-label");
    const list = made("select", { multiple: true, size: 12, id });
    box.append(label, search, list);
    return { box, search, list };
  };
  const offered = pane(words.offered, "from");
  const chosen = pane(words.chosen, "to");
  const count = made("p", { className: "help" });
  count.setAttribute("role", "status");

  const fill = () => {
    for (const { list, search } of [offered, chosen]) {
      const wanted = list === chosen.list;
      const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
      list.replaceChildren();
      for (const option of select.options) {
        const group = option.parentElement.label;
        const text = group ? `${group} | ${option.text}` : option.text;
        const found = words.every((word) => text.toLowerCase().includes(word));
        if (option.selected === wanted && found) list.append(new Option(text, option.value));
      }
    }
    count.textContent = words.count.replace("{count}", select.selectedOptions.length);
  };
  const move = (list, on, all) => {
    const values = new Set(Array.from(all ? list.options : list.selectedOptions, (o) => o.value));
    const place = list.selectedIndex;
    for (const option of select.options) if (values.has(option.value)) option.selected = on;
    fill();
    if (!all && list.length) list.selectedIndex = Math.min(Math.max(place, 0), list.length - 1);
    select.dispatchEvent(new Event("change", { bubbles: true }));
  };
  const moves = made("div", { className: "moves" });
  for (const [text, list, on, all] of [
    [words.pick, offered.list, true, false],
    [words.unpick, chosen.list, false, false],
    [words.pickAll, offered.list, true, true],
    [words.unpickAll, chosen.list, false, true],
  ]) {
    const button = made("button", { type: "button", className: "quiet", textContent: text });
    button.addEventListener("click", () => move(list, on, all));
    moves.append(button);
  }
  for (const [{ list, search }, on] of [[offered, true], [chosen, false]]) {
    list.addEventListener("dblclick", () => move(list, on, false));
    list.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      move(list, on, false);
    });
    search.addEventListener("input", fill);
    search.addEventListener("keydown", (event) => {
      if (event.key === "Enter") event.preventDefault();
    });
  }
  const panes = made("div", { className: "panes" });
  panes.setAttribute("role", "group");
  const label = select.form.querySelector(`label[for="${select.id}"]`);
  panes.setAttribute("aria-label", label.textContent);
  panes.append(offered.box, moves, chosen.box);
  select.hidden = true;
  document.getElementById(`${select.id}_hint`).hidden = true;
  select.after(panes, count);
  label.htmlFor = offered.list.id;
  select.addEventListener("refill", fill);
  fill();
}
for (const select of document.querySelectorAll("select.picker")) picker(select);

// A window that added something hands it to the one that opened it.
const answer = document.getElementById("popup-response");
if (answer && window.opener) {
  window.opener.postMessage({ added: answer.dataset.popupResponse }, location.origin);
  window.close();
}
window.addEventListener("message", (event) => {
  const link = document.querySelector("a[data-adds]");
  if (!link || event.origin !== location.origin || !event.data.added) return;
  const select = document.getElementById(link.dataset.adds);
  const { value, obj } = JSON.parse(event.data.added);
  select.append(new Option(obj, value, true, true));
  select.dispatchEvent(new Event("refill"));
});
