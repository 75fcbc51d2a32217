// One who is in a room and calls others there, or is called. What it sees stands in its fields, for the test to look at.
globalThis.Participant = class {
  people = {}; presence = {}; heard = []; errors = []; state = "new";
  signals = { offer: 0, answer: 0, candidate: 0, hangup: 0 }; // That came.
  #turn = Promise.resolve();

  constructor(name, room) {
    this.room = room;
    this.socket = new WebSocket(`ws://${location.host}/ws`);
    this.socket.onopen = () => {
      this.say({ type: "hello", protocol: 1, session: crypto.randomUUID(), name });
      this.say({ type: "create_room", request: 1, room });
    };
    // One after the other: a candidate that comes while an offer is still taken in has to wait for that.
    this.socket.onmessage = ({ data }) => {
      const message = JSON.parse(data);
      this.#turn = this.#turn.then(() => this[`on_${message.type}`]?.(message)).catch((error) => this.errors.push(`${error}`));
    };
  }
  say(message) { this.socket.send(JSON.stringify(message)); }
  signal(kind, payload) { this.say({ type: "signal", channel: 1, to: this.other, kind, payload: JSON.stringify(payload ?? null) }); }
  tellCall(call) { this.say({ type: "set_presence", channel: 1, base: this.revision, presence: { call } }); }

  on_ping({ nonce }) { this.say({ type: "pong", nonce }); }
  // The room is there when this is answered, not when it is asked for.
  on_created() { this.say({ type: "join", channel: 1, room: this.room }); }
  on_joined({ head }) {
    this.revision = head;
    this.say({ type: "watch_presence", channel: 1, on: true });
  }
  on_error({ code, message }) { if (code === "room_exists") this.on_created(); else this.errors.push(message); }
  on_presence({ whole, left, people, presence }) {
    if (whole) [this.people, this.presence] = [{}, {}];
    for (const gone of left) { delete this.people[gone]; delete this.presence[gone]; }
    for (const { participant, author } of people) this.people[participant] = author.name;
    for (const { participant, presence: told } of presence) this.presence[participant] = told;
  }
  async on_signal({ from, kind, payload }) {
    this.signals[kind] += 1;
    const said = JSON.parse(payload);
    if (kind === "offer") {
      await this.#prepare(from);
      this.call.ondatachannel = ({ channel }) => this.#listen(channel);
      await this.call.setRemoteDescription(said);
      await this.call.setLocalDescription();
      this.signal("answer", this.call.localDescription);
    } else if (kind === "answer") await this.call.setRemoteDescription(said);
    else if (kind === "candidate") await this.call.addIceCandidate(said);
    else this.#end();
  }

  find(name) { return Object.keys(this.people).find((participant) => this.people[participant] === name); }
  callOf(name) { return this.presence[this.find(name)]?.call; }
  async ring(name) {
    await this.#prepare(this.find(name));
    this.#listen(this.call.createDataChannel("words"));
    await this.call.setLocalDescription();
    this.signal("offer", this.call.localDescription);
  }
  hangUp() { this.signal("hangup"); this.#end(); }
  // Bytes of sound and of pictures that came from the other, the fewer of both.
  async mediaBytes() {
    const came = { audio: 0, video: 0 };
    for (const row of (await this.call.getStats()).values()) if (row.type === "inbound-rtp") came[row.kind] += row.bytesReceived;
    return Math.min(came.audio, came.video);
  }

  async #prepare(other) {
    this.other = other;
    this.media = await navigator.mediaDevices.getUserMedia({ audio: true, video: { width: 160, height: 120 } });
    this.call = new RTCPeerConnection();
    for (const track of this.media.getTracks()) this.call.addTrack(track, this.media);
    this.call.onicecandidate = ({ candidate }) => { if (candidate) this.signal("candidate", candidate); };
    this.call.onconnectionstatechange = () => {
      this.state = this.call.connectionState;
      if (this.state === "connected") this.tellCall({ audio: true, video: true });
    };
  }
  #listen(channel) {
    this.channel = channel;
    channel.onmessage = ({ data }) => this.heard.push(data);
  }
  #end() {
    this.call.close(); // Tells nobody here, as it was asked for.
    this.state = this.call.connectionState;
    for (const track of this.media.getTracks()) track.stop();
    this.tellCall(null);
  }
};
