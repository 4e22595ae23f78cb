use proptest::prelude::*;

use super::*;
use crate::domain::words::{Mode, Options, Schema};

fn task(text: &str) -> String {
    read(text).task
}

fn problems(text: &str) -> Vec<String> {
    let said = read(text);
    let shown = said.problems.into_iter().map(|problem| match problem {
        Problem::Value(invalid) => {
            let nearest = invalid.nearest.map(|n| format!(" ({n}?)")).unwrap_or_default();
            format!("{}: {:?}{nearest}", invalid.word.name(), invalid.found)
        }
        Problem::Near { found, meant } => format!("{found} {meant}?"),
        Problem::AppOnly(word) => format!("!{} {}", word.name(), word.help()),
    });
    shown.collect()
}

#[test]
fn options_stand_anywhere_and_are_no_part_of_the_task() {
    let said = read(
        "!fast fix the login test repo=acme/api, repo=acme/web title=\"Login, again\"\n\
         playbook=“PR review” acu=10 tag=a,b knowledge=note-9c secret=NPM_TOKEN schema=report! platform=linux\n\
         and open a pull request. approval=skip child-playbook='Small fix' link=https://app.devin.ai/sessions/0f3a resumable=no",
    );
    assert_eq!(said.task, "fix the login test\nand open a pull request.");
    assert_eq!(said.problems, []);
    let expected = Options {
        repos: vec!["acme/api".to_owned(), "acme/web".to_owned()],
        mode: Some(Mode::Fast),
        playbook: Some("PR review".to_owned()),
        child_playbook: Some("Small fix".to_owned()),
        title: Some("Login, again".to_owned()),
        tags: vec!["a".to_owned(), "b".to_owned()],
        acu: Some(10),
        platform: Some("linux".to_owned()),
        knowledge: Some(vec!["note-9c".to_owned()]),
        secrets: Some(vec!["NPM_TOKEN".to_owned()]),
        schema: Some(Schema { name: "report".to_owned(), required: true }),
        skip_approval: Some(true),
        links: vec!["https://app.devin.ai/sessions/0f3a".to_owned()],
        resumable: Some(false),
        new_thread: false,
    };
    assert_eq!(said.options, expected);
}

#[test]
fn bang_words_are_short_for_options() {
    for (text, mode) in
        [("!fast", Mode::Fast), ("!Lite,", Mode::Lite), ("!ultra", Mode::Ultra), ("!normal.", Mode::Normal)]
    {
        assert_eq!(read(&format!("fix it {text}")).options.mode, Some(mode));
    }
    let said = read("!new !windows !fusion ![pr_review] build it");
    assert_eq!(said.task, "build it");
    assert!(said.options.new_thread && said.options.mode == Some(Mode::Fusion));
    assert_eq!(said.options.platform.as_deref(), Some("windows"));
    assert_eq!(said.options.playbook.as_deref(), Some("!pr_review"));
    for text in ["(aside) lunch?", "!aside lunch?", "lunch? (Aside)"] {
        let said = read(text);
        assert!(said.aside && said.task == "lunch?", "{said:?}");
    }
}

#[test]
fn the_last_of_several_wins() {
    let said = read("!fast mode=lite acu=5 acu=7 title=a title=b go");
    assert_eq!((said.options.mode, said.options.acu), (Some(Mode::Lite), Some(7)));
    assert_eq!((said.options.title.as_deref(), said.task.as_str()), (Some("b"), "go"));
}

#[test]
fn phones_and_pasted_text_change_nothing() {
    let said = read("fix it\u{a0}Repo=acme/api\u{200b} \u{200b}mode=Fast\u{a0}title=”Ada’s fix”");
    assert_eq!(said.task, "fix it");
    assert_eq!(said.options.repos, ["acme/api"]);
    assert_eq!((said.options.mode, said.options.title.as_deref()), (Some(Mode::Fast), Some("Ada’s fix")));
    let said = read("fix it (repo=acme/api mode=fast), please");
    assert_eq!((said.task.as_str(), said.options.mode), ("fix it please", Some(Mode::Fast)));
    let said = read("can you fix it with mode=fast?");
    assert_eq!((said.task.as_str(), said.options.mode), ("can you fix it with", Some(Mode::Fast)));
}

#[test]
fn code_is_never_read() {
    for text in ["set `mode=fast` and `!new`", "```\nrepo=a/b !fast\n``` do it", "`x`mode=fast", "mode=`fast` please"] {
        assert_eq!(read(text), Said { task: text.to_owned(), ..Said::default() });
    }
}

#[test]
fn ordinary_text_is_left_alone() {
    for text in [
        "a=b and x=1, node=18 code=5 line=40 tab=1 scheme=https model=gpt tile=3 flag=on",
        "why is a != b? !important !x != !!",
        "export TOKEN=1 && cargo test --features=a",
        "see https://acme.example/?mode=fast&repo=a/b",
        "![chart](https://acme.example/a.png)",
        "Fix it! Now! (please)",
        "mode = fast is no option",
    ] {
        let said = read(text);
        assert_eq!((said.task.as_str(), said.options, said.problems), (text, Options::default(), vec![]), "{text}");
    }
    assert_eq!(read("!pr_review this !important").bangs, ["pr_review", "important"]);
}

#[test]
fn a_near_miss_is_asked_about_and_stays_in_the_text() {
    assert_eq!(problems("fix rep=acme/api"), ["rep= repo=?"]);
    assert_eq!(problems("fix mod=fats"), ["mod= mode=fast?"]);
    assert_eq!(problems("!fastt fix"), ["!fastt !fast?"]);
    assert_eq!(
        problems("titel=\"Fix it\" knowlege=note-1 ac=10"),
        ["titel= title=?", "knowlege= knowledge=?", "ac= acu=?"]
    );
    assert_eq!(task("fix rep=acme/api"), "fix rep=acme/api");
}

#[test]
fn a_value_that_cannot_be_is_named() {
    assert_eq!(problems("acu=ten mode=fats repo=api"), ["acu: \"ten\"", "mode: \"fats\" (fast?)", "repo: \"api\""]);
    assert_eq!(problems("title=\"never closed"), ["title: \"\\\"never\""]);
    assert_eq!(problems("tag=bobbin-thread:x secret=A=hunter2"), ["tag: \"bobbin-thread:x\"", "secret: \"\""]);
    assert_eq!(problems("repo="), ["repo: \"\""]);
}

#[test]
fn words_of_devins_own_app_are_known() {
    assert_eq!(
        problems("!ask how does it work"),
        ["!ask asks Devin's code search without a session, which its API does not offer."]
    );
    assert_eq!(read("!deep !dana !swe !channel").problems.len(), 4);
}

#[test]
fn a_playbooks_macro_is_a_word_once_it_is_known() {
    let said = read_knowing("!pr_review this, !fastt", &["PR_Review", "fastt"]);
    assert_eq!((said.task.as_str(), said.options.playbook.as_deref()), ("this,", Some("!fastt")));
    assert_eq!((said.problems, said.bangs), (vec![], Vec::<String>::new()));
}

#[test]
fn an_order_with_an_option_is_a_task() {
    assert_eq!(read(" Status. ").order, Some(Order::Status));
    assert_eq!(read("status !fast").order, None);
    assert_eq!(read("`status`").order, None);
}

/// Words, code, or an option, with what each leaves in the task.
fn piece() -> impl Strategy<Value = (String, bool)> {
    let options = [
        "repo=acme/api",
        "mode=fast",
        "!fast",
        "!new",
        "(aside)",
        "title=\"a b\"",
        "title=“Ada’s fix”,",
        "acu=3",
        "tag=a,b",
        "schema=x!",
        "![pr]",
        "Platform=windows.",
        "playbook='a b'",
        "resumable=no",
        "mode=nope",
        "!ask",
    ];
    prop_oneof![
        "[a-zäé0-9.,;:/#@<>*_-]{1,8}".prop_map(|word| (word, true)),
        "`[^`\n]{1,12}`".prop_map(|code| (code, true)),
        "```[^`]{1,20}```".prop_map(|code| (code, true)),
        prop::sample::select(options.to_vec()).prop_map(|option| (option.to_owned(), false)),
    ]
}

fn dense(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn nothing_makes_it_panic(text in any::<String>()) {
        read(&text);
    }

    #[test]
    fn the_task_keeps_every_character_that_is_no_option(
        pieces in prop::collection::vec((piece(), prop::sample::select(vec![" ", "\n", "  ", "\u{a0}", "\n\n"])), 0..12)
    ) {
        let text: String = pieces.iter().flat_map(|((piece, _), space)| [piece.as_str(), space]).collect();
        let kept: Vec<&str> = pieces.iter().filter(|((_, kept), _)| *kept).map(|((piece, _), _)| piece.as_str()).collect();
        let said = read(&text);
        prop_assert_eq!(dense(&said.task), dense(&kept.concat()));
        for code in kept.iter().filter(|piece| piece.starts_with('`')) {
            prop_assert!(said.task.contains(code), "{:?} in {:?}", code, said.task);
        }
        let alone: Vec<&str> = pieces.iter().filter(|((_, kept), _)| !kept).map(|((piece, _), _)| piece.as_str()).collect();
        prop_assert_eq!(said.options, read(&alone.join(" ")).options);
    }

    #[test]
    fn what_is_left_is_read_as_it_stands(
        parts in prop::collection::vec(prop::sample::select(vec![
            " ", "\n", "a", "=", "!", "(", ")", "`", "```", "\"", "“", "'", ",", ".", "mode=fast", "mode", "!new", "aside", "!",
            "[", "]", "title=", "\u{200b}", "\u{a0}", "\r", "repo=a/b",
        ]), 0..24)
    ) {
        let once = read(&parts.concat());
        let twice = read(&once.task);
        prop_assert_eq!(&twice.task, &once.task);
        prop_assert_eq!((twice.options, twice.aside), (Options::default(), false));
    }
}
