// Refreshes [data-poll] with ETag; rests in hidden tabs and while something in it is open.
(function () {
  "use strict";
  function watch(part) {
    var etag = "", updated = Date.now(), lost = false;
    var note = document.querySelector("[data-live-note]"), words = document.querySelector("[data-live-text]");
    var wait = Number(part.dataset.poll) * 1000;
    if (note) { note.hidden = false; }
    function busy() {
      var active = document.activeElement;
      var typing = active && part.contains(active) && /^(INPUT|SELECT|TEXTAREA)$/.test(active.tagName);
      return document.hidden || typing || part.querySelector("details[open]") || document.querySelector("dialog[open]");
    }
    function address() { var url = new URL(location.href); url.searchParams.set("fragment", "1"); return url; }
    function turn() {
      if (busy()) { setTimeout(turn, wait); return; }
      var headers = { "HX-Request": "true" };
      if (etag) { headers["If-None-Match"] = etag; }
      fetch(address(), { headers: headers, credentials: "same-origin", cache: "no-store" }).then(function (answer) {
        if (answer.status === 401) { location.reload(); return null; }
        if (answer.status !== 200 && answer.status !== 304) { throw new Error(String(answer.status)); }
        updated = Date.now();
        lost = false;
        if (answer.status === 304) { return null; }
        var fresh = answer.headers.get("ETag");
        return answer.text().then(function (body) { if (!busy()) { swap(body); etag = fresh; } });
      }).catch(function () { lost = true; }).then(function () { tell(); setTimeout(turn, wait); });
    }
    function swap(body) {
      var active = document.activeElement;
      var address = active && part.contains(active) ? active.getAttribute("href") : null;
      part.innerHTML = body;
      if (window.htmx) { window.htmx.process(part); }
      if (window.dotmacCharts) { window.dotmacCharts(part); }
      part.dispatchEvent(new CustomEvent("dotmac:swapped", { bubbles: true }));
      var again = address && part.querySelector('a[href="' + CSS.escape(address) + '"]');
      if (again) { again.focus({ preventScroll: true }); }
    }
    function tell() {
      if (!words) { return; }
      var seconds = Math.round((Date.now() - updated) / 1000);
      words.textContent = lost ? words.dataset.lost : seconds < 3 ? words.dataset.fresh : words.dataset.old.replace("%s", seconds);
      note.classList.toggle("dm-lost", lost);
    }
    setInterval(tell, 5000);
    setTimeout(turn, wait);
  }
  document.querySelectorAll("[data-poll]").forEach(watch);
})();
