const buttons = [...document.querySelectorAll("[data-show]")];
const cards = [...document.querySelectorAll("[data-decision]")];
const status = document.querySelector(".shown");

function show(decision) {
  for (const card of cards) card.hidden = decision !== "" && card.dataset.decision !== decision;
  for (const button of buttons) button.setAttribute("aria-pressed", String(button.dataset.show === decision));
  const count = cards.filter((card) => !card.hidden).length;
  status.textContent = decision === "" ? "" : `${count} of ${cards.length} shown`;
}

for (const button of buttons) button.addEventListener("click", () => show(button.dataset.show));
