// Two lists in the place of a list with several choices. The list itself stays in the form, hidden.
const made = (kind, properties) => Object.assign(document.createElement(kind), properties);

function picker(select) {
  const words = select.dataset;
  const id = select.id;
  const field = select.form.querySelector(`label[for="${id}"]`);
  field.id = `${id}_label`;
  // What leads to the field leads to the first list from now on.
  select.id = `${id}_values`;
  const pane = (title, own) => {
    const label = made("label", { id: `${own}_title`, htmlFor: own });
    const search = made("input", { type: "search", placeholder: words.find });
    search.setAttribute("aria-label", words.search.replace("{label}", `${field.textContent}, ${title}`));
    const list = made("select", { multiple: true, id: own });
    list.setAttribute("aria-labelledby", `${field.id} ${label.id}`);
    const box = made("div", {});
    box.append(label, search, list);
    return { title, box, label, search, list };
  };
  const offered = pane(words.offered, id);
  const chosen = pane(words.chosen, `${id}_to`);
  const count = made("p", { className: "sr" });
  count.setAttribute("role", "status");

  const wanted = (option, search) => {
    const text = `${option.parentElement.label ?? ""} ${option.text}`.toLowerCase();
    return search.every((word) => text.includes(word));
  };
  const show = ({ title, label, search, list }) => {
    const asked = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    const groups = new Map([["", list]]);
    list.replaceChildren();
    for (const option of select.options) {
      if (option.selected !== (list === chosen.list) || !wanted(option, asked)) continue;
      const name = option.parentElement.label ?? "";
      if (!groups.has(name)) {
        groups.set(name, made("optgroup", { label: name }));
        list.append(groups.get(name));
      }
      groups.get(name).append(new Option(option.text, option.value));
    }
    label.textContent = `${title} (${list.options.length})`;
  };
  const fill = () => {
    show(offered);
    show(chosen);
    const picked = words.count.replace("{count}", select.selectedOptions.length);
    count.textContent = `${offered.label.textContent} · ${picked}`;
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
      if (event.key !== "Enter" && event.key !== "ArrowDown") return;
      // Into what was found, instead of sending the form.
      event.preventDefault();
      if (!list.length) return;
      list.focus();
      if (list.selectedIndex < 0) list.selectedIndex = 0;
    });
  }
  // The hint is of the hidden list alone.
  const described = (select.getAttribute("aria-describedby") ?? "").split(" ");
  const left = described.filter((own) => own && own !== `${id}_hint`).join(" ");
  if (left) offered.list.setAttribute("aria-describedby", left);
  if (select.hasAttribute("aria-invalid")) offered.list.setAttribute("aria-invalid", select.getAttribute("aria-invalid"));
  const panes = made("div", { className: "panes" });
  panes.setAttribute("role", "group");
  panes.setAttribute("aria-labelledby", field.id);
  panes.append(offered.box, moves, chosen.box);
  select.hidden = true;
  document.getElementById(`${id}_hint`).hidden = true;
  select.after(panes, count);
  select.addEventListener("refill", fill);
  // A browser that goes back puts the choices in again.
  window.addEventListener("pageshow", fill);
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
  const id = link.dataset.adds;
  const select = document.getElementById(`${id}_values`) ?? document.getElementById(id);
  const { action, value, obj } = JSON.parse(event.data.added);
  if (action) return;
  select.append(new Option(obj, value, true, true));
  select.dispatchEvent(new Event("refill"));
});
