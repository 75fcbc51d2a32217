//! What people set in a room. Part of the fold.

use crate::refusal::Refusal;
use motet_protocol::{
    access::ProjectId,
    error::ErrorCode,
    limits::{DESCRIPTION_BYTES_MAX, PATH_BYTES_MAX, TAG_BYTES_MAX, TAGS_MAX, TITLE_BYTES_MAX, TTL_S_MAX},
    room::{RoomSettings, SettingsPatch},
};

/// The longest name of a language.
const LANGUAGE_BYTES_MAX: usize = 32;

/// More than the settings of a room take in a snapshot.
pub const SETTINGS_BYTES_MAX: usize = 4 * 1024;

/// Makes a change as it is to be logged: trimmed, tags in order and without doubles. Refuses what is too long or has
/// control characters, paths that lead out of their project, and a change that changes nothing.
pub fn checked(mut patch: SettingsPatch) -> Result<SettingsPatch, Refusal> {
    if patch == SettingsPatch::default() {
        return Err(bad("no setting is named"));
    }
    for (what, text, most) in [
        ("the title", &mut patch.title, TITLE_BYTES_MAX),
        ("the language", &mut patch.language, LANGUAGE_BYTES_MAX),
        ("the description", &mut patch.description, DESCRIPTION_BYTES_MAX),
        ("the path", &mut patch.path, PATH_BYTES_MAX),
    ] {
        if let Some(text) = text {
            *text = line(what, text, most, what == "the description")?;
        }
    }
    if let Some(tags) = &mut patch.tags {
        *tags = tags.iter().map(|tag| line("a tag", tag, TAG_BYTES_MAX, false)).collect::<Result<_, _>>()?;
        tags.retain(|tag| !tag.is_empty());
        tags.sort_unstable();
        tags.dedup();
        if tags.len() > TAGS_MAX {
            return Err(bad(format!("a room has at most {TAGS_MAX} tags")));
        }
    }
    if let Some(path) = &patch.path
        && !path.is_empty()
        && path.split('/').any(|part| part.is_empty() || part == "." || part == "..")
    {
        return Err(bad("a path is relative, and its parts are neither empty nor '.' nor '..'"));
    }
    if let Some(project) = patch.project.as_ref().filter(|project| !project.is_empty()) {
        ProjectId::new(project).map_err(|error| bad(error.to_string()))?;
    }
    if patch.ttl_s.is_some_and(|ttl_s| ttl_s > TTL_S_MAX) {
        return Err(bad(format!("a room expires after at most {TTL_S_MAX} seconds; 0 is never")));
    }
    Ok(patch)
}

fn line(what: &str, text: &str, most: usize, lines: bool) -> Result<String, Refusal> {
    let text = text.trim();
    if text.len() > most {
        return Err(bad(format!("{what} has {} bytes; {most} are allowed", text.len())));
    }
    if text.chars().any(|c| c.is_control() && !(lines && c == '\n')) {
        return Err(bad(format!("{what} has control characters")));
    }
    Ok(text.to_owned())
}

fn bad(words: impl Into<String>) -> Refusal {
    Refusal::new(ErrorCode::BadArgument, words)
}

/// Makes a change that was checked.
pub fn apply(settings: &mut RoomSettings, patch: &SettingsPatch) {
    let SettingsPatch { title, language, description, tags, public, project, path, ttl_s } = patch;
    set(&mut settings.title, title);
    set(&mut settings.language, language);
    set(&mut settings.description, description);
    set(&mut settings.tags, tags);
    set(&mut settings.public, public);
    set(&mut settings.path, path);
    set(&mut settings.ttl_s, ttl_s);
    if let Some(project) = project {
        settings.project = ProjectId::new(project).ok();
    }
}

fn set<T: Clone>(field: &mut T, new: &Option<T>) {
    if let Some(new) = new {
        field.clone_from(new);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn title(title: &str) -> SettingsPatch {
        SettingsPatch { title: Some(title.into()), ..SettingsPatch::default() }
    }

    #[test]
    fn what_is_not_named_stays_and_an_empty_text_takes_a_setting_away() {
        let mut settings = RoomSettings::default();
        let patch = SettingsPatch {
            tags: Some(vec!["b".into(), " a ".into(), "b".into(), String::new()]),
            project: Some("motet".into()),
            path: Some("src/main.rs".into()),
            ..title(" Notes ")
        };
        apply(&mut settings, &checked(patch).unwrap());
        assert_eq!((settings.title.as_str(), settings.path.as_str()), ("Notes", "src/main.rs"));
        assert_eq!(settings.tags, ["a", "b"]);
        apply(&mut settings, &SettingsPatch { project: Some(String::new()), ..title("") });
        assert_eq!((settings.title.as_str(), settings.project), ("", None));
        assert_eq!(settings.path, "src/main.rs");
    }

    #[test]
    fn what_cannot_be_shown_or_leads_out_of_the_project_is_refused() {
        let path = |path: &str| SettingsPatch { path: Some(path.into()), ..SettingsPatch::default() };
        let project = |name: &str| SettingsPatch { project: Some(name.into()), ..SettingsPatch::default() };
        for bad in [
            SettingsPatch::default(),
            title("a\nb"),
            title(&"x".repeat(TITLE_BYTES_MAX + 1)),
            path("/etc/passwd"),
            path("a/../b"),
            path("a//b"),
            project("Not one"),
            SettingsPatch { ttl_s: Some(u64::MAX), ..SettingsPatch::default() },
            SettingsPatch { tags: Some((0..100).map(|n| n.to_string()).collect()), ..SettingsPatch::default() },
        ] {
            assert_eq!(checked(bad.clone()).unwrap_err().code, ErrorCode::BadArgument, "{bad:?}");
        }
    }
}
