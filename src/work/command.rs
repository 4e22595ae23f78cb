//! The slash command: what it asks for, answered so that only the person who used it sees it.

use super::{
    halt::Halt,
    modal::{self, Opener},
    opening::{self, Opened},
    paused, private,
    sessions::{self, Look},
    submitted,
    task::Task,
    trouble::Meaning,
};
use crate::{
    domain::ask::Ask,
    slack::wire::command::Command,
    store::Commit,
    voice::{self, Again, Aside, Notice, Said},
};

/// From this attempt on the person is told that the answer takes longer.
const PATIENCE_FROM_ATTEMPT: u32 = 2;

/// A slash command was used.
pub(super) async fn used(task: &mut Task, command: Command) -> Result<Commit, Halt> {
    let said = match Ask::read(&command.text) {
        Ask::Form => return form(task, command).await,
        Ask::Task(text) => return start(task, &command, text).await,
        Ask::List => look(task, &command, |_, mine| voice::sessions(&mine)).await?,
        Ask::Whoami => look(task, &command, |runs_as, _| voice::runs_as(&runs_as)).await?,
        Ask::Help => voice::notice(&Notice::CommandHelp),
        Ask::InThread(order) => voice::aside(&Aside::InThread { order }),
        Ask::Meant { found, meant } => voice::aside(&Aside::DidYouMean { found, meant }),
    };
    let said = paused::noted(task, &command.team, said).await?;
    say(task, &command, &said).await
}

async fn say(task: &mut Task, command: &Command, said: &Said) -> Result<Commit, Halt> {
    private::tell(task, "answer", &command.user, command.response_url.as_deref(), said).await?;
    Ok(Commit::default())
}

/// Answers at the address that came with a shortcut, at most once.
pub(super) async fn answer(task: &mut Task, response_url: Option<&str>, notice: &Notice) -> Result<Commit, Halt> {
    if let Some(address) = response_url {
        private::respond(task, "answer", address, &voice::answering(notice, &task.id)).await?;
    }
    Ok(Commit::default())
}

async fn form(task: &mut Task, command: Command) -> Result<Commit, Halt> {
    let opener = Opener {
        team: &command.team,
        user: &command.user,
        trigger_id: command.trigger_id.as_deref(),
        response_url: command.response_url.as_deref(),
        again: Again::Command,
    };
    modal::new_session(task, opener, Some(command.channel.clone())).await
}

/// Looks at who somebody is and what is theirs, and puts it into words.
async fn look(
    task: &mut Task,
    command: &Command,
    words: impl FnOnce(voice::RunsAs, Vec<voice::Mine>) -> Said,
) -> Result<Said, Halt> {
    match sessions::look(task, &command.team, &command.user).await? {
        Look::Seen { runs_as, mine } => Ok(words(runs_as, mine)),
        Look::Refused(why) => Ok(voice::refusal(why)),
        Look::Unknown(Meaning::Lasting(notice)) => Ok(voice::answering(&notice, &task.id)),
        Look::Unknown(Meaning::Passing { halt, devin_is_away }) => {
            if devin_is_away && task.attempt >= PATIENCE_FROM_ATTEMPT {
                let patience = voice::aside(&Aside::Patience);
                private::tell(task, "patience", &command.user, command.response_url.as_deref(), &patience).await?;
            }
            Err(halt)
        }
    }
}

/// Opens a thread in the channel of the command, and has the session started there.
async fn start(task: &mut Task, command: &Command, typed: String) -> Result<Commit, Halt> {
    let asker =
        submitted::Asker { team: &command.team, user: &command.user, response_url: command.response_url.as_deref() };
    let Some(person) = submitted::admit(task, asker, &command.channel).await? else { return Ok(Commit::default()) };
    if let Some(said) = paused::answer(task, &command.team, opening::STEP).await? {
        return say(task, command, &said).await;
    }
    let plain = opening::plain(task, &typed).await;
    let said = voice::opening(&person.name, &plain);
    match opening::open(task, &command.team, &command.channel, said).await? {
        Opened::NotInside => {
            say(task, command, &voice::aside(&Aside::NotInside { channel: None, task: String::new() })).await
        }
        Opened::Refused => {
            say(task, command, &voice::aside(&Aside::NotPosted { channel: None, task: String::new() })).await
        }
        Opened::In(thread) => {
            let order = submitted::Order { text: typed, sealed: None };
            submitted::begin(task, asker, &thread, order).await?;
            say(task, command, &voice::aside(&Aside::Asked { channel: command.channel.clone() })).await
        }
    }
}
