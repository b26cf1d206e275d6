//! [`Queue`] over a SQLite table.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, params};

use super::database::Database;
use super::errors::from_sqlite;
use super::{Error, ErrorKind, Result, blocking};
use crate::store::{Delivery, Queue, check_body};

/// One queue in a local folder. Times are those of the system's clock, to the millisecond.
#[derive(Clone, Debug)]
pub struct LocalQueue {
    name: Arc<str>,
    database: Arc<Database>,
}

impl LocalQueue {
    pub(super) fn new(database: Arc<Database>, name: &str) -> Self {
        Self { name: name.into(), database }
    }

    /// Runs `work` on the database away from the async threads.
    async fn in_database<T, F>(&self, action: &'static str, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection, &str) -> rusqlite::Result<T> + Send + 'static,
    {
        let (name, database) = (Arc::clone(&self.name), Arc::clone(&self.database));
        blocking(move || {
            database
                .with(|connection| work(connection, &name))
                .map_err(|e| from_sqlite(&e, action, format!("queue {name}")))
        })
        .await
    }

    /// Says that `delivery` is no longer its holder's.
    fn lost(&self, action: &'static str, delivery: &Delivery) -> Error {
        let object = format!("message {} of queue {}", delivery.id, self.name);
        Error::new(ErrorKind::Conflict, action, object, "it has been deleted or delivered again")
    }
}

#[async_trait]
impl Queue for LocalQueue {
    fn name(&self) -> &str {
        &self.name
    }

    /// A folder's queues are there when they are needed.
    async fn exists(&self) -> Result<bool> {
        Ok(true)
    }

    async fn create(&self) -> Result<()> {
        Ok(())
    }

    async fn send(&self, body: &str, delay: Duration) -> Result<()> {
        check_body(&self.name, body)?;
        let body = body.to_owned();
        self.in_database("send to", move |connection, queue| {
            connection
                .prepare_cached("INSERT INTO message (queue, body, visible_at) VALUES (?1, ?2, ?3)")?
                .execute(params![queue, body, in_future(delay)])
                .map(|_| ())
        })
        .await
    }

    async fn receive(&self, max: u32, visibility: Duration) -> Result<Vec<Delivery>> {
        let max = max.clamp(1, 32);
        self.in_database("receive from", move |connection, queue| {
            // One statement is one transaction: no message goes to two receivers.
            let mut statement = connection.prepare_cached(
                "UPDATE message SET visible_at = ?3, dequeues = dequeues + 1, receipt = receipt + 1
                 WHERE id IN (SELECT id FROM message WHERE queue = ?1 AND visible_at <= ?2
                              ORDER BY visible_at, id LIMIT ?4)
                 RETURNING id, receipt, dequeues, body",
            )?;
            let rows = statement
                .query_map(params![queue, in_future(Duration::ZERO), in_future(visibility), max], |row| {
                    Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?, row.get(2)?, row.get(3)?))
                })?;
            let mut rows = rows.collect::<rusqlite::Result<Vec<_>>>()?;
            // RETURNING promises no order.
            rows.sort_unstable_by_key(|(id, ..)| *id);
            let delivery = |(id, receipt, dequeue_count, body): (i64, i64, u32, String)| Delivery {
                id: id.to_string(),
                receipt: receipt.to_string(),
                dequeue_count,
                body,
            };
            Ok(rows.into_iter().map(delivery).collect())
        })
        .await
    }

    async fn renew(&self, delivery: &mut Delivery, visibility: Duration) -> Result<()> {
        let Some((id, receipt)) = numbers(delivery) else { return Err(self.lost("renew", delivery)) };
        let renewed = self.in_database("renew a message of", move |connection, queue| {
            connection
                .prepare_cached(
                    "UPDATE message SET visible_at = ?4, receipt = receipt + 1
                     WHERE queue = ?1 AND id = ?2 AND receipt = ?3",
                )?
                .execute(params![queue, id, receipt, in_future(visibility)])
        });
        if renewed.await? == 0 {
            return Err(self.lost("renew", delivery));
        }
        delivery.receipt = (receipt + 1).to_string();
        Ok(())
    }

    async fn delete(&self, delivery: &Delivery) -> Result<()> {
        let Some((id, receipt)) = numbers(delivery) else { return Err(self.lost("delete", delivery)) };
        let deleted = self.in_database("delete from", move |connection, queue| {
            connection
                .prepare_cached("DELETE FROM message WHERE queue = ?1 AND id = ?2 AND receipt = ?3")?
                .execute(params![queue, id, receipt])
        });
        if deleted.await? == 0 { Err(self.lost("delete", delivery)) } else { Ok(()) }
    }

    async fn approximate_count(&self) -> Result<u64> {
        self.in_database("count", |connection, queue| {
            connection
                .prepare_cached("SELECT count(*) FROM message WHERE queue = ?1")?
                .query_row([queue], |row| row.get::<_, i64>(0))
                .map(i64::unsigned_abs)
        })
        .await
    }
}

/// Row and receipt of a delivery, if it is one of ours.
fn numbers(delivery: &Delivery) -> Option<(i64, i64)> {
    Some((delivery.id.parse().ok()?, delivery.receipt.parse().ok()?))
}

/// Milliseconds since 1970, `delay` from now.
fn in_future(delay: Duration) -> i64 {
    let delay = i64::try_from(delay.as_millis()).unwrap_or(i64::MAX);
    Timestamp::now().as_millisecond().saturating_add(delay)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_full_database_is_no_space_and_works_again_when_there_is_room() {
        let folder = tempfile::tempdir().unwrap();
        let database = Arc::new(Database::open(&folder.path().join("queues.sqlite")).unwrap());
        let queue = LocalQueue::new(Arc::clone(&database), "plans");
        database.with(|c| c.pragma_update(None, "max_page_count", 8)).unwrap();
        let long = "x".repeat(40 * 1024);
        let error = queue.send(&long, Duration::ZERO).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NoSpace, "{error}");
        database.with(|c| c.pragma_update(None, "max_page_count", 1000)).unwrap();
        queue.send(&long, Duration::ZERO).await.unwrap();
        assert_eq!(queue.approximate_count().await.unwrap(), 1);
    }

    #[tokio::test]
    async fn a_delivery_of_another_store_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let database = Arc::new(Database::open(&folder.path().join("queues.sqlite")).unwrap());
        let queue = LocalQueue::new(database, "plans");
        let foreign = Delivery {
            id: "7d0b3c6e".into(),
            receipt: "AgAAAA==".into(),
            dequeue_count: 1,
            body: String::new(),
        };
        assert_eq!(queue.delete(&foreign).await.unwrap_err().kind(), ErrorKind::Conflict);
    }
}
