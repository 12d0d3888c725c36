use crate::{
    components::ui::{FormError, GHOST, Icon, PRIMARY, changing, hide, light, make_modal},
    state::{Preset, Times, Zone, parse_local},
};
use leptos::{ev, html, prelude::*};
use natter::{Timestamp, scheduled::check_send_at};

/// A dialog in which a time is chosen, and what comes of that.
#[derive(Clone, Copy)]
pub struct Picking {
    dialog: NodeRef<html::Dialog>,
    /// What is offered, while it is open.
    times: RwSignal<Option<Times>>,
    pub pending: RwSignal<bool>,
    pub problem: RwSignal<Option<String>>,
    chosen: Callback<Timestamp>,
}

impl Picking {
    /// `chosen` gets the time; the dialog stays open until it is closed.
    pub fn new(chosen: Callback<Timestamp>) -> Self {
        let (times, pending, problem) = (RwSignal::new(None), RwSignal::new(false), RwSignal::new(None));
        Self { dialog: NodeRef::new(), times, pending, problem, chosen }
    }

    /// The field begins with the time that has been set before, if one has.
    pub fn open(self, before: Option<Timestamp>) {
        self.problem.set(None);
        self.times.set(Some(Times::now(before)));
        if let Some(dialog) = self.dialog.get_untracked() {
            make_modal(&dialog);
        }
    }

    pub fn close(self) {
        hide(self.dialog);
    }

    fn choose(self, at: Timestamp) {
        if self.pending.get_untracked() {
            return;
        }
        match check_send_at(at, Times::clock()) {
            Ok(()) => self.chosen.run(at),
            Err(error) => self.problem.set(Some(error.message)),
        }
    }
}

/// Times that are offered, and a field for any other.
#[component]
pub fn TimePicker(picking: Picking, title: &'static str) -> impl IntoView {
    let (down, click) = light(picking.dialog);
    view! {
        <dialog node_ref=picking.dialog class="dialog" aria-labelledby="later-title" on:pointerdown=down on:click=click
            on:close=move |_| picking.times.set(None)>
            {changing(move || picking.times.get().map(|times| offered(times, picking, title)).into_any())}
        </dialog>
    }
    .into_any()
}

/// When that is, as far as the label doesn't say it.
fn beside(label: &str, when: &str) -> String {
    let rest = [label, "Today"].into_iter().find_map(|said| when.strip_prefix(said)?.strip_prefix(", "));
    rest.unwrap_or(when).to_owned()
}

fn offered(times: Times, picking: Picking, title: &'static str) -> AnyView {
    let zone = expect_context::<Zone>();
    let Times { presets, earliest, latest, suggested, zone: zone_name } = times;
    let one = |preset: Preset| {
        view! {
            <li>
                <button type="button" class="later-preset" disabled=move || picking.pending.get()
                    on:click=move |_| picking.choose(preset.at)>
                    <span>{preset.label}</span> " "
                    <span class="later-when">{beside(preset.label, &zone.moment(preset.at))}</span>
                </button>
            </li>
        }
    };
    let presets = presets.into_iter().map(one).collect_view();
    let field = NodeRef::<html::Input>::new();
    let submit = move |event: ev::SubmitEvent| {
        event.prevent_default();
        match field.get_untracked().and_then(|field| parse_local(&field.value())) {
            Some(at) => picking.choose(at),
            None => picking.problem.set(Some("Pick a day and a time.".into())),
        }
    };
    view! {
        <div class="p-5">
            <div class="flex items-center gap-2 mb-3">
                <h2 id="later-title" class="text-base font-[650] tracking-tight">{title}</h2>
                <button type="button" class=format!("{GHOST} ml-auto -mr-2") aria-label="Close" on:click=move |_| picking.close()>
                    <Icon icon=icondata_lu::LuX/>
                </button>
            </div>
            <FormError message=picking.problem/>
            <ul class="later-presets">{presets}</ul>
            <form class="later-custom" novalidate=true on:submit=submit>
                <label for="later-time" class="block mb-1 text-[13px] font-semibold text-soft">"Pick a time"</label>
                <div class="flex gap-2">
                    <input node_ref=field id="later-time" type="datetime-local" value=suggested min=earliest max=latest
                        class="later-field focus-ring" aria-describedby="later-zone"/>
                    <button type="submit" class=format!("{PRIMARY} h-10! pointer-coarse:h-11!") disabled=move || picking.pending.get()>
                        "Schedule"
                    </button>
                </div>
                <p id="later-zone" class="mt-1 text-[13px] text-faint">{format!("Your time zone: {zone_name}.")}</p>
            </form>
        </div>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::beside;

    #[test]
    fn nothing_is_said_twice() {
        for (label, when, expected) in [
            ("In 20 minutes", "Today, 17:48", "17:48"),
            ("In 20 minutes", "Tomorrow, 00:08", "Tomorrow, 00:08"),
            ("This evening", "Today, 18:00", "18:00"),
            ("Tomorrow", "Tomorrow, 09:00", "09:00"),
            ("Monday", "Monday, 30 November, 09:00", "30 November, 09:00"),
            ("Monday", "Monday, 4 January 2027, 09:00", "4 January 2027, 09:00"),
        ] {
            assert_eq!(beside(label, when), expected);
        }
    }
}
