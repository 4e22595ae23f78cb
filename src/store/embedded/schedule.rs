//! Whose turn it is, kept in memory: made anew from the file whenever that is opened, so that it costs no writing.
//!
//! Three levels, each ordered by time: workspaces, the places (channels, persons) of one, the mailboxes of one. The time of a
//! workspace or place is when its first mailbox is due, or when it was last served, if that is later: who has just had a
//! turn goes behind everybody who waits, so that a flood in one of them costs the others nothing. Such a time may be too
//! early, never too late; [`Schedule::next`] puts it right. The Redis store does the same in `scripts/common.lua`.

use std::collections::{BTreeSet, HashMap};

/// Members by their time.
#[derive(Debug, Default)]
struct Queue {
    times: HashMap<String, i64>,
    order: BTreeSet<(i64, String)>,
}

impl Queue {
    fn set(&mut self, member: &str, at: i64) {
        self.remove(member);
        self.times.insert(member.to_owned(), at);
        self.order.insert((at, member.to_owned()));
    }

    /// Sets a time, but not before the floor. Without a floor that is the time of the member's last turn, which is what
    /// is there unless it lies ahead.
    fn settle(&mut self, member: &str, at: i64, floor: Option<i64>, now: i64) {
        let last = || self.times.get(member).copied().filter(|last| *last <= now);
        let floor = floor.or_else(last).unwrap_or(i64::MIN);
        self.set(member, at.max(floor));
    }

    fn remove(&mut self, member: &str) {
        if let Some(at) = self.times.remove(member) {
            self.order.remove(&(at, member.to_owned()));
        }
    }

    fn first(&self) -> Option<(i64, &str)> {
        self.order.first().map(|(at, member)| (*at, member.as_str()))
    }
}

/// All turns, and how far each place is ahead of its pace.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    teams: Queue,
    places: HashMap<String, Queue>,
    mailboxes: HashMap<String, Queue>,
    /// When a place's posts are even with their pace (the theoretical arrival time of GCRA).
    paces: HashMap<String, i64>,
}

/// Whose turn it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// This mailbox's.
    Mailbox(String),
    /// Nobody's before this time.
    Nobody(Option<i64>),
}

impl Schedule {
    /// Makes a mailbox ready at a time, replacing an earlier one.
    pub(super) fn set(&mut self, mailbox: &str, at: i64, now: i64) {
        let (place, team) = place_of(mailbox);
        self.mailboxes.entry(place.to_owned()).or_default().set(mailbox, at);
        self.settle(place, team, now, [None, None]);
    }

    /// Takes a mailbox out: nothing waits in it.
    pub(super) fn remove(&mut self, mailbox: &str, now: i64) {
        let (place, team) = place_of(mailbox);
        if let Some(mailboxes) = self.mailboxes.get_mut(place) {
            mailboxes.remove(mailbox);
        }
        self.settle(place, team, now, [None, None]);
    }

    /// The mailbox whose turn it is.
    pub(super) fn next(&mut self, now: i64, ahead: i64) -> Next {
        loop {
            let Some((at, team)) = self.teams.first().map(|(at, team)| (at, team.to_owned())) else {
                return Next::Nobody(None);
            };
            if at > now {
                return Next::Nobody(Some(at));
            }
            let place = self.places.get(&team).and_then(Queue::first).map(|(_, place)| place.to_owned());
            let place = place.unwrap_or_default();
            let closed_until = self.paces.get(&place).map(|even| even - ahead).filter(|open| *open > now);
            let first = self.mailboxes.get(&place).and_then(Queue::first);
            if let Some((_, mailbox)) = first.filter(|(due, _)| *due <= now && closed_until.is_none()) {
                return Next::Mailbox(mailbox.to_owned());
            }
            self.settle(&place, &team, now, [closed_until, None]);
        }
    }

    /// A mailbox has its turn, until a time.
    pub(super) fn serve(&mut self, mailbox: &str, now: i64, until: i64) {
        let (place, team) = place_of(mailbox);
        self.mailboxes.entry(place.to_owned()).or_default().set(mailbox, until);
        self.settle(place, team, now, [Some(now), Some(now)]);
    }

    /// How many mailboxes are ready, and since when the first of them has been.
    pub(super) fn ready(&self, now: i64) -> (u64, Option<i64>) {
        let end = (now.saturating_add(1), String::new());
        let count = self.mailboxes.values().map(|queue| queue.order.range(..&end).count() as u64).sum();
        let oldest = self.mailboxes.values().filter_map(Queue::first).map(|(at, _)| at).filter(|at| *at <= now).min();
        (count, oldest)
    }

    /// Asks to post into a place, one post in `every` on average and in a burst up to `ahead` beyond that. `None`: go;
    /// else when to ask again.
    pub(super) fn pace(&mut self, place: &str, now: i64, every: i64, ahead: i64) -> Option<i64> {
        let even = self.paces.get(place).map_or(now, |even| now.max(*even));
        if even - ahead > now {
            return Some(even - ahead);
        }
        // Places that are even again need not be remembered.
        self.paces.retain(|_, even| *even > now);
        self.paces.insert(place.to_owned(), even + every);
        None
    }

    /// Gives a place and its workspace their next times, with a floor for each, and forgets what is empty.
    fn settle(&mut self, place: &str, team: &str, now: i64, [place_floor, team_floor]: [Option<i64>; 2]) {
        let due = self.mailboxes.get(place).and_then(Queue::first).map(|(at, _)| at);
        let places = self.places.entry(team.to_owned()).or_default();
        if let Some(at) = due {
            places.settle(place, at, place_floor, now);
        } else {
            places.remove(place);
            self.mailboxes.remove(place);
        }
        if let Some((at, _)) = places.first() {
            self.teams.settle(team, at, team_floor, now);
        } else {
            self.teams.remove(team);
            self.places.remove(team);
        }
    }
}

/// The place of a mailbox and its workspace, read from its name: `thread:T1/C1/17.1` is in `T1/C1` of `T1`.
fn place_of(mailbox: &str) -> (&str, &str) {
    let path = mailbox.split_once(':').map_or(mailbox, |(_, path)| path);
    let team = path.split_once('/').map_or(path, |(team, _)| team);
    let end = path.match_indices('/').nth(1).map_or(path.len(), |(at, _)| at);
    (path.get(..end).unwrap_or(path), team)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::mailbox::Mailbox;

    fn order(schedule: &mut Schedule, turns: usize) -> Vec<String> {
        let mut now = 1_000;
        let mut order = Vec::new();
        for _ in 0..turns {
            now += 1;
            let Next::Mailbox(mailbox) = schedule.next(now, 0) else { break };
            schedule.serve(&mailbox, now, i64::MAX);
            order.push(mailbox);
        }
        order
    }

    #[test]
    fn the_place_is_the_one_that_mailboxes_name() {
        for name in ["thread:T1/C1/1700000000.000001", "person:T1/U1", "workspace:T1"] {
            let mailbox: Mailbox = name.parse().unwrap();
            assert_eq!(place_of(name), (mailbox.place().as_str(), mailbox.team().as_str()));
        }
    }

    #[test]
    fn workspaces_take_turns_and_so_do_the_places_of_one() {
        let mut schedule = Schedule::default();
        for n in 0..3 {
            schedule.set(&format!("thread:T1/C1/{n}"), n, 0);
            schedule.set(&format!("thread:T1/C2/{n}"), 10 + n, 0);
        }
        schedule.set("thread:T2/C1/0", 100, 0);
        let expected = ["T1/C1/0", "T2/C1/0", "T1/C2/0", "T1/C1/1", "T1/C2/1", "T1/C1/2", "T1/C2/2"];
        assert_eq!(order(&mut schedule, 9), expected.map(|path| format!("thread:{path}")));
    }

    #[test]
    fn a_place_ahead_of_its_pace_is_passed_over() {
        let mut schedule = Schedule::default();
        schedule.set("thread:T1/C1/0", 0, 0);
        schedule.set("thread:T1/C2/0", 5, 0);
        for _ in 0..3 {
            assert_eq!(schedule.pace("T1/C1", 10, 100, 200), None);
        }
        assert_eq!(schedule.pace("T1/C1", 10, 100, 200), Some(110));
        assert_eq!(schedule.next(10, 150), Next::Mailbox("thread:T1/C2/0".to_owned()));
        schedule.serve("thread:T1/C2/0", 10, 1_000);
        assert_eq!(schedule.next(10, 150), Next::Nobody(Some(160)));
        assert_eq!(schedule.next(160, 150), Next::Mailbox("thread:T1/C1/0".to_owned()));
    }

    #[test]
    fn what_is_empty_is_forgotten() {
        let mut schedule = Schedule::default();
        schedule.set("thread:T1/C1/0", 0, 0);
        schedule.set("person:T1/U1", 0, 0);
        schedule.remove("thread:T1/C1/0", 0);
        assert_eq!(schedule.next(0, 0), Next::Mailbox("person:T1/U1".to_owned()));
        schedule.remove("person:T1/U1", 0);
        assert_eq!(schedule.next(0, 0), Next::Nobody(None));
        assert!(schedule.mailboxes.is_empty() && schedule.places.is_empty() && schedule.teams.order.is_empty());
    }
}
