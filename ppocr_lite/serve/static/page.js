// Sends a file to /v1/ocr and shows what comes back, a page at a time.

const find = (id) => document.getElementById(id);
const SVG = "http://www.w3.org/2000/svg";
const SURE = 0.95, LIKELY = 0.8; // as the legend says

let file = null;      // what was read last, to have it read again as PDF
let pages = [];       // its results
let running = null;   // AbortController of the request under way

function query(options) {
  const said = new URLSearchParams(options);
  for (const name of ["lang", "pages"]) {
    const value = find(name).value.trim();
    if (value) said.set(name, value);
  }
  return "/v1/ocr?" + said;
}

function send(options, signal) {
  const form = new FormData();
  form.append("file", file, file.name || "picture");
  const key = find("key").value;
  return fetch(query(options), {method: "POST", body: form, signal, headers: key ? {"X-API-Key": key} : {}});
}

async function problemOf(answer) {
  const text = await answer.text();
  try {
    const found = JSON.parse(text);
    const wait = answer.headers.get("Retry-After");
    return `${found.title}. ${found.detail}` + (wait ? ` Try again in ${wait} seconds.` : "");
  } catch {
    return `The server answered ${answer.status}.`;
  }
}

function count(number, what) { return `${number} ${what}${number === 1 ? "" : "s"}`; }

function complain(text) {
  find("problem").textContent = text;
  find("problem").hidden = !text;
}

function tell(text) { find("status").textContent = text; }

async function* linesOf(stream) {
  const decoder = new TextDecoder();
  let rest = "";
  for (const reader = stream.getReader(); ;) {
    const {done, value} = await reader.read();
    rest += done ? decoder.decode() : decoder.decode(value, {stream: true});
    const lines = rest.split("\n");
    rest = lines.pop();
    yield* lines.filter((line) => line);
    if (done) return;
  }
}

async function read(chosen) {
  running?.abort();
  const mine = running = new AbortController();
  file = chosen;
  pages = [];
  complain("");
  find("read").replaceChildren();
  find("results").hidden = true;
  find("working").hidden = false;
  find("progress").removeAttribute("value");
  tell(`Reading ${file.name || "the picture"} …`);
  const started = performance.now();
  try {
    const answer = await send({format: "jsonl", picture: "true"}, mine.signal);
    if (!answer.ok) throw new Error(await problemOf(answer));
    for await (const line of linesOf(answer.body)) {
      const page = JSON.parse(line);
      pages.push(page);
      show(page);
      find("progress").max = page.pages || page.page;
      find("progress").value = page.page;
      tell(`Page ${page.page} of ${page.pages || "?"} read.`);
    }
    const lines = pages.reduce((sum, page) => sum + page.lines.length, 0);
    const seconds = ((performance.now() - started) / 1000).toFixed(1);
    tell(`${count(pages.length, "page")}, ${count(lines, "line")}, ${seconds} s.`);
  } catch (error) {
    if (mine !== running) return;
    if (error.name === "AbortError") tell("Stopped.");
    else { tell(""); complain(error.message || "The server does not answer."); }
  } finally {
    if (mine === running) { running = null; find("working").hidden = true; }
  }
}

function grade(score) { return score >= SURE ? "sure" : score >= LIKELY ? "likely" : "unsure"; }

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  Object.assign(made, attributes);
  made.append(...children);
  return made;
}

function drawn(name, attributes, ...children) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

// The corners of a line as it is read: top left, top right, bottom left.
function corners({polygon, angle}) {
  const half = polygon.length / 2;
  const turned = angle === 180 ? [...polygon.slice(half), ...polygon.slice(0, half)] : polygon;
  return [turned[0], turned[Math.ceil(half) - 1], turned[turned.length - 1]];
}

// A box over the picture, with its text at its place: unseen, and there to be selected.
function box(line) {
  const [start, end, below] = corners(line);
  const width = Math.hypot(end[0] - start[0], end[1] - start[1]) || 1;
  const height = Math.hypot(below[0] - start[0], below[1] - start[1]) || 1;
  const [cos, sin] = [(end[0] - start[0]) / width, (end[1] - start[1]) / width];
  const text = drawn("text", {
    transform: `matrix(${cos} ${sin} ${-sin} ${cos} ${start[0]} ${start[1]})`,
    y: 0.8 * height, "font-size": 0.85 * height, textLength: width, lengthAdjust: "spacingAndGlyphs",
  }, line.text);
  const title = drawn("title", {}, `${line.text} (${Math.round(100 * line.score)} %)`);
  return drawn("g", {class: grade(line.score)}, title, drawn("polygon", {points: line.polygon.join(" ")}), text);
}

function show(page) {
  find("results").hidden = false;
  const heading = element("h2", {textContent: `Page ${page.page}`});
  if (page.error) {
    find("read").append(heading, element("p", {textContent: page.error}));
    return;
  }
  const [height, width] = page.size;
  const boxes = page.lines.map(box);
  const overlay = drawn("svg", {viewBox: `0 0 ${width} ${height}`, "aria-hidden": "true"}, ...boxes);
  const picture = element("img", {src: page.picture, alt: `Page ${page.page}; its text stands beside it`, width, height});
  const list = element("ol", {}, ...page.lines.map((line, index) => {
    const score = element("small", {className: grade(line.score), textContent: `${Math.round(100 * line.score)} %`});
    const item = element("li", {tabIndex: 0}, line.text, score);
    const mark = (on) => () => [item, boxes[index]].forEach((part) => part.classList.toggle("shown", on));
    for (const part of [item, boxes[index]]) {
      part.addEventListener("pointerenter", mark(true));
      part.addEventListener("pointerleave", mark(false));
    }
    item.addEventListener("focus", mark(true));
    item.addEventListener("blur", mark(false));
    return item;
  }));
  const text = page.lines.length ? list : element("p", {textContent: "No text on this page."});
  find("read").append(heading, element("div", {className: "page"}, element("figure", {}, picture, overlay), text));
}

function textOf(page) { return page.lines.map((line) => line.text).join("\n"); }

function wholeText() { return pages.map(textOf).join("\n\n") + "\n"; }

async function copy() {
  const text = wholeText();
  try {
    await navigator.clipboard.writeText(text);
  } catch { // not over plain HTTP from another machine
    const area = element("textarea", {value: text, className: "hidden"});
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  tell("Copied.");
}

function save(content, ending, type) {
  const name = (file.name || "picture").replace(/\.[^.]*$/, "") + ending;
  const link = element("a", {href: URL.createObjectURL(new Blob([content], {type})), download: name});
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

function saveJSON() {
  const plain = pages.map(({picture, page, pages: total, ...result}) => result);
  save(JSON.stringify(plain.length === 1 ? plain[0] : {version: 1, pages: plain}, null, 1), ".json", "application/json");
}

async function savePDF() {
  const button = find("save-pdf");
  button.disabled = true;
  complain("");
  tell("Making the PDF …");
  try {
    const answer = await send({format: "pdf"});
    if (!answer.ok) throw new Error(await problemOf(answer));
    save(await answer.blob(), "_ocr.pdf", "application/pdf");
    tell("The PDF is saved.");
  } catch (error) {
    tell("");
    complain(error.message);
  } finally {
    button.disabled = false;
  }
}

for (const id of ["file", "photo"]) {
  find(id).addEventListener("change", ({target}) => {
    if (target.files.length) read(target.files[0]);
    target.value = "";
  });
}
find("form").addEventListener("submit", (event) => event.preventDefault());
document.addEventListener("paste", (event) => {
  if (event.clipboardData.files.length) { event.preventDefault(); read(event.clipboardData.files[0]); }
});
document.addEventListener("dragover", (event) => { event.preventDefault(); find("drop").classList.add("over"); });
document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) find("drop").classList.remove("over"); });
document.addEventListener("drop", (event) => {
  event.preventDefault();
  find("drop").classList.remove("over");
  if (event.dataTransfer.files.length) read(event.dataTransfer.files[0]);
});
find("stop").addEventListener("click", () => running?.abort());
find("copy").addEventListener("click", copy);
find("save-text").addEventListener("click", () => save(wholeText(), ".txt", "text/plain"));
find("save-json").addEventListener("click", saveJSON);
find("save-pdf").addEventListener("click", savePDF);
find("boxes").addEventListener("change", ({target}) => find("read").classList.toggle("plain", !target.checked));
