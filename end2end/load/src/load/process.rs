//! What a process costs, as Linux tells it.

use super::LoadError;
use serde::Serialize;
use std::{fs, io, time::Duration};

/// What `getconf CLK_TCK` says on every Linux that Natter runs on.
const TICKS_A_SECOND: u64 = 100;

/// Kibibytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Memory {
    pub rss: u64,
    /// Its share of what it shares with others.
    pub pss: u64,
    /// What nobody else uses.
    pub private: u64,
}

pub fn memory(pids: &[u32]) -> Result<Memory, LoadError> {
    let mut all = Memory::default();
    for pid in pids {
        let memory = parse_memory(&read(*pid, "smaps_rollup")?);
        all.rss += memory.rss;
        all.pss += memory.pss;
        all.private += memory.private;
    }
    Ok(all)
}

/// The processor time that they have used in all.
pub fn cpu(pids: &[u32]) -> Result<Duration, LoadError> {
    let mut ticks = 0;
    for pid in pids {
        ticks += parse_ticks(&read(*pid, "stat")?).unwrap_or(0);
    }
    Ok(Duration::from_millis(ticks * 1_000 / TICKS_A_SECOND))
}

fn read(pid: u32, file: &str) -> Result<String, LoadError> {
    let path = format!("/proc/{pid}/{file}");
    fs::read_to_string(&path).map_err(|source| LoadError::Io { what: path, source })
}

fn parse_memory(rollup: &str) -> Memory {
    let sum = |names: &[&str]| {
        let lines = rollup.lines().filter_map(|line| line.split_once(':'));
        let values = lines.filter(|(name, _)| names.contains(name));
        values.filter_map(|(_, value)| value.split_whitespace().next()?.parse::<u64>().ok()).sum()
    };
    Memory { rss: sum(&["Rss"]), pss: sum(&["Pss"]), private: sum(&["Private_Clean", "Private_Dirty"]) }
}

/// User and system time: the 14th and 15th field. The second is a name that may hold anything.
fn parse_ticks(stat: &str) -> Option<u64> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}

/// How many files this process may have open.
pub fn open_files() -> io::Result<u64> {
    let limits = fs::read_to_string("/proc/self/limits")?;
    let line = limits.lines().find_map(|line| line.strip_prefix("Max open files"));
    let soft = line.and_then(|line| line.split_whitespace().next());
    Ok(soft.and_then(|soft| soft.parse().ok()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_found() {
        let stat = "42 (a (b) c) S 1 42 42 0 -1 4194560 9 0 0 0 150 25 0 0 20 0 4 0 100 1 2";
        assert_eq!(parse_ticks(stat), Some(175));
        let rollup = "00-ff ---p 0 00:00 0 [rollup]\nRss:  120 kB\nPss:  100 kB\nPss_Dirty: 7 kB\n\
                      Private_Clean: 20 kB\nPrivate_Dirty: 60 kB\n";
        assert_eq!(parse_memory(rollup), Memory { rss: 120, pss: 100, private: 80 });
        let own = [std::process::id()];
        assert!(memory(&own).unwrap().rss > 0 && cpu(&own).is_ok() && open_files().unwrap() > 0);
        assert!(memory(&[u32::MAX]).is_err());
    }
}
