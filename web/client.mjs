import { apply, compose, split, transform } from "./ot.mjs";

// A random UUID. crypto.randomUUID() is there on pages that came over HTTPS or from this machine, and on no others.
const uuid = () => "10000000-1000-4000-8000-100000000000".replace(/[018]/g,
  (c) => (c ^ (crypto.getRandomValues(new Uint8Array(1))[0] & (15 >> (c / 4)))).toString(16));

// One room. Its states are those of ot.js: nothing outstanding; one edit outstanding; that, and a buffer of what came after.
export class Room {
  text = ""; outstanding = null; buffer = null; seq = 0; session = uuid();
  trouble = ""; lost = []; // What is wrong just now, in words; and what was typed here and could not be saved.

  // Calls changed(op) when somebody else's edit is in the text, and changed(null) when all may be different: text, writable, lost.
  constructor(url, room, changed, token = null) { Object.assign(this, { url, room, changed, token }).connect(); }
  get writable() { return this.revision !== undefined && this.role !== "viewer" && !this.over; }
  connect() {
    const again = () => { // Where no connection came about, Node 20 tells of the error only.
      this.head = Infinity;
      clearTimeout(this.soon);
      if (!this.over) this.soon = setTimeout(() => this.connect(), 300 + 700 * Math.random());
    };
    this.socket = Object.assign(new WebSocket(this.url), {
      onopen: () => {
        this.say({ type: "hello", protocol: 1, session: this.session, token: this.token });
        this.say({ type: "create_room", request: 1, room: this.room }); // Questions are answered in any order: join after it.
      },
      onmessage: ({ data }) => this[`on_${JSON.parse(data).type}`]?.(JSON.parse(data)),
      onclose: again,
      onerror: again,
    });
  }
  say(message) { if (this.socket.readyState === 1) this.socket.send(JSON.stringify(message)); }
  join() { // Nothing is sent from here on until all that is in the log is here.
    this.head = Infinity;
    const { room, revision: after, log } = this; // The log says which room it was: another may have the name by now.
    this.say({ type: "join", channel: 1, room, after, log, entries_only: after !== undefined });
  }
  edit(op) { // What was just done here, on top of this.text.
    this.text = apply(this.text, op);
    this.buffer = this.buffer ? compose(this.buffer, op) : op;
    this.next();
  }
  next() { // One edit at a time is on its way, and no longer than the server takes it.
    if (this.outstanding || !this.buffer || this.revision === undefined) return;
    [this.outstanding, this.buffer] = split(this.buffer, this.most);
    this.seq += 1;
    this.send();
  }
  send() { // The same seq each time: however often it is sent, it is appended once.
    if (!this.outstanding || this.revision === undefined || this.revision < this.head) return;
    this.say({ type: "submit", channel: 1, seq: this.seq, base: this.revision, command: { edit: this.outstanding } });
  }
  // Limits are told where they are not the protocol's own. A character has at most four bytes.
  on_welcome({ limits = { edit_bytes_max: 196_608 } }) { this.most = Math.floor(limits.edit_bytes_max / 4); }
  on_created() { this.join(); }
  on_ping({ nonce }) { this.say({ type: "pong", nonce }); }
  on_joined({ log, head, role, snapshot }) {
    Object.assign(this, { log, head, role, trouble: "" }).changed(null);
    if (snapshot) this.coming = { revision: snapshot.revision, text: "" }; else this.send();
  }
  on_snapshot({ text, last }) {
    this.coming.text += text;
    if (last) Object.assign(this, this.coming, { outstanding: null, buffer: null }).changed(null);
  }
  on_entry({ entry: { revision, command: { edit } } }) { // Entries that are no edits are counted and passed over.
    let op = edit;
    if (op && this.outstanding) [this.outstanding, op] = transform(this.outstanding, op);
    if (op && this.buffer) [this.buffer, op] = transform(this.buffer, op);
    if (op) { this.text = apply(this.text, op); this.changed(op); }
    if ((this.revision = revision) === this.head) this.send();
  }
  on_ack({ revision }) {
    if (revision <= this.revision) return; // What was sent twice is answered twice.
    Object.assign(this, { revision, outstanding: null, trouble: "" }).next();
  }
  on_role({ role }) { Object.assign(this, { role }).changed(null); }
  on_error({ about, code, message, retry_after_ms: wait }) {
    const words = `${code}: ${message}`;
    if (wait) this.trouble = words;
    if (about.submit && wait) setTimeout(() => this.send(), wait);
    else if (wait) this.socket.close();
    else if (about.request || code === "session_replaced") this.join(); // The answer says more; or an old join came late.
    else if (about.submit || about === "connection" ) this.renew(words);
    else if (code === "room_replaced") this.replaced(words);
    else this.end(words);
  }
  on_bye({ error: { code, message, retry_after_ms: wait } }) { // The server closes now; is it worth while to come again?
    const words = `${code}: ${message}`;
    if (wait || code.endsWith("_timeout")) this.trouble = words; else this.end(words);
  }
  renew(words) { // A refused edit is given up: a new session, and the text anew. Nothing can be written until that is there.
    this.lose(words);
    Object.assign(this, { revision: undefined, outstanding: null, buffer: null, seq: 0, session: uuid(), trouble: words }).socket.close();
    this.changed(null);
  }
  replaced(words) { // Deleted and made anew: the text of the old room is kept to be read, and the new one's comes.
    this.outstanding = null;
    this.lost.push(`${words}\n${this.text}`);
    this.renew(words);
  }
  end(words) { // For good. The text stays, to be read.
    this.lose(words);
    Object.assign(this, { over: true, trouble: words }).socket.close();
    this.changed(null);
  }
  lose(words) {
    if (!this.outstanding) return;
    const op = this.buffer ? compose(this.outstanding, this.buffer) : this.outstanding;
    this.lost.push(`${words}\n${op.filter((c) => typeof c === "string").join("\n")}`);
  }
}
