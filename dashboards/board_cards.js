const made = (tag, name, text) => {
  const element = document.createElement(tag);
  element.className = name;
  if (text !== undefined) element.textContent = text;
  return element;
};

const neighbour = (card, key) => {
  const columns = [...card.getRootNode().querySelectorAll(".column")];
  const at = columns.indexOf(card.closest(".column"));
  const here = [...columns[at].querySelectorAll(".card")];
  const place = here.indexOf(card);
  if (key === "ArrowDown" || key === "ArrowUp") return here[place + (key === "ArrowDown" ? 1 : -1)];
  const step = key === "ArrowRight" ? 1 : -1;
  for (let next = at + step; next >= 0 && next < columns.length; next += step) {
    const cards = columns[next].querySelectorAll(".card");
    if (cards.length) return cards[Math.min(place, cards.length - 1)];
  }
};

export default function ({ data, parentElement, setTriggerValue }) {
  let root = parentElement.querySelector(".board");
  const focused = root?.querySelector(".card:focus")?.dataset.ticket;
  root?.remove();
  root = parentElement.appendChild(made("div", "board"));
  let dragged = null;
  let last = "";

  const move = (card, from, to) => {
    const wanted = `${card.id} ${to}`;
    if (!data.can_move || last === wanted || from === to) return;
    last = wanted;
    setTriggerValue("moved", { ticket: card.id, to, seen: card.seen });
    setTimeout(() => { last = ""; }, 1500);
  };

  const drawn = (card, column, index) => {
    const element = made("div", `card ${card.state}`);
    element.dataset.ticket = card.id;
    element.tabIndex = 0;
    element.draggable = data.can_move;
    element.setAttribute("role", "button");
    element.setAttribute("aria-label", `${card.reference}, ${card.subject}, ${card.facts}, ${card.left}, in ${column.title}`);
    const head = element.appendChild(made("div", "head"));
    head.append(made("span", "reference", card.reference), made("span", "left", card.left));
    element.append(made("div", "subject", card.subject), made("div", "facts", card.facts));
    element.ondragstart = (event) => {
      dragged = { card, from: column.name };
      event.dataTransfer.setData("text/plain", card.reference);
      element.classList.add("lifted");
    };
    element.ondragend = () => { dragged = null; element.classList.remove("lifted"); };
    element.ondblclick = () => setTriggerValue("opened", card.id);
    element.onkeydown = (event) => {
      if (event.key === "Enter") setTriggerValue("opened", card.id);
      if (!event.key.startsWith("Arrow")) return;
      event.preventDefault();
      if (!event.altKey) return neighbour(element, event.key)?.focus();
      const to = data.columns[index + (event.key === "ArrowRight" ? 1 : event.key === "ArrowLeft" ? -1 : 0)];
      if (to) move(card, column.name, to.name);
    };
    return element;
  };

  data.columns.forEach((column, index) => {
    const element = root.appendChild(made("section", column.count ? "column" : "column empty"));
    element.dataset.column = column.name;
    element.setAttribute("aria-label", `${column.title}, ${column.note}`);
    element.append(made("div", "title", column.title), made("div", column.is_over ? "note over" : "note", column.note));
    column.lanes.forEach((lane) => {
      if (lane.title) element.append(made("div", "lane", lane.title));
      lane.cards.forEach((card) => element.append(drawn(card, column, index)));
    });
    if (column.more) {
      const more = element.appendChild(made("button", "more", column.more));
      more.onclick = () => setTriggerValue("more", column.name);
    }
    element.ondragover = (event) => { if (dragged) { event.preventDefault(); element.classList.add("target"); } };
    element.ondragleave = () => element.classList.remove("target");
    element.ondrop = (event) => {
      event.preventDefault();
      element.classList.remove("target");
      if (dragged) move(dragged.card, dragged.from, column.name);
    };
  });
  if (focused) [...root.querySelectorAll(".card")].find((card) => card.dataset.ticket === focused)?.focus();
}
