//! The SQLite database behind all local queues.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, Transaction, TransactionBehavior};

use super::clock::Clock;
use super::errors::from_sqlite;
use super::{Error, ErrorKind, Result};

/// Version of the tables, kept in `user_version`.
const VERSION: i64 = 1;
/// How long to wait for another process's transaction.
const BUSY: Duration = Duration::from_secs(20);

const TABLES: &str = "
    CREATE TABLE message (
        id          INTEGER PRIMARY KEY AUTOINCREMENT,
        queue       TEXT NOT NULL,
        body        TEXT NOT NULL,
        visible_at  INTEGER NOT NULL,            -- milliseconds since 1970
        dequeues    INTEGER NOT NULL DEFAULT 0,
        receipt     INTEGER NOT NULL DEFAULT 0   -- counts deliveries and renewals
    ) STRICT;
    CREATE INDEX message_due ON message (queue, visible_at, id);
    PRAGMA user_version = 1;
";
/// The latest time that anybody has seen. Programs that do not know of it may use the database too.
const CLOCK: &str = "
    CREATE TABLE IF NOT EXISTS clock (
        id      INTEGER PRIMARY KEY CHECK (id = 1),
        latest  INTEGER NOT NULL                 -- milliseconds since 1970
    ) STRICT;
    INSERT OR IGNORE INTO clock VALUES (1, 0);
";

/// Which job a message is about: texts that are no JSON, or name none, are about the same.
macro_rules! job_of_message {
    () => {
        "CASE WHEN json_valid(body) THEN ifnull(json_extract(body, '$.job'), '') ELSE '' END"
    };
}
pub(super) use job_of_message;

/// What came later, and is no obstacle to earlier versions.
const ADDITIONS: &str = concat!(
    "CREATE TABLE IF NOT EXISTS turn (
        queue       TEXT NOT NULL,
        job         ANY NOT NULL,
        served      INTEGER NOT NULL,            -- grows with each turn in the queue
        PRIMARY KEY (queue, job)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS message_of_job ON message (queue, ",
    job_of_message!(),
    ", visible_at, id);"
);

/// One connection, used by one thread at a time.
pub(super) struct Database {
    path: PathBuf,
    clock: Clock,
    connection: Mutex<Connection>,
}

impl Database {
    /// Opens the database, creating it if missing.
    pub(super) fn open(path: &Path) -> Result<Self> {
        Self::open_by(Clock::of_machine(), path)
    }

    /// The same with a clock that a test moves.
    pub(super) fn open_by(clock: Clock, path: &Path) -> Result<Self> {
        let object = || format!("the queue database {}", path.display());
        let connection = connect(path).map_err(|e| from_sqlite(&e, "open", object()))?;
        let version: i64 = connection
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .map_err(|e| from_sqlite(&e, "open", object()))?;
        if version != VERSION {
            let reason = format!("it has version {version}, this program reads version {VERSION}");
            return Err(Error::new(ErrorKind::Permanent, "open", object(), reason));
        }
        let opened = Self { path: path.to_owned(), clock, connection: Mutex::new(connection) };
        // The time goes on from where it was, whenever the queues are used first.
        opened.with(|connection| opened.now(connection)).map_err(|e| from_sqlite(&e, "open", object()))?;
        Ok(opened)
    }

    /// Runs `work` on the connection. Blocks.
    pub(super) fn with<T>(&self, work: impl FnOnce(&mut Connection) -> T) -> T {
        // A panic in between cannot leave a transaction open: dropping it rolls it back.
        work(&mut self.connection.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Runs `work`, which is told what time it is, in a transaction that also keeps the time. Blocks.
    pub(super) fn change<T>(
        &self,
        work: impl FnOnce(&Transaction<'_>, i64) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        self.with(|connection| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let now = self.now(&transaction)?;
            let done = work(&transaction, now)?;
            transaction.prepare_cached("UPDATE clock SET latest = ?1")?.execute([now])?;
            transaction.commit()?;
            Ok(done)
        })
    }

    /// What time it is for everybody who uses the database, in milliseconds since 1970.
    pub(super) fn now(&self, connection: &Connection) -> rusqlite::Result<i64> {
        let latest =
            connection.prepare_cached("SELECT latest FROM clock")?.query_row([], |row| row.get(0))?;
        Ok(self.clock.now(latest))
    }
}

fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let mut connection = Connection::open(path)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    // In WAL mode NORMAL survives the death of any process; only power loss can take the last
    // transactions, and it never corrupts.
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    // Of several processes that start at once, one creates the tables.
    let setup = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    if setup.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))? == 0 {
        setup.execute_batch(TABLES)?;
    }
    if !setup.table_exists(None, "clock")? {
        setup.execute_batch(CLOCK)?;
    }
    if setup.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0))? == VERSION {
        setup.execute_batch(ADDITIONS)?;
    }
    setup.commit()?;
    Ok(connection)
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Database").field("path", &self.path).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_database_of_a_newer_version_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("queues.sqlite");
        Connection::open(&path).unwrap().pragma_update(None, "user_version", 7).unwrap();
        let error = Database::open(&path).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Permanent);
        assert!(error.to_string().contains("version 7"), "{error}");
    }

    #[test]
    fn a_file_that_is_no_database_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("queues.sqlite");
        std::fs::write(&path, "this is not a database, whatever its name may be").unwrap();
        assert_eq!(Database::open(&path).unwrap_err().kind(), ErrorKind::Permanent);
    }
}
