//! The rooms of a server. A room is read from the store when it is first asked for, and let go of when it is idle.

use std::{
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use motet_protocol::{
    access::{AccountId, Member, Role},
    codec,
    error::ErrorCode,
    ids::{RoomId, SessionId},
    message::Command,
    room::{Public, RoleOf, RoomFilter, RoomInfo, RoomSettings, SettingsPatch, Standing},
};
use uuid::Uuid;

use super::{
    activity,
    card::{self, Card},
    grants::Grants,
    history,
    places::Places,
    projects::Projects,
    registry::{Registry, RoomRecord},
    watch::Watches,
};
use crate::{
    auth::Authenticator,
    blocking::blocking,
    clock::now_ms,
    metrics::Metrics,
    refusal::Refusal,
    room::{
        AccessDefaults, OpenRoom, Principal, RoomState, Submit, access, limits::RoomLimits, not_found,
        settings as room_settings,
    },
    rooms::open::{
        Listener, RoomHandle, RoomLog, Surroundings, chat_pages, chat_writer::ChatWriter, presence_timer::PresenceTimer,
    },
    session::Caller,
    store::{LogId, Store, StoreError},
};

/// Rooms that are looked at together for a list.
const LIST_PAGE: usize = 256;

/// Bytes of rooms in one answer: it stays well below a frame.
const LIST_BYTES: usize = 128 * 1024;

/// Such pages that one question looks at; then it is answered with what was found, and where to go on.
const LIST_PAGES_MAX: usize = 64;

/// The rooms of a server.
#[derive(Clone)]
pub struct Rooms {
    pub(crate) places: Arc<Places>,
    /// The store.
    pub store: Arc<dyn Store>,
    /// The projects.
    pub projects: Projects,
    registry: Registry,
    /// Lists that are followed.
    pub watches: Arc<Watches>,
    /// When the first of the rooms that are not open may have expired.
    pub first_due_ms: Arc<AtomicU64>,
    log: RoomLog,
    limits: RoomLimits,
    rules: Rules,
    /// When presence is told.
    pub presence_timer: Arc<PresenceTimer>,
    /// What projects give in rooms that are open.
    pub grants: Arc<Grants>,
    /// Who knows the links to rooms.
    pub(super) auth: Option<Authenticator>,
    chat_writer: ChatWriter,
    pub(crate) metrics: Arc<Metrics>,
}

/// What holds for everybody who was not given more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// What those may do in a room who have no role in it, where the room does not say.
    pub public: Option<Role>,
    /// Whether somebody without an account may make rooms.
    pub guests_create: bool,
    /// Seconds after which rooms expire that do not say; 0 for never.
    pub ttl_s: u64,
}

impl std::fmt::Debug for Rooms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rooms").field("open", &self.places.all().len()).finish_non_exhaustive()
    }
}

impl Rooms {
    /// The rooms in a store, none of them open. Called on the runtime that serves them.
    pub fn new(store: Arc<dyn Store>, log: RoomLog, limits: RoomLimits, rules: Rules, metrics: Arc<Metrics>) -> Self {
        let registry = Registry::new(Arc::clone(&store));
        let projects = Projects::new(Arc::clone(&store));
        let chat_writer = ChatWriter::start(Arc::clone(&store));
        Self {
            places: Arc::default(),
            store,
            projects,
            registry,
            watches: Arc::default(),
            first_due_ms: Arc::default(),
            log,
            limits,
            rules,
            presence_timer: Arc::default(),
            grants: Arc::default(),
            auth: None,
            chat_writer,
            metrics,
        }
    }

    /// Has the links to a room revoked when it goes.
    pub fn with_links_of(mut self, auth: Authenticator) -> Self {
        self.auth = Some(auth);
        self
    }

    /// A room, opened if it is not.
    pub async fn open(&self, id: &RoomId) -> Result<Arc<RoomHandle>, Refusal> {
        let held = self.places.hold(id).await;
        if let Some(cell) = held.cell() {
            return Ok(cell);
        }
        let cell = self.load(id).await?;
        held.put(Arc::clone(&cell));
        Ok(cell)
    }

    /// A room that was just made: not another one, if it was removed meanwhile and somebody else made one of that name.
    pub(super) async fn open_as(&self, id: &RoomId, record: &RoomRecord) -> Result<Arc<RoomHandle>, Refusal> {
        let cell = self.open(id).await?;
        if cell.record == *record { Ok(cell) } else { Err(not_found(Some(id))) }
    }

    async fn load(&self, id: &RoomId) -> Result<Arc<RoomHandle>, Refusal> {
        let (rooms, name) = (self.clone(), id.clone());
        let (record, recovered, head, events) = blocking(move || {
            let record = rooms.registry.get(&name)?;
            let recover = || {
                let recovered = history::state_at(rooms.store.as_ref(), record.log(), None)?;
                let head = rooms.store.head(record.log())?;
                let events = activity::read(rooms.store.as_ref(), record.log(), head.revision)?;
                Ok((recovered, head, events))
            };
            let (recovered, head, events) = recover().map_err(|error: crate::store::StoreError| {
                tracing::error!(room = %name, %error, "a room cannot be opened");
                Refusal::from(error)
            })?;
            Ok::<_, Refusal>((record, recovered, head, events))
        })
        .await?;
        let ground = self.ground(&record);
        let room = OpenRoom::new(recovered.state, recovered.snapshot_revision, self.limits)
            .on(ground)
            .at(head.position, now_ms())
            .with_activity(events);
        self.metrics.rooms_open.inc();
        Ok(RoomHandle::new(id.clone(), record, room, self.surroundings()))
    }

    /// What open rooms share.
    fn surroundings(&self) -> Surroundings {
        Surroundings {
            log: self.log.clone(),
            store: Arc::clone(&self.store),
            presence_timer: Arc::clone(&self.presence_timer),
            chat_writer: self.chat_writer.clone(),
            listener: Arc::new(Changes { watches: Arc::clone(&self.watches), grants: Arc::clone(&self.grants) }),
            metrics: Arc::clone(&self.metrics),
        }
    }

    /// A room that nobody finds: one that is being made.
    pub(super) fn unlisted(&self, id: RoomId, record: RoomRecord) -> Arc<RoomHandle> {
        let room = OpenRoom::new(RoomState::default(), 0, self.limits).on(self.ground(&record)).at(0, now_ms());
        RoomHandle::new(id, record, room, self.surroundings())
    }

    pub(super) fn limits(&self) -> &RoomLimits {
        &self.limits
    }

    pub(super) fn ground(&self, record: &RoomRecord) -> AccessDefaults {
        AccessDefaults { owner: record.owner.clone(), public: self.rules.public }
    }

    /// A room, opened if it is not, for somebody who needs a role there, and who that is in it. Who has no role at all is
    /// told the same as if there were no such room.
    pub async fn enter(
        &self,
        caller: &Caller,
        id: &RoomId,
        needed: Role,
    ) -> Result<(Arc<RoomHandle>, Arc<Principal>), Refusal> {
        let cell = self.open(id).await.map_err(|refusal| match refusal.code {
            ErrorCode::RoomNotFound => not_found(Some(id)),
            _ => refusal,
        })?;
        let principal = Arc::new(self.principal(caller, &cell).await?);
        match cell.role_of(&principal) {
            None => Err(not_found(Some(id))),
            role => access::require(role, needed).map(|_| (cell, principal)),
        }
    }

    /// Somebody in a room.
    pub async fn principal(&self, caller: &Caller, cell: &RoomHandle) -> Result<Principal, Refusal> {
        let project = cell.project();
        let of_project = self.of_project(project.as_ref()).await?;
        let in_project = of_project.and_then(|of_project| of_project.gives(caller.participant, caller.account()));
        Ok(caller.in_room(&cell.id, project.as_ref(), in_project))
    }

    /// What those may do who were given no role, where nothing else is said.
    pub fn public(&self) -> Option<Role> {
        self.rules.public
    }

    /// Whether somebody may make rooms and projects.
    pub fn may_create(&self, caller: &Caller) -> Result<(), Refusal> {
        if self.rules.guests_create || caller.account().is_some() {
            return Ok(());
        }
        Err(Refusal::new(ErrorCode::Forbidden, "only accounts make rooms on this server; sign in first"))
    }

    /// Makes a room, which belongs to its maker's account. Settings make its first entry.
    pub async fn create(
        &self,
        caller: &Caller,
        id: Option<RoomId>,
        settings: SettingsPatch,
    ) -> Result<RoomInfo, Refusal> {
        self.may_create(caller)?;
        let settings = match settings == SettingsPatch::default() {
            true => None,
            // What cannot be set is refused before there is a room.
            false => Some(room_settings::checked(settings)?),
        };
        let id = id.unwrap_or_else(|| RoomId::from_uuid(Uuid::new_v4()));
        let (registry, name, owner) = (self.registry.clone(), id.clone(), caller.account().cloned());
        let record = blocking(move || registry.create(&name, owner, now_ms())).await?;
        let cell = self.open_as(&id, &record).await?;
        // Whoever makes a room may do everything in it at first, whatever everybody may.
        let maker = Arc::new(Principal { granted: Some(Role::Host), ..self.principal(caller, &cell).await? });
        let mut first = Vec::new();
        if let Some(settings) = settings {
            let closes = settings.public.is_some_and(|public| public.role(self.rules.public) != Some(Role::Host));
            if closes && caller.account().is_none() {
                // A guest would have made a room that nobody is the host of.
                let member = Member::Participant(caller.participant);
                first.push(Command::SetRole(RoleOf { member, standing: Standing::Role(Role::Host) }));
            }
            first.push(Command::Settings(Box::new(settings)));
        }
        // These are submits of a session that nobody else has.
        let participant = SessionId(Uuid::new_v4()).participant();
        for (seq, command) in (1..).zip(first) {
            let base = cell.head();
            let submit = Submit { participant, seq, base, command };
            cell.submit_for(Arc::clone(&maker), submit, &self.store).await?;
        }
        self.watches.touch(&id);
        self.info(caller, &cell).await
    }

    /// What is known of a room, for somebody who sees it.
    pub async fn show(&self, caller: &Caller, id: &RoomId) -> Result<RoomInfo, Refusal> {
        let (cell, _) = self.enter(caller, id, Role::Viewer).await?;
        self.info(caller, &cell).await
    }

    async fn info(&self, caller: &Caller, cell: &Arc<RoomHandle>) -> Result<RoomInfo, Refusal> {
        let principal = self.principal(caller, cell).await?;
        let role = cell.role_of(&principal).ok_or_else(|| not_found(Some(&cell.id)))?;
        let card = cell.with_state(Card::of);
        let (rooms, log, messages, account) = (self.clone(), cell.log_id(), card.messages, caller.account().cloned());
        let unread = blocking(move || rooms.unread(account.as_ref(), log, messages)).await?;
        Ok(RoomInfo { unread, ..info(&cell.id, &cell.record, card, cell.present(), role) })
    }

    /// What an account has not read of so many messages; guests have no marks. Waits for the disk.
    fn unread(&self, account: Option<&AccountId>, log: LogId, messages: u64) -> Result<u64, Refusal> {
        let Some(account) = account else { return Ok(0) };
        chat_pages::unread(self.store.as_ref(), log, account, messages).map_err(Refusal::from)
    }

    /// Rooms after `after` by name that somebody sees and wants, at most `limit`, and where to go on if there may be more.
    pub async fn list(
        &self,
        caller: &Caller,
        filter: RoomFilter,
        after: Option<RoomId>,
        limit: usize,
    ) -> Result<(Vec<RoomInfo>, Option<RoomId>), Refusal> {
        let (rooms, caller) = (self.clone(), caller.clone());
        blocking(move || rooms.list_now(&caller, &filter, after, limit)).await
    }

    fn list_now(
        &self,
        caller: &Caller,
        filter: &RoomFilter,
        mut after: Option<RoomId>,
        limit: usize,
    ) -> Result<(Vec<RoomInfo>, Option<RoomId>), Refusal> {
        let (mut found, mut bytes) = (Vec::new(), 0);
        for _ in 0..LIST_PAGES_MAX {
            let page = self.registry.list(after.as_ref(), LIST_PAGE)?;
            let whole = page.len() == LIST_PAGE;
            for (id, record) in page {
                if let Some(room) = self.listed(caller, filter, &id, &record)? {
                    bytes += codec::encode(&room).len();
                    if found.len() == limit || (bytes > LIST_BYTES && !found.is_empty()) {
                        return Ok((found, after));
                    }
                    found.push(room);
                }
                after = Some(id);
            }
            if !whole {
                return Ok((found, None));
            }
        }
        Ok((found, after))
    }

    /// The same for one room, as it is now; none also if it is gone. Waits for the disk.
    pub fn listed_now(&self, caller: &Caller, filter: &RoomFilter, id: &RoomId) -> Result<Option<RoomInfo>, Refusal> {
        match self.registry.get(id) {
            Ok(record) => self.listed(caller, filter, id, &record),
            Err(refusal) if refusal.code == ErrorCode::RoomNotFound => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }

    /// A room as a list shows it, if the caller sees it and wants it.
    fn listed(
        &self,
        caller: &Caller,
        filter: &RoomFilter,
        id: &RoomId,
        record: &RoomRecord,
    ) -> Result<Option<RoomInfo>, Refusal> {
        if filter.owner.as_ref().is_some_and(|owner| record.owner.as_ref() != Some(owner)) {
            return Ok(None);
        }
        let (card, present) = match self.places.get(id) {
            Some(cell) => (cell.with_state(Card::of), cell.present()),
            None => match card::read(self.store.as_ref(), id, record) {
                Ok(card) => (card, 0),
                // One damaged room does not hide the others.
                Err(StoreError::Damaged { .. }) => return Ok(None),
                Err(error) => return Err(error.into()),
            },
        };
        let ground = self.ground(record);
        let project = card.settings.project.as_ref();
        let of_project = project.map(|project| self.projects.get(project)).transpose()?.flatten();
        let in_project = of_project.and_then(|of_project| of_project.gives(caller.participant, caller.account()));
        let principal = caller.in_room(id, project, in_project);
        let Some(role) = card.role_of(&principal, &ground) else { return Ok(None) };
        // Mine is what I may see even if it were open to nobody.
        let nobody =
            Card { settings: RoomSettings { public: Public::Nobody, ..RoomSettings::default() }, ..card.clone() };
        let mine = || nobody.role_of(&principal, &ground).is_some();
        let wanted = wants(filter, id, &card) && (!filter.mine || mine());
        if !wanted {
            return Ok(None);
        }
        let unread = self.unread(caller.account(), record.log(), card.messages)?;
        Ok(Some(RoomInfo { unread, ..info(id, record, card, present, role) }))
    }

    /// Which rooms there are.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Takes note that those who follow lists are about to be told of these rooms.
    pub(super) fn seen<'a>(&self, rooms: impl IntoIterator<Item = &'a RoomId>) {
        rooms.into_iter().filter_map(|room| self.places.get(room)).for_each(|cell| cell.seen());
    }

    /// Whether a room is open.
    pub fn is_open(&self, id: &RoomId) -> bool {
        self.places.get(id).is_some()
    }

    /// Seconds after which a room of these settings expires; 0 for never.
    pub fn ttl(&self, settings: &RoomSettings) -> u64 {
        if settings.ttl_s > 0 { settings.ttl_s } else { self.rules.ttl_s }
    }

    /// The same of an open room.
    pub fn ttl_of(&self, cell: &RoomHandle) -> u64 {
        cell.with_state(|state| self.ttl(&state.decided().settings))
    }

    /// The open rooms.
    pub fn open_rooms(&self) -> Vec<Arc<RoomHandle>> {
        self.places.all()
    }

    /// Shows those as idle who have said nothing for long.
    pub fn look_at_clock(&self) {
        let now = now_ms();
        self.open_rooms().iter().for_each(|cell| cell.handle_timeout(now));
    }

    /// Waits until everything that was ordered is durable, or until the time is up: `false`.
    pub async fn settle(&self, at_most: Duration) -> bool {
        let all_durable = async {
            while let Some(cell) = self.open_rooms().into_iter().find(|cell| cell.has_pending()) {
                let _ = cell.drained().await;
            }
        };
        tokio::time::timeout(at_most, all_durable).await.is_ok()
    }
}

/// What open rooms tell the catalog.
#[derive(Debug)]
struct Changes {
    watches: Arc<Watches>,
    grants: Arc<Grants>,
}

impl Listener for Changes {
    fn lists_followed(&self) -> bool {
        self.watches.any()
    }

    fn listed(&self, room: &RoomId) {
        self.watches.touch(room);
    }

    fn moved(&self, room: Arc<RoomHandle>) {
        self.grants.moved(room);
    }
}

/// What a list asks of a room.
fn wants(filter: &RoomFilter, id: &RoomId, card: &Card) -> bool {
    let settings = &card.settings;
    let named = |part: &String| {
        let part = part.to_lowercase();
        id.as_str().contains(&part) || settings.title.to_lowercase().contains(&part)
    };
    filter.name.as_ref().is_none_or(named)
        && filter.tag.as_ref().is_none_or(|tag| settings.tags.contains(tag))
        && filter.language.as_ref().is_none_or(|language| settings.language == *language)
        && filter.project.as_ref().is_none_or(|project| settings.project.as_ref() == Some(project))
}

fn info(id: &RoomId, record: &RoomRecord, card: Card, present: u32, role: Role) -> RoomInfo {
    RoomInfo {
        room: id.clone(),
        created_ms: record.created_ms,
        owner: record.owner.clone(),
        head: card.head,
        changed_ms: card.changed_ms.max(record.created_ms),
        present,
        text_bytes: card.text_bytes,
        preview: card.preview,
        settings: card.settings,
        role,
        unread: 0,
        last_message: card.last_message,
    }
}
