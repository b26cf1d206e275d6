//! The functions: HTTP in front of the pipeline, for the Azure Functions host and for everybody else.
//!
//! ```text
//! POST   /api/searches               submit     FASTA in, 202 and a Location out
//! GET    /api/searches               list       one's searches
//! GET    /api/searches/{id}          status     where the search stands
//! GET    /api/searches/{id}/results  results    the report, streamed
//! DELETE /api/searches/{id}          cancel     ends the search, or removes it
//! POST   /api/searches/{id}/retry    retry      tries its failed shards again
//! PATCH  /api/searches/{id}          label      calls the search something
//! GET    /api/searches/{id}/queries  browse     the queries, with how many hits they have
//! GET    /api/searches/{id}/queries/{place}/hits         the hits of one of them
//! GET    /api/searches/{id}/queries/{place}/alignments   and their alignments
//! GET    /api/searches/{id}/species                      how many hits each species has
//! GET    /api/searches/{id}/sequences                    sequences  the subjects of hits as FASTA
//! POST   /api/searches/{id}/shares   share      a link to the report that anyone may use
//! GET    /api/shared?token=…        shared     the report behind such a link
//! POST   /api/uploads                upload     where to send queries that are too large for a request
//! PUT    /api/uploads/{id}/parts/{n} part       a part of them
//! GET    /api/databases              databases  what can be searched
//! GET    /api/health                 health     whether storage answers
//! GET    /api/doctor                 doctor     what is wrong with storage, and what to do
//! GET    /api/openapi.json           description all of this, for programs
//! GET    /api/docs                   page       the same, to read and to try
//! GET    /metrics                    metrics    numbers for whoever watches the server
//! GET    /Blast.cgi                  blast_cgi  NCBI's URL API; POST and PUT as well
//! POST   /plan /search /merge /finish           a queue message, as the Functions host wraps it
//! POST   /plan_poison …                         a message that was given up
//! POST   /sweep                                 the timer
//! GET    /                           page       the page, for browsers; else that the program is ready
//! GET    /page/{file}                page       what the page consists of
//! ```
//!
//! The functions translate and delegate; what they mean is said in [`jobs`](crate::jobs). An error
//! under `/api` is a problem (RFC 9457) that names the record, option or limit it is about. The host
//! is answered by its own rules: 200 and `{}` for success, 500 for "deliver again".

mod blast_cgi;
mod body;
mod browse;
mod caller;
mod cancel;
mod compression;
mod cross_origin;
mod databases;
mod description;
mod doctor;
mod drain;
mod envelope;
mod fasta_problem;
mod form;
mod health;
mod kind;
mod label;
mod links;
mod list;
mod metrics;
mod options;
mod origin;
mod page;
mod paths;
mod problem;
mod queries;
mod queue;
mod ready;
mod results;
mod retry;
mod router;
mod sequences;
mod services;
mod share;
mod status;
mod submit;
mod sweep;
mod unreadable;
mod upload;
mod urlencoded;
mod validators;
mod wishes;

pub use blast_cgi::{ApiKey, UrlApi};
pub use body::Pace;
pub use cross_origin::Site;
pub use description::openapi_document;
pub use doctor::HostCheck;
pub use results::{INCOMPLETE, MISSING_SHARDS, PARTIAL_QUERIES};
pub use router::{api_router, host_router};
pub use services::{Limits, Services, SignIn};
pub use unreadable::unreadable_request;
