// Files sent part after part: a line cut in the middle costs only the part under way, even after the page was left.
// Without this script the same form sends the files whole.
(() => {
  const form = document.querySelector("form[data-resumable]");
  if (!form || !window.fetch || !window.AbortController) return;
  const list = document.querySelector("[data-uploads]");
  const said = document.querySelector("[data-uploads-said]");
  const token = form.querySelector("[name=csrfmiddlewaretoken]").value;
  const most = Number(form.dataset.most);
  const PATIENCE_MS = 180000, QUICK_MS = 2000, WAITS = [1, 2, 4, 8, 15, 30];
  let busy = false;

  class Refused extends Error {}
  const megabytes = (bytes) => (bytes / 1048576).toLocaleString("fr-FR", { maximumFractionDigits: 1 }) + "\u00a0Mo";
  // Rows already show what is said of one file: only what is said of all of them is shown too.
  const say = (text, shown = false) => { said.textContent = text; said.classList.toggle("fr-sr-only", !shown); };

  async function fingerprint(data) {
    if (!window.crypto || !crypto.subtle) return "";
    const found = new Uint8Array(await crypto.subtle.digest("SHA-256", data));
    return Array.from(found, (byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  async function ask(method, address, body, headers = {}) {
    const answer = await fetch(address, {
      method, body, headers: { "X-CSRFToken": token, ...headers }, redirect: "error", signal: AbortSignal.timeout(PATIENCE_MS),
    });
    const json = (answer.headers.get("Content-Type") || "").includes("json");
    if (answer.status >= 500 || answer.status === 408 || answer.status === 429) throw new Error("try again");
    const told = json ? await answer.json() : {};
    if (answer.status === 409) return { ...told, isBehind: true };
    if (!answer.ok) throw new Refused(told.message || "L'envoi est refusé : rechargez la page, puis choisissez de nouveau le fichier. Il reprendra où il en est.");
    return told;
  }

  function row(file) {
    const item = document.createElement("li");
    item.className = "essaim-upload";
    const name = document.createElement("p");
    name.className = "fr-mb-1v";
    name.textContent = `${file.name} (${megabytes(file.size)})`;
    const bar = document.createElement("progress");
    bar.max = 100;
    bar.value = 0;
    bar.setAttribute("aria-label", `Envoi de ${file.name}`);
    const state = document.createElement("p");
    state.className = "essaim-muted fr-mb-0";
    state.textContent = "En attente";
    const again = document.createElement("button");
    again.type = "button";
    again.className = "fr-btn fr-btn--sm fr-btn--tertiary";
    again.textContent = "Réessayer maintenant";
    again.hidden = true;
    item.append(name, bar, state, again);
    list.append(item);
    return {
      show(offset) {
        bar.value = Math.floor((100 * offset) / file.size);
        state.textContent = `${megabytes(offset)} envoyés sur ${megabytes(file.size)}`;
      },
      write(text, isBad = false) {
        state.textContent = text;
        for (const name of ["is-blocking", "fr-error-text"]) state.classList.toggle(name, isBad);
      },
      done(address, isKnown) {
        bar.value = 100;
        state.textContent = isKnown ? "Ce fichier avait déjà été déposé, rien n'est compté deux fois : " : "Reçu, vérification en cours : ";
        const link = document.createElement("a");
        link.href = address;
        link.textContent = `voir le dépôt de ${file.name}`;
        state.append(link);
      },
      // Resolves after some seconds, when the line comes back, or when the person asks.
      wait(seconds) {
        return new Promise((resolve) => {
          let left = seconds;
          again.hidden = false;
          const end = () => {
            clearInterval(clock);
            again.hidden = true;
            again.removeEventListener("click", end);
            window.removeEventListener("online", end);
            resolve();
          };
          const tell = () => { state.textContent = `Connexion perdue. Rien n'est à refaire : nouvel essai dans ${left} s.`; };
          const clock = setInterval(() => { left -= 1; if (left > 0) tell(); else end(); }, 1000);
          again.addEventListener("click", end);
          window.addEventListener("online", end);
          tell();
        });
      },
    };
  }

  // Tries again for as long as the line is cut; a refusal ends it.
  async function insisting(shown, work) {
    for (let turn = 0; ; turn += 1) {
      try {
        return await work();
      } catch (error) {
        if (error instanceof Refused) throw error;
        await shown.wait(WAITS[Math.min(turn, WAITS.length - 1)]);
      }
    }
  }

  async function begin(file) {
    const fields = new FormData();
    fields.append("filename", file.name);
    fields.append("size", file.size);
    fields.append("contract", form.elements.contract.value);
    fields.append("sender", form.elements.sender.value);
    const first = await fingerprint(await file.slice(0, 1048576).arrayBuffer());
    fields.append("mark", `${file.lastModified}-${first}`.slice(0, 100));
    return ask("POST", form.dataset.resumable, fields);
  }

  async function part(address, file, offset, size) {
    const content = await file.slice(offset, offset + size).arrayBuffer();
    const told = await ask("PATCH", address, content, { "Upload-Offset": String(offset), "Upload-Part-Sha256": await fingerprint(content) });
    if (told.isBehind && told.offset === offset) throw new Error("damaged on the way");
    return told;
  }

  async function send(file, shown) {
    if (!file.size) throw new Refused("Le fichier est vide : vérifiez qu'il a bien été enregistré avant l'envoi.");
    if (most && file.size > most * 1048576) throw new Refused(`Ce fichier dépasse ${most}\u00a0Mo\u00a0: enregistrez-le compressé (xlsx ou zip), ou découpez-le, par année par exemple.`);
    const way = await insisting(shown, () => begin(file));
    let offset = way.offset, size = way.part;
    shown.show(offset);
    for (;;) {
      while (offset < file.size) {
        const started = performance.now();
        const told = await insisting(shown, () => part(way.address, file, offset, size));
        offset = told.offset;
        shown.show(offset);
        size = performance.now() - started < QUICK_MS ? Math.min(size * 2, way.most) : way.part;
      }
      const made = await insisting(shown, () => ask("POST", `${way.address}fin/`, new FormData()));
      if (!made.isBehind) return made;
      offset = made.offset;
    }
  }

  async function sendAll(files) {
    list.replaceChildren();
    const rows = files.map(row);
    const ended = [];
    for (const [position, file] of files.entries()) {
      say(`Envoi de ${file.name}`);
      try {
        const made = await send(file, rows[position]);
        rows[position].done(made.address, made.is_known);
        ended.push(made);
      } catch (error) {
        // A file that changed or vanished on the disk cannot be read any more.
        const text = error instanceof Refused ? error.message : "Ce fichier ne se lit plus sur votre appareil : choisissez-le de nouveau.";
        rows[position].write(text, true);
        say(`${file.name}\u00a0: ${text}`);
      }
    }
    return ended;
  }

  form.addEventListener("submit", async (event) => {
    const files = Array.from(form.elements.files.files);
    if (busy) { event.preventDefault(); return; }
    // Told before anything is sent: what is missing costs no upload.
    const missing = [form.elements.contract, form.elements.files].find((field) => !field.checkValidity());
    if (missing) { event.preventDefault(); event.stopPropagation(); missing.reportValidity(); return; }
    event.preventDefault();
    busy = true;
    const leaving = (page) => page.preventDefault();
    window.addEventListener("beforeunload", leaving);
    const ended = await sendAll(files);
    window.removeEventListener("beforeunload", leaving);
    busy = false;
    delete form.dataset.sent;
    for (const button of form.querySelectorAll("button[type=submit]")) button.removeAttribute("aria-disabled");
    if (ended.length === files.length && files.length === 1) window.location.assign(ended[0].address);
    else if (ended.length) say(`${ended.length} fichier${ended.length > 1 ? "s reçus" : " reçu"} sur ${files.length}.`, true);
  });
})();
