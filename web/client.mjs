import { apply, compose, transform } from "./ot.mjs";

// One room. Its states are those of ot.js: nothing outstanding; one edit outstanding; that, and a buffer of what came after.
export class Room {
  text = ""; outstanding = null; buffer = null; seq = 0; session = crypto.randomUUID();

  constructor(url, room, changed) { Object.assign(this, { url, room, changed }).connect(); }
  connect() {
    this.socket = Object.assign(new WebSocket(this.url), {
      onopen: () => {
        this.say({ type: "hello", protocol: 1, session: this.session });
        this.say({ type: "create_room", request: 1, room: this.room }); // Questions are answered in any order: join after it.
      },
      onmessage: ({ data }) => this[`on_${JSON.parse(data).type}`]?.(JSON.parse(data)),
      onclose: () => { this.head = Infinity; setTimeout(() => this.connect(), 300 + 700 * Math.random()); },
    });
  }
  say(message) { if (this.socket.readyState === 1) this.socket.send(JSON.stringify(message)); }
  edit(op) { // What was just done here, on top of this.text.
    this.text = apply(this.text, op);
    if (this.outstanding) this.buffer = this.buffer ? compose(this.buffer, op) : op;
    else { this.outstanding = op; this.seq += 1; this.send(); }
  }
  send() { // The same seq each time: however often it is sent, it is appended once.
    if (!this.outstanding || this.revision === undefined || this.revision < this.head) return;
    this.say({ type: "submit", channel: 1, seq: this.seq, base: this.revision, command: { edit: this.outstanding } });
  }
  on_created() { this.say({ type: "join", channel: 1, room: this.room, after: this.revision, entries_only: this.revision !== undefined }); }
  on_ping({ nonce }) { this.say({ type: "pong", nonce }); }
  on_joined({ head, snapshot }) { this.head = head; if (snapshot) this.coming = { revision: snapshot.revision, text: "" }; else this.send(); }
  on_snapshot({ text, last }) {
    this.coming.text += text;
    if (last) { Object.assign(this, this.coming); this.changed(null); }
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
    [this.revision, this.outstanding, this.buffer] = [revision, this.buffer, null];
    if (this.outstanding) { this.seq += 1; this.send(); }
  }
  on_error({ about, code, retry_after_ms: wait }) {
    if (about.request === 1 && code === "room_exists") this.on_created();
    else if (about.submit && wait) setTimeout(() => this.send(), wait);
    else if (about.submit) this.renew();
  }
  renew() { // A refused edit is given up: a new session, and the text anew.
    Object.assign(this, { revision: undefined, outstanding: null, buffer: null, seq: 0, session: crypto.randomUUID() }).socket.close();
  }
}
