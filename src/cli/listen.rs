//! Where a server listens.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::str::FromStr;

use tokio::net::{TcpListener, lookup_host};

/// A host, by its address or its name, and a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listen {
    host: String,
    port: u16,
}

impl Listen {
    /// Listens there. A name that has several addresses stands for the first that can be, and clients are
    /// likely to try those of version 4.
    pub(super) async fn bind(&self) -> io::Result<TcpListener> {
        let found = lookup_host((self.host.as_str(), self.port)).await?;
        let mut addresses: Vec<SocketAddr> = found.collect();
        addresses.sort_by_key(SocketAddr::is_ipv6);
        TcpListener::bind(&*addresses).await
    }
}

impl FromStr for Listen {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let usage = || format!("{text:?} is no HOST:PORT; write it like 127.0.0.1:8765 or localhost:8765");
        let (host, port) = text.rsplit_once(':').ok_or_else(usage)?;
        let port = port.parse().map_err(|_| usage())?;
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        // An address of version 6 is in brackets, or its end could be taken for the port.
        let ambiguous = bare == host && host.contains(':');
        if host.is_empty() || ambiguous || host.contains(char::is_whitespace) || host.contains('/') {
            return Err(usage());
        }
        Ok(Self { host: bare.to_owned(), port })
    }
}

impl fmt::Display for Listen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_an_address_or_a_name_and_always_has_a_port() {
        for text in ["127.0.0.1:8765", "localhost:8765", "[::1]:0", "0.0.0.0:80"] {
            assert_eq!(text.parse::<Listen>().unwrap().to_string(), text);
        }
        for text in
            ["", "nowhere", "8765", ":8765", "::1:8765", "localhost:http", "localhost:99999", "http://x:80"]
        {
            assert!(text.parse::<Listen>().unwrap_err().contains("HOST:PORT"), "{text}");
        }
    }
}
