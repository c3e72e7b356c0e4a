// Makes passkeys and signs in by them. Without this script, or where a browser has no passkeys, the
// other ways in stay.

const problem = document.getElementById("passkey-problem");

async function ask(path, body) {
  const response = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", "Accept": "application/json" },
    body: JSON.stringify(body ?? {}),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.error.message);
  return answer;
}

async function signIn() {
  const options = PublicKeyCredential.parseRequestOptionsFromJSON(
    await ask("/login/passkey/options"),
  );
  const credential = await navigator.credentials.get({ publicKey: options });
  await ask("/login/passkey", { credential: credential.toJSON() });
  location.assign("/");
}

async function add(form) {
  const options = PublicKeyCredential.parseCreationOptionsFromJSON(
    await ask("/account/passkeys/options"),
  );
  const credential = await navigator.credentials.create({ publicKey: options });
  const name = new FormData(form).get("name");
  await ask("/account/passkeys", { name, credential: credential.toJSON() });
  location.assign("/account");
}

function run(act) {
  problem.hidden = true;
  act().catch((error) => {
    problem.textContent = error.message;
    problem.hidden = false;
  });
}

if ("PublicKeyCredential" in globalThis) {
  const button = document.getElementById("passkey-sign-in");
  const form = document.getElementById("passkey-add");
  button?.addEventListener("click", () => run(signIn));
  form?.addEventListener("submit", (event) => {
    event.preventDefault();
    run(() => add(form));
  });
  for (const each of [button, form]) if (each !== null) each.hidden = false;
}
