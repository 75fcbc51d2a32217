//! [`Language`]: one of a known list, by name, alias or file extension.

use std::{collections::HashMap, fmt, str::FromStr, sync::LazyLock};

use serde::{Deserialize, Serialize};

use super::data::Vocabulary;

macro_rules! languages {
    ($($variant:ident = $name:literal,)*) => {
        /// A language that a room can be in. Written as its [name](Self::name).
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[expect(missing_docs, reason = "each is its name")]
        pub enum Language {
            #[default]
            $($variant,)*
        }

        impl Language {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its name: lower-case letters, the same for ever.
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)*
                }
            }

            /// Its data file.
            pub(super) fn source(self) -> &'static str {
                match self {
                    $(Self::$variant => include_str!(concat!("data/", $name, ".toml")),)*
                }
            }
        }
    };
}

languages! {
    PlainText = "plaintext",
    C = "c",
    Cpp = "cpp",
    CSharp = "csharp",
    Css = "css",
    Go = "go",
    Haskell = "haskell",
    Html = "html",
    Java = "java",
    JavaScript = "javascript",
    Json = "json",
    Kotlin = "kotlin",
    Lua = "lua",
    Markdown = "markdown",
    Php = "php",
    Python = "python",
    Ruby = "ruby",
    Rust = "rust",
    Scala = "scala",
    Shell = "shell",
    Sql = "sql",
    Swift = "swift",
    Toml = "toml",
    TypeScript = "typescript",
    Yaml = "yaml",
}

/// A text that names no known language.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no such language; the names are {}", names())]
pub struct UnknownLanguage;

fn names() -> String {
    Language::ALL.iter().map(|language| language.name()).collect::<Vec<_>>().join(", ")
}

impl Language {
    /// The language of a name or alias, in any case: `rust`, `C++`, `JS`.
    pub fn parse(name: &str) -> Result<Self, UnknownLanguage> {
        static ALIASES: LazyLock<HashMap<&str, Language>> = LazyLock::new(|| {
            let of = |language: &Language| {
                let aliases = language.vocabulary().aliases.iter().map(String::as_str);
                std::iter::once(language.name()).chain(aliases).map(|name| (name, *language)).collect::<Vec<_>>()
            };
            Language::ALL.iter().flat_map(of).collect()
        });
        ALIASES.get(&*name.trim().to_ascii_lowercase()).copied().ok_or(UnknownLanguage)
    }

    /// The language of a file by its name or path: by its extension, or, for a few, by the whole name (`Makefile` is not among
    /// them, `.bashrc` is). None if it says nothing.
    pub fn of_path(path: &str) -> Option<Self> {
        static EXTENSIONS: LazyLock<HashMap<&str, Language>> = LazyLock::new(|| {
            let of = |language: &Language| {
                let extensions = language.vocabulary().extensions.iter();
                extensions.map(|extension| (extension.as_str(), *language)).collect::<Vec<_>>()
            };
            Language::ALL.iter().flat_map(of).collect()
        });
        let file = path.rsplit(['/', '\\']).next()?.to_ascii_lowercase();
        let (_, extension) = file.rsplit_once('.')?;
        EXTENSIONS.get(extension).copied()
    }

    /// What is known of it.
    pub fn vocabulary(self) -> &'static Vocabulary {
        Vocabulary::of(self)
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Language {
    type Err = UnknownLanguage;

    fn from_str(name: &str) -> Result<Self, UnknownLanguage> {
        Self::parse(name)
    }
}

impl Serialize for Language {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> Deserialize<'de> for Language {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        Self::parse(&name).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_language_goes_by_its_name_its_aliases_and_the_files_it_is_in() {
        for language in Language::ALL {
            assert_eq!(Language::parse(language.name()), Ok(*language));
            let vocabulary = language.vocabulary();
            for alias in &vocabulary.aliases {
                assert_eq!(Language::parse(alias), Ok(*language), "{alias} means two languages");
            }
            for extension in &vocabulary.extensions {
                let path = format!("src/a.b/file.{extension}");
                assert_eq!(Language::of_path(&path), Some(*language), "{extension} means two languages");
            }
        }
        assert_eq!(Language::parse(" C++ "), Ok(Language::Cpp));
        assert_eq!(Language::of_path("SRC\\MAIN.RS"), Some(Language::Rust));
        assert_eq!(Language::of_path(".bashrc"), Some(Language::Shell));
    }

    #[test]
    fn what_is_no_language_is_told() {
        assert!(Language::parse("klingon").unwrap_err().to_string().contains("rust"));
        assert!(Language::parse(&"x".repeat(1 << 20)).is_err());
        for path in ["", "/", "Makefile", "a.rs/", "noise.", "a.klingon"] {
            assert_eq!(Language::of_path(path), None, "{path}");
        }
    }

    #[test]
    fn json_writes_a_language_as_its_name() {
        assert_eq!(serde_json::to_string(&Language::CSharp).unwrap(), "\"csharp\"");
        assert_eq!(serde_json::from_str::<Language>("\"c#\"").unwrap(), Language::CSharp);
        assert!(serde_json::from_str::<Language>("\"\"").is_err());
    }
}
