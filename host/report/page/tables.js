// What is told in words and tables: evaluation, data, confusions, options, environment, health and log.
"use strict";

const titled = (runs, run, ...content) =>
  el("div", {class: "of-run"}, runs.length > 1 ? el("h3", {}, run.name) : null, ...content);

const list = (items) => el("ul", {class: "plain"}, items.map((item) => el("li", {}, item)));

const pairs = (facts) => el("dl", {class: "pairs"}, facts.map(([name, value]) =>
  el("div", {}, el("dt", {}, name), el("dd", {}, String(value)))));

const bar = (share, title) => el("span", {class: "bar", title, "aria-hidden": "true"},
                                 el("span", {style: `width:${(100 * Math.min(1, Math.max(0, share))).toFixed(1)}%`}));

function problemsSection(runs) {
  const damaged = runs.filter((run) => run.problems.length);
  return damaged.length ? section("problems", "What could not be read", "The rest of the report does without it.",
    damaged.map((run) => titled(runs, run, list(run.problems)))) : null;
}

function evaluationSection(runs) {
  const measured = runs.filter((run) => run.evaluation.figures.length || run.evaluation.sheets.length);
  if (!measured.length) return null;
  const keys = [...new Map(measured.flatMap((run) => run.evaluation.figures).map((figure) =>
    [`${figure.group}\n${figure.name}`, figure])).values()];
  const figureOf = (run, key) => run.evaluation.figures.find((figure) => figure.group === key.group && figure.name === key.name);
  const columns = [{title: "figure"}].concat(measured.flatMap((run) => [
    {title: measured.length > 1 ? run.name : "this run", number: true}, {title: "real against real", number: true}]), {title: ""});
  const hasNotes = keys.some((key) => key.note);
  const rows = keys.map((key) => [key.name, ...measured.flatMap((run) => {
    const figure = figureOf(run, key);
    return [plain(figure?.value), plain(figure?.floor)];
  }), key.note]);
  const trim = (cells) => (hasNotes ? cells : cells.slice(0, -1));
  return section("evaluation", "Evaluation", "Beside each figure what real pictures against real ones give: its floor.",
    keys.length ? table(trim(columns), rows.map(trim), "Evaluation") : null,
    measured.map((run) => titled(measured, run,
      run.evaluation.facts.length ? pairs(run.evaluation.facts) : null,
      run.evaluation.sheets.map((sheet) => el("figure", {class: "sheet"}, el("img", {src: sheet.src, alt: sheet.title}),
                                                el("figcaption", {}, sheet.title))))));
}

function confusionTable(confusion) {
  const most = Math.max(1, ...confusion.counts.flat());
  const head = [el("th", {scope: "col"}, "class"), confusion.names.map((name) =>
    el("th", {scope: "col", class: "upright"}, el("span", {}, name))), el("th", {scope: "col", class: "number"}, "rightly")];
  const rows = confusion.names.map((name, i) => {
    const sum = confusion.counts[i].reduce((a, b) => a + b, 0);
    return el("tr", {}, el("th", {scope: "row"}, name), confusion.counts[i].map((count, j) => {
      const share = sum ? count / sum : 0;
      return el("td", {class: i === j ? "number own" : "number", style: `--heat:${(i === j ? 0.5 * share : Math.min(1, 2.5 * share)).toFixed(3)}`,
                       title: `${name} called ${confusion.names[j]}: ${whole(count)} of ${whole(sum)}`}, count ? whole(count) : "·");
    }), el("td", {class: "number"}, sum ? inUnit(confusion.accuracy_by_class[i], "share") : "–"));
  });
  return el("div", {class: "scroll", tabindex: "0", role: "region", "aria-label": "Confusions"},
            el("table", {class: "confusion", style: `--digits:${String(most).length}`},
               el("caption", {class: "unseen"}, "Rows: the class. Columns: what it is called."),
               el("thead", {}, el("tr", {}, head)), el("tbody", {}, rows)));
}

// The pairs of classes that are confused most, in a sentence.
function worstConfusions(confusion) {
  const all = confusion.names.flatMap((name, i) => confusion.names.map((other, j) => ({name, other, count: i === j ? 0 : confusion.counts[i][j]})));
  const worst = all.sort((a, b) => b.count - a.count).slice(0, 3).filter((each) => each.count);
  return worst.length ? "Most often: " + worst.map((each) => `${each.name} called ${each.other} (${whole(each.count)})`).join(", ") + "." : "None was confused.";
}

function confusionSection(runs) {
  const known = runs.filter((run) => run.confusion);
  return known.length ? section("confusion", "Which classes are taken for which", "Held-out pictures; rows: the class, columns: what it is called.",
    known.map((run) => titled(runs, run,
      el("p", {}, `${inUnit(run.confusion.accuracy, "share")} are called by their class at step ${whole(run.confusion.step)}. ${worstConfusions(run.confusion)}`),
      confusionTable(run.confusion)))) : null;
}

function fileFacts(files) {
  const size = ([width, height]) => `${width}×${height}`;
  const named = (counts) => Object.entries(counts || {}).map(([name, count]) => `${whole(count)} ${name}`).join(", ");
  const facts = [["files", named(files.formats)], ["sizes", `${size(files.smallest)} to ${size(files.largest)}, the median ${size(files.median)}`],
                 ["shapes", `${whole(files.landscape)} landscape, ${whole(files.portrait)} portrait, ${whole(files.square)} square`]];
  const add = (name, count, note) => { if (count) facts.push([name, note ? `${whole(count)} ${note}` : whole(count)]); };
  add("enlarged", files.enlarged, "were smaller than what they are brought to");
  add("grey", files.grey);
  add("with opacity", files.with_opacity);
  add("animated", files.animated, "of which the first picture is taken");
  add("unreadable", files.skipped.length, "are left out");
  add("exact copies", files.copies.length, files.copies.length === 1 ? "group" : "groups");
  add("look alike", files.look_alike.length, files.look_alike.length === 1 ? "group" : "groups");
  if (files.mean_share_cut > 0.005) facts.push(["cut off", inUnit(files.mean_share_cut, "share") + " of a picture in the mean"]);
  return facts;
}

function dataOf(data) {
  const most = Math.max(1, ...data.classes.map((each) => each.train));
  const [height, width, channels] = data.picture;
  const facts = [["pictures", `${whole(data.train)} to train on, ${whole(data.held_out)} held out`],
                 ["trained as", `${width}×${height}, ${["", "grey", "grey with opacity", "colour", "colour with opacity"][channels]}`]];
  return [el("p", {class: "path"}, data.data), pairs(facts.concat(data.files ? fileFacts(data.files) : [])),
          data.advice.length ? el("div", {class: "note-box"}, el("b", {}, "Advice"), list(data.advice)) : null,
          data.classes.length ? table([{title: "class"}, {title: "to train on", number: true}, {title: "held out", number: true}, {title: ""}],
            data.classes.map((each) => [each.name, whole(each.train), whole(each.held_out), bar(each.train / most)]), "Classes") : null];
}

function dataSection(runs) {
  const known = runs.filter((run) => run.data);
  const same = known.every((run) => JSON.stringify(run.data) === JSON.stringify(known[0].data));
  if (known.length) {
    const shown = same ? known.slice(0, 1) : known;
    return section("data", "Data", same && runs.length > 1 && known.length === runs.length ? "All runs are trained on the same." : null, shown.map((run) => titled(shown, run, dataOf(run.data))));
  }
  const said = runs.filter((run) => run.trained_on);
  return said.length ? section("data", "Data", "As the checkpoint says; the data set itself was not opened.",
    said.map((run) => titled(runs, run, el("p", {}, run.trained_on)))) : null;
}

const code = (text) => el("code", {}, text);

function optionsOf(run) {
  const configuration = run.configuration;
  if (!configuration.options.length) {
    return [configuration.text ? el("details", {}, el("summary", {}, "config.toml as it stands"), el("pre", {}, configuration.text)) : el("p", {}, "There is none.")];
  }
  const changed = configuration.options.filter((option) => option.preset !== null && option.preset !== option.value);
  const differences = !configuration.knows_preset
    ? el("p", {}, `The preset ${configuration.preset} is none of this program's, so there is nothing to compare it with.`)
    : changed.length ? table([{title: "option"}, {title: `preset ${configuration.preset}`}, {title: "this run"}, {title: "meaning"}],
        changed.map((option) => [code(option.key), code(option.preset), el("b", {}, code(option.value)), option.about]), "Changed options")
    : el("p", {}, `All options are those of the preset ${configuration.preset}.`);
  const rows = configuration.options.map((option) => [code(option.key), code(option.value), option.is_read ? option.about : "(not read by this recipe)"]);
  const all = table([{title: "option"}, {title: "value"}, {title: "meaning"}], rows, "All options");
  const filter = el("input", {type: "search", "aria-label": "Filter options", placeholder: "filter", oninput: () => {
    for (const row of all.querySelectorAll("tbody tr")) row.hidden = !row.textContent.toLowerCase().includes(filter.value.toLowerCase());
  }});
  return [differences, el("details", {}, el("summary", {}, `All ${rows.length} options`), filter, all)];
}

function configurationSection(runs, differences) {
  const compared = runs.length > 1 ? (differences.length
    ? table([{title: "option"}, ...runs.map((run) => ({title: run.name}))],
            differences.map((each) => [code(each.key), ...each.values.map((value) => code(value || "–"))]), "Options in which the runs differ")
    : el("p", {}, "The runs have the same options.")) : null;
  const each = runs.map((run) => (runs.length > 1
    ? el("details", {}, el("summary", {}, `${run.name}: what differs from its preset`), optionsOf(run)) : titled(runs, run, optionsOf(run))));
  return section("configuration", "Configuration", runs.length > 1 ? "Where the runs differ." : "What differs from the preset first.", compared, each);
}

function environmentSection(runs) {
  const known = runs.filter((run) => run.environment.length);
  if (!known.length) return null;
  if (known.length === 1) return section("environment", "Environment", "Where the run was last started.", pairs(known[0].environment));
  const names = [...new Set(known.flatMap((run) => run.environment.map(([name]) => name)))];
  return section("environment", "Environment", "Where the runs were last started.",
    table([{title: ""}, ...known.map((run) => ({title: run.name}))], names.map((name) =>
      [name, ...known.map((run) => Object.fromEntries(run.environment)[name] ?? "–")]), "Environment"));
}

const kAilments = {discriminator_wins: "the discriminator wins", generator_frozen: "the generator stands still",
                   gradients_spike: "gradients spike", collapse: "kinds collapse"};

function healthOf(run) {
  const marks = run.health.map((mark) => `Step ${whole(mark.step)}: ${kAilments[mark.name] || mark.name.replaceAll("_", " ")}${mark.begins ? "" : " no more"}.`);
  const warnings = run.log.warnings.map((line) => `${line.time}  ${line.text}`);
  return warnings.length || marks.length
    ? [warnings.length ? list(warnings) : null, marks.length ? el("p", {class: "note"}, marks.join(" ")) : null]
    : [el("p", {}, "No warning, and nothing that usually goes wrong was seen.")];
}

function logOf(run) {
  const log = run.log;
  const shown = log.events.map((line) => el("li", {}, el("time", {}, line.time), el("span", {class: line.text.startsWith("warning") ? "warned" : null}, line.text)));
  return [log.first_time ? el("p", {class: "note"}, `${counted(log.starts, "start", "starts")}; from ${log.first_time} to ${log.last_time}.`
               + (log.older_events ? ` ${whole(log.older_events)} older messages are left out.` : "")) : null,
          shown.length ? el("details", {}, el("summary", {}, `Messages (${shown.length})`), el("ol", {class: "events"}, shown)) : null,
          el("details", {}, el("summary", {}, "The last lines of log.txt"), el("pre", {tabindex: "0"}, log.tail.join("\n")))];
}

function healthSection(runs) {
  return section("health", "Health", "What the program warned of.", runs.map((run) => titled(runs, run, healthOf(run))));
}

function logSection(runs) {
  const known = runs.filter((run) => run.log.tail.length);
  return known.length ? section("log", "Log", null, known.map((run) => titled(runs, run, logOf(run)))) : null;
}
