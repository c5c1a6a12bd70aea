// Tables sort by the column whose heading is clicked; long ones get a filter.
document$.subscribe(() => {
  for (const table of document.querySelectorAll("article table")) {
    const body = table.tBodies[0];
    if (!body || body.rows.length < 3) continue;
    const key = (row, column) => row.cells[column].innerText.trim();
    const compare = (a, b) => {
      const [x, y] = [parseFloat(a), parseFloat(b)];
      if (!a || !b) return !a - !b; // empty cells last
      return isNaN(x) || isNaN(y) ? a.localeCompare(b) : x - y;
    };
    [...table.tHead.rows[0].cells].forEach((heading, column) => {
      heading.classList.add("sortable");
      heading.addEventListener("click", () => {
        const down = heading.getAttribute("aria-sort") === "ascending";
        for (const other of table.tHead.rows[0].cells)
          other.removeAttribute("aria-sort");
        heading.setAttribute("aria-sort", down ? "descending" : "ascending");
        const rows = [...body.rows].sort((a, b) => {
          const order = compare(key(a, column), key(b, column));
          return down && key(a, column) && key(b, column) ? -order : order;
        });
        body.append(...rows);
      });
    });
    if (body.rows.length < 30) continue;
    const filter = document.createElement("input");
    filter.type = "search";
    filter.className = "table-filter";
    filter.placeholder = "Filter, for example: repflow HMDB51";
    filter.addEventListener("input", () => {
      const words = filter.value.toLowerCase().split(/\s+/);
      for (const row of body.rows) {
        const text = row.innerText.toLowerCase();
        row.hidden = !words.every((word) => text.includes(word));
      }
    });
    (table.closest(".md-typeset__scrollwrap") ?? table).before(filter);
  }
});
