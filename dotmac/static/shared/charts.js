// Draws every figure.dm-chart with uPlot: values in the legend, gaps as gaps.
(function () {
  "use strict";
  var UNITS = { "octets": ["B", "kB", "MB", "GB", "TB"], "bit/s": ["bit/s", "kbit/s", "Mbit/s", "Gbit/s", "Tbit/s"], "": ["", " k", " M", " G"] };
  function text(value, unit) {
    if (value === null || value === undefined) { return "–"; }
    var names = UNITS[unit] || UNITS[""], step = 0;
    while (Math.abs(value) >= 1000 && step < names.length - 1) { value /= 1000; step += 1; }
    var digits = step === 0 || Math.abs(value) >= 100 ? 0 : 1;
    return value.toLocaleString(document.documentElement.lang, { minimumFractionDigits: 0, maximumFractionDigits: digits }) + " " + names[step].trim();
  }
  function css(name) { return getComputedStyle(document.documentElement).getPropertyValue(name).trim(); }
  function options(figure, data, width) {
    var axis = { stroke: css("--dm-muted"), grid: { stroke: css("--dm-line"), width: 1 }, ticks: { stroke: css("--dm-line"), width: 1 }, font: "12px system-ui, sans-serif" };
    return {
      width: width, height: 220,
      tzDate: function (stamp) { return window.uPlot.tzDate(new Date(stamp * 1e3), data.zone); },
      legend: { show: false },
      cursor: { y: false, points: { size: 7 }, drag: { x: true, y: false } },
      // One instant alone has no span (uPlot makes it years): three hours on either side.
      scales: { x: { range: function (plot, low, high) { return plot.data[0].length === 1 ? [low - 10800, low + 10800] : [low, high]; } }, y: { range: function (_u, _low, high) { return [0, high > 0 ? high * 1.08 : 1]; } } },
      axes: [
        Object.assign({}, axis, { space: 64, values: [[86400, "{DD} {MMM}", null, null, null, null, null, null, 1], [3600, "{HH}:{mm}", "\n{DD} {MMM}", null, "\n{DD} {MMM}", null, null, null, 1], [60, "{HH}:{mm}", "\n{DD} {MMM}", null, "\n{DD} {MMM}", null, null, null, 1]] }),
        Object.assign({}, axis, { size: 68, values: function (_u, ticks) { return ticks.map(function (tick) { return text(tick, data.unit); }); } })
      ],
      series: [{}].concat(data.labels.map(function (label, index) {
        return { label: label, stroke: css("--dm-series-" + (index + 1)), width: 2, dash: index ? [6, 4] : undefined, fill: index ? undefined : css("--dm-series-1-fill"), points: { show: data.columns[0].length < 3 } };
      })),
      hooks: { setCursor: [function (plot) { legend(figure, data, plot.cursor.idx); }] }
    };
  }
  function legend(figure, data, at) {
    var when = figure.querySelector("[data-when]");
    figure.querySelectorAll("[data-value]").forEach(function (slot) {
      var column = data.columns[Number(slot.dataset.value)];
      slot.textContent = at === null || at === undefined ? slot.dataset.latest : text(column[at], data.unit);
    });
    if (!when) { return; }
    when.textContent = at === null || at === undefined ? "" : new Date(data.columns[0][at] * 1000).toLocaleString(document.documentElement.lang, { day: "2-digit", month: "short", hour: "2-digit", minute: "2-digit", timeZone: data.zone });
  }
  function draw(figure) {
    var holder = figure.querySelector(".dm-chart-plot");
    if (!holder || !window.uPlot) { return; }
    if (figure.dotmacPlot) { figure.dotmacPlot.destroy(); }
    var data = figure.dotmacData || JSON.parse(holder.dataset.chart);
    figure.dotmacData = data;
    figure.dotmacPlot = new window.uPlot(options(figure, data, Math.max(holder.clientWidth, 120)), data.columns, holder);
  }
  function refresh(figure) {
    if (document.hidden || !figure.dataset.source || !figure.isConnected) { return; }
    fetch(figure.dataset.source, { headers: { "Accept": "application/json" }, credentials: "same-origin" }).then(function (answer) {
      if (answer.ok && (answer.headers.get("content-type") || "").indexOf("application/json") === 0) { return answer.json(); }
      return null;
    }).then(function (data) {
      if (!data || !figure.dotmacPlot || data.columns[0].length === 0) { return; }
      figure.dotmacData = data;
      figure.dotmacPlot.setData(data.columns);
      data.columns.slice(1).forEach(function (column, index) {
        var known = column.filter(function (value) { return value !== null; });
        var slot = figure.querySelector('[data-value="' + (index + 1) + '"]');
        if (slot && known.length) { slot.dataset.latest = text(known[known.length - 1], data.unit); }
      });
      legend(figure, data, null);
    }).catch(function () { /* the next turn tries again */ });
  }
  function all(root) { (root || document).querySelectorAll("figure.dm-chart").forEach(draw); }
  window.dotmacCharts = all;
  var waiting;
  window.addEventListener("resize", function () { clearTimeout(waiting); waiting = setTimeout(all, 150); });
  document.addEventListener("dotmac:theme", function () { all(); });
  setInterval(function () { document.querySelectorAll("figure.dm-chart[data-source]").forEach(refresh); }, 30000);
  if (document.readyState === "loading") { document.addEventListener("DOMContentLoaded", function () { all(); }); } else { all(); }
})();
