import { LanguageDescription, type LanguageSupport } from "@codemirror/language";
import { languages } from "@codemirror/language-data";

/** The languages that the server itself completes in; they stand first in lists. Their settings are these names. */
export const MAIN = [
  ["plaintext", "Plain text"], ["markdown", "Markdown"], ["c", "C"], ["cpp", "C++"], ["csharp", "C#"], ["css", "CSS"], ["go", "Go"], ["haskell", "Haskell"],
  ["html", "HTML"], ["java", "Java"], ["javascript", "JavaScript"], ["json", "JSON"], ["kotlin", "Kotlin"], ["lua", "Lua"], ["php", "PHP"], ["python", "Python"],
  ["ruby", "Ruby"], ["rust", "Rust"], ["scala", "Scala"], ["shell", "Shell"], ["sql", "SQL"], ["swift", "Swift"], ["toml", "TOML"], ["typescript", "TypeScript"], ["yaml", "YAML"],
] as const;

const mainNames = new Map<string, string>(MAIN);

function describe(setting: string): LanguageDescription | null {
  if (!setting || setting === "plaintext") return null;
  const name = setting === "csharp" ? "C#" : setting === "cpp" ? "C++" : setting;
  return LanguageDescription.matchLanguageName(languages, name, false);
}

/** What a language setting is called. */
export const languageName = (setting: string) => mainNames.get(setting) ?? describe(setting)?.name ?? (setting || "Plain text");

/** The mode of a language setting, loaded when it is needed; null for plain text. */
export async function languageSupport(setting: string): Promise<LanguageSupport | null> {
  return (await describe(setting)?.load()) ?? null;
}

/** The setting for a file's name. */
export function languageOfFile(file: string): string {
  const found = LanguageDescription.matchFilename(languages, file);
  if (!found) return "plaintext";
  const main = MAIN.find(([, name]) => name === found.name);
  return main ? main[0] : found.name.toLowerCase();
}

/** All languages that can be chosen: [setting, name]. */
export function allLanguages(): [string, string][] {
  const known = new Set<string>(MAIN.map(([, name]) => name));
  const others = languages.filter(({ name }) => !known.has(name)).map(({ name }): [string, string] => [name.toLowerCase(), name]);
  return [...MAIN.map(([setting, name]): [string, string] => [setting, name]), ...others.sort((a, b) => a[1].localeCompare(b[1]))];
}
