//! The command line: verbs, objects and tags as `netsh http` has them.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::get::Words as Fetch;

/// Shows and changes how HTTP is served on this machine, in the words of `netsh http`; fetches URLs.
#[derive(Parser)]
#[command(name = "nthttp", version, disable_help_subcommand = true, arg_required_else_help = true)]
#[command(after_help = "Tags are given as NAME=VALUE, or as values alone in the order of the help.\n\
    The configuration is $NTHTTP_CONFIG, else /etc/nthttp/config.json (root), else ~/.config/nthttp/config.json.")]
pub(super) struct Words {
    /// What to do.
    #[command(subcommand)]
    pub(super) command: Command,
    /// Answers with one JSON document instead of text.
    #[arg(long, global = true)]
    pub(super) json: bool,
}

/// The verbs.
#[derive(Subcommand)]
pub(super) enum Command {
    /// Shows settings, or what runs.
    Show {
        /// What to show.
        #[command(subcommand)]
        what: Show,
    },
    /// Adds an entry to the configuration.
    Add {
        /// What to add.
        #[command(subcommand)]
        what: Entry,
    },
    /// Deletes an entry of the configuration, or cached responses.
    #[command(visible_alias = "del")]
    Delete {
        /// What to delete.
        #[command(subcommand)]
        what: Delete,
    },
    /// Changes an entry in place.
    Update {
        /// What to change.
        #[command(subcommand)]
        what: Entry,
    },
    /// Makes running processes write what they hold back.
    Flush {
        /// What to flush.
        #[command(subcommand)]
        what: Flush,
    },
    /// Prints the configuration as the commands that make it.
    Dump,
    /// Runs the commands of a file, one a line, as `dump` prints them; `-` is the standard input.
    Apply {
        /// The file.
        file: PathBuf,
        /// Only checks the lines.
        #[arg(long)]
        dry_run: bool,
    },
    /// Fetches URLs over HTTP.
    Get(Fetch),
    /// Fetches only the heads of URLs.
    Head(Fetch),
    /// Sends data by POST.
    Post(Fetch),
    /// Sends data by PUT.
    Put(Fetch),
    /// Watches queues, URL groups, connections and cache of running processes.
    Top {
        /// Only this process.
        #[arg(short, long, value_name = "PID")]
        process: Option<u32>,
        /// Seconds between two looks.
        #[arg(short, long, default_value_t = 1.0, value_name = "SECONDS")]
        interval: f64,
    },
}

/// Tags of an object.
#[derive(Args)]
pub(super) struct Tags {
    /// Tags.
    #[arg(value_name = "TAG=VALUE")]
    pub(super) given: Vec<String>,
}

/// What can be shown.
#[derive(Subcommand)]
pub(super) enum Show {
    /// Sessions, URL groups, queues and their requests: [view=session|requestq] [process=PID]
    Servicestate(Tags),
    /// Responses and fragments kept by running processes: [url=URL] [process=PID]
    Cachestate(Tags),
    /// Counters, as Prometheus text without --json: [process=PID]
    Counters(Tags),
    /// Reserved URLs: [url=URL]
    Urlacl(Tags),
    /// Addresses to listen on: [ipaddress=ADDRESS]
    Iplisten(Tags),
    /// Certificates of ports: [ipport=ADDRESS:PORT] [hostnameport=NAME:PORT] [ccs=PORT]
    Sslcert(Tags),
    /// Timeouts of connections.
    Timeout,
    /// The cache's settings.
    Cacheparam,
    /// Limits and switches by the registry's names: [name=NAME]
    Parameter(Tags),
}

/// What can be added or updated.
#[derive(Subcommand)]
pub(super) enum Entry {
    /// url=URL user=NAME [listen=yes|no] [delegate=yes|no], or url=URL sddl=SDDL
    Urlacl(Tags),
    /// ipaddress=ADDRESS
    Iplisten(Tags),
    /// ipport=ADDRESS:PORT | hostnameport=NAME:PORT | ccs=PORT certhash=HEX appid={GUID} [certstorename=NAME]
    /// [verifyclientcertrevocation=enable|disable] [verifyrevocationwithcachedclientcertonly=..] [usagecheck=..]
    /// [revocationfreshnesstime=SECONDS] [urlretrievaltimeout=MILLISECONDS] [sslctlidentifier=..] [sslctlstorename=..]
    /// [dsmapperusage=..] [clientcertnegotiation=..] [reject=..] [disablehttp2=..] [disabletls12=..] [disabletls13=..]
    /// and the other switches of netsh
    Sslcert(Tags),
    /// timeouttype=idleconnectiontimeout|headerwaittimeout value=SECONDS
    Timeout(Tags),
    /// type=maxcacheresponsesize|cacherangechunksize value=BYTES
    Cacheparam(Tags),
    /// name=NAME value=NUMBER|TEXT
    Parameter(Tags),
}

/// What can be deleted.
#[derive(Subcommand)]
pub(super) enum Delete {
    /// url=URL
    Urlacl(Tags),
    /// ipaddress=ADDRESS
    Iplisten(Tags),
    /// ipport=ADDRESS:PORT | hostnameport=NAME:PORT | ccs=PORT
    Sslcert(Tags),
    /// timeouttype=idleconnectiontimeout|headerwaittimeout: back to its default
    Timeout(Tags),
    /// type=maxcacheresponsesize|cacherangechunksize: back to its default
    Cacheparam(Tags),
    /// name=NAME: back to its default
    Parameter(Tags),
    /// Cached responses of running processes: [url=URL] [recursive=yes|no] [process=PID]
    Cache(Tags),
}

/// What can be flushed.
#[derive(Subcommand)]
pub(super) enum Flush {
    /// Log records that wait to be written: [process=PID]
    Logbuffer(Tags),
}
