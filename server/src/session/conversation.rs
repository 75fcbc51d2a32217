//! The state machine of one connection.

use std::{collections::HashMap, sync::Arc};

use motet_protocol::{
    codec::CodecError,
    error::{About, ErrorCode, ErrorMessage},
    ids::{Channel, LogIdentity, ParticipantId, RequestId, Revision, RoomId, Seq, ServerId, SessionId, UnixMs},
    limits::{
        HANDSHAKE_TIMEOUT_MS, Limits, NAME_BYTES_MAX, PROTOCOL_VERSION, SIGNAL_BYTES_MAX, SIGNALS_PER_SECOND_MAX,
        TOKEN_BYTES_MAX,
    },
    message::{ClientMessage, Command, Durability, Hello, HttpAddress, Question, ServerMessage, Welcome},
    presence::{Presence, SignalKind},
};

use super::{Caller, RateLimiter, Turn};
use crate::{auth::Identity, refusal::Refusal};

/// What a server tells every client.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Which server this is.
    pub server_id: ServerId,
    /// Where its HTTP API is, if it serves one.
    pub http: Option<HttpAddress>,
    /// What is allowed.
    pub limits: Limits,
    /// What an acknowledgement promises.
    pub durability: Durability,
    /// The relay for calls, if there is one.
    pub turn: Option<Turn>,
}

/// One connection. `C` is what the caller knows a joined room by.
#[derive(Debug)]
pub struct Session<C> {
    phase: Phase,
    channels: HashMap<Channel, C>,
    signals: RateLimiter,
    heard_ms: UnixMs,
    pinged: bool,
}

#[derive(Debug)]
enum Phase {
    Greeting {
        since_ms: UnixMs,
    },
    /// It has said who it is; that is being found out.
    Identifying {
        since_ms: UnixMs,
    },
    Open {
        caller: Arc<Caller>,
    },
}

/// What to do about a message.
#[derive(Debug)]
pub enum Act<'a, C> {
    /// Nothing.
    Nothing,
    /// Say this.
    Reply(ServerMessage),
    /// Say this, then close.
    Close(ServerMessage),
    /// Find out who it is; say so with [`Session::identified`] before anything else is handled.
    Identify {
        /// Its session.
        session: SessionId,
        /// Its proof.
        token: Option<String>,
        /// The name that it gives itself.
        name: String,
    },
    /// Find out whose another token is; say so with [`Session::authenticated`].
    Authenticate {
        /// The question's number.
        request: RequestId,
        /// The token.
        token: String,
    },
    /// Open a room; say so with [`Session::joined`] when it is.
    Join {
        /// Who joins.
        caller: Arc<Caller>,
        /// The channel, which is free.
        channel: Channel,
        /// The room.
        room: RoomId,
        /// The revision that the client has.
        after: Option<Revision>,
        /// The log that the client took that revision from.
        log: Option<LogIdentity>,
        /// Whether it must have every entry.
        entries_only: bool,
    },
    /// Take the reader out of the room, and say that it left.
    Leave {
        /// The channel, which is free now.
        channel: Channel,
        /// What was joined.
        joined: C,
    },
    /// Hand a submit to a room.
    Submit {
        /// Whose it is.
        participant: ParticipantId,
        /// The channel.
        channel: Channel,
        /// What is joined there.
        joined: &'a C,
        /// The submit's seq.
        seq: Seq,
        /// The revision it counts on.
        base: Revision,
        /// What it asks for.
        command: Command,
    },
    /// Have a reader be told who is in the room and where, or no longer.
    Watch {
        /// What is joined.
        joined: &'a C,
        /// Whether to be told.
        on: bool,
    },
    /// Take what somebody tells of itself. Only the newest of several counts.
    SetPresence {
        /// The channel.
        channel: Channel,
        /// The revision that its places count on.
        base: Revision,
        /// What it tells.
        presence: Box<Presence>,
    },
    /// Pass something on.
    Signal {
        /// The channel.
        channel: Channel,
        /// What is joined there.
        joined: &'a C,
        /// Who is to have it.
        to: ParticipantId,
        /// What it is.
        kind: SignalKind,
        /// The thing.
        payload: String,
    },
    /// Take note of the answer to a ping.
    Answered {
        /// Its nonce.
        nonce: u64,
    },
    /// Answer a question; the connection goes on meanwhile.
    Answer {
        /// Who asks.
        caller: Arc<Caller>,
        /// The question's number.
        request: RequestId,
        /// The question.
        question: Question,
    },
}

impl<C> Session<C> {
    /// A connection that was just accepted.
    pub fn new(now: UnixMs) -> Self {
        Self {
            phase: Phase::Greeting { since_ms: now },
            channels: HashMap::new(),
            signals: RateLimiter::new(SIGNALS_PER_SECOND_MAX, now),
            heard_ms: now,
            pinged: false,
        }
    }

    /// Takes a message.
    pub fn handle(&mut self, message: ClientMessage, settings: &Settings, now: UnixMs) -> Act<'_, C> {
        self.heard(now);
        match (&self.phase, message) {
            (Phase::Greeting { since_ms }, ClientMessage::Hello(hello)) => self.greet(hello, *since_ms),
            (Phase::Greeting { .. } | Phase::Identifying { .. }, _) => {
                close(ErrorCode::HelloRequired, "the first message of a connection is Hello")
            }
            (Phase::Open { caller }, message) => self.open(Arc::clone(caller), message, settings, now),
        }
    }

    fn greet(&mut self, hello: Hello, since_ms: UnixMs) -> Act<'_, C> {
        let Hello { protocol, token, session, name } = hello;
        if protocol != PROTOCOL_VERSION {
            return close(
                ErrorCode::UnsupportedProtocol,
                format!("this server speaks version {PROTOCOL_VERSION} of the protocol, not {protocol}"),
            );
        }
        if name.len() > NAME_BYTES_MAX || token.as_ref().is_some_and(|token| token.len() > TOKEN_BYTES_MAX) {
            return close(
                ErrorCode::BadArgument,
                format!("a name has at most {NAME_BYTES_MAX} bytes, a token at most {TOKEN_BYTES_MAX}"),
            );
        }
        self.phase = Phase::Identifying { since_ms };
        Act::Identify { session, token, name }
    }

    /// Takes what was found out about who it is.
    pub fn identified(&mut self, caller: Result<Caller, Refusal>, settings: &Settings) -> Act<'_, C> {
        let caller = match caller {
            Ok(caller) => caller,
            Err(refusal) => return Act::Close(ServerMessage::Bye { error: refusal.about(About::Connection) }),
        };
        let welcome = Welcome {
            protocol: PROTOCOL_VERSION,
            server: concat!("motetd ", env!("CARGO_PKG_VERSION")).to_owned(),
            server_id: settings.server_id,
            http: settings.http.clone(),
            participant: caller.participant,
            account: caller.author.account.clone(),
            name: caller.author.name.clone(),
            expires_ms: caller.identity.expires_ms,
            durability: settings.durability,
            limits: settings.limits.clone(),
        };
        self.phase = Phase::Open { caller: Arc::new(caller) };
        Act::Reply(ServerMessage::Welcome(welcome))
    }

    /// Takes what was found out about another token.
    pub fn authenticated(&mut self, request: RequestId, identity: Result<Identity, Refusal>) -> Act<'_, C> {
        let Phase::Open { caller } = &mut self.phase else { return Act::Nothing };
        let was = &caller.identity;
        let same = |identity: &Identity| identity.account == was.account && identity.account.is_some();
        // What was shown at first counts in the rooms that are open; it ends with what it was shown by.
        let allows_the_same = |identity: &Identity| identity.grant == was.grant && identity.admin == was.admin;
        match identity {
            Ok(identity) if same(&identity) && !allows_the_same(&identity) => {
                let words =
                    "the token allows something else than the one that this connection began with; connect anew for it";
                reply(Refusal::new(ErrorCode::Forbidden, words).about(About::Request(request)))
            }
            Ok(identity) if same(&identity) => {
                let expires_ms = identity.expires_ms;
                *caller = Arc::new(Caller::new(caller.participant, identity));
                Act::Reply(ServerMessage::Authenticated { request, expires_ms })
            }
            Ok(_) => {
                let words = "the token is not of the account that this connection began with; connect anew for another";
                reply(Refusal::new(ErrorCode::Forbidden, words).about(About::Request(request)))
            }
            Err(refusal) => reply(refusal.about(About::Request(request))),
        }
    }

    /// Who it is, once that is known.
    pub fn caller(&self) -> Option<&Arc<Caller>> {
        match &self.phase {
            Phase::Open { caller } => Some(caller),
            Phase::Greeting { .. } | Phase::Identifying { .. } => None,
        }
    }

    fn open(&mut self, caller: Arc<Caller>, message: ClientMessage, settings: &Settings, now: UnixMs) -> Act<'_, C> {
        match message {
            ClientMessage::Hello(_) => {
                let refusal = Refusal::new(ErrorCode::HelloRepeated, "Hello was said on this connection before");
                reply(refusal.about(About::Connection))
            }
            ClientMessage::Ping { nonce } => Act::Reply(ServerMessage::Pong { nonce }),
            ClientMessage::Pong { nonce } => Act::Answered { nonce },
            ClientMessage::Join { channel, room, after, log, entries_only } => {
                let refusal = if self.channels.contains_key(&channel) {
                    Refusal::new(ErrorCode::ChannelInUse, format!("channel {channel} is joined; choose another"))
                } else if self.channels.len() as u64 >= u64::from(settings.limits.channels_max) {
                    let most = settings.limits.channels_max;
                    Refusal::new(ErrorCode::TooManyChannels, format!("{most} rooms are open here; leave one first"))
                } else {
                    return Act::Join { caller, channel, room, after, log, entries_only };
                };
                reply(refusal.about(About::Channel(channel)))
            }
            ClientMessage::Leave { channel } => match self.channels.remove(&channel) {
                Some(joined) => Act::Leave { channel, joined },
                None => reply(unknown(channel).about(About::Channel(channel))),
            },
            ClientMessage::Submit { channel, seq, base, command } => match self.channels.get(&channel) {
                Some(joined) => Act::Submit { participant: caller.participant, channel, joined, seq, base, command },
                None => reply(unknown(channel).about(About::Submit { channel, seq })),
            },
            ClientMessage::WatchPresence { channel, on } => match self.channels.get(&channel) {
                Some(joined) => Act::Watch { joined, on },
                None => reply(unknown(channel).about(About::Channel(channel))),
            },
            ClientMessage::SetPresence { channel, base, presence } => match self.channels.contains_key(&channel) {
                true => Act::SetPresence { channel, base, presence },
                false => reply(unknown(channel).about(About::Channel(channel))),
            },
            ClientMessage::Signal { channel, to, kind, payload } => {
                let refusal = match self.channels.get(&channel) {
                    _ if payload.len() > SIGNAL_BYTES_MAX => {
                        let words = format!("what is passed on has at most {SIGNAL_BYTES_MAX} bytes");
                        Refusal::new(ErrorCode::BadArgument, words)
                    }
                    None => unknown(channel),
                    Some(joined) => match self.signals.take(now) {
                        Ok(()) => return Act::Signal { channel, joined, to, kind, payload },
                        Err(wait_ms) => {
                            let words = format!("{SIGNALS_PER_SECOND_MAX} things a second are passed on");
                            let wait_ms = u32::try_from(wait_ms).unwrap_or(u32::MAX);
                            Refusal::for_now(ErrorCode::RateLimited, words, wait_ms)
                        }
                    },
                };
                reply(refusal.about(About::Channel(channel)))
            }
            ClientMessage::Ask { request, question } => Act::Answer { caller, request, question },
            ClientMessage::Authenticate { request, token } => Act::Authenticate { request, token },
        }
    }

    /// Takes a message that could not be decoded. The connection goes on: its frame was whole.
    pub fn malformed(&mut self, about: About, error: &CodecError, now: UnixMs) -> Act<'_, C> {
        self.heard(now);
        let code = match error {
            CodecError::BadOperation(_) => ErrorCode::BadOperation,
            CodecError::Malformed(_) | CodecError::Trailing(_) => ErrorCode::BadMessage,
        };
        self.complain(Refusal::new(code, error.to_string()).about(about))
    }

    /// Takes note that the bytes are not frames; the message says why. Nothing more can be read.
    pub fn framing_lost(&mut self, message: String) -> Act<'_, C> {
        close(ErrorCode::FramingLost, message)
    }

    /// Takes note of a frame that was too large and passed over. The connection goes on.
    pub fn oversized(&mut self, bytes: usize, settings: &Settings, now: UnixMs) -> Act<'_, C> {
        self.heard(now);
        let most = settings.limits.frame_bytes_max;
        let words = format!("a message of {bytes} bytes was passed over; {most} are allowed, send it in pieces");
        self.complain(Refusal::new(ErrorCode::FrameTooLarge, words).about(About::Connection))
    }

    /// An error before the handshake ends the connection; afterwards it does not.
    fn complain(&self, error: ErrorMessage) -> Act<'_, C> {
        match self.phase {
            Phase::Greeting { .. } | Phase::Identifying { .. } => Act::Close(ServerMessage::Bye { error }),
            Phase::Open { .. } => reply(error),
        }
    }

    /// Notes that bytes came, though no whole message: a large frame on a slow line is a sign of life.
    pub fn heard(&mut self, now: UnixMs) {
        self.heard_ms = now;
        self.pinged = false;
    }

    /// Notes what is on a channel now.
    pub fn joined(&mut self, channel: Channel, joined: C) {
        self.channels.insert(channel, joined);
    }

    /// What is on a channel.
    pub fn channel(&self, channel: Channel) -> Option<&C> {
        self.channels.get(&channel)
    }

    /// Takes a channel away, where the room did so.
    pub fn dropped(&mut self, channel: Channel) -> Option<C> {
        self.channels.remove(&channel)
    }

    /// What is on all channels.
    pub fn channels(&self) -> impl Iterator<Item = &C> {
        self.channels.values()
    }

    /// The channels, to leave them all at the end.
    pub fn into_channels(self) -> impl Iterator<Item = C> {
        self.channels.into_values()
    }

    /// Looks at the time; called about once a second.
    pub fn tick(&mut self, settings: &Settings, now: UnixMs) -> Act<'_, C> {
        let Limits { heartbeat_ms, idle_timeout_ms, .. } = settings.limits;
        // A clock that was set back must not keep a dead connection, nor end a living one.
        self.heard_ms = self.heard_ms.min(now);
        let silent_ms = now - self.heard_ms;
        match &mut self.phase {
            Phase::Greeting { since_ms } | Phase::Identifying { since_ms } => {
                *since_ms = (*since_ms).min(now);
                if now - *since_ms >= HANDSHAKE_TIMEOUT_MS {
                    let words = format!("no Hello came within {} seconds", HANDSHAKE_TIMEOUT_MS / 1_000);
                    return close(ErrorCode::HandshakeTimeout, words);
                }
            }
            Phase::Open { caller } if !caller.still_valid(now) => {
                let words = "the token has expired or was revoked; sign in again and connect with a new one";
                return close(ErrorCode::Unauthorized, words);
            }
            Phase::Open { .. } if silent_ms >= idle_timeout_ms => {
                let words = format!("nothing was heard for {} seconds; connect again", idle_timeout_ms / 1_000);
                return close(ErrorCode::IdleTimeout, words);
            }
            Phase::Open { .. } if silent_ms >= heartbeat_ms && !self.pinged => {
                self.pinged = true;
                return Act::Reply(ServerMessage::Ping { nonce: now });
            }
            Phase::Open { .. } => {}
        }
        Act::Nothing
    }
}

fn unknown(channel: Channel) -> Refusal {
    Refusal::new(ErrorCode::ChannelUnknown, format!("channel {channel} is not joined; join a room on it first"))
}

fn reply<'a, C>(error: ErrorMessage) -> Act<'a, C> {
    Act::Reply(ServerMessage::Error(error))
}

fn close<'a, C>(code: ErrorCode, words: impl Into<String>) -> Act<'a, C> {
    Act::Close(ServerMessage::Bye { error: Refusal::new(code, words).about(About::Connection) })
}
