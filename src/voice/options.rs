//! What was asked for besides the task: said again as it was understood, or what stands in its way.

use askama::Template;

use super::{Said, say};
use crate::{
    domain::words::{Options, Problem, Word},
    slack::text::escape,
};

/// Names that are listed before the rest is counted.
const MAX_KNOWN: usize = 15;

/// Why a session is not started as it was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Objection {
    /// What was typed.
    Words(Problem),
    /// Devin has no such playbook.
    NoPlaybook {
        /// What was asked for.
        found: String,
        /// What there is.
        known: Vec<String>,
    },
    /// Devin keeps no such secret. What was asked for is not repeated: it may be the secret itself.
    NoSecret {
        /// What there is.
        known: Vec<String>,
    },
    /// We may not look names up.
    NotListed {
        /// The word that names something.
        word: Word,
        /// Devin's own words.
        detail: String,
    },
    /// The configuration has no such schema.
    NoSchema {
        /// What was asked for.
        found: String,
        /// What there is.
        known: Vec<String>,
    },
    /// The channel does not allow to skip approvals.
    ApprovalNotSkipped,
    /// There are more tags than Devin takes.
    TooManyTags {
        /// So many can be given.
        most: usize,
    },
    /// Devin refused what was asked for.
    Refused {
        /// Its own words.
        detail: String,
        /// Values that Devin judges, as they were asked for.
        asked: String,
    },
}

#[derive(Template)]
#[template(path = "voice/options.mrkdwn", config = ".askama.toml")]
struct Objections<'a> {
    objections: &'a [Objection],
}

/// Says that nothing was started, what stands in the way, and what to do.
pub fn objections(objections: &[Objection]) -> Said {
    Said::text(say(&Objections { objections }))
}

/// What was understood, in one line of mrkdwn that is escaped already; `None` when nothing was asked for.
pub fn line(options: &Options) -> Option<String> {
    let Options {
        repos,
        mode,
        playbook,
        child_playbook,
        // The title stands above.
        title: _,
        tags,
        acu,
        platform,
        knowledge,
        secrets,
        schema,
        skip_approval,
        links,
        resumable,
        new_thread: _,
    } = options;
    let mut parts: Vec<String> = repos.clone();
    parts.extend(mode.map(|mode| mode.name().to_owned()));
    parts.extend(playbook.as_ref().map(|name| format!("playbook _{name}_")));
    parts.extend(child_playbook.as_ref().map(|name| format!("its own sessions follow _{name}_")));
    parts.extend(platform.clone());
    parts.extend(acu.map(|most| format!("{most} ACUs max")));
    parts.extend(Some(tags).filter(|tags| !tags.is_empty()).map(|tags| format!("tagged {}", tags.join(", "))));
    parts.extend(knowledge.as_ref().map(|ids| some_or_none("knowledge", ids)));
    parts.extend(secrets.as_ref().map(|names| some_or_none("secrets", names)));
    parts.extend(schema.as_ref().map(|schema| {
        let required = if schema.required { ", required" } else { "" };
        format!("result as _{}_{required}", schema.name)
    }));
    parts.extend(skip_approval.map(|skip| if skip { "approvals skipped" } else { "approvals asked for" }.to_owned()));
    parts.extend(Some(links.len()).filter(|n| *n > 0).map(|n| format!("linked to {n} session{}", plural(n))));
    parts.extend(resumable.filter(|yes| !yes).map(|_| "cannot be woken once it stops".to_owned()));
    (!parts.is_empty()).then(|| escape(&parts.join(" · ")))
}

fn some_or_none(what: &str, names: &[String]) -> String {
    if names.is_empty() { format!("no {what}") } else { format!("{what} {}", names.join(", ")) }
}

fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// Names in a row, the first of many; "nothing" in words where there are none.
fn listed(names: &[String]) -> String {
    let quoted: Vec<String> = names.iter().take(MAX_KNOWN).map(|name| format!("`{}`", bare(name))).collect();
    let more = names.len().saturating_sub(MAX_KNOWN);
    match (quoted.is_empty(), more) {
        (true, _) => "There are none.".to_owned(),
        (false, 0) => format!("There are: {}.", quoted.join(", ")),
        (false, _) => format!("There are: {} and {more} more.", quoted.join(", ")),
    }
}

/// A text between back ticks: one within would end it early.
fn bare(text: &str) -> String {
    text.replace('`', "'")
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::domain::words::{self, AppWord};

    #[test]
    fn what_was_understood_is_one_line() {
        assert_eq!(line(&Options::default()), None);
        let said = words::read(
            "repo=acme/api repo=acme/web !fast playbook=\"PR review\" acu=10 tag=a tag=b&c !windows knowledge=none \
             secret=NPM_TOKEN schema=report! approval=skip link=devin-0f3a55cc child-playbook=small resumable=no title=x",
        );
        assert_eq!(said.problems, []);
        assert_snapshot!(line(&said.options).unwrap(), @"acme/api · acme/web · fast · playbook _PR review_ · its own sessions follow _small_ · windows · 10 ACUs max · tagged a, b&amp;c · no knowledge · secrets NPM_TOKEN · result as _report_, required · approvals skipped · linked to 1 session · cannot be woken once it stops");
    }

    #[test]
    fn everything_that_stands_in_the_way_says_what_to_do() {
        let typed = words::read("mode=fats acu=ten rep=acme/api secret=A=hunter2 !ask tag=bobbin repo=<x>");
        let mut all: Vec<Objection> = typed.problems.into_iter().map(Objection::Words).collect();
        assert_eq!(all.iter().filter(|o| **o == Objection::Words(Problem::AppOnly(AppWord::Ask))).count(), 1);
        let known = || vec!["Review a pull request (!review)".to_owned()];
        all.extend([
            Objection::NoPlaybook { found: "reviw".to_owned(), known: known() },
            Objection::NoSecret { known: Vec::new() },
            Objection::NotListed { word: Word::Playbook, detail: "Missing permission ViewOrgPlaybooks".to_owned() },
            Objection::NoSchema { found: "report".to_owned(), known: Vec::new() },
            Objection::ApprovalNotSkipped,
            Objection::TooManyTags { most: 47 },
            Objection::Refused {
                detail: "Unknown platform 'beos'. Valid platforms: linux, windows".to_owned(),
                asked: "platform=beos".to_owned(),
            },
        ]);
        let said = objections(&all).text;
        assert!(!said.contains("hunter2"));
        assert_snapshot!(said, @"
        :raised_hand: I started nothing yet:
        • `mode=` does not take `fats`, but normal, fast, lite, ultra or fusion. Did you mean `mode=fast`?
        • `acu=` does not take `ten`, but a whole number from 1.
        • `rep=` is no word of mine. Did you mean `repo=`?
        • `secret=` takes the name or id of a secret that Devin keeps (never its value), or none.
        • `!ask` is a word of Devin's own app: it asks Devin's code search without a session, which its API does not offer.
        • `tag=` does not take `bobbin`, but up to 200 characters that do not begin with bobbin, and 47 tags at most.
        • `repo=` does not take `&lt;x&gt;`, but owner/name.
        • Devin has no playbook `reviw`. There are: `Review a pull request (!review)`.
        • Devin keeps no secret of that name for the organisation. There are none. A value never belongs into a channel.
        • I can't look up what `playbook=` names. Devin says: _Missing permission ViewOrgPlaybooks_. Write its id instead, or let a Devin administrator give my service user that permission.
        • The configuration has no schema `report`. There are none.
        • `approval=skip` is not allowed in this channel. An operator of Bobbin can allow it.
        • A session takes at most 47 tags beside mine.
        • Devin does not take it as asked (`platform=beos`). It says: _Unknown platform 'beos'. Valid platforms: linux, windows_.
        Send it again without that, or with what you meant. What stands between back ticks I don't read as words of mine.
        ");
        assert_snapshot!(objections(&all[2..3]).text, @"
        :raised_hand: I started nothing yet:
        • `rep=` is no word of mine. Did you mean `repo=`?
        Send it again without that, or with what you meant. What stands between back ticks I don't read as words of mine.
        ");
    }
}
