// Charts: curves with axes, a legend that names the last values, and a cursor for mouse and keyboard. A faint line or
// band shows what was measured, a strong line its moving average; runs and metrics differ by colour and by dashes.
"use strict";

const kDashes = ["", "7 4", "2 3", "10 3 2 3", "5 2", "1 3"];
const kHeight = 236, kMargin = {left: 58, right: 14, top: 12, bottom: 34};

// What all charts show alike.
const view = {axis: "step", smooth: true, charts: []};

const stroke = (index) => ({stroke: `var(--series-${index % 6})`, "stroke-dasharray": kDashes[index % 6] || null});

function swatch(index) {
  return svg("svg", {class: "swatch", viewBox: "0 0 28 8", "aria-hidden": "true"},
             svg("line", {x1: 1, x2: 27, y1: 4, y2: 4, "stroke-width": 2.5, ...stroke(index)}));
}

// About `count` round numbers from low to high.
function ticksOf(low, high, count) {
  const raw = (high - low) / count, power = 10 ** Math.floor(Math.log10(raw));
  const step = power * [1, 2, 2.5, 5, 10].find((factor) => factor * power >= raw * 0.999);
  const ticks = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-9; ++i) ticks.push(Number((i * step).toPrecision(12)));
  return ticks;
}

function logTicksOf(low, high) {
  const decades = Math.log10(high / low), factors = decades > 3 ? [1] : decades > 1.2 ? [1, 3] : [1, 2, 3, 5, 7];
  const every = decades > 8 ? 2 : 1, ticks = [];
  for (let e = Math.floor(Math.log10(low)); e <= Math.ceil(Math.log10(high)); ++e) {
    if (e % every) continue;
    for (const factor of factors) {
      const value = Number((factor * 10 ** e).toPrecision(3));
      if (value >= low * 0.999 && value <= high * 1.001) ticks.push(value);
    }
  }
  return ticks.length > 1 ? ticks : [low, high];
}

// The mean over a window of neighbours, 5 % of the points wide; NaN stays a gap.
function smoothed(values) {
  const radius = Math.floor(values.length / 40);
  if (!view.smooth || values.length < 40) return values;
  return values.map((value, i) => {
    if (!isNumber(value)) return NaN;
    const near = values.slice(Math.max(0, i - radius), i + radius + 1).filter(isNumber);
    return near.reduce((sum, each) => sum + each, 0) / near.length;
  });
}

function pathOf(xs, ys) {
  let path = "", isOpen = false;
  xs.forEach((x, i) => {
    if (isNumber(ys[i])) path += `${isOpen ? "L" : "M"}${x.toFixed(1)} ${ys[i].toFixed(1)}`;
    isOpen = isNumber(ys[i]);
  });
  return path;
}

// The band between the least and the most, where points stand for several rows.
function bandOf(xs, lows, highs) {
  const kept = xs.map((_, i) => i).filter((i) => isNumber(lows[i]) && isNumber(highs[i]));
  const at = (ys) => (i) => `${xs[i].toFixed(1)} ${ys[i].toFixed(1)}`;
  return kept.length < 2 ? "" : `M${kept.map(at(highs)).join("L")}L${kept.reverse().map(at(lows)).join("L")}Z`;
}

const nearest = (values, wanted) =>
  values.reduce((best, value, i) => (Math.abs(value - wanted) < Math.abs(values[best] - wanted) ? i : best), 0);

class Chart {
  // series: [{label, index, step, seconds, mean, low, high, last}]; marks: [{step, seconds, name}]
  constructor(title, unit, isLogarithmic, series, marks) {
    Object.assign(this, {title, unit, series, marks});
    this.canBeLogarithmic = series.every((each) => (each.low || each.mean).every((value) => !isNumber(value) || value > 0));
    this.isLogarithmic = this.canBeLogarithmic && (isLogarithmic || this.hasSpikes());
    this.place = null;  // of the cursor, among the points of the longest curve
    this.plot = el("div", {class: "plot", tabindex: "0", role: "group",
                           "aria-label": `${title}: curves. Arrow keys read their values.`,
                           onkeydown: (event) => this.onKey(event), onblur: () => this.leave(),
                           onpointermove: (event) => this.onPointer(event), onpointerleave: () => this.leave()});
    this.tip = el("div", {class: "tip", hidden: true, "aria-hidden": "true"});
    const log = el("button", {type: "button", class: "small", "aria-pressed": String(this.isLogarithmic),
                              onclick: () => {
                                this.isLogarithmic = !this.isLogarithmic;
                                log.setAttribute("aria-pressed", String(this.isLogarithmic));
                                this.draw();
                              }}, "log");
    this.node = el("figure", {class: "chart"},
                   el("figcaption", {}, el("h3", {}, title), this.canBeLogarithmic ? log : null),
                   el("ul", {class: "legend"}, series.map((each) =>
                     el("li", {}, swatch(each.index), el("span", {}, each.label),
                        el("b", {title: "at the last row"}, inUnit(each.last, unit)))),
                      marks.length ? el("li", {class: "warned"}, "▼ " + [...new Set(marks.map((mark) => mark.name))].join(", ")) : null),
                   el("div", {class: "holder"}, this.plot, this.tip));
    view.charts.push(this);
  }

  // Whether a few spikes would press everything else to the ground.
  hasSpikes() {
    const means = this.series.flatMap((each) => each.mean).filter(isNumber).sort((a, b) => a - b);
    const most = Math.max(...this.series.flatMap((each) => each.high || each.mean).filter(isNumber));
    return this.unit !== "share" && most > 3 * means[Math.floor(0.98 * (means.length - 1))];
  }

  // In the axis's unit: steps, or seconds, minutes or hours.
  scaleOfTime() {
    const most = Math.max(...this.series.map((each) => each.seconds[each.seconds.length - 1] || 0));
    return most > 3 * 3600 ? [3600, "hours"] : most > 180 ? [60, "minutes"] : [1, "seconds"];
  }

  xsOf(each) {
    return view.axis === "step" ? each.step : each.seconds.map((seconds) => seconds / this.scaleOfTime()[0]);
  }

  domain() {
    let low = Infinity, high = -Infinity;
    for (const each of this.series) {
      for (const value of [...(each.low || each.mean), ...(each.high || each.mean)]) {
        if (isNumber(value) && (!this.isLogarithmic || value > 0)) {
          low = Math.min(low, value);
          high = Math.max(high, value);
        }
      }
    }
    if (low > high) return [this.isLogarithmic ? 0.1 : 0, 1];
    if (this.isLogarithmic) return low === high ? [low / 2, high * 2] : [low / 1.15, high * 1.15];
    const room = low === high ? Math.abs(low) / 10 || 1 : (high - low) / 20;
    const isShare = this.unit === "share";
    return [low >= 0 ? Math.max(0, low - room) : low - room, isShare ? Math.min(1, high + room) : high + room];
  }

  draw() {
    const width = Math.max(260, this.plot.clientWidth || 480);
    const [low, high] = this.domain();
    const all = this.series.flatMap((each) => this.xsOf(each));
    const first = Math.min(...all, 0), last = Math.max(...all, first + 1e-9);
    const x = (value) => kMargin.left + (value - first) / (last - first) * (width - kMargin.left - kMargin.right);
    const inner = kHeight - kMargin.top - kMargin.bottom;
    const y = this.isLogarithmic
      ? (value) => (value > 0 ? kMargin.top + Math.log(high / value) / Math.log(high / low) * inner : NaN)
      : (value) => (isNumber(value) ? kMargin.top + (high - value) / (high - low) * inner : NaN);
    this.geometry = {width, x, y, first, last};
    const clip = "clip" + view.charts.indexOf(this);
    this.cursor = svg("g", {class: "cursor"});
    const bottom = kHeight - kMargin.bottom;
    const axisTitle = view.axis === "step" ? "step" : this.scaleOfTime()[1];
    const yTicks = this.isLogarithmic ? logTicksOf(low, high) : ticksOf(low, high, 4);
    this.plot.replaceChildren(svg("svg", {viewBox: `0 0 ${width} ${kHeight}`, "aria-hidden": "true"},
      svg("clipPath", {id: clip}, svg("rect", {x: kMargin.left, y: kMargin.top - 4, height: inner + 8,
                                               width: width - kMargin.left - kMargin.right + 4})),
      yTicks.map((tick) => svg("g", {class: "grid"},
        svg("line", {x1: kMargin.left, x2: width - kMargin.right, y1: y(tick), y2: y(tick)}),
        svg("text", {x: kMargin.left - 8, y: y(tick) + 4, "text-anchor": "end"},
            this.unit === "share" ? `${Number((100 * tick).toPrecision(3))} %` : plain(tick)))),
      ticksOf(first, last, width < 420 ? 3 : 5).map((tick) => svg("g", {class: "grid"},
        svg("line", {class: "short", x1: x(tick), x2: x(tick), y1: bottom, y2: bottom + 4}),
        svg("text", {x: x(tick), y: bottom + 17, "text-anchor": "middle"}, view.axis === "step" ? whole(tick) : plain(tick)))),
      svg("line", {class: "axis", x1: kMargin.left, x2: width - kMargin.right, y1: bottom, y2: bottom}),
      svg("text", {class: "axis-title", x: width - kMargin.right, y: kHeight - 3, "text-anchor": "end"}, axisTitle),
      this.marks.map((mark) => this.drawMark(mark, x, bottom)),
      svg("g", {"clip-path": `url(#${clip})`}, this.series.map((each) => this.drawCurve(each, x, y))),
      this.cursor));
    this.point(this.place);
  }

  drawCurve(each, x, y) {
    const xs = this.xsOf(each).map(x), ends = xs.length === 1 ? 3 : 0;
    const strong = smoothed(each.mean), isSmoothed = strong !== each.mean;
    return svg("g", {fill: "none"},
      each.low ? svg("path", {class: "band", d: bandOf(xs, each.low.map(y), each.high.map(y)),
                              fill: `var(--series-${each.index % 6})`}) : null,
      isSmoothed && !each.low ? svg("path", {class: "raw", d: pathOf(xs, each.mean.map(y)), ...stroke(each.index),
                                             "stroke-dasharray": null}) : null,
      svg("path", {class: "curve", d: pathOf(xs, strong.map(y)), ...stroke(each.index)}),
      xs.length < 40 ? xs.map((at, i) => (isNumber(y(strong[i]))
        ? svg("circle", {cx: at, cy: y(strong[i]), r: ends || 2.4, fill: `var(--series-${each.index % 6})`}) : null)) : null);
  }

  drawMark(mark, x, bottom) {
    const at = x(view.axis === "step" ? mark.step : mark.seconds / this.scaleOfTime()[0]);
    return svg("g", {class: "mark"}, svg("line", {x1: at, x2: at, y1: kMargin.top, y2: bottom}),
               svg("path", {d: `M${at - 4} ${kMargin.top - 5}h8l-4 7z`}), svg("title", {}, `${mark.name} at step ${whole(mark.step)}`));
  }

  longest() {
    return this.series.reduce((best, each) => (each.step.length > best.step.length ? each : best));
  }

  // Shows the values at a point of the longest curve; hides them at null.
  point(place) {
    this.place = place;
    const {x, y, width} = this.geometry;
    const guide = this.longest();
    this.tip.hidden = place === null;
    this.cursor.replaceChildren();
    if (place === null) return "";
    const at = this.xsOf(guide)[place], left = x(at);
    this.cursor.append(svg("line", {x1: left, x2: left, y1: kMargin.top, y2: kHeight - kMargin.bottom}));
    const rows = this.series.filter((each) => each.step.length).map((each) => {
      const i = nearest(this.xsOf(each), at), strong = smoothed(each.mean)[i];
      if (isNumber(y(strong))) {
        this.cursor.append(svg("circle", {cx: x(this.xsOf(each)[i]), cy: y(strong), r: 4, fill: `var(--series-${each.index % 6})`}));
      }
      const spread = each.low && each.low[i] !== each.high[i]
        ? ` (${inUnit(each.low[i], this.unit)} to ${inUnit(each.high[i], this.unit)})` : "";
      return {each, text: inUnit(each.mean[i], this.unit) + spread};
    });
    const where = `step ${whole(guide.step[place])}, ${duration(guide.seconds[place])}`;
    this.tip.replaceChildren(el("div", {class: "where"}, where), ...rows.map(({each, text}) =>
      el("div", {class: "row"}, swatch(each.index), el("span", {}, each.label), el("b", {}, text))));
    const share = left / width;
    this.tip.style.left = share > 0.45 ? "auto" : `calc(${100 * share}% + 12px)`;
    this.tip.style.right = share > 0.45 ? `calc(${100 - 100 * share}% + 12px)` : "auto";
    return `${where}: ${rows.map(({each, text}) => `${each.label} ${text}`).join("; ")}`;
  }

  onPointer(event) {
    const {first, last, width} = this.geometry;
    const box = this.plot.getBoundingClientRect();
    const at = (event.clientX - box.left) / box.width * width;
    const value = first + (at - kMargin.left) / (width - kMargin.left - kMargin.right) * (last - first);
    this.point(nearest(this.xsOf(this.longest()), value));
  }

  onKey(event) {
    const end = this.longest().step.length - 1, now = this.place ?? 0, far = Math.max(1, Math.round(end / 20));
    const next = {ArrowLeft: now - 1, ArrowRight: this.place === null ? 0 : now + 1, PageDown: now - far,
                  PageUp: now + far, Home: 0, End: end}[event.key];
    if (event.key === "Escape") this.leave();
    if (next === undefined) return;
    event.preventDefault();
    say(this.point(Math.min(end, Math.max(0, next))));
  }

  leave() {
    this.point(null);
  }
}

const isConstant = (curve) => curve.rows > 1 && !curve.not_finite && !curve.low && curve.mean.every((value) => value === curve.mean[0]);

// One chart for each group of a run's metrics; of several runs one for each metric.
function chartsOf(runs) {
  const groups = new Map();
  for (const run of runs) {
    for (const group of run.groups) groups.set(group.id, groups.get(group.id) || group);
  }
  const marksOf = (run, curve) => run.health.filter((mark) => mark.begins).map((mark) => ({
    step: mark.step, name: mark.name.replaceAll("_", " "), seconds: curve.seconds[nearest(curve.step, mark.step)]}));
  const charts = [];
  for (const group of groups.values()) {
    if (runs.length === 1) {
      const curves = runs[0].curves.filter((curve) => curve.group === group.id && curve.step.length);
      if (!curves.every(isConstant)) {
        charts.push(new Chart(group.title, group.unit, group.logarithmic,
                              curves.map((curve, index) => ({...curve, index})), marksOf(runs[0], curves[0])));
      }
      continue;
    }
    const names = [...new Set(runs.flatMap((run) => run.curves).filter((curve) => curve.group === group.id).map((curve) => curve.name))];
    for (const name of names) {
      const series = runs.flatMap((run, index) => run.curves.filter((curve) => curve.name === name && curve.step.length)
        .map((curve) => ({...curve, index, label: run.name, metric: curve.label})));
      if (series.length) {
        charts.push(new Chart(names.length > 1 ? `${group.title}: ${series[0].metric}` : group.title, group.unit, group.logarithmic, series, []));
      }
    }
  }
  return charts;
}

function curvesSection(runs) {
  const charts = chartsOf(runs);
  if (!charts.length) return null;
  const redraw = () => charts.forEach((chart) => chart.draw());
  const choice = (axis, text) => el("label", {}, el("input", {type: "radio", name: "axis", value: axis,
    checked: view.axis === axis, onchange: () => { view.axis = axis; redraw(); }}), text);
  const smooth = el("input", {type: "checkbox", checked: true, onchange: () => { view.smooth = smooth.checked; redraw(); }});
  const numbers = runs.flatMap((run) => run.curves.filter((curve) => curve.step.length).map((curve) => {
    const unit = run.groups.find((group) => group.id === curve.group).unit;
    const lows = (curve.low || curve.mean).filter(isNumber), highs = (curve.high || curve.mean).filter(isNumber);
    return [runs.length > 1 ? `${run.name}: ${curve.name}` : curve.name, inUnit(curve.mean[0], unit),
            inUnit(lows.length ? Math.min(...lows) : null, unit), inUnit(highs.length ? Math.max(...highs) : null, unit),
            inUnit(curve.last, unit), whole(curve.rows)];
  }));
  const constants = runs.length > 1 ? [] : runs[0].groups.filter((group) =>
    runs[0].curves.every((curve) => curve.group !== group.id || isConstant(curve))).flatMap((group) =>
    runs[0].curves.filter((curve) => curve.group === group.id).map((curve) => `${curve.name} ${inUnit(curve.last, group.unit)}`));
  const columns = ["metric", "first", "least", "most", "last", "rows"].map((title, i) => ({title, number: i > 0}));
  window.addEventListener("resize", redraw);
  return section("curves", "Curves", "Strong: moving average. Faint: as it was measured.",
    el("div", {class: "tools"}, el("fieldset", {}, el("legend", {}, "Along"), choice("step", "steps"), choice("time", "time")),
       el("label", {}, smooth, "smooth")),
    el("div", {class: "charts"}, charts.map((chart) => chart.node)),
    constants.length ? el("p", {class: "note"}, `The same throughout: ${constants.join(", ")}.`) : null,
    el("details", {}, el("summary", {}, "All curves in numbers"), table(columns, numbers, "All curves in numbers")));
}
