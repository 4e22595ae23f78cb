//! What somebody wants beside the task: their words over the channel's defaults, with names looked up. What stands in the
//! way is said in the thread, and then nothing starts: the person sends it again as they meant it.

use super::{
    catalog::{self, List, Listed, Named},
    halt::Halt,
    room::{self, PostKind, Say},
    task::Task,
};
use crate::{
    devin::{CreateSession, DevinError},
    domain::{
        mailbox::ThreadKey,
        words::{self, MAX_TAGS, Options, Said, Word},
    },
    voice::options::{self, Objection},
};

/// Ids of playbooks and secrets begin so: with one of these nothing has to be looked up.
const IDS: [&str; 4] = ["playbook-", "playbook_", "secret-", "secret_"];

/// What somebody wants.
#[derive(Debug, Clone, Default)]
pub(super) struct Wish {
    /// The task, without the words for options.
    pub(super) task: String,
    /// What was understood, for people to read: a playbook by its title.
    pub(super) options: Options,
    /// The same playbooks and secrets as Devin wants them named.
    playbook_id: Option<String>,
    child_playbook_id: Option<String>,
    secret_ids: Option<Vec<String>>,
    schema: Option<serde_json::Value>,
    /// What Devin may refuse, as it was asked for; empty when there is nothing.
    asked: String,
}

impl Wish {
    /// The request with everything that was asked for; tags are added to those that are there.
    pub(super) fn put_into(&self, mut request: CreateSession) -> CreateSession {
        let options = &self.options;
        request.title = options.title.clone().or(request.title);
        request.tags.extend(options.tags.iter().cloned());
        CreateSession {
            repos: options.repos.clone(),
            playbook_id: self.playbook_id.clone(),
            child_playbook_id: self.child_playbook_id.clone(),
            knowledge_ids: options.knowledge.clone(),
            secret_ids: self.secret_ids.clone(),
            max_acu_limit: options.acu,
            devin_mode: options.mode,
            platform: options.platform.clone(),
            bypass_approval: options.skip_approval,
            resumable: options.resumable,
            structured_output_schema: self.schema.clone(),
            structured_output_required: options.schema.as_ref().map(|schema| schema.required),
            session_links: options.links.clone(),
            ..request
        }
    }
}

/// Reads what somebody wants from their words; `None` when something stands in the way and was said. Of words that are
/// somebody else's (`theirs` is false) no option is taken, only the task.
pub(super) async fn read(task: &mut Task, thread: &ThreadKey, words: &str, theirs: bool) -> Result<Option<Wish>, Halt> {
    let (wish, objections) = understand(task, thread, words, theirs).await?;
    if objections.is_empty() {
        return Ok(Some(wish));
    }
    object(task, thread, &objections).await?;
    Ok(None)
}

/// Answers a refusal of Devin's that is about what was asked for; false when it is about something else.
pub(super) async fn refused(
    task: &mut Task,
    thread: &ThreadKey,
    wish: &Wish,
    error: &DevinError,
) -> Result<bool, Halt> {
    let detail = match error {
        DevinError::Invalid { detail } => detail.clone(),
        DevinError::NotFound => "not found".to_owned(),
        DevinError::Unauthorized
        | DevinError::Forbidden { .. }
        | DevinError::Billing { .. }
        | DevinError::RateLimited { .. }
        | DevinError::Unsure { .. }
        | DevinError::Unreachable { .. } => return Ok(false),
    };
    if wish.asked.is_empty() {
        return Ok(false);
    }
    // Perhaps what we remember was deleted there.
    catalog::forget(&task.deps).await?;
    object(task, thread, &[Objection::Refused { detail, asked: wish.asked.clone() }]).await?;
    Ok(true)
}

async fn object(task: &mut Task, thread: &ThreadKey, objections: &[Objection]) -> Result<(), Halt> {
    let step = "notice options";
    let said = options::objections(objections);
    let say = Say { step, mark: task.mark(step), kind: PostKind::Notice, facts: Vec::new(), said };
    room::post(task, thread, say).await?;
    Ok(())
}

async fn understand(
    task: &mut Task,
    thread: &ThreadKey,
    words: &str,
    theirs: bool,
) -> Result<(Wish, Vec<Objection>), Halt> {
    let rules = task.rules.of(&thread.channel);
    let mut said = if theirs { words::read(words) } else { Said { task: words.to_owned(), ..Said::default() } };
    let mut playbooks = None;
    if !said.bangs.is_empty() {
        let listed = catalog::for_thread(task, thread, List::Playbooks).await?;
        let macros = listed.as_deref().unwrap_or_default().iter().filter_map(|one| one.macro_name.as_deref());
        let macros: Vec<&str> = macros.map(|name| name.strip_prefix('!').unwrap_or(name)).collect();
        said = words::read_knowing(words, &macros);
        playbooks = Some(listed);
    }
    let mut objections: Vec<Objection> = said.problems.into_iter().map(Objection::Words).collect();
    let allowed = rules.skip_approval || rules.options.skip_approval == Some(true);
    if said.options.skip_approval == Some(true) && !allowed {
        objections.push(Objection::ApprovalNotSkipped);
    }
    let options = Options { new_thread: false, ..said.options.over(rules.options) };
    if options.tags.len() > MAX_TAGS {
        objections.push(Objection::TooManyTags { most: MAX_TAGS });
    }
    let mut wish = Wish { task: said.task, asked: judged(&options), options, ..Wish::default() };
    if wish.options.playbook.is_some() || wish.options.child_playbook.is_some() {
        let listed = match playbooks {
            Some(listed) => listed,
            None => catalog::for_thread(task, thread, List::Playbooks).await?,
        };
        let one = named(Word::Playbook, wish.options.playbook.clone(), &listed, &mut objections);
        (wish.playbook_id, wish.options.playbook) = one;
        let one = named(Word::ChildPlaybook, wish.options.child_playbook.clone(), &listed, &mut objections);
        (wish.child_playbook_id, wish.options.child_playbook) = one;
    }
    secrets(task, thread, &mut wish, &mut objections).await?;
    schema(task, &mut wish, &mut objections);
    Ok((wish, objections))
}

/// Looks a playbook up: its id, and the name that people shall read.
fn named(
    word: Word,
    asked: Option<String>,
    listed: &Listed,
    objections: &mut Vec<Objection>,
) -> (Option<String>, Option<String>) {
    let Some(asked) = asked else { return (None, None) };
    match listed {
        Ok(known) => {
            if let Some(one) = known.iter().find(|one| one.is(&asked)) {
                return (Some(one.id.clone()), Some(one.name.clone()));
            }
            let known = known.iter().map(Named::shown).collect();
            objections.push(Objection::NoPlaybook { found: asked, known });
            (None, None)
        }
        Err(_) if is_id(&asked) => (Some(asked.clone()), Some(asked)),
        Err(detail) => {
            objections.push(Objection::NotListed { word, detail: detail.clone() });
            (None, None)
        }
    }
}

async fn secrets(
    task: &mut Task,
    thread: &ThreadKey,
    wish: &mut Wish,
    objections: &mut Vec<Objection>,
) -> Result<(), Halt> {
    let Some(asked) = wish.options.secrets.clone() else { return Ok(()) };
    if asked.iter().all(|name| is_id(name)) {
        wish.secret_ids = Some(asked);
        return Ok(());
    }
    match catalog::for_thread(task, thread, List::Secrets).await? {
        Ok(known) => {
            let id = |name: &String| known.iter().find(|one| one.is(name)).map(|one| one.id.clone());
            wish.secret_ids = asked.iter().map(id).collect();
            if wish.secret_ids.is_none() {
                objections.push(Objection::NoSecret { known: known.iter().map(Named::shown).collect() });
            }
        }
        Err(detail) => objections.push(Objection::NotListed { word: Word::Secret, detail }),
    }
    Ok(())
}

fn schema(task: &Task, wish: &mut Wish, objections: &mut Vec<Objection>) {
    let Some(asked) = &wish.options.schema else { return };
    let schemas = &task.rules.schemas;
    wish.schema = schemas.get(&asked.name).cloned();
    if wish.schema.is_none() {
        let known = schemas.keys().cloned().collect();
        objections.push(Objection::NoSchema { found: asked.name.clone(), known });
    }
}

fn is_id(text: &str) -> bool {
    IDS.iter().any(|start| text.starts_with(start))
}

/// What Devin may refuse, as it was asked for. Values of `secret=` are left out.
fn judged(options: &Options) -> String {
    let mut asked: Vec<String> = options.repos.iter().map(|repo| format!("repo={repo}")).collect();
    let mut say = |word: Word, value: Option<String>| asked.extend(value.map(|v| format!("{}={v}", word.name())));
    say(Word::Mode, options.mode.map(|mode| mode.name().to_owned()));
    say(Word::Playbook, options.playbook.clone());
    say(Word::ChildPlaybook, options.child_playbook.clone());
    say(Word::Platform, options.platform.clone());
    say(Word::Acu, options.acu.map(|most| most.to_string()));
    say(Word::Knowledge, options.knowledge.as_ref().map(|ids| ids.join(",")));
    say(Word::Secret, options.secrets.as_ref().map(|_| "…".to_owned()));
    say(Word::Schema, options.schema.as_ref().map(|schema| schema.name.clone()));
    say(Word::Link, Some(options.links.join(",")).filter(|links| !links.is_empty()));
    asked.join(" ")
}
