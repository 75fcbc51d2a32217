//! The HTTP API of accounts, sessions and tokens: what stands below `/api/auth`.

use axum::{
    Json,
    extract::{DefaultBodyLimit, State},
    http::{HeaderValue, StatusCode, header},
    middleware::map_response,
    response::Response,
};
use motet_protocol::{
    access::{AccountId, Role},
    error::ErrorCode,
    ids::UnixMs,
};
use serde::{Deserialize, Serialize};
use utoipa::{
    IntoParams, OpenApi, ToSchema,
    openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    api::{
        body::Body,
        caller::{Address, Caller, Client},
        params::{Path, Query},
        problem::{Answer, Problem},
    },
    auth::{
        AccountInfo, Authenticator, Grant, Identity, Secret, SessionInfo, Shared, SignedIn, Target, TokenId,
        limits::{ACCOUNTS_PAGE_MAX, BODY_BYTES_MAX},
    },
    clock::now_ms,
    refusal::Refusal,
};

/// The routes, to be nested at `/api/auth`, with their part of the OpenAPI document. Whoever serves them puts
/// `ConnectInfo<SocketAddr>` on each request, so that attempts can be counted by address.
pub fn routes(authenticator: Authenticator) -> OpenApiRouter {
    OpenApiRouter::with_openapi(openapi())
        .routes(routes!(register))
        .routes(routes!(login))
        .routes(routes!(refresh))
        .routes(routes!(logout))
        .routes(routes!(me))
        .routes(routes!(password))
        .routes(routes!(delete))
        .routes(routes!(sessions, revoke_sessions))
        .routes(routes!(revoke_session))
        .routes(routes!(ticket))
        .routes(routes!(redeem))
        .routes(routes!(accounts, create_account))
        .routes(routes!(delete_account))
        .layer(DefaultBodyLimit::max(BODY_BYTES_MAX))
        // What is answered here is nobody else's, caches included (RFC 6749, section 5.1).
        .layer(map_response(|mut response: Response| async {
            response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            response
        }))
        .with_state(authenticator)
}

/// The name of the security scheme in the OpenAPI document.
pub const BEARER: &str = "bearer";

fn openapi() -> utoipa::openapi::OpenApi {
    #[derive(OpenApi)]
    #[openapi(tags((name = "auth", description = "Accounts, sessions and tokens")))]
    struct Auth;
    let mut document = Auth::openapi();
    let scheme =
        HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("An access or share token")).build();
    let components = document.components.get_or_insert_default();
    components.add_security_scheme(BEARER, SecurityScheme::Http(scheme));
    document
}

/// A name and a password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Credentials {
    /// 3 to 32 of a-z, 0-9, `-` and `_`.
    #[schema(example = "ann")]
    name: String,
    /// At least 8 characters, at most 512 bytes.
    #[schema(value_type = String, format = Password)]
    password: Secret,
}

/// A refresh token.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct RefreshBody {
    /// As signing in or the last refresh gave it.
    #[schema(value_type = String)]
    refresh_token: Secret,
}

/// A change of password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewPassword {
    /// The one that is good now.
    #[schema(value_type = String, format = Password)]
    old: Secret,
    /// The one that is to be good.
    #[schema(value_type = String, format = Password)]
    new: Secret,
}

/// A password.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Confirmation {
    /// The account's password.
    #[schema(value_type = String, format = Password)]
    password: Secret,
}

/// An account to make.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct NewAccount {
    /// 3 to 32 of a-z, 0-9, `-` and `_`.
    #[schema(example = "ann")]
    name: String,
    /// At least 8 characters, at most 512 bytes.
    #[schema(value_type = String, format = Password)]
    password: Secret,
    /// Whether it looks after the server.
    #[serde(default)]
    admin: bool,
}

/// A link to follow.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct Redeem {
    /// As its maker was given it.
    #[schema(value_type = String)]
    link: Secret,
    /// What you call yourself; passed over for who is signed in.
    #[serde(default)]
    name: String,
}

/// Who asks.
#[derive(Debug, Serialize, ToSchema)]
struct Me {
    /// The account; null for a guest.
    #[schema(value_type = Option<String>)]
    account: Option<AccountId>,
    /// What others see.
    name: String,
    /// Whether they look after the server.
    admin: bool,
    /// What a link that they followed allows them.
    grant: Option<GrantBody>,
    /// When the token expires, in milliseconds since 1970.
    expires_ms: Option<UnixMs>,
}

/// What a link allows.
#[derive(Debug, Serialize, ToSchema)]
struct GrantBody {
    /// Where.
    target: Target,
    /// What: `viewer`, `editor` or `host`.
    #[schema(value_type = String, example = "editor")]
    role: Role,
    /// The link's id.
    #[schema(value_type = String)]
    link: TokenId,
}

/// A ticket.
#[derive(Debug, Serialize, ToSchema)]
struct Ticket {
    /// In place of a token, once.
    #[schema(value_type = String)]
    ticket: Secret,
    /// Until when, in milliseconds since 1970.
    expires_ms: UnixMs,
}

/// What following a link gives.
#[derive(Debug, Serialize, ToSchema)]
struct Redeemed {
    /// A token that lets in.
    #[schema(value_type = String)]
    token: Secret,
    /// Where the link leads.
    target: Target,
    /// What it allows: `viewer`, `editor` or `host`.
    #[schema(value_type = String, example = "editor")]
    role: Role,
    /// Until when, in milliseconds since 1970.
    expires_ms: UnixMs,
}

/// A part of the list of accounts.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Page {
    /// Accounts whose names come after this.
    #[param(value_type = Option<String>)]
    after: Option<AccountId>,
    /// At most so many.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<usize>,
}

/// Make an account for yourself, and sign in
#[utoipa::path(
    post, path = "/register", tag = "auth", request_body = Credentials,
    responses(
        (status = 201, description = "The account is made", body = SignedIn),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    ),
)]
async fn register(
    State(authenticator): State<Authenticator>,
    Address(address): Address,
    Client(client): Client,
    Body(Credentials { name, password }): Body<Credentials>,
) -> Answer<(StatusCode, Json<SignedIn>)> {
    let signed_in = authenticator.register(&name, password, &client, address, now_ms()).await?;
    Ok((StatusCode::CREATED, Json(signed_in)))
}

/// Sign in
#[utoipa::path(
    post, path = "/login", tag = "auth", request_body = Credentials,
    responses(
        (status = 200, description = "Signed in", body = SignedIn),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    ),
)]
async fn login(
    State(authenticator): State<Authenticator>,
    Address(address): Address,
    Client(client): Client,
    Body(Credentials { name, password }): Body<Credentials>,
) -> Answer<Json<SignedIn>> {
    Ok(Json(authenticator.login(&name, password, &client, address, now_ms()).await?))
}

/// Get the next tokens for a refresh token, which is used up
#[utoipa::path(
    post, path = "/refresh", tag = "auth", request_body = RefreshBody,
    responses(
        (status = 200, description = "The next tokens", body = SignedIn),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    ),
)]
async fn refresh(
    State(authenticator): State<Authenticator>,
    Body(RefreshBody { refresh_token }): Body<RefreshBody>,
) -> Answer<Json<SignedIn>> {
    Ok(Json(authenticator.refresh(refresh_token, now_ms()).await?))
}

/// End the session of a refresh token
#[utoipa::path(
    post, path = "/logout", tag = "auth", request_body = RefreshBody,
    responses(
        (status = 204, description = "The session is ended, with its connections"),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    ),
)]
async fn logout(
    State(authenticator): State<Authenticator>,
    Body(RefreshBody { refresh_token }): Body<RefreshBody>,
) -> Answer<StatusCode> {
    authenticator.logout(refresh_token).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Who you are to the server
#[utoipa::path(
    get, path = "/me", tag = "auth", security((), ("bearer" = [])),
    responses(
        (status = 200, description = "Who asks", body = Me),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    ),
)]
async fn me(Caller(identity): Caller) -> Json<Me> {
    let Identity { account, name, admin, grant, expires_ms, .. } = identity;
    let grant = grant.map(|Grant { target, role, link }| GrantBody { target, role, link });
    Json(Me { account, name, admin, grant, expires_ms })
}

/// Change your password, which ends your other sessions
#[utoipa::path(
    post, path = "/password", tag = "auth", request_body = NewPassword, security(("bearer" = [])),
    responses(
        (status = 204, description = "It is changed"),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    ),
)]
async fn password(
    State(authenticator): State<Authenticator>,
    Caller(identity): Caller,
    Body(NewPassword { old, new }): Body<NewPassword>,
) -> Answer<StatusCode> {
    authenticator.change_password(&identity, old, new, now_ms()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Remove your account; its name is not given away again
#[utoipa::path(
    post, path = "/delete", tag = "auth", request_body = Confirmation, security(("bearer" = [])),
    responses(
        (status = 204, description = "It is removed"),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    ),
)]
async fn delete(
    State(authenticator): State<Authenticator>,
    Caller(identity): Caller,
    Body(Confirmation { password }): Body<Confirmation>,
) -> Answer<StatusCode> {
    authenticator.delete_own_account(&identity, password, now_ms()).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Where you are signed in
#[utoipa::path(
    get, path = "/sessions", tag = "auth", security(("bearer" = [])),
    responses(
        (status = 200, description = "The sessions, the one used last first", body = Vec<SessionInfo>),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    ),
)]
async fn sessions(
    State(authenticator): State<Authenticator>,
    Caller(identity): Caller,
) -> Answer<Json<Vec<SessionInfo>>> {
    Ok(Json(authenticator.sessions(&identity, now_ms()).await?))
}

/// Sign out everywhere
#[utoipa::path(
    delete, path = "/sessions", tag = "auth", security(("bearer" = [])),
    responses(
        (status = 204, description = "All sessions are ended, this one too"),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    ),
)]
async fn revoke_sessions(State(authenticator): State<Authenticator>, Caller(identity): Caller) -> Answer<StatusCode> {
    authenticator.revoke_sessions(&identity).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Sign out somewhere
#[utoipa::path(
    delete, path = "/sessions/{id}", tag = "auth", security(("bearer" = [])),
    params(("id" = String, Path, description = "As the list has it")),
    responses(
        (status = 204, description = "The session is ended, with its connections"),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    ),
)]
async fn revoke_session(
    State(authenticator): State<Authenticator>,
    Caller(identity): Caller,
    Path(id): Path<TokenId>,
) -> Answer<StatusCode> {
    authenticator.revoke_session(&identity, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Get a ticket: it stands for your token once, within half a minute, where no header can be set
#[utoipa::path(
    post, path = "/ticket", tag = "auth", security(("bearer" = [])),
    responses(
        (status = 201, description = "The ticket", body = Ticket),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    ),
)]
async fn ticket(
    State(authenticator): State<Authenticator>,
    Caller(identity): Caller,
) -> Answer<(StatusCode, Json<Ticket>)> {
    let (ticket, expires_ms) = authenticator.ticket(&identity, now_ms())?;
    Ok((StatusCode::CREATED, Json(Ticket { ticket, expires_ms })))
}

/// Follow a link
#[utoipa::path(
    post, path = "/redeem", tag = "auth", request_body = Redeem, security((), ("bearer" = [])),
    responses(
        (status = 200, description = "A token for where the link leads", body = Redeemed),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    ),
)]
async fn redeem(
    State(authenticator): State<Authenticator>,
    caller: Option<Caller>,
    Body(Redeem { link, name }): Body<Redeem>,
) -> Answer<Json<Redeemed>> {
    let caller = caller.map(|Caller(identity)| identity);
    let Shared { token, target, role, expires_ms } =
        authenticator.redeem(link, &name, caller.as_ref(), now_ms()).await?;
    Ok(Json(Redeemed { token, target, role, expires_ms }))
}

/// The accounts, by name; for admins
#[utoipa::path(
    get, path = "/accounts", tag = "auth", params(Page), security(("bearer" = [])),
    responses(
        (status = 200, description = "A page of them", body = Vec<AccountInfo>),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    ),
)]
async fn accounts(
    State(authenticator): State<Authenticator>,
    Caller(identity): Caller,
    Query(Page { after, limit }): Query<Page>,
) -> Answer<Json<Vec<AccountInfo>>> {
    for_admins(&identity)?;
    let limit = limit.unwrap_or(ACCOUNTS_PAGE_MAX);
    if !(1..=ACCOUNTS_PAGE_MAX).contains(&limit) {
        return Err(Problem::new(ErrorCode::BadArgument, format!("a page has 1 to {ACCOUNTS_PAGE_MAX} accounts")));
    }
    Ok(Json(authenticator.accounts(after, limit).await?))
}

/// Make an account for somebody; for admins
#[utoipa::path(
    post, path = "/accounts", tag = "auth", request_body = NewAccount, security(("bearer" = [])),
    responses(
        (status = 201, description = "The account is made", body = AccountInfo),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    ),
)]
async fn create_account(
    State(authenticator): State<Authenticator>,
    Caller(identity): Caller,
    Body(NewAccount { name, password, admin }): Body<NewAccount>,
) -> Answer<(StatusCode, Json<AccountInfo>)> {
    for_admins(&identity)?;
    let now = now_ms();
    let name = authenticator.create_account(&name, password, admin, now).await?;
    Ok((StatusCode::CREATED, Json(AccountInfo { name, admin, created_ms: now, sessions: 0 })))
}

/// Remove an account; for admins
#[utoipa::path(
    delete, path = "/accounts/{name}", tag = "auth", security(("bearer" = [])),
    params(("name" = String, Path, description = "The account")),
    responses(
        (status = 204, description = "It is removed, and signed out everywhere"),
        (status = "default", description = "A problem", body = Problem, content_type = "application/problem+json"),
    ),
)]
async fn delete_account(
    State(authenticator): State<Authenticator>,
    Caller(identity): Caller,
    Path(name): Path<AccountId>,
) -> Answer<StatusCode> {
    for_admins(&identity)?;
    authenticator.delete_account(name, now_ms()).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn for_admins(identity: &Identity) -> Result<(), Refusal> {
    match identity.admin && identity.grant.is_none() {
        true => Ok(()),
        false => Err(Refusal::new(ErrorCode::Forbidden, "this is for the server's admins")),
    }
}
