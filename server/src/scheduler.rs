//! Sends messages for later when their time comes. Every node does; the store sees to it that one of them
//! succeeds. A database of one's own isn't asked for anything while nothing is due: what is put on the
//! list here wakes the scheduler. One that other nodes put things on, too, is asked now and then.

use crate::{
    services::{Clock, scheduled::Schedule},
    store::Result as StoreResult,
};
use natter::Timestamp;
use std::{sync::Arc, time::Duration};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// How often the clock is looked at while something waits, since clocks are set and machines sleep; and
/// how often a database is asked that is shared.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// After the database couldn't be read or written.
const PAUSE: Duration = Duration::from_secs(1);

/// Runs until `shutdown`, and finishes what is being sent then. `shared`: other nodes use the database.
pub async fn run(schedule: Arc<Schedule>, clock: Clock, shared: bool, shutdown: CancellationToken) {
    while !shutdown.is_cancelled() {
        let next = send_due(&schedule, &clock, &shutdown).await;
        let wait = async {
            match next {
                Ok(next) => until(&schedule, &clock, next, shared).await,
                Err(error) => {
                    tracing::warn!(%error, "scheduled messages can't be sent; trying again");
                    sleep(PAUSE).await;
                }
            }
        };
        tokio::select! {
            () = wait => {}
            () = shutdown.cancelled() => {}
        }
    }
}

/// Sends all that is due; answers when the next will be.
async fn send_due(schedule: &Schedule, clock: &Clock, shutdown: &CancellationToken) -> StoreResult<Option<Timestamp>> {
    loop {
        let next = schedule.next().await?;
        if next.is_none_or(|at| at > clock.now()) || shutdown.is_cancelled() {
            return Ok(next);
        }
        schedule.send_due().await?;
    }
}

/// Waits until that time has come, or something was put on the list, or may have been at another node.
async fn until(schedule: &Schedule, clock: &Clock, time: Option<Timestamp>, shared: bool) {
    loop {
        let left = time.map_or(LOOK_EVERY, |at| {
            let left = at.millis().saturating_sub(clock.now().millis());
            Duration::from_millis(u64::try_from(left).unwrap_or(0))
        });
        if left.is_zero() {
            return;
        }
        tokio::select! {
            () = schedule.moved.notified() => return,
            () = sleep(left.min(LOOK_EVERY)), if shared || time.is_some() => {
                if shared {
                    return;
                }
            }
        }
    }
}
