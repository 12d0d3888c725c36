//! Tasks that a server is nothing without: whoever stores messages, and whoever delivers them.

use futures::{StreamExt as _, stream::FuturesUnordered};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// Waits until all have ended, as they do after `shutdown`. Where one ends before, by a panic for
/// example, the server would take messages that reach nobody: then it is shut down and has `failed`,
/// so that whoever watches over the process starts another.
pub async fn watch(tasks: Vec<(&'static str, JoinHandle<()>)>, shutdown: CancellationToken, failed: CancellationToken) {
    let named = tasks.into_iter().map(|(name, task)| async move { (name, task.await) });
    let mut running: FuturesUnordered<_> = named.collect();
    while let Some((task, ended)) = running.next().await {
        if ended.is_ok() && shutdown.is_cancelled() {
            continue;
        }
        let reason = ended.map_or_else(|error| error.to_string(), |()| "it returned".to_owned());
        tracing::error!(task, reason, "a part that nothing works without has ended; so does the server");
        failed.cancel();
        shutdown.cancel();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;
    use tokio::time::timeout;

    /// Whether a server with such a task has failed when all is over, and whether it was shut down.
    async fn after(task: impl Future<Output = ()> + Send + 'static, shut_down: bool) -> (bool, bool) {
        let (shutdown, failed) = (CancellationToken::new(), CancellationToken::new());
        let lasting = tokio::spawn(shutdown.clone().cancelled_owned());
        if shut_down {
            shutdown.cancel();
        }
        let tasks = vec![("lasting", lasting), ("other", tokio::spawn(task))];
        let watching = watch(tasks, shutdown.clone(), failed.clone());
        timeout(Duration::from_secs(5), watching).await.expect("all have ended");
        (failed.is_cancelled(), shutdown.is_cancelled())
    }

    #[tokio::test]
    async fn what_ends_before_its_time_ends_the_server_as_failed() {
        assert_eq!(after(async { panic!("on purpose") }, false).await, (true, true));
        assert_eq!(after(async {}, false).await, (true, true));
        assert_eq!(after(async { panic!("on purpose") }, true).await, (true, true));
        assert_eq!(after(async {}, true).await, (false, true), "that is how it ends in order");
    }
}
