// Sample sheets over the run: whole sheets behind a slider, side by side where there are several runs, or the rows of
// one class from the first sheet to the last.
"use strict";

const kGap = 2;              // pixels between the pictures of a sheet, and around them
const kMostOfAClass = 12;    // sheets from which a class is shown

// The part of a sheet that holds the rows of class number `wanted`, as {top, height} each.
function rowsOf(series, item, classes, wanted) {
  const step = (item.height - kGap) / series.rows, rows = [];
  for (let row = wanted; row < series.rows; row += classes) rows.push({top: kGap + row * step, height: step - kGap});
  return rows;
}

function cutOut(item, part, label) {
  return svg("svg", {class: "cut", viewBox: `0 ${part.top} ${item.width} ${part.height}`, role: "img", "aria-label": label},
             svg("image", {href: item.src, width: item.width, height: item.height}));
}

class Sheets {
  constructor(runs) {
    this.runs = runs;
    this.kinds = [...new Map(runs.flatMap((run) => run.sheets).filter((each) => each.items.length)
      .map((each) => [each.kind, each.title])).entries()];
    this.kind = this.kinds[0][0];
    this.classes = runs.find((run) => run.sheet_classes.length)?.sheet_classes || [];
    this.wanted = -1;  // all classes
    this.playing = null;
    this.stage = el("div", {class: "stage"});
    this.film = el("div", {class: "film", role: "group", "aria-label": "All sheets"});
    this.slider = el("input", {type: "range", min: 0, id: "sheet", oninput: () => this.show(Number(this.slider.value))});
    this.label = el("output", {for: "sheet", class: "step"});
    this.play = el("button", {type: "button", onclick: () => this.toggle()}, "Play");
    this.count = el("p", {class: "note"});
  }

  seriesOf(run) {
    return run.sheets.find((each) => each.kind === this.kind && each.items.length);
  }

  chooseKind(kind) {
    this.kind = kind;
    this.steps = [...new Set(this.runs.flatMap((run) => this.seriesOf(run)?.items.map((item) => item.step) || []))]
      .sort((a, b) => a - b);
    this.slider.max = this.steps.length - 1;
    const all = this.runs.map((run) => this.seriesOf(run)).filter(Boolean);
    const kept = all.reduce((sum, each) => sum + each.items.length, 0), total = all.reduce((sum, each) => sum + each.total, 0);
    this.count.textContent = kept < total
      ? `${whole(kept)} of ${counted(total, "sheet", "sheets")} are in this file, spread evenly over the run.`
      : `${counted(kept, "sheet", "sheets")}, all there are.`;
    this.film.replaceChildren(...this.steps.map((step, i) => {
      const item = all.map((each) => each.items.find((one) => one.step === step)).find(Boolean);
      return el("button", {type: "button", class: "frame", onclick: () => this.show(i)},
                el("img", {src: item.src, alt: "", width: item.width, height: item.height, loading: "lazy"}),
                el("span", {}, whole(step)));
    }));
    this.show(this.steps.length - 1);
  }

  show(place) {
    this.place = Math.min(this.steps.length - 1, Math.max(0, place));
    const step = this.steps[this.place];
    this.slider.value = this.place;
    this.slider.setAttribute("aria-valuetext", `step ${whole(step)}`);
    this.label.textContent = `step ${whole(step)}`;
    [...this.film.children].forEach((frame, i) => frame.setAttribute("aria-current", String(i === this.place)));
    this.scrollFilm();
    this.stage.replaceChildren(...this.runs.map((run) => this.figureOf(run, step)).filter(Boolean));
  }

  // Brings the frame of the sheet that is shown into the middle; scrollIntoView would move the page too.
  scrollFilm() {
    const frame = this.film.children[this.place];
    this.film.scrollLeft = frame.offsetLeft - this.film.offsetLeft - (this.film.clientWidth - frame.offsetWidth) / 2;
  }

  figureOf(run, step) {
    const series = this.seriesOf(run);
    if (!series) return this.runs.length > 1 ? el("figure", {}, el("figcaption", {}, `${run.name}: no such sheets`)) : null;
    const item = series.items[nearest(series.items.map((each) => each.step), step)];
    const caption = (this.runs.length > 1 ? `${run.name}, ` : "") + `step ${whole(item.step)}`;
    const wanted = this.wanted >= 0 ? run.sheet_classes.indexOf(this.classes[this.wanted]) : -1;
    if (this.wanted >= 0 && series.rows && wanted >= 0) return this.classFigure(run, series, wanted);
    const labels = series.rows && this.kind !== "reconstructions" && run.sheet_classes.length
      ? el("div", {class: "rows", "aria-hidden": "true"}, Array.from({length: series.rows}, (_, row) =>
          el("span", {}, run.sheet_classes[row % run.sheet_classes.length]))) : null;
    const what = series.rows ? `${series.rows} rows of ${series.columns} pictures` : "a sheet of pictures";
    return el("figure", {class: labels ? "sheet labelled" : "sheet"}, labels,
              el("img", {src: item.src, width: item.width, height: item.height, alt: `${caption}: ${what}`}),
              el("figcaption", {}, caption));
  }

  classFigure(run, series, wanted) {
    const name = run.sheet_classes[wanted], count = Math.min(kMostOfAClass, series.items.length);
    const chosen = Array.from({length: count}, (_, i) =>
      series.items[count === 1 ? 0 : Math.round(i * (series.items.length - 1) / (count - 1))]);
    return el("figure", {class: "of-class"},
              el("figcaption", {}, (this.runs.length > 1 ? `${run.name}: ` : "") + `${name}, from the first sheet to the last`),
              chosen.flatMap((item) => rowsOf(series, item, run.sheet_classes.length, wanted).map((part) =>
                el("div", {class: "strip"}, el("span", {}, whole(item.step)),
                   cutOut(item, part, `${name} at step ${whole(item.step)}`)))));
  }

  toggle() {
    if (this.playing) clearInterval(this.playing);
    this.playing = this.playing ? null : setInterval(() => {
      if (this.place === this.steps.length - 1) return this.toggle();
      this.show(this.place + 1);
    }, 500);
    this.play.textContent = this.playing ? "Pause" : "Play";
    if (this.playing && this.place === this.steps.length - 1) this.show(0);
  }

  section() {
    const kinds = this.kinds.length > 1 ? el("fieldset", {}, el("legend", {}, "Drawn"), this.kinds.map(([kind, title]) =>
      el("label", {}, el("input", {type: "radio", name: "kind", checked: kind === this.kind, onchange: () => this.chooseKind(kind)}),
         title.charAt(0).toLowerCase() + title.slice(1)))) : null;
    const rows = Math.max(...this.runs.map((run) => this.seriesOf(run)?.rows || 0));
    const named = this.classes.slice(0, rows);
    const classes = named.length > 1 ? el("label", {}, "Show ",
      el("select", {onchange: (event) => { this.wanted = Number(event.target.value); this.show(this.place); }},
         el("option", {value: -1}, "whole sheets"), named.map((name, i) => el("option", {value: i}, `only ${name}, over time`)))) : null;
    this.chooseKind(this.kind);
    return section("pictures", "Pictures", "Always from the same latents, so that one sees how they change.",
      el("div", {class: "tools"}, kinds, classes),
      el("div", {class: "slide"}, this.play,
         el("button", {type: "button", "aria-label": "Sheet before", onclick: () => this.show(this.place - 1)}, "‹"),
         el("label", {class: "unseen", for: "sheet"}, "Sheet"), this.slider,
         el("button", {type: "button", "aria-label": "Next sheet", onclick: () => this.show(this.place + 1)}, "›"), this.label),
      this.stage, this.steps.length > 1 ? this.film : null, this.count);
  }
}
