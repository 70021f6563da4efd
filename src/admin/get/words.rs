//! The command line of `get` and its friends.

use std::path::PathBuf;

use clap::Args;

const NOTES: &str = "\
Examples:
  nthttp get localhost:8080                            the body to the standard output
  nthttp get http://host/big.iso -O --resume           to big.iso, going on where it ends
  nthttp get --async http://host/a http://host/b -O    side by side
  nthttp post http://host/form -d name=value           as a form
  nthttp put http://host/file -d @FILE                 a file, as it is
  nthttp post http://host/ -d '{}' -H 'Content-Type: application/json'

https:// is not to be had yet: such a URL fails with error 12175, exit code 35.

Exit codes, those of curl; of several URLs that failed, the first one's:
   0  done                                 23  output not written
   1  something else                       26  data not read
   2  not understood                       28  time is up
   3  no URL                               33  cannot resume
   6  no such host                         35  TLS
   7  no connection                        47  too many redirects
   8  the answer is no HTTP                56  connection lost
  18  body cut short                       67  login refused
  22  status of 400 or more, with --fail";

/// What to fetch, and how.
#[derive(Args, Clone, Debug, Default)]
#[command(after_help = NOTES)]
pub(in crate::admin) struct Words {
    /// URLs; http:// may be left out.
    #[arg(required = true, value_name = "URL")]
    pub(super) urls: Vec<String>,
    /// The method, whatever the command is called.
    #[arg(short = 'X', long, value_name = "METHOD")]
    pub(super) request: Option<String>,
    /// A header field to send, in place of one that is sent by itself.
    #[arg(short = 'H', long = "header", value_name = "NAME: VALUE")]
    pub(super) headers: Vec<String>,
    /// A body to send: text, @FILE, or @- for the standard input. Several are joined by "&". Text is sent as a form,
    /// a file as application/octet-stream, unless -H says otherwise.
    #[arg(short, long, value_name = "TEXT|@FILE")]
    pub(super) data: Vec<String>,
    /// Writes the body to a file instead of the standard output ("-"); once for each URL.
    #[arg(short, long, value_name = "FILE")]
    pub(super) output: Vec<PathBuf>,
    /// Writes each body to a file named like the end of its URL.
    #[arg(short = 'O', long, conflicts_with = "output")]
    pub(super) remote_name: bool,
    /// Fetches all URLs at once, with asynchronous requests; bodies are written in the order of the URLs.
    #[arg(short = 'Z', long = "async", visible_alias = "parallel")]
    pub(super) at_once: bool,
    /// How many URLs --async fetches at a time.
    #[arg(long, value_name = "COUNT", default_value = "64", value_parser = count, requires = "at_once")]
    pub(super) parallel_max: usize,
    /// Shows the notifications of WinHTTP, as they come, and both heads.
    #[arg(short, long)]
    pub(super) verbose: bool,
    /// Goes on where the output file ends.
    #[arg(short = 'C', long)]
    pub(super) resume: bool,
    /// A proxy for everything, instead of that of the configuration or the environment; "" for none.
    /// [http://|socks5://]HOST[:PORT]
    #[arg(short = 'x', long, value_name = "PROXY")]
    pub(super) proxy: Option<String>,
    /// Name and password for the server.
    #[arg(short, long, value_name = "NAME:PASSWORD")]
    pub(super) user: Option<String>,
    /// Name and password for the proxy.
    #[arg(long, value_name = "NAME:PASSWORD")]
    pub(super) proxy_user: Option<String>,
    /// Tells how long each phase took.
    #[arg(long)]
    pub(super) timing: bool,
    /// Asks for a compressed response (gzip, deflate, br, zstd), and unpacks it.
    #[arg(long, conflicts_with = "resume")]
    pub(super) compressed: bool,
    /// Follows redirects, which is the default.
    #[arg(short = 'L', long)]
    pub(super) location: bool,
    /// Does not follow redirects.
    #[arg(long, conflicts_with = "location")]
    pub(super) no_location: bool,
    /// Redirects to follow at most.
    #[arg(long, value_name = "COUNT")]
    pub(super) max_redirs: Option<u32>,
    /// Gives up after so many seconds.
    #[arg(short, long, value_name = "SECONDS", value_parser = seconds)]
    pub(super) max_time: Option<f64>,
    /// Gives up on an address after so many seconds.
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    pub(super) connect_timeout: Option<f64>,
    /// A status of 400 or more is a failure, and its body is not written.
    #[arg(short, long)]
    pub(super) fail: bool,
    /// Writes the response head in front of the body, as `head` does by itself.
    #[arg(short, long)]
    pub(super) include: bool,
    /// Shows no progress.
    #[arg(short, long)]
    pub(super) silent: bool,
    /// What to call oneself.
    #[arg(short = 'A', long, value_name = "TEXT")]
    pub(super) user_agent: Option<String>,
}

fn count(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(count @ 1..=10_000) => Ok(count),
        _ => Err("a number from 1 to 10000".to_owned()),
    }
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds > 0.0 && seconds <= 1e6 => Ok(seconds),
        _ => Err("a number of seconds above 0".to_owned()),
    }
}
