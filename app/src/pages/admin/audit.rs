use crate::{
    api,
    components::{
        admin::{Empty, Moment, Page, shown},
        ui::{Avatar, Name, SECONDARY},
    },
};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;
use natter::{
    AuditId,
    admin::{AuditAction, AuditEntry},
    input::PAGE_DEFAULT,
};

/// What admins did, newest first.
#[component]
pub fn Audit() -> impl IntoView {
    let query = use_query_map();
    let before = Memo::new(move |_| query.read().get("before").and_then(|id| id.parse::<AuditId>().ok()));
    let loaded = Resource::new_blocking(move || before.get(), api::audit);
    view! {
        <Page title="Audit log">
            {shown(loaded, move |entries| {
                let first = before.read_untracked().is_none();
                view! { <Entries entries first/> }.into_any()
            })}
        </Page>
    }
}

#[component]
fn Entries(entries: Vec<AuditEntry>, first: bool) -> impl IntoView {
    let none = if first { "Nothing has been done yet." } else { "There is nothing before that." };
    let full = u32::try_from(entries.len()).is_ok_and(|count| count >= PAGE_DEFAULT);
    let older = entries.last().filter(|_| full).map(|last| {
        view! { <a href=format!("/admin/audit?before={}", last.id) class=SECONDARY>"Older"</a> }
    });
    let newest = (!first).then(|| view! { <a href="/admin/audit" class=SECONDARY>"Newest"</a> });
    let nothing = entries.is_empty().then(|| view! { <Empty words=none/> });
    view! {
        {nothing}
        <ol aria-label="Audit log">{entries.iter().map(line).collect_view()}</ol>
        <div class="flex justify-center gap-2 mt-4">{newest} {older}</div>
    }
    .into_any()
}

fn line(entry: &AuditEntry) -> AnyView {
    let deed = deed(entry, WHOM);
    let (before, after) = deed.split_once(WHOM).map_or((&*deed, None), |(before, after)| (before, Some(after)));
    let whom =
        entry.user.as_ref().filter(|_| after.is_some()).map(|user| view! { <Name username=user.username.clone()/> });
    let (before, after) = (before.to_owned(), after.map(ToOwned::to_owned));
    let reason = entry.reason.as_ref().map(|reason| format!("“{reason}”"));
    view! {
        <li class="flex gap-3 py-1.5">
            <span class="pt-0.5"><Avatar user=entry.actor.clone() small=true/></span>
            <div class="min-w-0 flex-1 sm:flex justify-between gap-4">
                <div class="min-w-0 wrap-anywhere">
                    <p><b class="font-[620]"><Name username=entry.actor.username.clone()/></b> " " {before} {whom} {after}</p>
                    <p class="text-[13px] text-soft empty:hidden">{reason}</p>
                </div>
                <p class="shrink-0 text-[13px] text-faint tabular-nums"><Moment at=entry.at/></p>
            </div>
        </li>
    }
    .into_any()
}

/// Stands where a name goes that can be clicked.
const WHOM: &str = "\0";

/// What was done, as it follows who did it. `name`: what somebody is called to whom it was done.
fn deed(entry: &AuditEntry, name: &str) -> String {
    let who = entry.user.as_ref().map_or("somebody", |_| name);
    let place = entry.channel.as_ref().map_or_else(|| "a channel".to_owned(), |channel| format!("#{}", channel.name));
    let detail = entry.detail.as_deref().unwrap_or_default();
    match entry.action {
        AuditAction::ChannelCreated => format!("created {place}"),
        AuditAction::ChannelUpdated => format!("changed {place}{}", changes(detail)),
        AuditAction::ChannelDeleted => format!("deleted {place}"),
        AuditAction::MemberAdded => format!("added {who} to {place}"),
        AuditAction::MemberRemoved => format!("removed {who} from {place}"),
        AuditAction::MessageDeleted => format!("deleted a message of {who} in {place}"),
        AuditAction::UserPromoted => format!("made {who} an admin"),
        AuditAction::UserDemoted => format!("made {who} a member"),
        AuditAction::UserSuspended => format!("suspended {who}"),
        AuditAction::UserReinstated => format!("reinstated {who}"),
        AuditAction::SessionsEnded => format!("ended the sessions of {who}"),
        AuditAction::RegistrationChanged => registration(detail).to_owned(),
        AuditAction::InviteCreated => format!("created an invitation{}", uses(detail)),
        AuditAction::InviteRevoked => "withdrew an invitation".to_owned(),
    }
}

/// `name: plans, topic, visibility: private` in words.
fn changes(detail: &str) -> String {
    let word = |part: &str| match part.split_once(": ") {
        Some(("name", name)) => format!("its name is #{name} now"),
        Some(("visibility", visibility)) => format!("{visibility} now"),
        Some(("post_policy", "admins")) => "only admins write".to_owned(),
        Some(("post_policy", _)) => "all members write".to_owned(),
        _ => format!("a new {part}"),
    };
    let words = detail.split(", ").filter(|part| !part.is_empty()).map(word).collect::<Vec<_>>().join(", ");
    if words.is_empty() { words } else { format!(": {words}") }
}

fn registration(mode: &str) -> &'static str {
    match mode {
        "open" => "let anyone make an account",
        "invite" => "let only those with an invitation make an account",
        _ => "let nobody make an account",
    }
}

/// Of `uses: 5, until …`.
fn uses(detail: &str) -> String {
    match detail.strip_prefix("uses: ").and_then(|rest| rest.split(", ").next()) {
        None => String::new(),
        Some("1") => " for one account".to_owned(),
        Some(uses) => format!(" for {uses} accounts"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use natter::{ChannelId, Timestamp, UserId, UserRef, admin::AuditChannel};

    fn said(action: AuditAction, detail: Option<&str>) -> String {
        let user = |name: &str| UserRef { id: UserId::generate(), username: name.into() };
        let entry = AuditEntry {
            id: AuditId::generate(),
            at: Timestamp::default(),
            actor: user("ada"),
            action,
            user: Some(user("grace")),
            channel: Some(AuditChannel { id: ChannelId::generate(), name: "plans".into() }),
            message_id: None,
            detail: detail.map(Into::into),
            reason: None,
        };
        deed(&entry, "grace")
    }

    #[test]
    fn the_log_reads_like_sentences() {
        use AuditAction as A;
        assert_eq!(said(A::MemberRemoved, None), "removed grace from #plans");
        assert_eq!(said(A::UserPromoted, None), "made grace an admin");
        assert_eq!(said(A::MessageDeleted, None), "deleted a message of grace in #plans");
        let detail = "name: ideas, topic, visibility: private, post_policy: admins";
        let sentence = "changed #plans: its name is #ideas now, a new topic, private now, only admins write";
        assert_eq!(said(A::ChannelUpdated, Some(detail)), sentence);
        assert_eq!(said(A::ChannelUpdated, None), "changed #plans");
        assert_eq!(said(A::RegistrationChanged, Some("invite")), "let only those with an invitation make an account");
        let detail = "uses: 5, until 2026-12-01T00:00:00.000Z";
        assert_eq!(said(A::InviteCreated, Some(detail)), "created an invitation for 5 accounts");
        assert_eq!(said(A::InviteCreated, None), "created an invitation");
    }
}
