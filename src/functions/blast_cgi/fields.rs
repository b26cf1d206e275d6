//! What a request brings, in its address and in its body: parameters, and the queries among them.
//!
//! Queries may be large, so they are taken in as those of the other API are: few are held, many are stored as
//! they arrive.

use axum::extract::multipart::MultipartError;
use axum::extract::{FromRequest, Multipart, Request};
use axum::http::Method;
use serde_json::json;

use super::parameters::{Parameters, canonical, unreadable};
use crate::functions::form::{media_type, refuse_announced_length, refuse_long_option};
use crate::functions::kind::Kind;
use crate::functions::problem::Problem;
use crate::functions::queries::{Queries, Spool};
use crate::functions::services::App;
use crate::functions::urlencoded::{Decoder, Item, pairs};

/// The parameter that holds the queries.
const QUERY: &str = "QUERY";
/// Most parameters of a request.
const MOST_FIELDS: usize = 500;

/// What a request brings.
#[derive(Debug)]
pub(super) struct Fields {
    pub(super) parameters: Parameters,
    pub(super) queries: Option<Queries>,
}

impl Fields {
    /// Reads address and body. If a name is in both, the body counts.
    pub(super) async fn read(app: &App, owner: Option<&str>, request: Request) -> Result<Self, Problem> {
        let (in_address, mut query) = of_address(request.uri().query().unwrap_or_default())?;
        if matches!(*request.method(), Method::GET | Method::HEAD) {
            let mut spool = Spool::new(app, owner)?;
            let filled = spool.push(query.as_deref().unwrap_or_default()).await;
            let queries = spool.finish(filled).await?;
            return Ok(Self { parameters: in_address, queries: query.map(|_| queries) });
        }
        refuse_announced_length(request.headers(), app.limits.body_bytes)?;
        let mut incoming = Incoming::new(Spool::new(app, owner)?);
        let filled = match media_type(request.headers()).as_str() {
            "multipart/form-data" => incoming.multipart(app, request).await,
            _ => incoming.urlencoded(app, request).await,
        };
        let Incoming { parameters, has_query, mut spool, .. } = incoming;
        let filled = match (filled, query.take()) {
            (Ok(()), Some(query)) if !has_query => spool.push(&query).await.map(|()| true),
            (filled, _) => filled.map(|()| has_query),
        };
        match filled {
            Ok(has_query) => {
                let queries = spool.finish(Ok(())).await?;
                let parameters = parameters.over(in_address);
                Ok(Self { parameters, queries: has_query.then_some(queries) })
            }
            Err(problem) => match spool.finish(Err(problem)).await {
                Err(problem) => Err(problem),
                Ok(_) => Err(Problem::internal("a form that could not be read was taken in")),
            },
        }
    }
}

/// The parameters of an address, and its queries.
fn of_address(query: &str) -> Result<(Parameters, Option<Vec<u8>>), Problem> {
    let (mut parameters, mut queries) = (Parameters::default(), None);
    for (name, value) in pairs(query.as_bytes()).map_err(unreadable)? {
        if canonical(&name) != QUERY {
            parameters.add(&name, &String::from_utf8_lossy(&value))?;
        } else if queries.replace(value).is_some() {
            return Err(given_twice());
        }
    }
    Ok((parameters, queries))
}

/// A body that is being read.
struct Incoming {
    parameters: Parameters,
    spool: Spool,
    has_query: bool,
    /// Name and value of the field that is being read, unless it holds the queries.
    field: Option<(String, Vec<u8>)>,
    fields: usize,
}

impl Incoming {
    fn new(spool: Spool) -> Self {
        Self { parameters: Parameters::default(), spool, has_query: false, field: None, fields: 0 }
    }

    async fn urlencoded(&mut self, app: &App, request: Request) -> Result<(), Problem> {
        let mut arrival = app.arrivals.begin(request.into_body(), app.limits.body_bytes)?;
        let mut decoder = Decoder::default();
        while let Some(piece) = arrival.next().await? {
            self.take(decoder.feed(&piece).map_err(unreadable)?).await?;
        }
        self.take(decoder.finish().map_err(unreadable)?).await?;
        self.end()
    }

    async fn take(&mut self, items: Vec<Item>) -> Result<(), Problem> {
        for item in items {
            match item {
                Item::Field(name) => self.begin(&name)?,
                Item::Value(value) => self.value(&value).await?,
            }
        }
        Ok(())
    }

    async fn multipart(&mut self, app: &App, request: Request) -> Result<(), Problem> {
        let (parts, body) = request.into_parts();
        let (body, trouble) = app.arrivals.begin(body, app.limits.body_bytes)?.into_body();
        let mut form =
            Multipart::from_request(Request::from_parts(parts, body), &()).await.map_err(|rejection| {
                Problem::new(rejection.status(), Kind::InvalidForm, rejection.body_text())
            })?;
        // A body that broke off looks like a bad form, but whoever read it knows better.
        let refuse = |error: MultipartError| match trouble.get() {
            Some(trouble) => trouble.into(),
            None => Problem::new(error.status(), Kind::InvalidForm, error.body_text()),
        };
        while let Some(mut field) = form.next_field().await.map_err(refuse)? {
            let Some(name) = field.name().map(str::to_owned) else {
                return Err(Problem::bad_request(Kind::InvalidForm, "a field of the form has no name"));
            };
            self.begin(&name)?;
            while let Some(piece) = field.chunk().await.map_err(refuse)? {
                self.value(&piece).await?;
            }
        }
        self.end()
    }

    /// A field begins.
    fn begin(&mut self, name: &str) -> Result<(), Problem> {
        self.end()?;
        self.fields += 1;
        if self.fields > MOST_FIELDS {
            let detail = format!("a form has at most {MOST_FIELDS} fields");
            return Err(Problem::bad_request(Kind::InvalidForm, detail));
        }
        if canonical(name) != QUERY {
            self.field = Some((name.to_owned(), Vec::new()));
        } else if std::mem::replace(&mut self.has_query, true) {
            return Err(given_twice());
        }
        Ok(())
    }

    /// Some more of its value.
    async fn value(&mut self, piece: &[u8]) -> Result<(), Problem> {
        let Some((name, value)) = &mut self.field else { return self.spool.push(piece).await };
        value.extend_from_slice(piece);
        refuse_long_option(name, value.len())
    }

    /// A field ends.
    fn end(&mut self) -> Result<(), Problem> {
        match self.field.take() {
            Some((name, value)) => self.parameters.add(&name, &String::from_utf8_lossy(&value)),
            None => Ok(()),
        }
    }
}

fn given_twice() -> Problem {
    let detail = "the parameter QUERY is given twice; one FASTA may hold any number of records";
    Problem::bad_request(Kind::InvalidOption, detail).with("option", json!({ "name": QUERY }))
}
