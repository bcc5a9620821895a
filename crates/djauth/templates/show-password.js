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
