//! [`Queue`] over a SQLite table.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use rusqlite::types::Value;
use rusqlite::{OptionalExtension, Row, Transaction, params};

use super::database::{Database, job_of_message};
use super::errors::from_sqlite;
use super::threads::QUEUES;
use super::{Error, ErrorKind, Result};
use crate::store::{Delivery, Queue, check_body};

/// Forgets the turns of jobs without messages.
const FORGET_JOBS: &str = concat!(
    "DELETE FROM turn WHERE queue = ?1 AND NOT EXISTS
         (SELECT 1 FROM message WHERE queue = ?1 AND ",
    job_of_message!(),
    " = turn.job)"
);

/// Puts jobs that are new behind those that wait for their turn.
const NOTE_JOBS: &str = concat!(
    "WITH RECURSIVE job (name) AS (
         SELECT min(",
    job_of_message!(),
    ") FROM message WHERE queue = ?1
         UNION ALL
         SELECT (SELECT min(",
    job_of_message!(),
    ") FROM message WHERE queue = ?1 AND ",
    job_of_message!(),
    " > job.name) FROM job WHERE job.name IS NOT NULL
     )
     INSERT OR IGNORE INTO turn (queue, job, served)
     SELECT ?1, name, (SELECT ifnull(max(served), 0) FROM turn WHERE queue = ?1)
     FROM job WHERE name IS NOT NULL"
);

/// The next message of the job whose last turn is longest ago.
const NEXT: &str = concat!(
    "SELECT first, job FROM (
         SELECT turn.job AS job, served, (
             SELECT id FROM message
             WHERE queue = ?1 AND ",
    job_of_message!(),
    " = turn.job AND visible_at <= ?2
             ORDER BY visible_at, id LIMIT 1
         ) AS first FROM turn WHERE queue = ?1
     ) WHERE first IS NOT NULL ORDER BY served, first LIMIT 1"
);

/// Notes that a job has had its turn.
const SERVE: &str = "UPDATE turn SET served = (SELECT max(served) + 1 FROM turn WHERE queue = ?1)
                     WHERE queue = ?1 AND job = ?2";

/// Hides a message that is delivered.
const HIDE: &str = "UPDATE message SET visible_at = ?2, dequeues = dequeues + 1, receipt = receipt + 1
                    WHERE id = ?1 RETURNING receipt, dequeues, body";

/// One queue in a local folder. Its time is counted in milliseconds and never steps back.
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
        F: FnOnce(&Database, &str) -> rusqlite::Result<T> + Send + 'static,
    {
        let (name, database) = (Arc::clone(&self.name), Arc::clone(&self.database));
        let work =
            move || work(&database, &name).map_err(|e| from_sqlite(&e, action, format!("queue {name}")));
        QUEUES.run(work).await
    }

    /// Changes the messages; `work` is told what time it is.
    async fn change<T, F>(&self, action: &'static str, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&Transaction<'_>, &str, i64) -> rusqlite::Result<T> + Send + 'static,
    {
        let change = |database: &Database, queue: &str| {
            database.change(|transaction, now| work(transaction, queue, now))
        };
        self.in_database(action, change).await
    }

    /// For how many milliseconds a message has been visible, of those that are the one that has been longest.
    async fn longest_wait(&self) -> Result<Option<i64>> {
        self.in_database("look into", |database, queue| {
            database.with(|connection| {
                let first = connection
                    .prepare_cached("SELECT min(visible_at) FROM message WHERE queue = ?1")?
                    .query_row([queue], |row| row.get::<_, Option<i64>>(0))?;
                let Some(first) = first else { return Ok(None) };
                Ok(database
                    .now(connection)
                    .ok()
                    .map(|now| now.saturating_sub(first))
                    .filter(|&wait| wait >= 0))
            })
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
        self.change("send to", move |transaction, queue, now| {
            transaction
                .prepare_cached("INSERT INTO message (queue, body, visible_at) VALUES (?1, ?2, ?3)")?
                .execute(params![queue, body, after(now, delay)])
                .map(|_| ())
        })
        .await
    }

    /// Jobs have their turn one after the other: one with many messages does not keep those of others
    /// waiting.
    async fn receive(&self, max: u32, visibility: Duration) -> Result<Vec<Delivery>> {
        let max = max.clamp(1, 32);
        // Whoever only looks writes nothing.
        if self.longest_wait().await?.is_none() {
            return Ok(Vec::new());
        }
        self.change("receive from", move |transaction, queue, now| {
            // In one transaction: no message goes to two receivers.
            transaction.prepare_cached(FORGET_JOBS)?.execute([queue])?;
            transaction.prepare_cached(NOTE_JOBS)?.execute([queue])?;
            let mut deliveries = Vec::new();
            while deliveries.len() < max as usize {
                let found = |row: &Row<'_>| Ok((row.get::<_, i64>(0)?, row.get::<_, Value>(1)?));
                let next = transaction.prepare_cached(NEXT)?.query_row(params![queue, now], found);
                let Some((id, job)) = next.optional()? else { break };
                transaction.prepare_cached(SERVE)?.execute(params![queue, job])?;
                let delivery = |row: &Row<'_>| {
                    Ok(Delivery {
                        id: id.to_string(),
                        receipt: row.get::<_, i64>(0)?.to_string(),
                        dequeue_count: row.get(1)?,
                        body: row.get(2)?,
                    })
                };
                let hide = params![id, after(now, visibility)];
                deliveries.push(transaction.prepare_cached(HIDE)?.query_row(hide, delivery)?);
            }
            Ok(deliveries)
        })
        .await
    }

    async fn renew(&self, delivery: &mut Delivery, visibility: Duration) -> Result<()> {
        let Some((id, receipt)) = numbers(delivery) else { return Err(self.lost("renew", delivery)) };
        let renewed = self.change("renew a message of", move |transaction, queue, now| {
            transaction
                .prepare_cached(
                    "UPDATE message SET visible_at = ?4, receipt = receipt + 1
                     WHERE queue = ?1 AND id = ?2 AND receipt = ?3",
                )?
                .execute(params![queue, id, receipt, after(now, visibility)])
        });
        if renewed.await? == 0 {
            return Err(self.lost("renew", delivery));
        }
        delivery.receipt = (receipt + 1).to_string();
        Ok(())
    }

    async fn delete(&self, delivery: &Delivery) -> Result<()> {
        let Some((id, receipt)) = numbers(delivery) else { return Err(self.lost("delete", delivery)) };
        let deleted = self.change("delete from", move |transaction, queue, _| {
            transaction
                .prepare_cached("DELETE FROM message WHERE queue = ?1 AND id = ?2 AND receipt = ?3")?
                .execute(params![queue, id, receipt])
        });
        if deleted.await? == 0 { Err(self.lost("delete", delivery)) } else { Ok(()) }
    }

    async fn waiting_since(&self) -> Result<Option<Timestamp>> {
        let wait = self.longest_wait().await?;
        // Blobs have the system's time.
        Ok(wait.map(|wait| Timestamp::now() - SignedDuration::from_millis(wait)))
    }

    async fn approximate_count(&self) -> Result<u64> {
        self.in_database("count", |database, queue| {
            database.with(|connection| {
                connection
                    .prepare_cached("SELECT count(*) FROM message WHERE queue = ?1")?
                    .query_row([queue], |row| row.get::<_, i64>(0))
                    .map(i64::unsigned_abs)
            })
        })
        .await
    }
}

/// Row and receipt of a delivery, if it is one of ours.
fn numbers(delivery: &Delivery) -> Option<(i64, i64)> {
    Some((delivery.id.parse().ok()?, delivery.receipt.parse().ok()?))
}

/// `delay` after the time `now` in milliseconds.
fn after(now: i64, delay: Duration) -> i64 {
    now.saturating_add(i64::try_from(delay.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::super::clock::Clock;
    use super::super::clock::tests::Machine;
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

    const LEASE: Duration = Duration::from_secs(30);

    fn queue(folder: &tempfile::TempDir, clock: Clock) -> LocalQueue {
        let database = Database::open_by(clock, &folder.path().join("queues.sqlite")).unwrap();
        LocalQueue::new(Arc::new(database), "plans")
    }

    async fn received(queue: &LocalQueue) -> usize {
        queue.receive(32, LEASE).await.unwrap().len()
    }

    #[tokio::test]
    async fn a_system_clock_that_steps_back_hides_no_message() {
        let (folder, machine) = (tempfile::tempdir().unwrap(), Machine::new());
        let here = queue(&folder, machine.clock());
        here.send("at once", Duration::ZERO).await.unwrap();
        here.send("in a while", LEASE).await.unwrap();
        machine.set(-7_200);
        let mut delivery = here.receive(32, LEASE).await.unwrap().pop().unwrap();
        assert_eq!(delivery.body, "at once");
        // A process that starts now, and one that goes on, have the same time.
        let there = queue(&folder, machine.clock());
        machine.wait(29);
        assert_eq!((received(&here).await, received(&there).await), (0, 0));
        here.renew(&mut delivery, LEASE).await.unwrap();
        machine.wait(2);
        assert_eq!(there.receive(32, LEASE).await.unwrap()[0].body, "in a while");
        assert_eq!((received(&here).await, received(&there).await), (0, 0), "the lease was renewed");
        // A sent message is there for all, and a lease ends after its time.
        there.send("new", Duration::ZERO).await.unwrap();
        assert_eq!(received(&here).await, 1);
        machine.wait(31);
        assert_eq!(received(&here).await, 3);
    }

    #[tokio::test]
    async fn a_system_clock_that_was_set_back_before_a_restart_hides_no_message_for_long() {
        let (folder, machine) = (tempfile::tempdir().unwrap(), Machine::new());
        let before = queue(&folder, machine.clock());
        before.send("taken by one who dies", Duration::ZERO).await.unwrap();
        assert_eq!(received(&before).await, 1);
        drop(before);
        machine.set(-7_200);
        let after = queue(&folder, machine.clock());
        machine.wait(29);
        assert_eq!(received(&after).await, 0, "the lease goes on");
        machine.wait(2);
        assert_eq!(received(&after).await, 1);
    }

    #[tokio::test]
    async fn a_database_of_an_earlier_version_gets_a_clock() {
        let folder = tempfile::tempdir().unwrap();
        queue(&folder, Clock::of_machine()).send("old", Duration::ZERO).await.unwrap();
        let old = rusqlite::Connection::open(folder.path().join("queues.sqlite")).unwrap();
        old.execute_batch("DROP TABLE clock").unwrap();
        drop(old);
        assert_eq!(received(&queue(&folder, Clock::of_machine())).await, 1);
    }

    #[tokio::test]
    async fn jobs_have_their_turn_one_after_the_other() {
        let folder = tempfile::tempdir().unwrap();
        let database = Arc::new(Database::open(&folder.path().join("queues.sqlite")).unwrap());
        let queue = LocalQueue::new(database, "shards");
        let message = |job: &str, shard: u32| format!(r#"{{"job":"{job}","shard":{shard}}}"#);
        let send = async |job: &str, shards: std::ops::Range<u32>| {
            for shard in shards {
                queue.send(&message(job, shard), Duration::ZERO).await.unwrap();
            }
        };
        let next = async || {
            let delivery = queue.receive(1, Duration::from_secs(300)).await.unwrap().remove(0);
            queue.delete(&delivery).await.unwrap();
            delivery.body
        };
        send("large", 0..2_000).await;
        assert_eq!(next().await, message("large", 0));
        // Ids are by chance, so a later job may have a lower one.
        send("early", 0..2).await;
        queue.send("no job", Duration::ZERO).await.unwrap();
        let mut served = Vec::new();
        for _ in 0..6 {
            served.push(next().await);
        }
        let small = [message("early", 0), message("early", 1), "no job".to_owned()];
        assert!(small.iter().all(|small| served.contains(small)), "{served:?}");
        let large: Vec<_> = served.into_iter().filter(|body| !small.contains(body)).collect();
        assert_eq!(large, [1, 2, 3].map(|shard| message("large", shard)), "in order");
        send("late", 0..1).await;
        let both = [next().await, next().await];
        assert!(both.contains(&message("late", 0)) && both.contains(&message("large", 4)), "{both:?}");
        let rest = queue.receive(32, Duration::from_secs(300)).await.unwrap();
        assert_eq!(rest.len(), 32);
        assert_eq!(rest[31].body, message("large", 36));
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
