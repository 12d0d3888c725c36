use super::is_root;
use std::{fs, io::Write as _, path::Path, process::Command};
use tempfile::TempDir;

/// A file system of few megabytes, which goes with it.
pub struct SmallDisk(TempDir);

impl SmallDisk {
    /// None, and a word about it, where this isn't allowed to mount anything.
    pub fn mount(mebibytes: u32) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let size = format!("size={mebibytes}m,mode=0700");
        let mounted = Command::new("mount").args(["-t", "tmpfs", "-o", &size, "tmpfs"]).arg(dir.path()).output();
        let why = match mounted {
            Ok(output) if output.status.success() => return Some(Self(dir)),
            Ok(output) => String::from_utf8_lossy(&output.stderr).into_owned(),
            Err(error) => error.to_string(),
        };
        println!("NOT TESTED: no small disk can be mounted here (root: {}): {why}", is_root());
        None
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Takes all the room there is.
    pub fn fill(&self) {
        let mut filler = fs::File::create(self.path().join("filler")).unwrap();
        let block = vec![0; 4096];
        while filler.write_all(&block).is_ok() {}
    }

    pub fn free(&self) {
        fs::remove_file(self.path().join("filler")).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: the server may not be quite gone yet.
        let _ = Command::new("umount").arg("-l").arg(self.path()).status();
    }
}
