// What makes the console quick: search, keys, dialogs, copying. Polling: live.js.
(function () {
  "use strict";
  var $ = function (selector, root) { return (root || document).querySelector(selector); };
  var $$ = function (selector, root) { return Array.prototype.slice.call((root || document).querySelectorAll(selector)); };
  var dialog = $("#dialog"), hits = $("#search-hits"), search = $("#search");
  var keysOn = true, pending = "", row = -1;
  try { keysOn = localStorage.getItem("dotmac-keys") !== "off"; } catch (error) { /* private window */ }

  function reveal(root) {
    $$("[data-copy], [data-dismiss], [data-open-dialog], .dm-theme", root).forEach(function (item) { item.hidden = false; });
    if (dialog && dialog.open) { $$("[data-close-dialog]", dialog).forEach(function (item) { item.hidden = false; }); }
  }
  function say(words) { var live = $("#announce"); if (live) { live.textContent = words; } }

  // Clicks: copy, dismiss, dialogs, theme, closing open menus.
  document.addEventListener("click", function (event) {
    var target = event.target.closest("[data-copy], [data-dismiss], [data-open-dialog], [data-close-dialog], button[data-theme-choice], .dm-rail-open");
    $$("details.dm-menu[open], details.dm-why[open]").forEach(function (menu) { if (!menu.contains(event.target)) { menu.open = false; } });
    if (hits && !hits.hidden && !event.target.closest(".dm-search")) { hits.hidden = true; }
    if (document.body.classList.contains("dm-rail-shown") && !event.target.closest(".dm-rail, .dm-rail-open")) { rail(false); }
    if (!target) { return; }
    if (target.dataset.copy !== undefined) { copy(target); }
    else if (target.dataset.dismiss !== undefined) { target.closest(".dm-toast").remove(); }
    else if (target.dataset.openDialog) { $("#" + target.dataset.openDialog).showModal(); }
    else if (target.dataset.themeChoice) { window.dotmacTheme(target.dataset.themeChoice); }
    else if (target.classList.contains("dm-rail-open")) { event.preventDefault(); rail(!document.body.classList.contains("dm-rail-shown")); }
    else if (dialog && dialog.contains(target)) { event.preventDefault(); dialog.close(); }
  });
  function rail(shown) {
    document.body.classList.toggle("dm-rail-shown", shown);
    var opener = $(".dm-rail-open");
    if (opener) { opener.setAttribute("aria-expanded", String(shown)); }
    if (shown) { var first = $(".dm-rail nav a"); if (first) { first.focus(); } }
  }
  function copy(button) {
    var done = function () {
      button.classList.add("dm-copied");
      say(button.getAttribute("aria-label"));
      setTimeout(function () { button.classList.remove("dm-copied"); }, 1200);
    };
    if (navigator.clipboard && window.isSecureContext) { navigator.clipboard.writeText(button.dataset.copy).then(done, function () { /* refused */ }); }
  }
  if (dialog) { dialog.addEventListener("click", function (event) { if (event.target === dialog) { dialog.close(); } }); }

  // Dialogs arrive by htmx; a redirect comes as HX-Redirect.
  document.addEventListener("htmx:afterSwap", function (event) {
    if (dialog && dialog.contains(event.target)) {
      if (!dialog.open) { dialog.showModal(); }
      var wrong = $(".is-invalid", dialog) || $("input:not([type=hidden]), select, textarea", dialog) || $("form button", dialog);
      if (wrong) { wrong.focus(); }
    }
    if (event.target.id === "search-hits") { hits.hidden = false; }
    reveal(document);
  });
  document.addEventListener("htmx:beforeSwap", function (event) {
    if (event.detail.target && event.detail.target.id === "search-hits" && document.activeElement !== search) { event.detail.shouldSwap = false; }
  });

  // Keys.
  var GO = { h: "", c: "customers", s: "services", i: "invoices", p: "payments" };
  function typing(element) { return element && (element.isContentEditable || /^(INPUT|SELECT|TEXTAREA)$/.test(element.tagName)); }
  document.addEventListener("keydown", function (event) {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") { event.preventDefault(); focusSearch(); return; }
    if (event.key === "Escape") { escape(event); return; }
    if (event.target === search) { inSearch(event); return; }
    if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target) || !keysOn || $("dialog[open]")) { return; }
    single(event);
  });
  function focusSearch() { if (search) { search.focus(); search.select(); } }
  function escape(event) {
    if (hits) { hits.hidden = true; }
    $$("details.dm-menu[open], details.dm-why[open]").forEach(function (menu) { menu.open = false; $("summary", menu).focus(); });
    if (document.body.classList.contains("dm-rail-shown")) { rail(false); }
    if (event.target === search) { search.blur(); }
  }
  function inSearch(event) {
    var first = hits && $("a", hits);
    if (event.key === "ArrowDown" && first) { event.preventDefault(); first.focus(); }
  }
  if (hits) {
    hits.addEventListener("keydown", function (event) {
      var links = $$("a", hits), at = links.indexOf(document.activeElement);
      if (event.key === "ArrowDown" && at < links.length - 1) { event.preventDefault(); links[at + 1].focus(); }
      if (event.key === "ArrowUp") { event.preventDefault(); (at > 0 ? links[at - 1] : search).focus(); }
    });
  }
  function single(event) {
    var key = event.key;
    if (pending === "g" && GO[key] !== undefined) { pending = ""; location.assign(document.body.dataset.home + GO[key]); return; }
    pending = key === "g" ? "g" : "";
    if (key === "/") { event.preventDefault(); focusSearch(); }
    else if (key === "?") { var help = $("#help"); if (help) { help.showModal(); } }
    else if (key === "j" || key === "k") { step(key === "j" ? 1 : -1); }
  }
  function step(by) {
    var rows = $$(".dm-rows tbody tr");
    if (!rows.length) { return; }
    row = Math.min(Math.max(row + by, 0), rows.length - 1);
    rows.forEach(function (each, at) { each.classList.toggle("dm-picked", at === row); });
    var link = $("a", rows[row]);
    if (link) { link.focus({ preventScroll: true }); }
    rows[row].scrollIntoView({ block: "nearest" });
  }
  var keysSwitch = $("[data-keys-switch]");
  if (keysSwitch) {
    keysSwitch.checked = keysOn;
    keysSwitch.addEventListener("change", function () {
      keysOn = keysSwitch.checked;
      try { localStorage.setItem("dotmac-keys", keysOn ? "on" : "off"); } catch (error) { /* private window */ }
    });
  }

  // Filters submit by themselves when a choice or a date changes; empty ones stay out of the URL.
  document.addEventListener("change", function (event) {
    var form = event.target.closest("form[data-auto-submit]");
    if (form && event.target.type !== "search") { form.requestSubmit(); }
  });
  $$("form[data-auto-submit]").forEach(function (form) {
    form.addEventListener("formdata", function (event) {
      Array.from(event.formData.entries()).forEach(function (pair) { if (pair[1] === "") { event.formData.delete(pair[0]); } });
    });
  });

  // Good news leaves by itself, bad news stays.
  setTimeout(function () { $$(".dm-toast-success, .dm-toast-info").forEach(function (toast) { toast.remove(); }); }, 9000);
  document.addEventListener("dotmac:swapped", function (event) { reveal(event.target); });
  var here = $(".dm-rail [aria-current]"), railBox = $(".dm-rail");
  if (here && here.offsetTop > railBox.clientHeight - 80) { railBox.scrollTop = here.offsetTop - railBox.clientHeight / 2; }
  var tab = $(".dm-tabs [aria-current]"), strip = $(".dm-tabs");
  if (tab) { strip.scrollLeft += tab.getBoundingClientRect().left - strip.getBoundingClientRect().left - (strip.clientWidth - tab.offsetWidth) / 2; }
  reveal(document);
})();
