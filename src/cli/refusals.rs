//! What hyper answers by itself, put into words.
//!
//! A request that it cannot read is refused by an answer without a body, before anybody is asked, and nothing can
//! be set to change that. So the answer is exchanged on its way out: none of ours has such a status and is empty.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::http::StatusCode;
use bytes::{Buf, Bytes};
use memchr::memmem;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::functions::unreadable_request;

/// Longest head of such an answer, bytes.
const LONGEST: usize = 256;

/// A connection on which refusals of hyper's own become problem documents.
#[derive(Debug)]
pub(super) struct InWords<S> {
    stream: S,
    /// What is still to be written of a refusal, which is the last that a connection says.
    refusal: Bytes,
}

impl<S> InWords<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, refusal: Bytes::new() }
    }
}

impl<S: AsyncWrite + Unpin> InWords<S> {
    fn write_refusal(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.refusal.has_remaining() {
            match ready!(Pin::new(&mut self.stream).poll_write(context, &self.refusal))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => self.refusal.advance(written),
            }
        }
        Poll::Ready(Ok(()))
    }
}

/// What is to be written instead of `bytes` if they end in a refusal of hyper's own.
fn in_words(bytes: &[u8]) -> Option<Bytes> {
    let tail = bytes.len().saturating_sub(LONGEST);
    let start = tail + memmem::rfind(&bytes[tail..], b"HTTP/1.")?;
    let head = std::str::from_utf8(&bytes[start..]).ok()?.strip_suffix("\r\n\r\n")?;
    let mut lines = head.split("\r\n");
    let status: StatusCode = lines.next()?.get(9..12)?.parse().ok()?;
    let is_empty = lines.clone().any(|line| line.eq_ignore_ascii_case("content-length: 0"));
    let document = unreadable_request(status).filter(|_| is_empty && !head.contains("\r\n\r\n"))?;
    let headers = lines.filter(|line| !line.to_ascii_lowercase().starts_with("content-length:"));
    let headers = headers.fold(String::new(), |headers, line| headers + line + "\r\n");
    let refusal = format!(
        "HTTP/1.1 {status}\r\n{headers}content-type: application/problem+json\r\ncontent-length: {}\r\n\r\n{document}",
        document.len()
    );
    Some([&bytes[..start], refusal.as_bytes()].concat().into())
}

impl<S: AsyncRead + Unpin> AsyncRead for InWords<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for InWords<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.write_refusal(context))?;
        if let Some(refusal) = in_words(bytes) {
            // Written when the connection is flushed or shut down, which comes next.
            self.refusal = refusal;
            return Poll::Ready(Ok(bytes.len()));
        }
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        // A refusal comes alone, or behind the end of another answer.
        match slices {
            [only] => self.poll_write(context, only),
            [before @ .., last] if in_words(last).is_some() => {
                ready!(self.write_refusal(context))?;
                Pin::new(&mut self.stream).poll_write_vectored(context, before)
            }
            _ => {
                ready!(self.write_refusal(context))?;
                Pin::new(&mut self.stream).poll_write_vectored(context, slices)
            }
        }
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.write_refusal(context))?;
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.write_refusal(context))?;
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
