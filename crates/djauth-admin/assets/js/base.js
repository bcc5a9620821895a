// The theme: as the system has it, until somebody chooses.
const THEMES = ["auto", "light", "dark"];
const remembered = () => {
  try {
    return localStorage.getItem("theme");
  } catch {
    return null;
  }
};
const setTheme = (theme) => {
  const root = document.documentElement;
  if (theme === "auto") delete root.dataset.theme;
  else root.dataset.theme = theme;
  try {
    localStorage.setItem("theme", theme);
  } catch {
    // Then it holds for this page alone.
  }
};
let theme = THEMES.includes(remembered()) ? remembered() : "auto";
setTheme(theme);
for (const place of document.querySelectorAll("[data-theme-switch]")) {
  const button = document.createElement("button");
  const name = () => {
    button.textContent = `${place.dataset.label}: ${place.dataset[theme]}`;
  };
  button.type = "button";
  button.className = "theme";
  button.addEventListener("click", () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
    setTheme(theme);
    name();
  });
  name();
  place.append(button);
}

// Lets people see the passwords that they type.
for (const input of document.querySelectorAll("input[data-show]")) {
  const button = document.createElement("button");
  const set = (shown) => {
    input.type = shown ? "text" : "password";
    button.textContent = shown ? input.dataset.hide : input.dataset.show;
  };
  button.type = "button";
  button.className = "show";
  button.setAttribute("aria-controls", input.id);
  button.addEventListener("click", () => set(input.type === "password"));
  input.form.addEventListener("submit", () => set(false));
  input.after(button);
  set(false);
}
