//! [`Queue`] over a queue of Azure Queue Storage.
//!
//! Bodies travel as they are; what an earlier version has sent as base64 is decoded.

use std::fmt;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use azure_core::http::headers::HeaderName;
use azure_storage_queue::models::{
    QueueClientGetPropertiesResultHeaders, QueueClientPeekMessagesOptions, QueueClientReceiveMessagesOptions,
    QueueClientSendMessageOptions, QueueMessage, ReceivedMessage,
};
use azure_storage_queue::{QueueClient, QueueClientOptions};
use jiff::Timestamp;

use super::errors::Fault;
use super::properties::timestamp;
use super::session::Session;
use super::{Error, ErrorKind, Result};
use crate::store::{Delivery, Queue, check_body, sent_text};

/// Longest time that a message can be hidden, by the service's rules.
const LONGEST_HIDING: i32 = 7 * 24 * 60 * 60;
/// Messages that can be looked at at once, by the service's rules; it keeps them roughly in order.
const MOST_PEEKED: i32 = 32;
/// Messages wait until they are handled.
const NEVER_EXPIRES: i32 = -1;

/// One queue of an Azure Storage account. Times are rounded up to whole seconds.
#[derive(Clone)]
pub struct AzureQueue {
    name: Arc<str>,
    session: Arc<Session>,
    client: Arc<QueueClient>,
}

impl AzureQueue {
    pub(super) fn new(session: Arc<Session>, name: &str) -> Result<Self> {
        let (url, credential, client_options) = session.queue(name);
        let options = QueueClientOptions { client_options, ..QueueClientOptions::default() };
        let client = QueueClient::new(url, credential, Some(options))
            .map_err(|e| Fault::from(e).while_doing("use", format!("queue {name}")))?;
        Ok(Self { name: name.into(), session, client: Arc::new(client) })
    }

    /// Sends a request; if the queue is missing, creates it and sends the request again.
    async fn call<T, F>(&self, action: &'static str, request: impl Fn() -> F) -> Result<T>
    where
        F: Future<Output = azure_core::Result<T>>,
    {
        let mut answer = self.session.call(request()).await;
        if answer.as_ref().is_err_and(|fault| fault.is(&["QueueNotFound"])) {
            let created = self.session.call(self.client.create(None)).await;
            answer = match created {
                Ok(_) => self.session.call(request()).await,
                Err(fault) => Err(fault),
            };
        }
        answer.map_err(|fault| fault.while_doing(action, format!("queue {}", self.name)))
    }

    /// Sends a request about one delivery.
    async fn call_about<T>(
        &self,
        action: &'static str,
        delivery: &Delivery,
        request: impl Future<Output = azure_core::Result<T>>,
    ) -> Result<T> {
        // Anything else would be a path of its own in the request's URL.
        if delivery.id.is_empty() || !delivery.id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') {
            let object = format!("message {:?} of queue {}", delivery.id, self.name);
            return Err(Error::new(ErrorKind::NotFound, action, object, "the service gives no such id"));
        }
        let answer = self.session.call(request).await;
        answer.map_err(|f| f.while_doing(action, format!("message {} of queue {}", delivery.id, self.name)))
    }
}

#[async_trait]
impl Queue for AzureQueue {
    fn name(&self) -> &str {
        &self.name
    }

    async fn exists(&self) -> Result<bool> {
        let exists = self.session.call(self.client.exists()).await;
        exists.map_err(|fault| fault.while_doing("look for", format!("queue {}", self.name)))
    }

    async fn create(&self) -> Result<()> {
        let created = self.session.call(self.client.create(None)).await;
        created.map(|_| ()).map_err(|fault| fault.while_doing("create", format!("queue {}", self.name)))
    }

    async fn send(&self, body: &str, delay: Duration) -> Result<()> {
        check_body(&self.name, body)?;
        let sent = self.call("send to", || async {
            let message = QueueMessage { message_text: Some(body.to_owned()) };
            let options = QueueClientSendMessageOptions {
                visibility_timeout: Some(whole_seconds(delay)),
                message_time_to_live: Some(NEVER_EXPIRES),
                ..QueueClientSendMessageOptions::default()
            };
            self.client.send_message(message.try_into()?, Some(options)).await
        });
        sent.await.map(|_| ())
    }

    async fn receive(&self, max: u32, visibility: Duration) -> Result<Vec<Delivery>> {
        let received = self.call("receive from", || async {
            let options = QueueClientReceiveMessagesOptions {
                number_of_messages: i32::try_from(max.clamp(1, 32)).ok(),
                visibility_timeout: Some(whole_seconds(visibility).max(1)),
                ..QueueClientReceiveMessagesOptions::default()
            };
            self.client.receive_messages(Some(options)).await?.into_model()
        });
        let messages = received.await?.items.unwrap_or_default();
        messages.into_iter().map(|message| self.delivery(message)).collect()
    }

    async fn renew(&self, delivery: &mut Delivery, visibility: Duration) -> Result<()> {
        let update =
            self.client.update_message(&delivery.id, &delivery.receipt, whole_seconds(visibility), None);
        let answer = self.call_about("renew", delivery, update).await?;
        let receipt = answer.headers().get_optional_string(&HeaderName::from_static("x-ms-popreceipt"));
        delivery.receipt = receipt.ok_or_else(|| self.incomplete("renew", "no new receipt"))?;
        Ok(())
    }

    async fn delete(&self, delivery: &Delivery) -> Result<()> {
        let delete = self.client.delete_message(&delivery.id, &delivery.receipt, None);
        self.call_about("delete", delivery, delete).await.map(|_| ())
    }

    /// A message that came back counts from when it was sent.
    async fn waiting_since(&self) -> Result<Option<Timestamp>> {
        let peeked = self.call("look into", || async {
            let options = QueueClientPeekMessagesOptions {
                number_of_messages: Some(MOST_PEEKED),
                ..QueueClientPeekMessagesOptions::default()
            };
            self.client.peek_messages(Some(options)).await?.into_model()
        });
        let messages = peeked.await?.items.unwrap_or_default();
        Ok(messages.into_iter().filter_map(|message| message.insertion_time.and_then(timestamp)).min())
    }

    async fn approximate_count(&self) -> Result<u64> {
        let answer = self.call("count", || self.client.get_properties(None)).await?;
        let count = answer.approximate_messages_count().ok().flatten();
        count
            .and_then(|count| u64::try_from(count).ok())
            .ok_or_else(|| self.incomplete("count", "no number of messages"))
    }
}

impl AzureQueue {
    fn delivery(&self, message: ReceivedMessage) -> Result<Delivery> {
        let (Some(id), Some(receipt)) = (message.message_id, message.pop_receipt) else {
            return Err(self.incomplete("receive from", "a message without id or receipt"));
        };
        let body = sent_text(message.message_text.unwrap_or_default());
        let dequeue_count = message.dequeue_count.and_then(|n| u32::try_from(n).ok()).unwrap_or(1);
        Ok(Delivery { id, receipt, dequeue_count, body })
    }

    fn incomplete(&self, action: &'static str, reason: &str) -> Error {
        let reason = format!("the service's answer has {reason}");
        Fault::unexpected(reason).while_doing(action, format!("queue {}", self.name))
    }
}

impl fmt::Debug for AzureQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AzureQueue").field("name", &self.name).field("session", &self.session).finish()
    }
}

fn whole_seconds(time: Duration) -> i32 {
    let seconds = time.as_secs().saturating_add(u64::from(time.subsec_nanos() > 0));
    i32::try_from(seconds).unwrap_or(LONGEST_HIDING).min(LONGEST_HIDING)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rounded_up_and_limited() {
        assert_eq!(whole_seconds(Duration::ZERO), 0);
        assert_eq!(whole_seconds(Duration::from_millis(1)), 1);
        assert_eq!(whole_seconds(Duration::from_secs(600)), 600);
        assert_eq!(whole_seconds(Duration::MAX), 604_800);
    }
}
