//! Puts load on a Natter server, breaks it on purpose, and checks that it kept its promises.
//!
//! # The load tool
//!
//! ```sh
//! NATTER_RATE_LIMITS=off natter serve & # prints its address
//! cargo run --release -p natter-load -- fanout --server http://127.0.0.1:3000 --pid $! \
//!   --connections 1000 --users 50 --rate 100 --seconds 10 --json fanout.json
//! ```
//!
//! | mode | measures |
//! |---|---|
//! | `idle` | memory per silent connection |
//! | `fanout` | deliveries a second and their latency: few senders, many receivers |
//! | `commit` | durable messages a second: many senders, each waiting for its `ack`s |
//! | `reconnect` | everyone is cut off at once and comes back at once: time until all know everything |
//! | `history` | time per page of a long history |
//! | `capacity` | nothing: works out from all that how far the design carries, see `docs/scaling.md` |
//!
//! `--help` after a mode says the rest. `--server` and `--pid` may be given for several nodes. The
//! tool makes the accounts and channels it needs and uses them again the next time; its `--admin` has
//! to be the server's first account. Registering costs the server tens of milliseconds of a core each,
//! so have several connections for each user. Latencies count from the moment a message was due, so
//! a server that falls behind can't hide it; the tool remembers that moment by the message's number,
//! which its `ref` carries. It shares the machine with the server, so it reads frames with a glance at
//! where the server puts what matters ([`load::scan`]) and keeps no buffer for silent connections.
//!
//! # The checker
//!
//! [`check`] takes what every client saw, in its order, and what the histories say in the end, and
//! answers a list of broken promises: see [`check::Violation`]. Its own tests plant bugs in a toy
//! server and see that each is found and called by its name.
//!
//! # The fault tests
//!
//! `tests/faults/` starts real servers, lets [`client`]s talk that behave as the browser does, kills
//! and cuts off whatever there is, and has the checker judge. `scripts/test.sh faults` runs the short
//! form, `make torture` (or `scripts/torture.sh TIMES`) the long one. A new fault is a test that uses
//! `Crowd::talk_while`, and `Crowd::judge` at the end.

pub mod api;
pub mod capacity;
pub mod check;
pub mod client;
pub mod load;
