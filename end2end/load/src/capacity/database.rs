//! What is asked of PostgreSQL.

use super::{
    Setting,
    limits::Limit,
    model::{Demand, QUERIES_TO_COME_BACK, Step},
};

/// How often each node compares positions, asks where the journal stands and for the earliest message for
/// later, a second: `CHECK_EVERY` and `ASK_EVERY` of the server's follower, `LOOK_EVERY` of its scheduler.
const CHECKS: f64 = 0.2;
const ASKS: f64 = 2.0;
const LOOKS: f64 = 2.0;
/// Rounds a second in which a node that posts puts messages into the search index, and how many in one
/// transaction: `INDEX_GATHERS` and `BACKLOG`. Each round ends with a look that finds none.
const ROUNDS: f64 = 0.5;
const INDEXED: f64 = 500.0;
/// Read marks of a node are stored this often, a second, once they are kept that long.
const MARKS: f64 = 1.0;
/// Nodes that write to one database, once channels have owners.
const WRITERS: f64 = 2.0;
/// Statements of one batch of messages, of one change to a message, and of one batch of marks.
const TO_POST: f64 = 6.0;
const TO_REVISE: f64 = 6.0;
const TO_MARK: f64 = 1.0;
/// Rows of a message: itself, its place among those that wait for the index, that taken away again, and
/// its entry there. Its channel's is one a batch.
const OF_MESSAGE: f64 = 4.0;
/// Of a change: the message, the channel, a reaction or the index. Of an entry: itself, its cause, the head.
const OF_REVISION: f64 = 3.0;
const OF_ENTRY: f64 = 3.0;

/// What all databases do, a second.
pub struct Written {
    /// Commits of messages.
    pub posts: f64,
    pub commits: f64,
    pub rows: f64,
    /// Statements that look something up or change a few rows.
    pub queries: f64,
}

impl Written {
    pub fn of(demand: &Demand, step: Step, nodes: f64, shards: f64, setting: &Setting) -> Self {
        let writers = writers(step, nodes, shards);
        // A writer stores what came while it was busy: few commits where it is always busy, and one a
        // message where messages come seldom.
        let posts = writers * (demand.messages / writers).min(commits_each(setting));
        // A node stores the marks that are wanted while it stores others together, once it has looked up
        // where each stands; those that are kept for a while are looked up together, too.
        let kept = step >= Step::Savings;
        let marks = demand.read_marks.min(nodes * if kept { MARKS } else { commits_each(setting) });
        let looked_up = if kept { marks } else { demand.read_marks };
        // Owners of channels are the ones that post.
        let indexing = (demand.messages / INDEXED).max(demand.messages.min(writers * ROUNDS));
        // Each node follows each database.
        let polls = nodes * shards * (CHECKS + ASKS + LOOKS) + writers * ROUNDS;
        let back = demand.moves / 2.0 * setting.profile.devices * QUERIES_TO_COME_BACK;
        Self {
            posts,
            commits: posts + demand.revisions + marks + demand.journal_entries + indexing,
            rows: demand.messages * OF_MESSAGE
                + posts
                + demand.revisions * OF_REVISION
                + demand.read_marks
                + demand.journal_entries * OF_ENTRY,
            queries: posts * TO_POST
                + demand.revisions * TO_REVISE
                + looked_up
                + marks * TO_MARK
                + demand.journal_entries * OF_ENTRY
                + back
                + polls,
        }
    }
}

fn writers(step: Step, nodes: f64, shards: f64) -> f64 {
    if step >= Step::Shards { shards * WRITERS } else { nodes }
}

fn commits_each(setting: &Setting) -> f64 {
    1e3 / setting.figures.commit_ms.value
}

/// `shards` share the work evenly. `told`: how many nodes hear of a message.
pub fn limits(demand: &Demand, step: Step, [nodes, told]: [f64; 2], shards: f64, setting: &Setting) -> Vec<Limit> {
    let Setting { machine, guesses, figures, .. } = setting;
    let written = Written::of(demand, step, nodes, shards, setting);
    // An owner knows where its channel stands.
    let asking = if step >= Step::Shards { 1.0 } else { told };
    let limit = |name, unit, load, ceiling| Limit { name, unit, load, ceiling: ceiling * machine.busy };
    vec![
        limit(
            "one writer's messages",
            "messages/s",
            demand.messages / writers(step, nodes, shards),
            figures.writer.value,
        ),
        limit("PostgreSQL's commits", "commits/s", written.commits / shards, guesses.postgres_commits),
        limit("PostgreSQL's rows", "rows/s", written.rows / shards, guesses.postgres_rows),
        limit("PostgreSQL's short queries", "queries/s", written.queries / shards, guesses.postgres_queries),
        limit("the search index", "messages/s", demand.messages / shards, guesses.postgres_indexed),
        // Whoever writes an entry holds the head until the commit, so one commit at a time.
        limit("the journal's head", "entries/s", demand.journal_entries / shards, commits_each(setting)),
        limit(
            "position checks",
            "rows/s",
            // At most a row for each message since the last check, and one in any case.
            asking * (demand.messages + demand.revisions + CHECKS) / shards,
            guesses.postgres_reads,
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::{super::tests::setting, *};

    #[test]
    fn a_writer_that_waits_for_the_disk_makes_fewer_commits_than_messages() {
        let setting = setting();
        let demand = Demand::of(1e6, Step::Today, &setting);
        let posts = |nodes| Written::of(&demand, Step::Today, nodes, 1.0, &setting).posts;
        let each = 1e3 / setting.figures.commit_ms.value;
        assert!((posts(2.0) - 2.0 * each).abs() < 1e-6, "both are busy all the time");
        assert!((posts(1e4) - demand.messages).abs() < 1e-6, "each message has a commit of its own");
    }

    #[test]
    fn marks_share_commits_and_each_is_looked_up() {
        let setting = setting();
        let demand = Demand::of(1e6, Step::Today, &setting);
        let silent = Demand { read_marks: 0.0, ..demand.clone() };
        let [with, without] = [&demand, &silent].map(|demand| Written::of(demand, Step::Today, 8.0, 1.0, &setting));
        let commits = with.commits - without.commits;
        assert!((commits - 8.0 * commits_each(&setting)).abs() < 1e-6, "{commits}: all are busy all the time");
        assert!((with.queries - without.queries - demand.read_marks - commits).abs() < 1e-6);
        assert!((with.rows - without.rows - demand.read_marks).abs() < 1e-6);
    }

    #[test]
    fn what_every_node_reads_grows_with_the_nodes() {
        let setting = setting();
        let demand = Demand::of(1e6, Step::Today, &setting);
        let rows = |step, nodes| {
            let limits = limits(&demand, step, [nodes; 2], 1.0, &setting);
            limits.iter().find(|limit| limit.name == "position checks").unwrap().load
        };
        assert!((rows(Step::Today, 20.0) - 2.0 * rows(Step::Today, 10.0)).abs() < 1e-6);
        assert!((rows(Step::Shards, 20.0) - rows(Step::Shards, 10.0)).abs() < 1e-6);
    }

    #[test]
    fn what_nodes_ask_for_all_the_time_is_little_and_grows_with_nodes_and_databases() {
        let setting = setting();
        let silent =
            Demand { messages: 0.0, revisions: 0.0, read_marks: 0.0, ..Demand::of(1.0, Step::Today, &setting) };
        let polls = |nodes, shards| Written::of(&silent, Step::Subjects, nodes, shards, &setting).queries;
        let more = polls(66.0, 1.0) - polls(65.0, 1.0);
        assert!((more - 4.7).abs() < 1e-6, "{more} more for another node");
        assert!(polls(66.0, 2.0) > 1.8 * polls(66.0, 1.0));
        assert!(polls(66.0, 1.0) < 0.02 * setting.guesses.postgres_queries);
    }

    #[test]
    fn messages_get_into_the_index_many_at_once_and_each_costs_rows() {
        let mut setting = setting();
        setting.profile.looking = 1e-9;
        (setting.profile.changes, setting.profile.revised) = (1e-9, 0.0);
        let written = |people| {
            let demand = Demand::of(people, Step::Savings, &setting);
            (demand.messages, Written::of(&demand, Step::Savings, 10.0, 1.0, &setting))
        };
        let (messages, quiet) = written(1e5);
        let indexing = |written: &Written| written.commits - written.posts;
        assert!((indexing(&quiet) - 5.0).abs() < 0.1, "each node has a round every other second");
        let (many, busy) = written(1e7);
        assert!((indexing(&busy) - many / 500.0).abs() < 0.1);
        assert!((quiet.rows - quiet.posts - 4.0 * messages).abs() < 0.1);
    }
}
