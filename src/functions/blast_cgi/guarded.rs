//! Reports without what clients take for a status, and reports as HTML: changed while they are streamed.

use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt};

use crate::jobs;

/// What a client looks for in all of a report.
const MARK: &[u8] = b"Status=";
/// How it begins; what follows decides.
const WORD: &[u8] = b"Status";

/// How a report says what may not stand in it as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Escaping {
    /// As XML and HTML do.
    Markup,
    /// As JSON does.
    Json,
    /// As HTML does, and all other characters with a meaning there too.
    AllMarkup,
}

impl Escaping {
    fn mark(self) -> &'static [u8] {
        match self {
            Self::Markup | Self::AllMarkup => b"Status&#61;",
            Self::Json => b"Status\\u003d",
        }
    }
}

/// The text without the mark.
pub(super) fn guarded(
    text: BoxStream<'static, jobs::Result<Bytes>>,
    escaping: Escaping,
) -> BoxStream<'static, jobs::Result<Bytes>> {
    let begun = (text, Some(Guard { escaping, held: Vec::new() }));
    let pieces = stream::unfold(begun, |(mut text, guard)| async move {
        let mut guard = guard?;
        match text.next().await {
            Some(Ok(piece)) => Some((Ok(guard.pass(&piece).into()), (text, Some(guard)))),
            Some(Err(error)) => Some((Err(error), (text, None))),
            None => Some((Ok(Bytes::from(guard.held)), (text, None))),
        }
    });
    pieces.filter(|piece| std::future::ready(!matches!(piece, Ok(piece) if piece.is_empty()))).boxed()
}

/// What has been read and may be the beginning of a mark.
struct Guard {
    escaping: Escaping,
    held: Vec<u8>,
}

impl Guard {
    fn pass(&mut self, piece: &[u8]) -> Vec<u8> {
        let mut text = std::mem::take(&mut self.held);
        text.extend_from_slice(piece);
        let kept = (1..=WORD.len().min(text.len())).rev().find(|&length| text.ends_with(&WORD[..length]));
        self.held = text.split_off(text.len() - kept.unwrap_or(0));
        let mut passed = Vec::with_capacity(text.len());
        let mut rest = text.as_slice();
        while let Some(place) = mark_in(rest) {
            self.push(&rest[..place], &mut passed);
            passed.extend_from_slice(self.escaping.mark());
            rest = &rest[place + MARK.len()..];
        }
        self.push(rest, &mut passed);
        passed
    }

    fn push(&self, text: &[u8], passed: &mut Vec<u8>) {
        if self.escaping != Escaping::AllMarkup {
            passed.extend_from_slice(text);
            return;
        }
        for byte in text {
            match byte {
                b'&' => passed.extend_from_slice(b"&amp;"),
                b'<' => passed.extend_from_slice(b"&lt;"),
                b'>' => passed.extend_from_slice(b"&gt;"),
                _ => passed.push(*byte),
            }
        }
    }
}

/// Where the first mark is. There are few equals signs.
fn mark_in(text: &[u8]) -> Option<usize> {
    let mut signs = text.iter().enumerate().filter(|(_, byte)| **byte == b'=');
    signs.find_map(|(sign, _)| text[..sign].ends_with(WORD).then(|| sign - WORD.len()))
}

#[cfg(test)]
mod tests {
    use futures::TryStreamExt;

    use super::*;

    async fn through(text: &str, piece: usize, escaping: Escaping) -> String {
        let pieces: Vec<_> =
            text.as_bytes().chunks(piece).map(|piece| Ok(Bytes::copy_from_slice(piece))).collect();
        let guarded: Vec<Bytes> =
            guarded(stream::iter(pieces).boxed(), escaping).try_collect().await.expect("no error");
        String::from_utf8(guarded.concat()).expect("UTF-8")
    }

    #[tokio::test]
    async fn the_mark_is_escaped_wherever_pieces_end() {
        let text = "Status=a StatusStatus=b = < Status & SStatus=Stat";
        for piece in 1..=text.len() {
            let markup = through(text, piece, Escaping::Markup).await;
            assert_eq!(markup, "Status&#61;a StatusStatus&#61;b = < Status & SStatus&#61;Stat", "{piece}");
            let json = through(text, piece, Escaping::Json).await;
            assert_eq!(
                json, "Status\\u003da StatusStatus\\u003db = < Status & SStatus\\u003dStat",
                "{piece}"
            );
            let all = through(text, piece, Escaping::AllMarkup).await;
            assert_eq!(
                all, "Status&#61;a StatusStatus&#61;b = &lt; Status &amp; SStatus&#61;Stat",
                "{piece}"
            );
        }
    }
}
