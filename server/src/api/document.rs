//! The OpenAPI document: generated from the handlers, with what all of them share put in here.

use bytes::Bytes;
use serde_json::{Map, Value, json};
use utoipa::{
    OpenApi,
    openapi::{
        OpenApi as Document,
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

use super::{
    problem::{PROBLEM_JSON, Problem},
    who,
};

/// The name of the security scheme.
const BEARER: &str = "bearer";

/// What stands at the beginning of the document.
pub fn head() -> Document {
    #[derive(OpenApi)]
    #[openapi(
        info(title = "Motet", description = "Rooms of plain text that many edit at once. What is live goes over \
            WebSocket or TCP; this is for everything else. Errors are problem documents (RFC 9457)."),
        components(schemas(Problem)),
        tags(
            (name = "rooms", description = "Which there are, and what is set in them"),
            (name = "text", description = "Reading and writing it"),
            (name = "history", description = "Entries, versions, differences, who wrote what"),
            (name = "people", description = "Who is there, and who may do what"),
            (name = "talk", description = "The chat and the comments"),
            (name = "projects", description = "Rooms that belong together, as files do"),
            (name = "transfer", description = "Rooms as files"),
            (name = "auth", description = "Accounts, sessions and tokens"),
            (name = "server", description = "The server itself"),
        ),
    )]
    struct Motet;
    let mut document = Motet::openapi();
    let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("An access or share token"));
    let components = document.components.get_or_insert_default();
    components.add_security_scheme(BEARER, SecurityScheme::Http(scheme.build()));
    document
}

/// The document as it is served.
pub fn finish(document: Document) -> Bytes {
    let mut document = serde_json::to_value(document).expect("a document has only strings as keys");
    let plain = take_primitives(&mut document);
    simplify(&mut document, &plain);
    let paths = document.get_mut("paths").and_then(Value::as_object_mut);
    for (address, path) in paths.into_iter().flatten() {
        for (method, operation) in path.as_object_mut().into_iter().flatten() {
            if let Some(operation) = operation.as_object_mut() {
                // Handlers of different resources have the same names.
                operation.insert("operationId".to_owned(), Value::from(operation_id(method, address)));
                share(operation, method == "post");
            }
        }
    }
    Bytes::from(document.to_string())
}

/// `get_rooms_id_text` for `GET /api/rooms/{id}/text`.
fn operation_id(method: &str, address: &str) -> String {
    let parts = address.trim_start_matches("/api/").split('/').map(|part| part.trim_matches(['{', '}']));
    parts.fold(method.to_owned(), |id, part| format!("{id}_{}", part.replace(['-', '.'], "_")))
}

/// Puts in what every operation has.
fn share(operation: &mut Map<String, Value>, is_post: bool) {
    // Who has no token may be a guest.
    operation.entry("security").or_insert_with(|| json!([{}, { BEARER: [] }]));
    if let Some(responses) = operation.get_mut("responses").and_then(Value::as_object_mut) {
        responses.entry("default").or_insert_with(|| {
            let schema = json!({ "$ref": "#/components/schemas/Problem" });
            json!({ "description": "A problem", "content": { PROBLEM_JSON: { "schema": schema } } })
        });
    }
    let is_ours = !operation.get("tags").and_then(Value::as_array).is_some_and(|tags| tags.contains(&json!("auth")));
    let parameters = operation.entry("parameters").or_insert_with(|| json!([]));
    let Some(parameters) = parameters.as_array_mut().filter(|_| is_ours) else { return };
    let header = |name: &str, description: &str, schema: Value| json!({ "name": name, "in": "header", "required": false, "description": description, "schema": schema });
    let uuid = json!({ "type": "string", "format": "uuid" });
    parameters.push(header(who::SESSION, "Your session, if you want to be the same participant each time", uuid));
    if is_post {
        let key = json!({ "type": "string", "pattern": "^[!-~]{1,128}$" });
        parameters.push(header(who::KEY, "The same when the request is sent again: it is done once", key));
    }
}

/// Takes out the schemas that have the name of a primitive type (`u64`): aliases in the code (`Revision`) come to be them.
fn take_primitives(document: &mut Value) -> Map<String, Value> {
    let schemas = document.pointer_mut("/components/schemas").and_then(Value::as_object_mut);
    let Some(schemas) = schemas else { return Map::new() };
    let is_primitive = |name: &str| name.starts_with(|first: char| first.is_ascii_lowercase());
    let names: Vec<String> = schemas.keys().filter(|name| is_primitive(name)).cloned().collect();
    names.into_iter().filter_map(|name| schemas.remove_entry(&name)).collect()
}

/// Puts primitive types where references to them are, and takes the code's links out of the descriptions.
fn simplify(value: &mut Value, plain: &Map<String, Value>) {
    match value {
        Value::Object(object) => {
            let reference = object.get("$ref").and_then(Value::as_str);
            let name = reference.and_then(|reference| reference.strip_prefix("#/components/schemas/"));
            if let Some(schema) = name.and_then(|name| plain.get(name)).and_then(Value::as_object) {
                object.remove("$ref");
                for (key, value) in schema {
                    object.entry(key).or_insert_with(|| value.clone());
                }
            }
            if let Some(Value::String(description)) = object.get_mut("description") {
                *description = without_links(description);
            }
            object.values_mut().for_each(|value| simplify(value, plain));
        }
        Value::Array(values) => values.iter_mut().for_each(|value| simplify(value, plain)),
        _ => {}
    }
}

/// ``[`Word`](path)`` and ``[`Word`]`` as `Word`.
fn without_links(text: &str) -> String {
    let mut result = String::new();
    let mut rest = text;
    while let Some((before, link)) = rest.split_once("[`") {
        result.push_str(before);
        let Some((word, after)) = link.split_once("`]") else { break };
        result.push_str(&format!("`{word}`"));
        rest = match after.strip_prefix('(').and_then(|path| path.split_once(')')) {
            Some((_, after)) => after,
            None => after,
        };
    }
    result + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_have_no_links_into_the_code() {
        assert_eq!(without_links("1 to [`MAX`](crate::MAX) bytes, see [`Other`]."), "1 to `MAX` bytes, see `Other`.");
        assert_eq!(without_links("a [list] of `words`"), "a [list] of `words`");
    }
}
