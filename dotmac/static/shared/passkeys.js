// Passkeys: asks the server, lets the browser show its own dialog, sends the answer.
// Buttons (data-passkey="prove" or "new") stay hidden where passkeys cannot work.
(function () {
  "use strict";
  var bare = /^[0-9.]+$|^\[/.test(location.hostname);
  var able = window.PublicKeyCredential && navigator.credentials && window.isSecureContext && !bare;

  function bytes(text) {
    var plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
    return Uint8Array.from(plain, function (letter) { return letter.charCodeAt(0); });
  }
  function text(buffer) {
    var plain = "";
    new Uint8Array(buffer).forEach(function (byte) { plain += String.fromCharCode(byte); });
    return btoa(plain).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  }
  function known(list) { return (list || []).map(function (key) { return Object.assign({}, key, { id: bytes(key.id) }); }); }

  function post(url, body) {
    var token = document.querySelector("[name=csrfmiddlewaretoken]");
    return fetch(url, {
      method: "POST", credentials: "same-origin", body: JSON.stringify(body),
      headers: { "Content-Type": "application/json", "X-CSRFToken": token ? token.value : "" }
    }).then(function (answer) {
      return answer.json().then(function (found) {
        if (!answer.ok) { throw Object.assign(new Error(found.detail || found.title), { code: found.code, ours: true }); }
        return found;
      });
    });
  }
  function answered(made) {
    var from = made.response, answer = { clientDataJSON: text(from.clientDataJSON) };
    ["attestationObject", "authenticatorData", "signature", "userHandle"].forEach(function (name) {
      if (from[name]) { answer[name] = text(from[name]); }
    });
    return { id: made.id, rawId: text(made.rawId), type: made.type, response: answer };
  }
  function create(options) {
    options.challenge = bytes(options.challenge);
    options.user.id = bytes(options.user.id);
    options.excludeCredentials = known(options.excludeCredentials);
    return navigator.credentials.create({ publicKey: options });
  }
  function get(options) {
    options.challenge = bytes(options.challenge);
    options.allowCredentials = known(options.allowCredentials);
    return navigator.credentials.get({ publicKey: options });
  }
  function typed(button) {
    var form = button.closest("form"), found = { "new": button.dataset.passkey === "new" };
    ["name", "password", "otp"].forEach(function (name) {
      if (form && form.elements[name]) { found[name] = form.elements[name].value; }
    });
    return found;
  }
  function run(button) {
    var box = button.closest(".dm-passkey"), says = box.querySelector(".dm-passkey-says"), body = typed(button);
    says.textContent = "";
    button.disabled = true;
    post(button.dataset.begin, body)
      .then(function (asked) { return (body["new"] ? create : get)(asked.options); })
      .then(function (made) { return post(button.dataset.finish, { credential: answered(made), name: body.name || "" }); })
      .then(function (done) {
        var form = button.closest("form");
        if (button.dataset.then === "submit" && form) { form.requestSubmit(); } else { location.assign(done.url); }
      })
      .catch(function (error) {
        button.disabled = false;
        if (error.code === "step_up_required") { location.assign(button.dataset.stepUp || "/console/step-up?next=" + encodeURIComponent(location.pathname)); return; }
        says.textContent = error.ours ? error.message : (error.name === "NotAllowedError" ? box.dataset.cancelled || "Cancelled. Nothing was changed." : error.message);
      });
  }
  function reveal() {
    document.querySelectorAll(".dm-passkey").forEach(function (box) { box.hidden = !able; });
    document.querySelectorAll(".dm-passkey-none").forEach(function (box) { box.hidden = !!able; });
  }
  document.addEventListener("click", function (event) {
    var button = event.target.closest("[data-passkey]");
    if (button) { event.preventDefault(); run(button); }
  });
  document.addEventListener("htmx:afterSwap", reveal);
  reveal();
})();
