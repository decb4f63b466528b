/* Everything that moves: theme, filter, graph, tabs, copy. The pages read well without it.
   Text from the project only ever passes through textContent. */
"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const all = (selector, from = document) => [...from.querySelectorAll(selector)];
  const data = JSON.parse($("data").textContent);
  const say = (text) => { $("said").textContent = text; };

  /* Theme */
  const systemDark = matchMedia("(prefers-color-scheme: dark)");
  const isDark = () => (document.documentElement.dataset.theme || (systemDark.matches ? "dark" : "light")) === "dark";
  function showTheme() { $("theme").setAttribute("aria-pressed", String(isDark())); }
  $("theme").addEventListener("click", () => {
    const theme = isDark() ? "light" : "dark";
    document.documentElement.dataset.theme = theme;
    try { localStorage.setItem("flowforge-theme", theme); } catch { /* not remembered, still switched */ }
    showTheme();
  });
  systemDark.addEventListener("change", showTheme);
  showTheme();

  /* Copy */
  async function copied(text) {
    try {
      await navigator.clipboard.writeText(text);
      return true;
    } catch { /* not allowed here: the old way */ }
    const area = document.createElement("textarea");
    area.value = text;
    area.className = "unseen";
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    return done;
  }
  all("[data-copy]").forEach((button) => button.addEventListener("click", async () => {
    const done = await copied($(button.dataset.copy).textContent);
    button.textContent = done ? "Copied" : "Press Ctrl+C";
    button.classList.toggle("done", done);
    if (!done) getSelection().selectAllChildren($(button.dataset.copy));
    button.focus();
    say(button.textContent);
    setTimeout(() => { button.textContent = "Copy"; button.classList.remove("done"); }, 2000);
  }));

  /* Tabs */
  all("[data-tabs]").forEach((card) => {
    const tabs = all("[role=tab]", card);
    const show = (chosen) => tabs.forEach((tab) => {
      const on = tab === chosen;
      tab.setAttribute("aria-selected", String(on));
      tab.tabIndex = on ? 0 : -1;
      $(tab.getAttribute("aria-controls")).hidden = !on;
    });
    tabs.forEach((tab, i) => {
      tab.addEventListener("click", () => show(tab));
      tab.addEventListener("keydown", (event) => {
        const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (!step) return;
        const next = tabs[(i + step + tabs.length) % tabs.length];
        show(next);
        next.focus();
      });
    });
    if (tabs.length) show(tabs[0]);
  });

  /* Colours for code: the text is cut into spans, never parsed as markup. */
  const SQL_WORDS = "all alter and any as asc between by case cast create cross desc distinct drop else end except exists false filter first following for from full group having if in inner insert interval intersect into is join lateral left like limit natural not null nulls offset on or order outer over partition preceding qualify range recursive replace right row rows select set table temp temporary then true unbounded union unique update using values view when where window with";
  const PYTHON_WORDS = "False None True and as assert async await break class continue def del elif else except finally for from global if import in is lambda nonlocal not or pass raise return try while with yield match case";
  const TOKENS = {
    sql: /(?<c>--[^\n]*|\/\*[\s\S]*?\*\/|\{#[\s\S]*?#\})|(?<s>'(?:[^']|'')*')|(?<n>\b\d+(?:\.\d+)?\b)|(?<k>[A-Za-z_]\w*)/g,
    python: /(?<c>#[^\n]*)|(?<s>"""[\s\S]*?"""|'''[\s\S]*?'''|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')|(?<n>\b\d+(?:\.\d+)?\b)|(?<k>[A-Za-z_]\w*)/g,
  };
  const WORDS = { sql: new Set(SQL_WORDS.split(" ")), python: new Set(PYTHON_WORDS.split(" ")) };
  const LONGEST_COLOURED = 200000;
  function colour(code) {
    const language = code.dataset.language;
    const text = code.textContent;
    if (!TOKENS[language] || text.length > LONGEST_COLOURED) return;
    const pieces = document.createDocumentFragment();
    let end = 0;
    for (const found of text.matchAll(TOKENS[language])) {
      const kind = Object.keys(found.groups).find((name) => found.groups[name] !== undefined);
      const word = language === "sql" ? found[0].toLowerCase() : found[0];
      if (kind === "k" && !WORDS[language].has(word)) continue;
      const span = document.createElement("span");
      span.className = `t-${kind}`;
      span.textContent = found[0];
      pieces.append(text.slice(end, found.index), span);
      end = found.index + found[0].length;
    }
    pieces.append(text.slice(end));
    code.replaceChildren(pieces);
  }
  all("code[data-language]").forEach(colour);

  /* Mermaid: the neighbourhood of one model; boxes are measured in the font they are drawn in */
  const MONO = getComputedStyle(document.documentElement).getPropertyValue("--mono").trim();
  const loaded = (path) => new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = path;
    script.onload = resolve;
    script.onerror = reject;
    document.head.append(script);
  });
  async function drawNeighbourhood(place) {
    const [source, decode] = withoutCodes($(place.dataset.source).textContent.replace(/^ {2}classDef .*\n/gm, ""));
    try {
      await loaded(place.dataset.script);
      mermaid.initialize({
        startOnLoad: false, securityLevel: "strict", htmlLabels: false, theme: "base",
        fontFamily: MONO, themeVariables: { fontFamily: MONO, fontSize: "12.5px" }, maxEdges: 5000, maxTextSize: 500000,
        flowchart: {
          htmlLabels: false, useMaxWidth: false, wrappingWidth: 420, nodeSpacing: 24, rankSpacing: 56, padding: 14, curve: "basis",
        },
      });
      const { svg } = await mermaid.render("neighbourhood", source);
      // The one place where markup is parsed; Mermaid has cleaned it, and a parsed SVG document runs no scripts.
      const drawn = new DOMParser().parseFromString(svg, "image/svg+xml").documentElement;
      if (drawn.nodeName !== "svg") throw new Error("not a drawing");
      decode(drawn);
      place.replaceChildren(document.importNode(drawn, true));
      link(place);
      settle(place);
    } catch {
      place.textContent = "This neighbourhood cannot be drawn. Its Mermaid source is in the other tab.";
    }
    place.dataset.drawn = "true";
  }
  /* Labels without HTML show Mermaid's character codes as they are: one private character stands for each while
     Mermaid measures and breaks lines, and the real one takes its place, as text, when all is drawn. */
  function withoutCodes(source) {
    const codes = [...new Set([...source.matchAll(/#(\d+);/g)].map((found) => found[1]))];
    const marked = source.replace(/#(\d+);/g, (_, code) => String.fromCharCode(0xe000 + codes.indexOf(code)));
    const real = (mark) => String.fromCodePoint(codes[mark.charCodeAt(0) - 0xe000]);
    return [marked, (drawn) => {
      const texts = drawn.ownerDocument.createTreeWalker(drawn, NodeFilter.SHOW_TEXT);
      while (texts.nextNode()) texts.currentNode.data = texts.currentNode.data.replace(/[\ue000-\uf8ff]/g, real);
    }];
  }
  function link(place) {
    const pages = new Map(Object.entries(data.links));
    all("g.node", place).forEach((node) => {
      const id = (/flowchart-([nxs]\d+)-\d+$/.exec(node.id) || [])[1];
      node.classList.toggle("subject", id === data.subject);
      if (!pages.has(id) || id === data.subject) return;
      node.classList.add("linked");
      node.addEventListener("click", () => { location.href = pages.get(id); });
    });
  }
  /* Shrink a wide drawing as far as it stays readable, and bring its subject into sight. */
  function settle(place) {
    const svg = place.querySelector("svg");
    const [width, height] = svg.getAttribute("viewBox").split(" ").slice(2).map(Number);
    const scale = Math.min(1, Math.max(0.72, (place.clientWidth - 32) / width));
    svg.setAttribute("width", width * scale);
    svg.setAttribute("height", height * scale);
    const subject = place.querySelector(".subject");
    if (!subject) return;
    const [box, frame] = [subject.getBoundingClientRect(), place.getBoundingClientRect()];
    place.scrollLeft += box.left + box.width / 2 - frame.left - frame.width / 2;
    place.scrollTop += box.top + box.height / 2 - frame.top - frame.height / 2;
  }
  /* Mermaid is large: it is fetched when its place comes into sight, so that a page opens at once. */
  if ($("drawn")) {
    new IntersectionObserver((entries, observer) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      observer.disconnect();
      drawNeighbourhood($("drawn"));
    }, { rootMargin: "200px" }).observe($("drawn"));
  }

  if (!$("stage")) return;

  /* Filter */
  const rows = all("#models tr").map((row, i) => ({
    row, kind: row.dataset.kind, tags: data.tags[i],
    // All cells but the last: a model is not found by the names of those it reads.
    text: [...row.cells].slice(0, -1).map((cell) => cell.textContent).join(" ").toLowerCase(),
  }));
  const options = all("#tag option");
  const kinds = all("[data-kind]", $("toolbar"));
  const graph = $("graph");
  const nodes = all(".n", graph);
  function filter() {
    const words = $("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
    const kind = kinds.find((button) => button.getAttribute("aria-pressed") === "true").dataset.kind;
    const tag = $("tag").value && options[$("tag").selectedIndex].textContent;
    const filtered = Boolean(words.length || kind || tag);
    let shown = 0;
    rows.forEach((entry, i) => {
      const fits = words.every((word) => entry.text.includes(word)) && (!kind || entry.kind === kind) && (!tag || entry.tags.includes(tag));
      entry.row.hidden = !fits;
      nodes[i].classList.toggle("match", fits);
      shown += fits;
    });
    graph.classList.toggle("dim", filtered);
    $("shown").textContent = `${shown} of ${rows.length} models`;
    $("nothing").hidden = shown > 0;
  }
  $("filter").addEventListener("input", filter);
  $("tag").addEventListener("change", filter);
  kinds.forEach((button) => button.addEventListener("click", () => {
    kinds.forEach((other) => other.setAttribute("aria-pressed", String(other === button)));
    filter();
  }));
  document.addEventListener("keydown", (event) => {
    const typing = /^(input|select|textarea)$/i.test(event.target.tagName);
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      $("filter").focus();
      $("filter").select();
    }
    if (event.key === "Escape" && event.target === $("filter")) {
      $("filter").value = "";
      filter();
    } else if (event.key === "Escape") escape();
  });

  /* Highlight: what a node reads, and what reads it */
  const edges = all(".e", graph);
  const into = nodes.map(() => []);
  const outOf = nodes.map(() => []);
  data.edges.forEach(([tail, head], i) => { into[head].push([tail, i]); outOf[tail].push([head, i]); });
  let held = null;
  function reach(start, steps) {
    const seen = new Set([start]);
    const crossed = new Set();
    const queue = [start];
    while (queue.length) {
      for (const [next, edge] of steps[queue.pop()]) {
        crossed.add(edge);
        if (!seen.has(next)) { seen.add(next); queue.push(next); }
      }
    }
    seen.delete(start);
    return { seen, crossed };
  }
  function highlight(i) {
    all(".on", graph).forEach((element) => element.classList.remove("on", "up", "down", "self"));
    graph.classList.toggle("held", i !== null);
    if (i === null) return null;
    const up = reach(i, into);
    const down = reach(i, outOf);
    [i, ...up.seen, ...down.seen].forEach((n) => nodes[n].classList.add("on"));
    nodes[i].classList.add("self");
    up.crossed.forEach((e) => edges[e].classList.add("on", "up"));
    down.crossed.forEach((e) => edges[e].classList.add("on", "down"));
    return { up: up.seen.size, down: down.seen.size };
  }
  function hold(i) {
    held = i;
    const found = highlight(i);
    $("pinned").hidden = i === null;
    if (i === null) return;
    const part = (tag, className, text) => Object.assign(document.createElement(tag), { className, textContent: text });
    const name = nodes[i].querySelector("title").textContent;
    const open = part("a", "", "Open page");
    open.setAttribute("href", nodes[i].getAttribute("href"));
    const close = part("button", "button icon", "×");
    close.type = "button";
    close.setAttribute("aria-label", "Let go");
    close.addEventListener("click", () => hold(null));
    const label = part("bdi", "code", name);
    $("pinned").replaceChildren(label, part("span", "up", `${found.up} upstream`), part("span", "down", `${found.down} downstream`), open, close);
    say(`${name}: ${found.up} upstream, ${found.down} downstream`);
  }
  const indexOf = (event) => {
    const node = event.target.closest && event.target.closest(".n");
    return node ? Number(node.dataset.i) : null;
  };
  // A thousand links would be a thousand stops of the Tab key; the table below has them all.
  nodes.forEach((node) => node.setAttribute("tabindex", "-1"));
  graph.addEventListener("pointerover", (event) => { if (held === null && !drag) highlight(indexOf(event)); });
  graph.addEventListener("pointerleave", () => { if (held === null) highlight(null); });
  graph.addEventListener("click", (event) => {
    const i = indexOf(event);
    if (i !== null && i === held) return;
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    if (!moved) hold(i);
  });

  /* Pan and zoom: the viewBox is what the stage shows */
  const stage = $("stage");
  const natural = { width: Number(graph.dataset.width), height: Number(graph.dataset.height) };
  const view = { x: 0, y: 0, scale: 1 };
  let touched = false;
  let drag = null;
  let moved = false;
  const FAR = 0.42;
  const READABLE = 0.75;
  const size = () => ({ width: graph.clientWidth || 1, height: graph.clientHeight || 1 });
  const fitScale = () => { const s = size(); return Math.min(1, s.width / natural.width, s.height / natural.height); };
  function show() {
    const s = size();
    graph.setAttribute("viewBox", `${view.x} ${view.y} ${s.width / view.scale} ${s.height / view.scale}`);
    graph.classList.toggle("far", view.scale < FAR);
  }
  function fit() {
    const s = size();
    view.scale = fitScale();
    view.x = (natural.width - s.width / view.scale) / 2;
    view.y = (natural.height - s.height / view.scale) / 2;
    touched = false;
    show();
  }
  /* A wide, low graph on a narrow screen starts at its left end, readable, rather than whole and tiny. */
  function begin() {
    fit();
    if (view.scale >= READABLE || natural.height * READABLE > size().height) return;
    const middle = size().height / READABLE;
    Object.assign(view, { x: 0, y: (natural.height - middle) / 2, scale: READABLE });
    show();
  }
  function zoom(factor, x, y) {
    const s = size();
    const px = x === undefined ? s.width / 2 : x;
    const py = y === undefined ? s.height / 2 : y;
    const next = Math.min(2.5, Math.max(fitScale() * 0.8, view.scale * factor));
    view.x += px / view.scale - px / next;
    view.y += py / view.scale - py / next;
    view.scale = next;
    touched = true;
    show();
  }
  function pan(dx, dy) {
    view.x -= dx / view.scale;
    view.y -= dy / view.scale;
    touched = true;
    show();
  }
  function center(i) {
    const box = nodes[i].querySelector("rect");
    const at = (name) => Number(box.getAttribute(name));
    const s = size();
    view.scale = Math.max(view.scale, 0.8);
    view.x = at("x") + at("width") / 2 - s.width / view.scale / 2;
    view.y = at("y") + at("height") / 2 - s.height / view.scale / 2;
    touched = true;
    show();
  }
  graph.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey && !$("lineage").classList.contains("large")) return;
    event.preventDefault();
    const box = graph.getBoundingClientRect();
    zoom(Math.exp(-event.deltaY * (event.deltaMode ? 0.05 : 0.0022)), event.clientX - box.left, event.clientY - box.top);
  }, { passive: false });
  graph.addEventListener("dragstart", (event) => event.preventDefault());
  graph.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    drag = { x: event.clientX, y: event.clientY };
    moved = false;
  });
  addEventListener("pointermove", (event) => {
    if (!drag) return;
    const dx = event.clientX - drag.x;
    const dy = event.clientY - drag.y;
    if (!moved && Math.hypot(dx, dy) < 4) return;
    moved = true;
    stage.classList.add("moving");
    pan(dx, dy);
    drag = { x: event.clientX, y: event.clientY };
  });
  const letGo = () => { drag = null; stage.classList.remove("moving"); };
  addEventListener("pointerup", letGo);
  addEventListener("pointercancel", letGo);
  stage.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const steps = { ArrowLeft: [60, 0], ArrowRight: [-60, 0], ArrowUp: [0, 60], ArrowDown: [0, -60] };
    if (steps[event.key]) pan(...steps[event.key]);
    else if (event.key === "+" || event.key === "=") zoom(1.25);
    else if (event.key === "-") zoom(0.8);
    else if (event.key === "0") fit();
    else return;
    event.preventDefault();
  });
  function enlarge(on) {
    $("lineage").classList.toggle("large", on);
    const button = document.querySelector("[data-zoom=large]");
    button.setAttribute("aria-pressed", String(on));
    button.textContent = on ? "Close" : "Expand";
    fit();
  }
  function escape() {
    if (held !== null) hold(null);
    else if ($("lineage").classList.contains("large")) enlarge(false);
  }
  const ZOOMS = {
    in: () => zoom(1.3), out: () => zoom(1 / 1.3), fit,
    large: () => enlarge(!$("lineage").classList.contains("large")),
  };
  all("[data-zoom]").forEach((button) => button.addEventListener("click", ZOOMS[button.dataset.zoom]));
  new ResizeObserver(() => (touched ? show() : begin())).observe(graph);

  /* index.html#graph/<page> holds that page's node; the hash is looked up, never used as anything else */
  const byStem = new Map(nodes.map((node, i) => [node.getAttribute("href").replace(/^models\/|\.html$/g, ""), i]));
  function followHash() {
    const found = byStem.get(location.hash.replace(/^#graph\//, ""));
    if (found === undefined || !location.hash.startsWith("#graph/")) return;
    $("lineage").scrollIntoView();
    hold(found);
    center(found);
  }
  addEventListener("hashchange", followHash);
  begin();
  followHash();
})();
