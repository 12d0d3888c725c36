//! The looks a button can have; `disabled` and focus are in all of them.

/// The one thing to do here.
pub const PRIMARY: &str = "inline-flex shrink-0 items-center justify-center gap-2 whitespace-nowrap h-9 pointer-coarse:h-11 px-4 rounded-lg \
    bg-accent text-accent-ink font-semibold text-sm transition-opacity hover:opacity-90 disabled:opacity-50";

/// Anything else one may do.
pub const SECONDARY: &str = "inline-flex shrink-0 items-center justify-center gap-2 whitespace-nowrap h-9 pointer-coarse:h-11 px-4 rounded-lg \
    border border-line bg-raised text-ink font-medium text-sm transition-colors hover:bg-hover disabled:opacity-50";

/// What can't be undone.
pub const DANGER: &str = "inline-flex shrink-0 items-center justify-center gap-2 whitespace-nowrap h-9 pointer-coarse:h-11 px-4 rounded-lg \
    bg-alert text-alert-ink font-semibold text-sm transition-opacity hover:opacity-90 disabled:opacity-50";

/// A square with an icon.
pub const GHOST: &str = "inline-grid shrink-0 place-items-center size-8 pointer-coarse:size-11 rounded-lg text-soft \
    transition-colors hover:bg-hover hover:text-ink disabled:opacity-50";
