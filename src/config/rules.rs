//! What the tables of the file say: what channels start sessions with, are told and allowed, the forms of results, and
//! which reactions are orders.

use std::{collections::BTreeMap, fs};

use serde_json::Value as Json;
use toml::{Table, Value};

use super::Source;
use crate::domain::{
    ids::ChannelId,
    rules::{ChannelSettings, ReactionOrder, Rules, Tell, Topic},
    words::{Options, Schema, Word, nearest},
};

/// Most bytes of a schema: Devin's limit.
const MAX_SCHEMA_BYTES: usize = 64 * 1024;
/// The draft that Devin reads.
const DRAFT: &str = "draft-07";
const MIB: usize = 1024 * 1024;
/// Largest file in MiB that may be allowed: it is held in memory.
const MAX_FILE_MIB: usize = 1000;
/// Keys of a channel that are no words for options.
const OWN_KEYS: [&str; 4] = ["told", "mentions_only", "approval_skip_allowed", super::tenancy::KEY];
/// Instead of an order: none.
const NO_ORDER: &str = "none";

/// Reads the tables.
pub(super) fn read(source: &mut Source) -> Rules {
    let usual = Rules::default();
    let mib = source.parse("BOBBIN_MAX_FILE", "a whole number of MiB from 1 to 1000", |text| {
        text.parse().ok().filter(|mib| (1..=MAX_FILE_MIB).contains(mib))
    });
    let tables = source.tables();
    let schemas: BTreeMap<String, Json> = tables
        .schemas
        .into_iter()
        .filter_map(|(name, value)| schema(source, &name, &value).map(|schema| (name, schema)))
        .collect();
    let read_channel = |source: &mut Source, path: &str, table: Table| {
        let settings = settings(source, path, table);
        if let Some(asked) = settings.options.schema.as_ref().filter(|asked| !schemas.contains_key(&asked.name)) {
            let allowed = format!("a name of the table schemas ({})", listed(schemas.keys().map(String::as_str)));
            source.problem(&format!("{path}.schema"), &format!("{:?}", asked.name), &allowed);
        }
        settings
    };
    let defaults = read_channel(source, "defaults", tables.defaults);
    let mut rules = Rules {
        defaults,
        channels: BTreeMap::new(),
        reactions: usual.reactions,
        max_file_bytes: mib.map_or(usual.max_file_bytes, |mib| mib * MIB),
        schemas: BTreeMap::new(),
    };
    for (name, value) in tables.channels {
        let path = format!("channels.{name}");
        match (name.parse::<ChannelId>(), value) {
            (Ok(channel), Value::Table(table)) => {
                rules.channels.insert(channel, read_channel(source, &path, table));
            }
            (Ok(_), other) => source.problem(&path, other.type_str(), "a table"),
            (Err(_), _) => {
                source.problem(&path, &format!("{name:?}"), "a channel's id, C… or G…, as its details show it");
            }
        }
    }
    rules.schemas = schemas;
    for (name, value) in tables.reactions {
        reaction(source, &mut rules, &name, &value);
    }
    rules
}

fn settings(source: &mut Source, path: &str, table: Table) -> ChannelSettings {
    let mut settings = ChannelSettings::default();
    for (key, value) in table {
        let path = format!("{path}.{key}");
        match key.as_str() {
            "told" => settings.tell = told(source, &path, &value),
            "mentions_only" => settings.mentions_only = flag(source, &path, &value),
            "approval_skip_allowed" => settings.skip_approval = flag(source, &path, &value),
            _ => option(source, &mut settings.options, &path, &key, &value),
        }
    }
    settings
}

fn option(source: &mut Source, options: &mut Options, path: &str, key: &str, value: &Value) {
    let Some(word) = Word::find(&key.replace('_', "-")) else {
        let names: Vec<String> = Word::ALL.iter().map(|word| word.name().replace('-', "_")).collect();
        let names = || names.iter().map(String::as_str).chain(OWN_KEYS);
        return source.problem(path, "a key that does not exist", &choice(key, names));
    };
    let several = matches!(word, Word::Repo | Word::Tag | Word::Knowledge | Word::Secret | Word::Link);
    let Some(values) = texts(value).filter(|values| several || values.len() == 1) else {
        return source.problem(path, value.type_str(), word.takes());
    };
    for value in values {
        // A secret's value that was put here by mistake is not shown.
        if let Err(invalid) = options.set(word, &value) {
            source.problem(path, &format!("{:?}", invalid.found), word.takes());
        }
    }
    if matches!(value, Value::Array(items) if items.is_empty()) && options.set(word, "none").is_err() {
        source.problem(path, "an empty list", word.takes());
    }
}

fn texts(value: &Value) -> Option<Vec<String>> {
    match value {
        Value::String(text) => Some(vec![text.clone()]),
        Value::Integer(number) => Some(vec![number.to_string()]),
        Value::Boolean(yes) => Some(vec![if *yes { "yes" } else { "no" }.to_owned()]),
        Value::Array(items) => items.iter().map(|item| item.as_str().map(str::to_owned)).collect(),
        Value::Float(_) | Value::Datetime(_) | Value::Table(_) => None,
    }
}

fn told(source: &mut Source, path: &str, value: &Value) -> Option<Tell> {
    let names = || Topic::ALL.iter().map(|topic| topic.name());
    let Some(asked) = texts(value).filter(|_| value.is_array()) else {
        source.problem(path, value.type_str(), &format!("a list of {}", listed(names())));
        return None;
    };
    let mut topics = Vec::new();
    for name in asked {
        match Topic::find(&name) {
            Some(topic) => topics.push(topic),
            None => source.problem(path, &format!("{name:?}"), &choice(&name, names)),
        }
    }
    Some(Tell::only(topics))
}

fn flag(source: &mut Source, path: &str, value: &Value) -> Option<bool> {
    if value.as_bool().is_none() {
        source.problem(path, value.type_str(), "true or false");
    }
    value.as_bool()
}

fn reaction(source: &mut Source, rules: &mut Rules, name: &str, value: &Value) {
    let text = value.as_str().unwrap_or_default();
    let emoji = name.trim_matches(':').to_owned();
    match ReactionOrder::find(text) {
        Some(order) => drop(rules.reactions.insert(emoji, order)),
        None if text == NO_ORDER => drop(rules.reactions.remove(&emoji)),
        None => {
            let names = || ReactionOrder::ALL.iter().map(|order| order.name()).chain([NO_ORDER]);
            source.problem(&format!("reactions.{name}"), &value.to_string(), &choice(text, names));
        }
    }
}

fn schema(source: &mut Source, name: &str, value: &Value) -> Option<Json> {
    let path = format!("schemas.{name}");
    if Schema::read(name).is_none_or(|read| read.required) {
        source.problem(&path, &format!("{name:?}"), "a name of letters, digits and - _ .");
        return None;
    }
    let text = |key: &str| value.get(key).and_then(Value::as_str);
    match (text("file"), text("json")) {
        (Some(file), None) => match fs::read_to_string(source.beside(file)) {
            Ok(text) => checked(source, &path, &text),
            Err(error) => {
                source.problem(&path, &format!("{file:?} ({error})"), "a file that can be read");
                None
            }
        },
        (None, Some(json)) => checked(source, &path, json),
        (None, None) | (Some(_), Some(_)) => {
            source.problem(&path, &value.to_string(), "file = \"…\" or json = '''…'''");
            None
        }
    }
}

/// The draft that a schema says it follows.
fn draft(schema: &Json) -> Option<&str> {
    schema.get("$schema")?.as_str()
}

/// A schema that Devin will take.
fn checked(source: &mut Source, path: &str, text: &str) -> Option<Json> {
    let problem = if text.len() > MAX_SCHEMA_BYTES {
        ("more than 64 KB".to_owned(), "at most 64 KB: Devin's limit")
    } else {
        match serde_json::from_str::<Json>(text) {
            Err(error) => (format!("no JSON ({error})"), "a JSON Schema (draft 7)"),
            Ok(json) if !json.is_object() => ("JSON that is no object".to_owned(), "a JSON Schema (draft 7)"),
            Ok(json) if refers_elsewhere(&json) => ("a $ref to elsewhere".to_owned(), "references that begin with #"),
            Ok(json) if draft(&json).is_some_and(|draft| !draft.contains(DRAFT)) => {
                (format!("{:?}", draft(&json).unwrap_or_default()), "draft 7, http://json-schema.org/draft-07/schema#")
            }
            Ok(json) => return Some(json),
        }
    };
    source.problem(path, &problem.0, problem.1);
    None
}

fn refers_elsewhere(json: &Json) -> bool {
    match json {
        Json::Object(fields) => fields.iter().any(|(name, value)| {
            (name == "$ref" && value.as_str().is_some_and(|to| !to.starts_with('#'))) || refers_elsewhere(value)
        }),
        Json::Array(items) => items.iter().any(refers_elsewhere),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => false,
    }
}

/// What is allowed, and which of it was probably meant.
pub(super) fn choice<'a, I: Iterator<Item = &'a str>>(found: &str, allowed: impl Fn() -> I) -> String {
    let meant = nearest(found, allowed()).map(|name| format!(" (did you mean {name}?)")).unwrap_or_default();
    format!("{}{meant}", listed(allowed()))
}

fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.collect();
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
