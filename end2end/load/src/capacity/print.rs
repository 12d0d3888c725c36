//! Tables for people, in Markdown.

use super::{
    Break, Capacity, Size,
    figures::{Figures, Known},
    model::{Plan, Step},
    simulated::Traffic,
};
use std::fmt;

/// A number as short as it may be.
pub fn short(number: f64) -> String {
    let text = match number {
        n if n >= 1e9 => format!("{:.1} G", n / 1e9),
        n if n >= 1e6 => format!("{:.1} M", n / 1e6),
        n if n >= 1e4 => format!("{:.0} k", n / 1e3),
        n if n >= 1e3 => format!("{:.1} k", n / 1e3),
        n if n >= 99.5 => format!("{n:.0}"),
        n if n >= 0.095 => format!("{n:.1}"),
        n if n >= 0.005 => format!("{n:.2}"),
        n if n > 0.0 => "0.00".into(),
        _ => "0".into(),
    };
    match text.split_once(".0") {
        Some((whole, unit)) if !unit.starts_with(|c: char| c.is_ascii_digit()) => format!("{whole}{unit}"),
        _ => text,
    }
}

/// How much of a limit is used, from nothing to many times.
fn used(share: f64) -> String {
    match share {
        n if n >= 1.95 => format!("{}×", if n >= 9.95 { format!("{n:.0}") } else { format!("{n:.1}") }),
        n if n >= 0.01 => format!("{:.0} %", n * 100.0),
        n if n > 0.0 => "<1 %".into(),
        _ => "–".into(),
    }
}

const fn title(step: Step) -> &'static str {
    match step {
        Step::Today => "today",
        Step::Savings => "+ savings",
        Step::Subjects => "+ subjects",
        Step::Shards => "+ shards",
    }
}

impl fmt::Display for Capacity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        figures(&self.setting.figures, f)?;
        overview(&self.sizes, f)?;
        breaks(&self.breaks, f)?;
        self.sizes.iter().try_for_each(|size| limits(size, f))?;
        simulation(&self.simulation, f)
    }
}

fn figures(figures: &Figures, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let rows: [(&str, &Known); 7] = [
        ("a delivery at a trickle, µs of a core", &figures.trickle_us),
        ("a delivery in a burst, µs of a core", &figures.burst_us),
        ("a message apart from its deliveries, µs of a core", &figures.message_us),
        ("an idle connection, KiB", &figures.connection_kib),
        ("a connection that comes back, ms of a core", &figures.comeback_ms),
        ("one commit of one message on PostgreSQL, ms", &figures.commit_ms),
        ("one writer at best on PostgreSQL, messages/s", &figures.writer),
    ];
    writeln!(f, "| figure | value | from |\n|---|---:|---|")?;
    for (name, Known { value, from }) in rows {
        writeln!(f, "| {name} | {} | {from} |", short(*value))?;
    }
    for (engine, commits) in [("SQLite", &figures.sqlite), ("PostgreSQL", &figures.postgres)] {
        let commits: Vec<_> =
            commits.iter().map(|(senders, acked)| format!("{senders:.0}: {}", short(*acked))).collect();
        if !commits.is_empty() {
            writeln!(f, "| {engine}, messages/s by senders | {} | commit-* |", commits.join("; "))?;
        }
    }
    let fanout: Vec<_> = figures.fanout.iter().map(|(members, us)| format!("{members:.0}: {us:.1}")).collect();
    if !fanout.is_empty() {
        writeln!(f, "| a delivery by members, µs of a core | {} | fanout-* |", fanout.join("; "))?;
    }
    writeln!(f)
}

fn overview(sizes: &[Size], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    type Row = (&'static str, fn(&Size) -> f64);
    fn today(size: &Size) -> &Plan {
        &size.plans[0]
    }
    let rows: [Row; 32] = [
        ("connections", |size| today(size).demand.connections),
        ("messages/s", |size| today(size).demand.messages),
        ("members online of a message's channel", |size| today(size).demand.members_online),
        ("deliveries/s of messages and their changes", |size| today(size).demand.deliveries),
        ("the same of who is writing", |size| today(size).demand.typing_deliveries),
        ("writes/s to tell who is here", |size| today(size).presence.writes),
        ("the same with savings", |size| size.plans[1].presence.writes),
        ("read marks/s", |size| today(size).demand.read_marks),
        ("journal entries/s", |size| today(size).demand.journal_entries),
        ("cores for deliveries", |size| today(size).demand.cores_deliveries),
        ("cores for who is writing", |size| today(size).demand.cores_typing),
        ("cores for who is here", |size| today(size).cores_presence),
        ("cores for messages", |size| today(size).demand.cores_messages),
        ("cores for open connections", |size| today(size).demand.cores_connections),
        ("memory for connections, GiB", |size| today(size).demand.memory_gib),
        ("bytes/s to people", |size| today(size).bytes_to_people),
        ("the same with savings", |size| size.plans[1].bytes_to_people),
        ("nodes, one of them to lose", |size| f64::from(today(size).nodes)),
        ("the same with savings", |size| f64::from(size.plans[1].nodes)),
        ("hints/s into a node", |size| today(size).hints.received),
        ("bytes/s of hints out of the broker", |size| today(size).hints.broker_out),
        ("the same with savings", |size| size.plans[1].hints.broker_out),
        ("the same with subjects", |size| size.plans[2].hints.broker_out),
        ("commits/s", |size| today(size).commits),
        ("rows written/s", |size| today(size).rows),
        ("commits/s with savings", |size| size.plans[1].commits),
        ("rows written/s with savings", |size| size.plans[1].rows),
        ("databases at the last step", |size| size.plans[3].shards),
        ("members online of the largest channel possible", |size| today(size).largest_channel),
        ("what is next on a node waits for one of the largest, ms", |size| today(size).held_ms),
        ("back after losing a node, s: cores", |size| today(size).back_after[0]),
        ("back after losing a node, s: the database", |size| today(size).back_after[1]),
    ];
    write!(f, "| people online |")?;
    sizes.iter().try_for_each(|size| write!(f, " {} |", short(size.people)))?;
    writeln!(f, "\n|---|{}", "---:|".repeat(sizes.len()))?;
    for (name, value) in rows {
        write!(f, "| {name} |")?;
        sizes.iter().try_for_each(|size| write!(f, " {} |", short(value(size))))?;
        writeln!(f)?;
    }
    writeln!(f)
}

/// How many people online each limit allows at each step.
fn breaks(breaks: &[Break], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "| breaks at so many online |")?;
    Step::ALL.iter().try_for_each(|step| write!(f, " {} |", title(*step)))?;
    writeln!(f, "\n|---|{}", "---:|".repeat(Step::ALL.len()))?;
    for Break { name, people } in breaks {
        write!(f, "| {name} |")?;
        let shown = |people: &Option<f64>| people.map_or_else(|| "–".into(), short);
        people.iter().try_for_each(|people| write!(f, " {} |", shown(people)))?;
        writeln!(f)?;
    }
    writeln!(f)
}

/// How much of each limit is used at each step; what breaks first is bold.
fn limits(size: &Size, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    write!(f, "| {} online |", short(size.people))?;
    for plan in &size.plans {
        let enough = if plan.enough { "" } else { ", not enough" };
        write!(f, " {}, {} nodes{enough} |", title(plan.step), plan.nodes)?;
    }
    writeln!(f, "\n|---|{}", "---:|".repeat(size.plans.len()))?;
    let Some(today) = size.plans.first() else { return Ok(()) };
    for (row, limit) in today.limits.iter().enumerate() {
        write!(f, "| {} |", limit.name)?;
        for plan in &size.plans {
            let (limit, first) = (&plan.limits[row], plan.first());
            let mark = if first == Some(limit) { "**" } else { "" };
            write!(f, " {mark}{}{mark} |", used(limit.used()))?;
        }
        writeln!(f)?;
    }
    writeln!(f)
}

fn simulation(runs: &[Traffic], f: &mut fmt::Formatter<'_>) -> fmt::Result {
    writeln!(
        f,
        "| nodes | placement | copies a message: all | by subject | busiest node gets | stay on one node | most copies \
         from one node | with relays |\n|---:|---|---:|---:|---:|---:|---:|---:|"
    )?;
    for run in runs {
        let placement = format!("{:?}", run.placement).to_lowercase();
        let [direct, relayed] = run.widest;
        writeln!(
            f,
            "| {} | {placement} | {} | {:.2} | {:.2} | {:.0} % | {direct} | {relayed} |",
            run.nodes,
            run.nodes - 1,
            run.copies(),
            run.busiest(),
            run.alone() * 100.0,
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        let shown = [0.0, 0.001, 0.05, 0.7, 12.0, 99.7, 950.0, 1_389.0, 24_000.0, 1.3e6, 6.2e9].map(short);
        assert_eq!(shown, ["0", "0.00", "0.05", "0.7", "12", "100", "950", "1.4 k", "24 k", "1.3 M", "6.2 G"]);
        assert_eq!([0.0, 0.004, 0.5, 1.2, 3.24, 38.4].map(used), ["–", "<1 %", "50 %", "120 %", "3.2×", "38×"]);
    }

    #[test]
    fn each_table_marks_what_breaks_first_and_names_what_was_assumed() {
        let capacity = Capacity::of(super::super::tests::setting(), &[1e4, 1e7], 200);
        let text = capacity.to_string();
        let columns = |line: &str| line.matches(" |").count();
        for size in ["10 k online", "10 M online"] {
            let table: Vec<_> =
                text.lines().skip_while(|line| !line.contains(size)).take_while(|line| !line.is_empty()).collect();
            let marked = table.iter().map(|line| line.matches("**").count()).sum::<usize>();
            assert_eq!(marked, 2 * Step::ALL.len(), "{table:#?}");
            assert!(table.iter().skip(2).all(|line| columns(line) == columns(table[0])), "{table:#?}");
        }
        assert!(text.contains("| assumed |"));
    }
}
