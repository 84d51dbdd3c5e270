const body = document.querySelector("#all tbody"), rows = [...body.rows];
const field = (name) => document.getElementById(name);
const filter = () => {
  const text = field("text").value.trim().toLowerCase(), group = field("group").value, show = field("show").value;
  let count = 0;
  for (const row of rows) {
    const wanted = row.dataset.name.includes(text) && (!group || row.dataset.group === group) &&
      (!show || row.dataset.is.split(" ").includes(show));
    row.hidden = !wanted;
    count += wanted;
  }
  field("count").textContent = count;
};
document.querySelector("form").addEventListener("input", filter);
document.querySelector("form").addEventListener("submit", (event) => event.preventDefault());
const heads = [...document.querySelectorAll("#all thead th")];
heads.forEach((head, column) => head.addEventListener("click", () => {
  const down = head.getAttribute("aria-sort") === "ascending";
  for (const one of heads) one.setAttribute("aria-sort", one !== head ? "none" : down ? "descending" : "ascending");
  const key = (row) => row.cells[column]?.dataset.sort ?? "";
  rows.sort((one, other) => key(one).localeCompare(key(other), "en", { numeric: true }) * (down ? -1 : 1));
  body.append(...rows);
}));
filter();
