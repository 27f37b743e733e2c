// The page: what stands on top, the sections, the theme, the keys.
"use strict";

const kMoods = {good: "✓", busy: "▸", warning: "!", bad: "✕"};
const kThemes = ["auto", "light", "dark"];

const optionOf = (run, key) => run.configuration.options.find((option) => option.key === key)?.value.replace(/^"|"$/g, "");

// [name, value] of what one asks first.
function factsOf(run) {
  const facts = [["steps", run.planned_steps ? `${whole(run.step)} of ${whole(run.planned_steps)}` : whole(run.step)],
                 ["time", run.seconds ? duration(run.seconds) : "–"],
                 ["pictures a second", isNumber(run.pictures_per_second) ? whole(run.pictures_per_second) : "–"]];
  const batch = optionOf(run, "train.batch"), precision = optionOf(run, "precision");
  const device = run.environment.find(([name]) => name === "device")?.[1];
  if (run.configuration.preset) {
    const changed = run.configuration.options.filter((option) => option.preset !== null && option.preset !== option.value).length;
    facts.push(["preset", run.configuration.preset + (changed ? `, ${counted(changed, "option", "options")} changed` : "")]);
  }
  if (batch) facts.push(["batch", `${batch} pictures`]);
  if (run.data) facts.push(["trained on", `${whole(run.data.train)} pictures` + (run.data.classes.length ? `, ${run.data.classes.length} classes` : "")]);
  if (precision) facts.push(["computed", precision + (device ? ` on ${device.replace(/ \(auto\)$/, "")}` : "")]);
  return facts;
}

const verdictOf = (runs, run) => el("div", {class: `verdict ${run.verdict.mood}`},
  el("span", {class: "mood", "aria-hidden": "true"}, kMoods[run.verdict.mood]),
  el("div", {}, runs.length > 1 ? el("h2", {}, run.name) : null, el("p", {}, el("strong", {}, run.verdict.word + ". "), run.verdict.text)));

function overview(runs) {
  const facts = runs.map(factsOf);
  const names = [...new Set(facts.flat().map(([name]) => name))];
  const shown = runs.length === 1
    ? el("dl", {class: "tiles"}, facts[0].map(([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value))))
    : table([{title: ""}, ...runs.map((run) => ({title: run.name, number: true}))],
            names.map((name) => [name, ...facts.map((each) => Object.fromEntries(each)[name] ?? "–")]), "The runs");
  return el("section", {id: "overview", "aria-label": "Overview"}, runs.map((run) => verdictOf(runs, run)), shown);
}

function themeButton() {
  const remembered = () => { try { return localStorage.getItem("duel-theme"); } catch { return null; } };
  let theme = kThemes.includes(remembered()) ? remembered() : "auto";
  const button = el("button", {type: "button", id: "theme", title: "Light or dark (t)", onclick: () => {
    theme = kThemes[(kThemes.indexOf(theme) + 1) % kThemes.length];
    try { localStorage.setItem("duel-theme", theme); } catch { /* a file that may remember nothing */ }
    apply();
  }});
  const apply = () => {
    document.documentElement.dataset.theme = theme;
    button.textContent = {auto: "◐ auto", light: "☀ light", dark: "☾ dark"}[theme];
    button.setAttribute("aria-label", `Colours: ${theme}`);
  };
  apply();
  return button;
}

function helpDialog() {
  const keys = [["Tab", "to the next thing that can be used"], ["← →", "on the slider: the sheet before or after; on a chart: its values"],
                ["[ ]", "the sheet before or after, from anywhere"], ["p", "play the sheets, or pause"],
                ["t", "colours: as the system has them, light, dark"], ["?", "this help"], ["Esc", "close it"]];
  return el("dialog", {"aria-labelledby": "help-title"}, el("h2", {id: "help-title"}, "Keys"),
            el("dl", {class: "keys"}, keys.map(([key, what]) => el("div", {}, el("dt", {}, el("kbd", {}, key)), el("dd", {}, what)))),
            el("form", {method: "dialog"}, el("button", {}, "Close")));
}

function start() {
  const report = JSON.parse(document.getElementById("gathered").textContent), runs = report.runs;
  const title = runs.map((run) => run.name).join(" · ");
  document.title = `Duel: ${title}`;
  const sheets = runs.some((run) => run.sheets.some((each) => each.items.length)) ? new Sheets(runs) : null;
  const sections = [problemsSection(runs), sheets?.section(), curvesSection(runs), evaluationSection(runs), confusionSection(runs),
                    healthSection(runs), dataSection(runs), configurationSection(runs, report.differences), environmentSection(runs),
                    logSection(runs)].filter(Boolean);
  const theme = themeButton(), help = helpDialog();
  const links = sections.map((each) => {
    const name = each.id === "confusion" ? "Confusions" : each.id === "problems" ? "Unread" : each.querySelector("h2").textContent;
    return el("a", {href: "#" + each.id}, name);
  });
  document.body.append(
    el("a", {class: "skip", href: "#overview"}, "To the report"),
    el("header", {}, el("div", {class: "bar-top"}, el("nav", {"aria-label": "Sections"}, links),
       el("div", {class: "buttons"}, theme, el("button", {type: "button", id: "help", "aria-label": "Keys (?)", onclick: () => help.showModal()}, "?")))),
    el("main", {}, el("p", {class: "kind"}, runs.length > 1 ? "Duel · comparison of runs" : "Duel · report of a run"), el("h1", {}, title),
       runs.length === 1 ? el("p", {class: "path"}, runs[0].path) : null, overview(runs), sections),
    el("footer", {}, `Made on ${report.made} by duel ${report.version}. This file holds all it shows.`),
    el("div", {id: "said", class: "unseen", "aria-live": "polite"}), help);
  view.charts.forEach((chart) => chart.draw());
  sheets?.scrollFilm();
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input[type=search], select, textarea") || help.open) return;
    const move = {"[": -1, "]": 1}[event.key];
    if (event.key === "?") help.showModal();
    if (event.key === "t") theme.click();
    if (event.key === "p") sheets?.toggle();
    if (move) sheets?.show(sheets.place + move);
  });
  // Paper cannot be pointed at: it shows the numbers.
  window.addEventListener("beforeprint", () => document.querySelectorAll("#curves details").forEach((each) => { each.open = true; }));
}

document.addEventListener("DOMContentLoaded", start);
