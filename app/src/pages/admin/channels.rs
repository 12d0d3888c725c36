use crate::{
    api,
    components::{
        admin::{Empty, Page, shown},
        channels::{CREATE_CHANNEL, open_create},
        ui::{Icon, PRIMARY},
    },
};
use leptos::prelude::*;
use natter::{Channel, PostPolicy, Visibility};

/// Every channel, private ones as well.
#[component]
pub fn AdminChannels() -> impl IntoView {
    let loaded = Resource::new_blocking(|| (), |()| api::all_channels());
    view! {
        <Page title="Channels">
            <div class="flex items-center gap-3 mb-3">
                <h2 class="text-lg font-[650] tracking-tight">"Channels"</h2>
                <button type="button" class=format!("{PRIMARY} ml-auto") command="show-modal" commandfor=CREATE_CHANNEL
                    on:click=move |_| open_create()>
                    <Icon icon=icondata_lu::LuPlus/>
                    "Create channel"
                </button>
            </div>
            {shown(loaded, |channels| {
                if channels.is_empty() {
                    return view! { <Empty words="There are no channels yet."/> }.into_any();
                }
                view! { <ul>{channels.into_iter().map(|channel| view! { <Entry channel/> }).collect_view()}</ul> }.into_any()
            })}
        </Page>
    }
}

#[component]
fn Entry(channel: Channel) -> impl IntoView {
    let name = channel.label().to_owned();
    let (icon, visibility) = match channel.visibility {
        Visibility::Public => (icondata_lu::LuHash, "Public"),
        Visibility::Private => (icondata_lu::LuLock, "Private"),
    };
    let members = match channel.members {
        1 => "1 member".to_owned(),
        n => format!("{n} members"),
    };
    let policy = (channel.post_policy == PostPolicy::Admins).then_some("only admins write");
    let topic = Some(channel.topic.as_str()).filter(|topic| !topic.is_empty());
    let about = [Some(visibility), Some(members.as_str()), policy, topic];
    let about = about.into_iter().flatten().collect::<Vec<_>>().join(" · ");
    view! {
        <li class="entry">
            <span class="text-faint"><Icon icon/></span>
            <div class="min-w-0 flex-1">
                <a href=format!("/admin/channels/{name}") class="entry-link" aria-label=format!("#{name}")>{name.clone()}</a>
                <p class="text-[13px] text-faint truncate">{about}</p>
            </div>
            <span class="text-faint"><Icon icon=icondata_lu::LuChevronRight/></span>
        </li>
    }
    .into_any()
}
