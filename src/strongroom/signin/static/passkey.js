// The only script of the sign-in pages, on the two that ask for a passkey: browsers give passkeys to scripts alone.
"use strict";

const form = document.getElementById("passkey");
const problem = document.getElementById("problem");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  problem.hidden = true;
  try {
    const options = JSON.parse(form.dataset.options);
    const credential = form.dataset.kind === "create"
      ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
      : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
    form.elements.answer.value = JSON.stringify(credential.toJSON());
    form.submit();
  } catch {
    problem.hidden = false;
  }
});
