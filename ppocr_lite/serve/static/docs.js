// Shows /openapi.json: every operation with its options, bodies and answers.

function element(name, text, ...children) {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  made.append(...children);
  return made;
}

function typeOf(schema) {
  const parts = schema.anyOf ?? [schema];
  return parts.filter((one) => one.type !== "null").map((one) => {
    const values = one.enum ?? (one.const ? [one.const] : null);
    const least = one.minimum ?? null, most = one.maximum ?? null;
    return values ? values.join(" | ") : one.type + (least === null ? "" : ` ${least} to ${most}`);
  }).join(" | ");
}

function table(head, rows) {
  const titles = element("tr", "", ...head.map((title) => element("th", title)));
  return element("table", "", element("thead", "", titles),
    element("tbody", "", ...rows.map((row) => element("tr", "", ...row.map((cell) => element("td", cell))))));
}

function operation(path, method, {summary, description, parameters = [], requestBody, responses}) {
  const parts = [element("h2", `${method.toUpperCase()} ${path}`), element("p", summary)];
  if (description) parts.push(element("p", description));
  if (requestBody) {
    parts.push(element("p", `Body: ${Object.keys(requestBody.content).join(", ")}`));
    const example = path.startsWith("/v1") ? `curl --data-binary @page.png ${location.origin}${path}` : "";
    if (example) parts.push(element("pre", example));
  }
  if (parameters.length) {
    parts.push(table(["option", "value", "default", "meaning"], parameters.map((one) =>
      [one.name, typeOf(one.schema), String(one.schema.default ?? ""), one.description ?? one.schema.description ?? ""])));
  }
  parts.push(table(["status", "meaning"], Object.entries(responses).map(([status, one]) => [status, one.description])));
  return element("section", "", ...parts);
}

const answer = await fetch("/openapi.json");
const {paths} = await answer.json();
const shown = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, one]) => operation(path, method, one)));
document.getElementById("operations").append(...shown);
