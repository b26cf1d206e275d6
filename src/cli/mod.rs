//! The subcommands of `skyblast`: arguments in, library calls, text out. Only this module reads the
//! environment and prints.

/// Prints a line to standard output. Where `println!` would panic because nobody reads it any more,
/// this is an error, which `main` takes for the end of the command's work.
macro_rules! outln {
    ($($text:tt)*) => {
        $crate::cli::standard::print_line(format_args!($($text)*))
    };
}

/// Prints a line to standard error. Where `eprintln!` would panic because nobody reads it any more, it
/// is left out: what is said there is said beside the command's work.
macro_rules! errln {
    ($($text:tt)*) => {{
        let text = format!("{}\n", format_args!($($text)*));
        let _ = std::io::Write::write_all(&mut std::io::stderr(), text.as_bytes());
    }};
}

mod apart;
mod api;
mod binary_id_list;
mod blastp_spelling;
mod cancel;
mod client;
mod cluster;
mod compare;
mod completions;
mod connections;
mod databases;
mod demo;
mod doctor;
mod duration;
mod estimate;
mod exit;
mod handler;
mod host_json;
mod id_list;
mod inputs;
mod interrupt;
mod jobs;
mod kernels;
mod listed;
mod listen;
mod log_stream;
mod logging;
mod makeblastdb_spelling;
mod makedb;
mod manual;
mod memory;
mod options;
mod origins;
mod output;
mod parent;
mod patience;
mod placement;
mod prices;
mod progress;
mod refusals;
mod results;
mod retry;
mod search;
mod searched;
mod sequences;
mod serve;
mod server_address;
mod share;
mod shutdown;
mod sign_in;
mod standard;
mod status;
mod storage;
mod submit;
mod taxids;
mod taxonomy;
mod tuning;
mod upload;
mod whole_file;
mod worker;

use std::io;

use blastp_spelling::CommandLine;
use clap::{Parser, Subcommand};

pub use exit::Exit;

const ABOUT: &str = "Exact protein search: the answer of NCBI blastp, on one machine or on a thousand";

const EXAMPLES: &str = "\
Examples:
  skyblast demo                                         see a whole job, from FASTA to report
  skyblast makedb --in proteins.fa --out proteins.db    make a database
  skyblast search --query q.fa --db proteins.db         search it on this machine
  skyblast serve                                        offer searches over HTTP
  skyblast submit --query q.fa --database NAME --wait   use such a server, or one in Azure

Each command has its own --help. SKYBLAST_LOG=debug makes the log talkative.";

fn after_help() -> String {
    format!("{EXAMPLES}\n\n{}", exit::table())
}

/// The command line.
#[derive(Debug, Parser)]
#[command(name = "skyblast", version, about = ABOUT, after_help = after_help(), max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Makedb(makedb::MakedbArgs),
    Search(search::SearchArgs),
    Demo(demo::DemoArgs),
    Serve(serve::ServeArgs),
    Worker(worker::WorkerArgs),
    #[command(subcommand)]
    Cluster(cluster::ClusterCommand),
    Handler(handler::HandlerArgs),
    #[command(hide = true)]
    Apart(apart::ApartArgs),
    Submit(submit::SubmitArgs),
    Estimate(estimate::EstimateArgs),
    Status(status::StatusArgs),
    Results(results::ResultsArgs),
    Cancel(cancel::CancelArgs),
    Retry(retry::RetryArgs),
    Share(share::ShareArgs),
    Compare(compare::CompareArgs),
    Sequences(sequences::SequencesArgs),
    Doctor(doctor::DoctorArgs),
    #[command(subcommand)]
    Jobs(jobs::JobsCommand),
    #[command(subcommand)]
    Databases(databases::DatabasesCommand),
    Completions(completions::CompletionsArgs),
    Manual(manual::ManualArgs),
    #[command(subcommand)]
    Taxonomy(taxonomy::TaxonomyCommand),
}

impl Cli {
    /// Reads the arguments of this process, blastp's spelling included; ends the process if they are
    /// wrong or ask for help.
    pub fn of_process() -> Self {
        match blastp_spelling::translated(std::env::args_os().collect()) {
            Ok(CommandLine::Arguments(arguments)) => {
                Self::try_parse_from(arguments).unwrap_or_else(|error| {
                    if error.use_stderr() {
                        error.exit()
                    }
                    answer(|| error.print().map_err(|e| standard::unwritten(&e)))
                })
            }
            Ok(CommandLine::Version) => answer(|| outln!("{}", blastp_spelling::VERSION)),
            Err(error) => error.exit(),
        }
    }

    /// Runs the command that was asked for.
    pub fn run(&self) -> anyhow::Result<()> {
        interrupt::let_writes_fail()?;
        kernels::choose()?;
        if self.command.prints() {
            standard::require_output()?;
        }
        match &self.command {
            Command::Makedb(args) => makedb::run(args),
            Command::Search(args) => search::run(args),
            Command::Demo(args) => in_runtime(demo::run(args)),
            Command::Serve(args) => in_runtime(serve::run(args)),
            Command::Worker(args) => in_runtime(worker::run(args)),
            Command::Cluster(args) => in_runtime(cluster::run(args)),
            Command::Handler(args) => in_runtime(handler::run(args)),
            Command::Apart(args) => in_runtime(apart::run(args)),
            Command::Submit(args) => in_runtime(submit::run(args)),
            Command::Estimate(args) => in_runtime(estimate::run(args)),
            Command::Status(args) => in_runtime(status::run(args)),
            Command::Results(args) => in_runtime(results::run(args)),
            Command::Cancel(args) => in_runtime(cancel::run(args)),
            Command::Retry(args) => in_runtime(retry::run(args)),
            Command::Share(args) => in_runtime(share::run(args)),
            Command::Compare(args) => compare::run(args),
            Command::Sequences(args) => sequences::run(args),
            Command::Doctor(args) => in_runtime(doctor::run(args)),
            Command::Jobs(args) => in_runtime(jobs::run(args)),
            Command::Databases(args) => in_runtime(databases::run(args)),
            Command::Completions(args) => completions::run(args),
            Command::Manual(args) => manual::run(args),
            Command::Taxonomy(args) => in_runtime(taxonomy::run(args)),
        }
    }
}

/// Prints the help or the version, and ends the process.
fn answer(print: impl FnOnce() -> io::Result<()>) -> ! {
    let printed = standard::require_output().and_then(|()| Ok(print()?));
    let gone = |error: &anyhow::Error| {
        error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    };
    // Nobody may read it any more, which is no reason to complain.
    let failed = printed.err().filter(|error| !gone(error));
    if let Some(error) = &failed {
        errln!("skyblast: {error}");
    }
    std::process::exit(i32::from(failed.is_some()))
}

impl Command {
    /// Whether it prints its result whatever its options are.
    fn prints(&self) -> bool {
        match self {
            // These know by their options where their result goes.
            Self::Search(_) | Self::Submit(_) | Self::Results(_) | Self::Sequences(_) => false,
            // These go on whether or not anybody listens.
            Self::Serve(_) | Self::Worker(_) | Self::Handler(_) | Self::Apart(_) => false,
            Self::Compare(_)
            | Self::Makedb(_)
            | Self::Demo(_)
            | Self::Status(_)
            | Self::Cancel(_)
            | Self::Retry(_) => true,
            Self::Cluster(_) | Self::Completions(_) | Self::Manual(_) | Self::Estimate(_) => true,
            Self::Share(_) | Self::Doctor(_) | Self::Jobs(_) | Self::Databases(_) | Self::Taxonomy(_) => true,
        }
    }
}

fn in_runtime(command: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let result = runtime.block_on(command);
    // A shard that is being compared when the command ends is not waited for: it will be done again.
    runtime.shutdown_background();
    result
}
