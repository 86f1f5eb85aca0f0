//! Walks rpm's SQLite database (`rpmdb.sqlite`, used by Fedora and RHEL 9 and later).
//!
//! Format: rpm `lib/backend/sqlite.c`, table `Packages(hnum, blob)`. SQLite reads a private copy in memory, with the
//! means its own page "Defense against the dark arts" names for files of strangers: nothing in the schema is run,
//! cells are checked, lengths are limited, and the work is counted.

use std::io::Read;

use rusqlite::{Connection, config::DbConfig, limits::Limit};

use super::{super::malformed::Malformed, Headers};
use crate::model::path::escape;

/// First bytes of the file.
pub const MAGIC: &[u8] = b"SQLite format 3\0";

/// Where the file says that it has a write-ahead log (2) or none (1): read and write version.
const LOG_AT: [usize; 2] = [18, 19];

/// Instructions of SQLite's machine between two looks at the count.
const STEP: i32 = 1000;

/// Hands every package's header to `headers`.
///
/// # Errors
/// When SQLite refuses the file or needs more work than an honest one of its size; what it gave before counts.
pub fn read(body: &[u8], headers: &mut Headers) -> Result<(), Malformed> {
    let refused = |cause: rusqlite::Error| {
        Malformed(format!("SQLite can not read the rpm database: {}", escape(cause.to_string().as_bytes())))
    };
    let db = open(body).map_err(refused)?;
    // A view or a virtual table of that name would run what its maker wrote.
    let tables = "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'Packages' AND rootpage > 0";
    if db.query_row(tables, [], |row| row.get::<_, i64>(0)).map_err(refused)? != 1 {
        return Err(Malformed("the SQLite database has no table Packages".to_string()));
    }
    let mut query = db.prepare("SELECT blob FROM Packages").map_err(refused)?;
    let mut rows = query.query([]).map_err(refused)?;
    while let Some(row) = rows.next().map_err(refused)? {
        match row.get_ref(0).map_err(refused)?.as_blob() {
            Ok(blob) => headers.take(blob)?,
            Err(_) => headers.found.fault("a row of the rpm database has no header"),
        }
    }
    Ok(())
}

fn open(body: &[u8]) -> rusqlite::Result<Connection> {
    let mut db = Connection::open_in_memory()?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    db.pragma_update(None, "cell_size_check", true)?;
    // No value is longer than the file; our own statements need a little, too.
    db.set_limit(Limit::SQLITE_LIMIT_LENGTH, i32::try_from(body.len()).unwrap_or(i32::MAX).max(4096))?;
    db.set_limit(Limit::SQLITE_LIMIT_SQL_LENGTH, 64 * 1024)?;
    // A row costs about five instructions and, with a real header, more than a kilobyte.
    let mut steps = 100 + body.len() / 64 / 1000;
    let over = move || {
        steps = steps.saturating_sub(1);
        steps == 0
    };
    db.progress_handler(STEP, Some(over))?;
    db.deserialize_read_exact("main", without_log(body).as_slice().chain(after_log(body)), body.len(), true)?;
    Ok(db)
}

/// The start of the file, saying that there is no write-ahead log: SQLite would look for it beside a file that this
/// copy does not have, and refuse.
fn without_log(body: &[u8]) -> Vec<u8> {
    let mut start = body.get(..LOG_END).unwrap_or(body).to_vec();
    for at in LOG_AT {
        if let Some(version) = start.get_mut(at) {
            *version = (*version).min(1);
        }
    }
    start
}

const LOG_END: usize = LOG_AT[1] + 1;

fn after_log(body: &[u8]) -> &[u8] {
    body.get(LOG_END..).unwrap_or_default()
}
