//! Where a report goes: standard output, or a file that is there whole or not at all.
//!
//! Knows nothing of formats.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    process,
};

/// Refuses a file that could not be written later, before time is spent on a scan.
///
/// # Errors
/// Why it could not be.
pub(super) fn check(file: &Path) -> io::Result<()> {
    match fs::metadata(file) {
        Ok(meta) if meta.is_dir() => Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a directory")),
        Ok(meta) if meta.permissions().readonly() => {
            Err(io::Error::new(io::ErrorKind::PermissionDenied, "it is write-protected"))
        }
        // A device or a pipe is written to directly.
        Ok(meta) if !meta.is_file() => Ok(()),
        Ok(_) => try_beside(&fs::canonicalize(file)?),
        Err(e) if e.kind() == io::ErrorKind::NotFound => match fs::metadata(directory(file)) {
            Ok(meta) if meta.is_dir() => try_beside(file),
            Ok(_) => Err(io::Error::new(io::ErrorKind::NotADirectory, "what it should lie in is no directory")),
            Err(e) => Err(e),
        },
        Err(e) => Err(e),
    }
}

/// Makes the temporary file that will be needed, and takes it away again: only that tells of a file system that is
/// read-only, has no room for one more file, or belongs to somebody else.
fn try_beside(target: &Path) -> io::Result<()> {
    Temporary::beside(target).map(|_| ())
}

/// Writes a file: `fill` writes into a temporary file beside it, which takes its place when all is written.
///
/// A file that is there keeps its permissions, a link is followed, and what is no regular file (a pipe, a device) is
/// written to directly. When something fails the old file stays as it was, and nothing is left behind.
///
/// # Errors
/// Those of the file system and of `fill`.
pub(super) fn write(file: &Path, fill: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let target = fs::canonicalize(file).unwrap_or_else(|_| file.to_path_buf());
    let old = fs::metadata(&target).ok();
    if old.as_ref().is_some_and(|meta| !meta.is_file()) {
        let mut direct = BufWriter::new(OpenOptions::new().write(true).open(&target)?);
        fill(&mut direct)?;
        return direct.flush();
    }
    let (file, temporary) = Temporary::beside(&target)?;
    if let Some(old) = old {
        file.set_permissions(old.permissions())?;
    }
    let mut buffered = BufWriter::new(file);
    fill(&mut buffered)?;
    // Without this a crash soon after could leave an empty file under the final name.
    buffered.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    temporary.become_file(&target)
}

fn directory(file: &Path) -> &Path {
    match file.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

/// A file that goes away unless it takes the place of another.
struct Temporary {
    path: Option<PathBuf>,
}

impl Temporary {
    fn beside(target: &Path) -> io::Result<(File, Self)> {
        const TRIES: u32 = 100;
        let mut name = std::ffi::OsString::from(".");
        name.push(target.file_name().unwrap_or_default());
        let mut attempt = 0;
        loop {
            let mut name = name.clone();
            name.push(format!(".{}-{attempt}.tmp", process::id()));
            let path = directory(target).join(name);
            // `create_new` follows no link and takes no file that somebody else put there.
            match OpenOptions::new().write(true).create_new(true).open(&path) {
                Ok(file) => return Ok((file, Self { path: Some(path) })),
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists && attempt < TRIES => attempt += 1,
                Err(e) => return Err(e),
            }
        }
    }

    fn become_file(mut self, target: &Path) -> io::Result<()> {
        if let Some(path) = &self.path {
            fs::rename(path, target)?;
        }
        self.path = None;
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Some(path) = &self.path {
            // Nothing can be done about a file that does not go away.
            let _ = fs::remove_file(path);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{PermissionsExt, symlink};

    use super::*;

    fn names(dir: &Path) -> Vec<String> {
        let entries = fs::read_dir(dir).expect("it is there").flatten();
        let mut names: Vec<_> = entries.map(|e| e.file_name().to_string_lossy().into_owned()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_failed_write_leaves_the_old_file_and_nothing_else() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("out.json");
        fs::write(&file, "old").expect("written");
        let failed = write(&file, |out| {
            out.write_all(b"half")?;
            Err(io::Error::other("broken"))
        });
        assert!(failed.is_err());
        assert_eq!(fs::read_to_string(&file).expect("read"), "old");
        assert_eq!(names(dir.path()), ["out.json"]);
    }

    #[test]
    fn a_new_file_is_whole_and_an_old_one_keeps_its_permissions() {
        let dir = tempfile::tempdir().expect("a directory");
        let file = dir.path().join("out.json");
        for text in ["first", "second"] {
            write(&file, |out| out.write_all(text.as_bytes())).expect("written");
            assert_eq!(fs::read_to_string(&file).expect("read"), text);
            fs::set_permissions(&file, fs::Permissions::from_mode(0o640)).expect("set");
        }
        write(&file, |out| out.write_all(b"third")).expect("written");
        assert_eq!(fs::metadata(&file).expect("there").permissions().mode() & 0o777, 0o640);
        assert_eq!(names(dir.path()), ["out.json"]);
    }

    #[test]
    fn a_link_stays_a_link() {
        let dir = tempfile::tempdir().expect("a directory");
        let (file, link) = (dir.path().join("real"), dir.path().join("link"));
        fs::write(&file, "old").expect("written");
        symlink("real", &link).expect("linked");
        write(&link, |out| out.write_all(b"new")).expect("written");
        assert!(fs::symlink_metadata(&link).expect("there").is_symlink());
        assert_eq!(fs::read_to_string(&file).expect("read"), "new");
    }

    #[test]
    fn a_device_is_written_to_and_not_replaced() {
        write(Path::new("/dev/null"), |out| out.write_all(b"gone")).expect("written");
        assert!(!fs::metadata("/dev/null").expect("there").is_file());
    }

    #[test]
    fn what_can_not_be_written_is_known_before() {
        let dir = tempfile::tempdir().expect("a directory");
        assert!(check(dir.path()).is_err(), "a directory");
        assert!(check(&dir.path().join("no/such/dir")).is_err());
        assert!(check(&dir.path().join("new")).is_ok());
        assert!(check(Path::new("new-in-the-working-directory")).is_ok());
        assert!(check(Path::new("/proc/no-file-can-be-made-here")).is_err());
        assert!(names(dir.path()).is_empty(), "a check leaves nothing behind");
    }
}
