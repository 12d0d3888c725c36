#![cfg_attr(not(feature = "hydrate"), cfg_attr(not(test), expect(dead_code, reason = "only browsers reconnect")))]

const FIRST_MS: u32 = 400;
const MOST_MS: u32 = 15_000;

/// Waits between tries to connect: doubling, with full jitter above a floor, so that a restarted
/// server isn't met by everyone at once (Marc Brooker, "Exponential Backoff And Jitter").
#[derive(Clone, Copy, Debug, Default)]
pub struct Backoff {
    tries: u32,
}

impl Backoff {
    /// How long to wait before the next try. `random` is uniform in 0..1.
    pub fn next_ms(&mut self, random: f64) -> u32 {
        let most = FIRST_MS.saturating_mul(1 << self.tries.min(6)).min(MOST_MS);
        self.tries = self.tries.saturating_add(1);
        let jitter = f64::from(most - FIRST_MS / 2) * random.clamp(0.0, 1.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0..=MOST_MS")]
        let jitter = jitter as u32;
        FIRST_MS / 2 + jitter
    }

    /// After so many tries.
    pub const fn after(tries: u32) -> Self {
        Self { tries }
    }

    pub fn reset(&mut self) {
        self.tries = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_bound_and_start_over() {
        let mut backoff = Backoff::default();
        let waits: Vec<_> = (0..10).map(|_| backoff.next_ms(1.0)).collect();
        assert!(waits.is_sorted() && waits[0] == FIRST_MS && waits[9] == MOST_MS, "{waits:?}");
        assert_eq!([Backoff::after(0), Backoff::after(40)].map(|mut it| it.next_ms(1.0)), [FIRST_MS, MOST_MS]);
        for _ in 0..100 {
            assert!(backoff.next_ms(0.0) >= FIRST_MS / 2);
        }
        backoff.reset();
        assert_eq!(backoff.next_ms(1.0), FIRST_MS);
    }
}
