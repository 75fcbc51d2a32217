import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { account, signIn, signOut } from "../live/account";
import { api, ApiError, wordsOf } from "../live/api";
import { ago } from "../time";
import { Dialog } from "../ui/dialog";
import { toast } from "../ui/toast";

/** Which of the account's dialogs is open. */
export const accountDialog = signal<"login" | "register" | "account" | null>(null);

export function AccountDialogs() {
  const close = () => { accountDialog.value = null; };
  if (accountDialog.value === "account") return <Account onClose={close} />;
  if (accountDialog.value) return <SignIn how={accountDialog.value} onClose={close} />;
  return null;
}

function SignIn({ how, onClose }: { how: "login" | "register"; onClose: () => void }) {
  const [user, setUser] = useState("");
  const [password, setPassword] = useState("");
  const [stay, setStay] = useState(true);
  const [problem, setProblem] = useState("");
  const [busy, setBusy] = useState(false);
  const submit = async (event: Event) => {
    event.preventDefault();
    setBusy(true);
    setProblem("");
    try {
      await signIn(how, { name: user.trim(), password }, stay);
      location.reload();
    } catch (error) {
      setProblem(explain(error, how));
      setBusy(false);
    }
  };
  return (
    <Dialog title={how === "login" ? "Sign in" : "Create an account"} onClose={onClose}>
      <form class="stack" onSubmit={submit}>
        <label class="field"><span>Account name</span>
          <input class="input" name="username" value={user} required autofocus autocomplete="username" autocapitalize="off" spellcheck={false} onInput={(event) => setUser(event.currentTarget.value)} /></label>
        <label class="field"><span>Password</span>
          <input class="input" name="password" type="password" value={password} required minLength={how === "register" ? 8 : undefined} autocomplete={how === "login" ? "current-password" : "new-password"} onInput={(event) => setPassword(event.currentTarget.value)} /></label>
        {how === "register" && <p class="note">A name has 3 to 32 of a-z, 0-9, - and _. A password has at least 8 characters.</p>}
        <label class="check"><input type="checkbox" checked={stay} onChange={(event) => setStay(event.currentTarget.checked)} /> Stay signed in on this device</label>
        {problem && <p class="problem" role="alert">{problem}</p>}
        <div class="dialog-foot">
          <button type="button" class="button" onClick={() => { accountDialog.value = how === "login" ? "register" : "login"; }}>{how === "login" ? "Create an account" : "I have an account"}</button>
          <span class="grow" />
          <button type="submit" class="button main" disabled={busy}>{how === "login" ? "Sign in" : "Create account"}</button>
        </div>
      </form>
    </Dialog>
  );
}

/** What was refused, with what to do. */
function explain(error: unknown, how: "login" | "register"): string {
  if (!(error instanceof ApiError)) return wordsOf(error);
  if (error.code === "unauthorized" && how === "login") return "No account has this name and password. Check both, or create an account.";
  if (error.code === "account_exists") return "This name is taken. Choose another one.";
  if (error.code === "forbidden" && how === "register") return "This server gives out no accounts by itself. Ask its administrator for one.";
  if (error.code === "not_configured") return "This server has no accounts: everyone is a guest.";
  if (error.code === "too_many_attempts") return `Too many attempts. Try again in ${Math.ceil((error.retryAfterMs ?? 30_000) / 1000)} seconds.`;
  return wordsOf(error);
}

interface Session { id: string; created_ms: number; used_ms: number; current: boolean }

function Account({ onClose }: { onClose: () => void }) {
  const [old, setOld] = useState("");
  const [fresh, setFresh] = useState("");
  const [problem, setProblem] = useState("");
  const [sessions, setSessions] = useState<Session[]>([]);
  const load = () => api<{ sessions: Session[] }>("auth/sessions").then((answer) => setSessions(answer.sessions), () => {});
  useEffect(() => void load(), []);
  const change = async (event: Event) => {
    event.preventDefault();
    setProblem("");
    try {
      await api("auth/password", { method: "POST", body: { old, new: fresh } });
      setOld(""); setFresh("");
      toast("The password was changed. Other devices were signed out.");
      void load();
    } catch (error) {
      setProblem(error instanceof ApiError && error.code === "unauthorized" ? "The old password is another one." : wordsOf(error));
    }
  };
  return (
    <Dialog title={`Account ${account.value ?? ""}`} onClose={onClose}>
      <form class="stack" onSubmit={change}>
        <h3>Change the password</h3>
        <input type="text" class="sr" autocomplete="username" value={account.value ?? ""} readOnly tabIndex={-1} aria-hidden="true" />
        <label class="field"><span>Old password</span><input class="input" type="password" required autocomplete="current-password" value={old} onInput={(event) => setOld(event.currentTarget.value)} /></label>
        <label class="field"><span>New password</span><input class="input" type="password" required minLength={8} autocomplete="new-password" value={fresh} onInput={(event) => setFresh(event.currentTarget.value)} /></label>
        {problem && <p class="problem" role="alert">{problem}</p>}
        <div class="dialog-foot"><button type="submit" class="button line">Change password</button></div>
      </form>
      <section class="stack">
        <h3>Signed in</h3>
        <ul class="stack">
          {sessions.map((session) => (
            <li key={session.id} class="row">
              <span class="grow">{session.current ? "This device" : "Another device"} <span class="muted">since {ago(session.created_ms)}</span></span>
              {!session.current && <button type="button" class="button" onClick={() => void api(`auth/sessions/${session.id}`, { method: "DELETE" }).then(load, (error) => setProblem(wordsOf(error)))}>Sign out</button>}
            </li>
          ))}
        </ul>
      </section>
      <div class="dialog-foot"><button type="button" class="button line" onClick={() => void signOut().then(() => location.reload())}>Sign out</button></div>
    </Dialog>
  );
}
