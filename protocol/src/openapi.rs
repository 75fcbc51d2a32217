//! OpenAPI schemas of the types that write their own JSON. Those of other types are derived beside them.

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        ObjectBuilder, OneOfBuilder, RefOr, Schema,
        schema::{ArrayBuilder, SchemaType, Type},
    },
};

use crate::{
    access::{AccountId, ProjectId},
    error::ErrorCode,
    ids::{ParticipantId, RoomId, SessionId},
    limits::{ACCOUNT_ID_BYTES_MAX, LENGTH_MAX, PROJECT_ID_BYTES_MAX, ROOM_ID_BYTES_MAX},
    ot::{Operation, Scalar},
};

fn string(description: &str, pattern: String, example: &str) -> RefOr<Schema> {
    let schema = ObjectBuilder::new().schema_type(Type::String).description(Some(description));
    schema.pattern(Some(pattern)).examples([example]).into()
}

macro_rules! schema {
    ($($type:ty => $schema:expr;)*) => {$(
        impl PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                $schema
            }
        }

        impl ToSchema for $type {}
    )*};
}

schema! {
    RoomId => string("A room's name", format!("^[a-z0-9_-]{{1,{ROOM_ID_BYTES_MAX}}}$"), "notes");
    ProjectId => string("A project's name", format!("^[a-z0-9_-]{{1,{PROJECT_ID_BYTES_MAX}}}$"), "motet");
    AccountId => string("An account", format!("^[!-~]{{1,{ACCOUNT_ID_BYTES_MAX}}}$"), "ann");
    ParticipantId => string("A session as others see it", "^[0-9a-f]{16}$".to_owned(), "00000000000000a7");
    SessionId => string(
        "A session; known to its client and the server only",
        "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$".to_owned(),
        "5f0c7c0e-58fd-4c44-9b5e-1f60f5c4d7a1",
    );
    ErrorCode => {
        let codes = Self::ALL.iter().map(|code| code.as_str());
        ObjectBuilder::new().schema_type(Type::String).enum_values(Some(codes)).into()
    };
    Scalar => {
        let integer = ObjectBuilder::new().schema_type(Type::Integer).minimum(Some(0_u64));
        integer.description(Some("A place in a text, in Unicode scalar values")).into()
    };
    Operation => {
        // Zero is no component, and neither is an empty text.
        let length = |minimum: i64, maximum: i64, description: &str| {
            let integer = ObjectBuilder::new().schema_type(Type::Integer).description(Some(description));
            integer.minimum(Some(minimum)).maximum(Some(maximum))
        };
        let text = ObjectBuilder::new().schema_type(SchemaType::Type(Type::String));
        let step = OneOfBuilder::new()
            .item(length(1, LENGTH_MAX as i64, "Passes over so many scalar values"))
            .item(length(-(LENGTH_MAX as i64), -1, "Deletes so many scalar values"))
            .item(text.min_length(Some(1)).description(Some("Inserts this")));
        let steps = ArrayBuilder::new().items(step).examples([serde_json::json!([5, "text", -2])]);
        steps.description(Some("A change of the whole text, as ot.js writes it")).into()
    };
}
