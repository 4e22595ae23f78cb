//! The lists that say what there is in the organisation: people, playbooks, secrets. One odd row must not keep the others
//! out, so a row that cannot be read is passed over.

use reqwest::Method;
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use super::{
    client::{CALL_TIMEOUT, Devin, MAX_PAGE_ROWS},
    error::DevinError,
    wire::{Member, OrgSecret, Page, Playbook},
};

/// Pages of one list that are read: one row where a filter holds; all of them where it is not asked for.
const MAX_PAGES: usize = 100;

/// The two lists of people: those with a role of their own, and those who have it through a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Directory {
    /// Direct members.
    Users,
    /// Members through an identity provider's group.
    IdpUsers,
}

impl Devin {
    /// Lists members, those with an e-mail address where one is given. The filter is the server's, and perhaps exact to
    /// the letter: compare the rows before believing them.
    ///
    /// <https://docs.devin.ai/api-reference/v3/users/list-organization-users>
    ///
    /// # Errors
    ///
    /// [`DevinError`].
    pub async fn members(&self, directory: Directory, email: Option<&str>) -> Result<Vec<Member>, DevinError> {
        let (list, name) = match directory {
            Directory::Users => ("users", "members.users"),
            Directory::IdpUsers => ("idp-users", "members.idp_users"),
        };
        let mut url = self.url("v3beta1", &["organizations", self.org(), "members", list]);
        url.query_pairs_mut().extend_pairs(email.map(|email| ("email", email)));
        self.all(name, &url).await
    }

    /// Lists playbooks, without their text.
    ///
    /// <https://docs.devin.ai/api-reference/v3/playbooks/organizations-playbooks>
    ///
    /// # Errors
    ///
    /// [`DevinError`].
    pub async fn playbooks(&self) -> Result<Vec<Playbook>, DevinError> {
        self.all("playbooks.list", &self.org_url(&["playbooks"])).await
    }

    /// Lists the organisation's secrets by name and id; values are never told.
    ///
    /// <https://docs.devin.ai/api-reference/v3/secrets/organizations-secrets>
    ///
    /// # Errors
    ///
    /// [`DevinError`].
    pub async fn secrets(&self) -> Result<Vec<OrgSecret>, DevinError> {
        self.all("secrets.list", &self.org_url(&["secrets"])).await
    }

    /// All rows of a list that can be read.
    async fn all<T: DeserializeOwned>(&self, name: &'static str, list: &Url) -> Result<Vec<T>, DevinError> {
        let mut found = Vec::new();
        let mut cursor: Option<String> = None;
        for _ in 0..MAX_PAGES {
            let mut url = list.clone();
            url.query_pairs_mut()
                .append_pair("first", &MAX_PAGE_ROWS.to_string())
                .extend_pairs(cursor.iter().map(|cursor| ("after", cursor)));
            let page: Page<Value> = self.call(name, CALL_TIMEOUT, self.request(Method::GET, url)).await?;
            let next = page.next().map(str::to_owned);
            found.extend(page.items.into_iter().filter_map(|item| row(name, item)));
            if next.is_none() || next == cursor {
                return Ok(found);
            }
            cursor = next;
        }
        Err(DevinError::Unsure { why: format!("the list {name} has more than {MAX_PAGES} pages") })
    }
}

/// A row of a list; the row itself is no business of the log.
fn row<T: DeserializeOwned>(list: &'static str, row: Value) -> Option<T> {
    let read = serde_json::from_value(row).ok();
    if read.is_none() {
        tracing::warn!(list, "a row of a list cannot be read; passed over");
    }
    read
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_odd_row_is_passed_over() {
        let rows = [json!({ "user_id": "auth0|a/b c" }), json!({ "user_id": 7 }), json!({ "email": "a@b.example" })];
        let read: Vec<Member> = rows.into_iter().filter_map(|item| row("members.users", item)).collect();
        assert_eq!(read.iter().map(|m| m.user_id.as_str()).collect::<Vec<_>>(), ["auth0|a/b c"]);
        let rows =
            [json!({ "playbook_id": "playbook-1", "title": "PR review", "macro": null }), json!({ "title": "x" })];
        let read: Vec<Playbook> = rows.into_iter().filter_map(|item| row("playbooks.list", item)).collect();
        let expected = Playbook { id: "playbook-1".to_owned(), title: "PR review".to_owned(), macro_name: None };
        assert_eq!(read, [expected]);
    }
}
