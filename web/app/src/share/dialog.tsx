import { signal } from "@preact/signals";
import { useEffect, useState } from "preact/hooks";
import { Copy, Trash2 } from "lucide";
import type { Member, Public, Role, RoleEntry } from "@motet/client";
import { roomAddress } from "../address";
import { api, wordsOf } from "../live/api";
import type { OpenRoom } from "../live/room";
import { ago, exact } from "../time";
import { Dialog } from "../ui/dialog";
import { Icon } from "../ui/icon";
import { toast } from "../ui/toast";
import { copy } from "./copy";
import { QrCode } from "./qr";

/** Whether the share dialog is open. */
export const sharing = signal(false);

interface Link { id: string; role: Role; label: string; created_by: string | null; created_ms: number; expires_ms: number | null }

const ENDS: [string, number | null][] = [["Never", null], ["In an hour", 3600_000], ["In a day", 86_400_000], ["In a week", 604_800_000], ["In 30 days", 2_592_000_000]];
const ROLES: [Role, string][] = [["viewer", "can view"], ["editor", "can edit"], ["host", "host"]];

export function ShareDialog({ room }: { room: OpenRoom }) {
  const [made, setMade] = useState<string | null>(null);
  const address = made ?? roomAddress(room.id);
  return (
    <Dialog title="Share" onClose={() => { sharing.value = false; }}>
      <div class="row"><input class="input mono" readOnly aria-label="Link" value={address} onFocus={(event) => event.currentTarget.select()} />
        <button type="button" class="button main" autofocus onClick={() => void copy(address, "The link was copied.")}><Icon of={Copy} /> Copy</button></div>
      <div class="row share-top">
        <QrCode text={address} />
        <p class="note grow">{made ? "Who has this link has the role it was made with, until it ends or is revoked. It is shown only now: copy it." : publicWords(room.settings.value.public, room.role.value)}</p>
      </div>
      {room.isHost.value
        ? <><PublicRole room={room} /><Links room={room} onMade={setMade} /><Members room={room} /></>
        : <p class="note">Hosts of this room give roles and make links that carry one.</p>}
    </Dialog>
  );
}

function publicWords(role: Public, own: Role | null): string {
  const words = { server_default: own === "viewer" ? "Others who open this link may do what the server lets everyone do." : "Others who open this link have the role that this server gives by default.", nobody: "Only members can open this link.", viewer: "Others who open this link can view.", editor: "Others who open this link can edit.", host: "Others who open this link are hosts." };
  return words[role] + (location.hostname === "localhost" || location.hostname === "127.0.0.1" ? " This address works on this machine only." : "");
}

function PublicRole({ room }: { room: OpenRoom }) {
  return (
    <label class="field"><span>Without a link's role or membership</span>
      <select class="input" value={room.settings.value.public} onChange={(event) => room.change({ public: event.currentTarget.value as Public }).catch((error) => toast(wordsOf(error)))}>
        <option value="server_default">what this server gives by default</option><option value="nobody">no one comes in</option>
        <option value="viewer">everyone can view</option><option value="editor">everyone can edit</option>
      </select></label>
  );
}

function Links({ room, onMade }: { room: OpenRoom; onMade: (address: string) => void }) {
  const [links, setLinks] = useState<Link[]>([]);
  const [role, setRole] = useState<Role>("editor");
  const [end, setEnd] = useState(0);
  const [label, setLabel] = useState("");
  const [problem, setProblem] = useState("");
  const load = () => api<{ links: Link[] }>(`rooms/${room.id}/links`).then((answer) => setLinks(answer.links), (error) => setProblem(wordsOf(error)));
  useEffect(() => void load(), []);
  const make = async (event: Event) => {
    event.preventDefault();
    setProblem("");
    try {
      const ms = ENDS[end]![1];
      const answer = await api<{ secret: string }>(`rooms/${room.id}/links`, { method: "POST", body: { role, label: label.trim(), ...(ms && { expires_ms: Date.now() + ms }) } });
      onMade(`${roomAddress(room.id)}#${answer.secret}`);
      setLabel("");
      void load();
    } catch (error) { setProblem(wordsOf(error)); }
  };
  const revoke = (link: Link) => api(`rooms/${room.id}/links/${link.id}`, { method: "DELETE" }).then(() => { toast("The link was revoked. Who came by it is out."); void load(); }, (error) => setProblem(wordsOf(error)));
  return (
    <section class="stack">
      <h3>Links with a role</h3>
      <form class="row wrapping" onSubmit={make}>
        <select class="input grow" aria-label="Role" value={role} onChange={(event) => setRole(event.currentTarget.value as Role)}>{ROLES.map(([id, words]) => <option key={id} value={id}>{words}</option>)}</select>
        <select class="input grow" aria-label="Ends" value={end} onChange={(event) => setEnd(Number(event.currentTarget.value))}>{ENDS.map(([words], i) => <option key={words} value={i}>Ends: {words.toLowerCase()}</option>)}</select>
        <input class="input grow" aria-label="Label" placeholder="For whom" maxLength={64} value={label} onInput={(event) => setLabel(event.currentTarget.value)} />
        <button type="submit" class="button line">Make link</button>
      </form>
      {problem && <p class="problem" role="alert">{problem}</p>}
      <ul>{links.map((link) => (
        <li key={link.id} class="row">
          <span class="grow cut">{link.label || "Link"} <span class="muted">{ROLES.find(([id]) => id === link.role)![1]}, made {ago(link.created_ms)}{link.expires_ms ? `, ends ${exact(link.expires_ms)}` : ""}</span></span>
          <button type="button" class="button" onClick={() => void revoke(link)} aria-label={`Revoke ${link.label || "the link"}`}>Revoke</button>
        </li>))}
      </ul>
    </section>
  );
}

const memberName = (room: OpenRoom, member: Member) => "account" in member ? member.account : room.author(member.participant).name;
const standingOf = (entry: RoleEntry) => (typeof entry.standing === "string" ? entry.standing : entry.standing.role);

function Members({ room }: { room: OpenRoom }) {
  const [account, setAccount] = useState("");
  const state = room.state.value;
  const decide = (member: Member, standing: string) =>
    room.room.settings.setRole(member, standing === "banned" || standing === "public" ? standing : { role: standing as Role }).catch((error) => toast(wordsOf(error)));
  const decided = state?.roles ?? [];
  const has = (member: Member) => decided.some((entry) => JSON.stringify(entry.member) === JSON.stringify(member));
  const here = room.others.value.map((human): Member => (human.account ? { account: human.account } : { participant: human.participant })).filter((member) => !has(member));
  return (
    <section class="stack">
      <h3>Members</h3>
      <ul>
        {state?.owner && <li class="row member"><span class="grow cut">{state.owner}</span><span class="muted">owner</span></li>}
        {[...decided.filter((entry) => entry.standing !== "public"), ...here.map((member): RoleEntry => ({ member, standing: "public" }))].map((entry) => {
          const name = memberName(room, entry.member);
          return (
            <li key={JSON.stringify(entry.member)} class="row member"><span class="grow cut">{name} {"participant" in entry.member && <span class="muted">guest</span>}</span>
              <select class="input short" aria-label={`Role of ${name}`} value={standingOf(entry)} onChange={(event) => void decide(entry.member, event.currentTarget.value)}>
                <option value="public">as everyone</option><option value="viewer">can view</option><option value="editor">can edit</option><option value="host">host</option><option value="banned">kept out</option>
              </select>
              {entry.standing !== "public" && <button type="button" class="button only" aria-label={`Remove ${name}`} title="Remove" onClick={() => void decide(entry.member, "public")}><Icon of={Trash2} size={14} /></button>}
            </li>
          );
        })}
      </ul>
      <form class="row" onSubmit={(event) => { event.preventDefault(); if (account.trim()) void decide({ account: account.trim() }, "editor").then(() => setAccount("")); }}>
        <input class="input grow" aria-label="Account" placeholder="Account name" autocapitalize="off" spellcheck={false} value={account} onInput={(event) => setAccount(event.currentTarget.value)} />
        <button type="submit" class="button line" disabled={!account.trim()}>Add as editor</button>
      </form>
    </section>
  );
}
