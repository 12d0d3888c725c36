//! Small parts that take props only.

mod avatar;
mod button;
mod dialog;
mod field;
mod icon;

pub use avatar::Avatar;
pub use button::{GHOST, PRIMARY, SECONDARY};
pub use dialog::{Dialog, open_dialog};
pub use field::{Field, FormError};
pub use icon::Icon;
