//! Promises of [`Queue`].

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use futures::future::join_all;
use jiff::Timestamp;
use tokio::time::sleep;

use skyblast::store::{Delivery, ErrorKind, MAX_MESSAGE, Queue};

/// The shortest time that every service can count.
const SECOND: Duration = Duration::from_secs(1);
/// Long enough that no message comes back during a test.
const LONG: Duration = Duration::from_secs(300);
/// How long to wait for what must happen.
const PATIENCE: Duration = Duration::from_secs(15);

/// What is sent is delivered once, as the first delivery, and gone after deletion.
pub(crate) async fn a_message_is_delivered_and_deleted(queue: &dyn Queue) {
    queue.send(r#"{"job":"1","shard":7}"#, Duration::ZERO).await.unwrap();
    let delivery = receive_one(queue, LONG).await;
    assert_eq!((delivery.body.as_str(), delivery.dequeue_count), (r#"{"job":"1","shard":7}"#, 1));
    assert!(queue.receive(32, LONG).await.unwrap().is_empty(), "delivered twice");
    queue.delete(&delivery).await.unwrap();
    assert_eq!(queue.approximate_count().await.unwrap(), 0);
}

/// An empty queue answers at once.
pub(crate) async fn an_empty_queue_delivers_nothing(queue: &dyn Queue) {
    assert_eq!(queue.approximate_count().await.unwrap(), 0);
    assert_eq!(queue.receive(1, SECOND).await.unwrap(), []);
}

/// A message that is not deleted comes back, counted, under the same id and a new receipt.
pub(crate) async fn an_undeleted_message_comes_back(queue: &dyn Queue) {
    queue.send("again", Duration::ZERO).await.unwrap();
    let first = receive_one(queue, SECOND).await;
    let second = receive_one(queue, LONG).await;
    assert_eq!((&second.id, &second.body, second.dequeue_count), (&first.id, &first.body, 2));
    assert_ne!(second.receipt, first.receipt);
}

/// Who has lost a message to another delivery can neither delete nor renew it.
pub(crate) async fn a_stale_delivery_is_refused(queue: &dyn Queue) {
    queue.send("mine", Duration::ZERO).await.unwrap();
    let mut stale = receive_one(queue, SECOND).await;
    let current = receive_one(queue, LONG).await;
    assert_lost(queue.delete(&stale).await);
    assert_lost(queue.renew(&mut stale, LONG).await);
    queue.delete(&current).await.unwrap();
    assert_lost(queue.delete(&current).await);
    assert_lost(queue.renew(&mut current.clone(), LONG).await);
}

/// Renewing keeps the message hidden beyond its first time, and only the new receipt is valid.
pub(crate) async fn renewing_hides_longer_under_a_new_receipt(queue: &dyn Queue) {
    queue.send("slow", Duration::ZERO).await.unwrap();
    let mut delivery = receive_one(queue, 4 * SECOND).await;
    let before = delivery.clone();
    queue.renew(&mut delivery, LONG).await.unwrap();
    assert_eq!((&delivery.id, delivery.dequeue_count), (&before.id, 1));
    assert_lost(queue.delete(&before).await);
    sleep(5 * SECOND).await;
    assert_eq!(queue.receive(1, SECOND).await.unwrap(), [], "came back in spite of the renewal");
    queue.renew(&mut delivery, LONG).await.unwrap();
    queue.delete(&delivery).await.unwrap();
}

/// Renewing for no time gives the message back at once.
pub(crate) async fn renewing_for_zero_gives_back(queue: &dyn Queue) {
    queue.send("not now", Duration::ZERO).await.unwrap();
    let mut delivery = receive_one(queue, LONG).await;
    queue.renew(&mut delivery, Duration::ZERO).await.unwrap();
    let start = Instant::now();
    assert_eq!(receive_one(queue, LONG).await.dequeue_count, 2);
    assert!(start.elapsed() < 5 * SECOND, "came back after {:?}", start.elapsed());
}

/// A delayed message stays away until its time and then comes.
pub(crate) async fn a_delayed_message_comes_later(queue: &dyn Queue) {
    let start = Instant::now();
    queue.send("later", 3 * SECOND).await.unwrap();
    assert_eq!(queue.receive(1, LONG).await.unwrap(), [], "came too early");
    assert_eq!(queue.approximate_count().await.unwrap(), 1);
    assert_eq!(receive_one(queue, LONG).await.dequeue_count, 1);
    // Services count in whole seconds, so a second may be missing.
    assert!(start.elapsed() > 2 * SECOND, "came after {:?}", start.elapsed());
}

/// One call takes at most `max` messages, and no more than 32.
pub(crate) async fn one_call_takes_at_most_32(queue: &dyn Queue) {
    send_numbers(queue, 40).await;
    assert!(queue.receive(3, LONG).await.unwrap().len() <= 3);
    assert_eq!(queue.receive(32, LONG).await.unwrap().len(), 32);
    assert!(queue.receive(1_000, LONG).await.unwrap().len() <= 32);
}

/// Bodies come back as sent: JSON with any text in it, markup, text that looks encoded.
pub(crate) async fn bodies_come_back_as_sent(queue: &dyn Queue) {
    let text = "α-Hämoglobin → 蛋白质 🧬 <a b=\"c\">&amp;</a> tab\tnew\r\nline \u{1}\u{0}";
    let json = serde_json::json!({ "text": text }).to_string();
    for body in [json.as_str(), "<a b=\"c\">&amp;</a>", "a\tb\nc", "ZG9uZQ==", "plain"] {
        queue.send(body, Duration::ZERO).await.unwrap();
        let delivery = receive_one(queue, LONG).await;
        assert_eq!(delivery.body, body);
        queue.delete(&delivery).await.unwrap();
    }
}

/// What cannot travel is refused, wherever it is sent.
pub(crate) async fn what_cannot_travel_is_refused(queue: &dyn Queue) {
    for body in ["\0", "carriage\rreturn"] {
        let error = queue.send(body, Duration::ZERO).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Permanent, "{error}");
    }
}

/// The longest message passes, one byte more is refused.
pub(crate) async fn the_longest_message_passes(queue: &dyn Queue) {
    let longest = "m".repeat(MAX_MESSAGE);
    queue.send(&longest, Duration::ZERO).await.unwrap();
    assert!(receive_one(queue, LONG).await.body == longest, "the body has changed");
    let error = queue.send(&format!("{longest}m"), Duration::ZERO).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Permanent);
    assert!(error.to_string().contains("49153"), "{error}");
}

/// The count includes hidden messages, not deleted ones.
pub(crate) async fn the_count_includes_hidden_messages(queue: &dyn Queue) {
    send_numbers(queue, 5).await;
    let hidden = queue.receive(2, LONG).await.unwrap();
    assert_eq!(hidden.len(), 2);
    assert_eq!(queue.approximate_count().await.unwrap(), 5);
    queue.delete(&hidden[0]).await.unwrap();
    assert_eq!(queue.approximate_count().await.unwrap(), 4);
}

/// Several receivers at once share the messages: each goes to one of them.
pub(crate) async fn concurrent_receivers_share_the_messages(queue: &dyn Queue) {
    send_numbers(queue, 100).await;
    let takers = (0..8).map(|_| async {
        let mut taken = Vec::new();
        loop {
            let deliveries = queue.receive(5, LONG).await.unwrap();
            if deliveries.is_empty() {
                return taken;
            }
            taken.extend(deliveries);
        }
    });
    let taken: Vec<Delivery> = join_all(takers).await.into_iter().flatten().collect();
    assert_eq!(taken.len(), 100);
    assert_eq!(taken.iter().map(|delivery| &delivery.body).collect::<BTreeSet<_>>().len(), 100);
    join_all(taken.iter().map(|delivery| queue.delete(delivery))).await.into_iter().for_each(Result::unwrap);
    assert_eq!(queue.approximate_count().await.unwrap(), 0);
}

/// Since when the first message waits that a receiver would get; hidden ones do not wait.
pub(crate) async fn waiting_since_tells_of_what_can_be_received(queue: &dyn Queue) {
    assert_eq!(queue.waiting_since().await.unwrap(), None);
    queue.send("later", LONG).await.unwrap();
    assert_eq!(queue.waiting_since().await.unwrap(), None, "nobody can receive it yet");
    queue.send("first", Duration::ZERO).await.unwrap();
    let first = queue.waiting_since().await.unwrap().expect("a message waits");
    // Services' clocks show whole seconds, and are not this machine's.
    assert!(Timestamp::now().duration_since(first).as_secs().abs() < 60, "{first}");
    sleep(SECOND).await;
    let between = Timestamp::now();
    sleep(SECOND).await;
    queue.send("second", Duration::ZERO).await.unwrap();
    let since = queue.waiting_since().await.unwrap();
    assert!(since.is_some_and(|since| since < between), "the first has waited longest: {since:?}");
    let mut taken = [receive_one(queue, LONG).await, receive_one(queue, LONG).await];
    assert_eq!(queue.waiting_since().await.unwrap(), None, "both are in somebody's hands");
    queue.renew(&mut taken[0], Duration::ZERO).await.unwrap();
    assert!(queue.waiting_since().await.unwrap() >= Some(first), "one was given back");
}

/// Waits for the next message.
async fn receive_one(queue: &dyn Queue, visibility: Duration) -> Delivery {
    let start = Instant::now();
    loop {
        if let Some(delivery) = queue.receive(1, visibility).await.unwrap().pop() {
            return delivery;
        }
        assert!(start.elapsed() < PATIENCE, "no message after {PATIENCE:?}");
        sleep(Duration::from_millis(100)).await;
    }
}

async fn send_numbers(queue: &dyn Queue, count: usize) {
    let sends = (0..count).map(|i| async move { queue.send(&i.to_string(), Duration::ZERO).await.unwrap() });
    join_all(sends).await;
}

fn assert_lost(result: skyblast::store::Result<()>) {
    let kind = result.expect_err("a stale delivery was accepted").kind();
    assert!(matches!(kind, ErrorKind::Conflict | ErrorKind::NotFound), "{kind:?}");
}
