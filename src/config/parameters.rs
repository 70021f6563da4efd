//! The registry's limits and switches, by the names they have there (digest §8.2), and ours besides.

use serde_json::{Map, Value};

/// What values a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A number between these two.
    Number(u64, u64),
    /// A text.
    Text,
}

/// One parameter.
#[derive(Clone, Copy, Debug)]
pub struct Parameter {
    /// Its name in the registry.
    pub name: &'static str,
    /// What values it takes.
    pub kind: Kind,
    /// What it is when it is not set, for numbers.
    pub default: u64,
    /// What it does, in a line.
    pub about: &'static str,
}

macro_rules! parameters {
    ($($field:ident: $name:literal, $least:literal..=$most:literal, $default:literal, $about:literal;)*) => {
        /// Every parameter, in the order they are shown.
        pub const PARAMETERS: &[Parameter] = &[
            $(Parameter { name: $name, kind: Kind::Number($least, $most), default: $default, about: $about },)*
            Parameter { name: "ErrorLoggingDir", kind: Kind::Text, default: 0, about: "folder in which HTTPERR is made" },
            Parameter { name: "PasswordFile", kind: Kind::Text, default: 0, about: "passwords for Basic and Digest (ours)" },
        ];

        /// Their values.
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub struct Parameters {
            $(#[doc = $about] pub $field: u64,)*
            /// Folder in which HTTPERR is made.
            pub error_logging_dir: Option<String>,
            /// Where passwords for Basic and Digest come from.
            pub password_file: Option<String>,
        }

        impl Default for Parameters {
            fn default() -> Parameters {
                Parameters { $($field: $default,)* error_logging_dir: None, password_file: None }
            }
        }

        impl Parameters {
            fn take(&mut self, name: &str, number: u64) {
                match name {
                    $($name => self.$field = number,)*
                    _ => {}
                }
            }

            /// The value of a text by its name.
            pub fn text(&self, name: &str) -> Option<&str> {
                let text = if name == "PasswordFile" { &self.password_file } else { &self.error_logging_dir };
                text.as_deref()
            }

            /// The value of a number by its name.
            pub fn number(&self, name: &str) -> Option<u64> {
                match name {
                    $($name => Some(self.$field),)*
                    _ => None,
                }
            }
        }
    };
}

parameters! {
    max_field_length: "MaxFieldLength", 64..=65534, 16384, "bytes of one header field";
    max_request_bytes: "MaxRequestBytes", 256..=16777216, 16384, "bytes of request line and fields together";
    url_segment_max_count: "UrlSegmentMaxCount", 0..=16383, 255, "segments of a path; 0 for no limit";
    url_segment_max_length: "UrlSegmentMaxLength", 0..=32766, 260, "characters of a path's segment; 0 for no limit";
    allow_restricted_chars: "AllowRestrictedChars", 0..=1, 0, "takes escaped control characters in paths";
    allow_unescaped_restricted_chars: "AllowUnEscapedRestrictedChars", 0..=1, 0, "takes control characters in targets as they are";
    percent_u_allowed: "PercentUAllowed", 0..=1, 1, "decodes %uXXXX in paths";
    enable_non_utf8: "EnableNonUTF8", 0..=1, 1, "takes paths that are not UTF-8, as code page 1252";
    favor_utf8: "FavorUTF8", 0..=1, 1, "tries UTF-8 first; 0: reads every path as code page 1252";
    max_connections: "MaxConnections", 1..=4294967295, 4294967295, "connections at once; more are reset";
    max_bytes_per_send: "MaxBytesPerSend", 1..=1048575, 1048575, "bytes one connection sends before the others' turn";
    uri_enable_cache: "UriEnableCache", 0..=1, 1, "keeps responses and fragments";
    uri_max_uri_bytes: "UriMaxUriBytes", 4096..=16777216, 262144, "bytes of the largest cached response";
    uri_max_cache_megabytes: "UriMaxCacheMegabyteCount", 0..=1048576, 64, "megabytes the cache may hold";
    uri_scavenger_period: "UriScavengerPeriod", 10..=4294967295, 120, "seconds between two looks for stale responses";
    enable_error_logging: "EnableErrorLogging", 0..=1, 1, "writes HTTPERR";
    error_log_file_truncate_size: "ErrorLogFileTruncateSize", 1048576..=4294967295, 1048576, "bytes of one HTTPERR file";
    error_log_json: "ErrorLogJson", 0..=1, 0, "writes HTTPERR as JSON (ours)";
    disable_server_header: "DisableServerHeader", 0..=2, 0, "1: no Server field of our own answers, 2: none at all";
    allow_weak_header_name_syntax: "AllowWeakHeaderNameSyntax", 0..=1, 0, "takes field names that are no tokens";
    allow_weak_header_value_syntax: "AllowWeakHeaderValueSyntax", 0..=1, 0, "takes control characters in field values";
    allow_case_insensitive_verbs: "AllowCaseInsensitiveVerbs", 0..=1, 0, "knows get as GET";
    require_reservations: "RequireReservations", 0..=1, 0, "only administrators register what is not reserved (ours)";
}

impl Parameters {
    /// The values in a configuration; one out of range counts as not set, as the registry's do.
    pub fn of(section: &Map<String, Value>) -> Parameters {
        let mut found = Parameters::default();
        for parameter in PARAMETERS {
            let Some(value) = section.get(parameter.name) else { continue };
            match (parameter.kind, value) {
                (Kind::Number(least, most), Value::Number(number)) => {
                    if let Some(number) = number.as_u64().filter(|n| (least..=most).contains(n)) {
                        found.take(parameter.name, number);
                    }
                }
                (Kind::Text, Value::String(text)) if parameter.name == "PasswordFile" => {
                    found.password_file = Some(text.clone());
                }
                (Kind::Text, Value::String(text)) => found.error_logging_dir = Some(text.clone()),
                _ => {}
            }
        }
        // A field cannot be longer than the head it stands in.
        found.max_field_length = found.max_field_length.min(found.max_request_bytes);
        found
    }
}

impl Parameter {
    /// The parameter of this name, without regard to case.
    pub fn by_name(name: &str) -> Option<&'static Parameter> {
        PARAMETERS.iter().find(|parameter| parameter.name.eq_ignore_ascii_case(name))
    }

    /// Reads a value as it is typed; the words say what would be right.
    pub fn read(&self, text: &str) -> Result<Value, String> {
        match self.kind {
            Kind::Text => Ok(text.into()),
            Kind::Number(least, most) => match text.parse::<u64>() {
                Ok(number) if (least..=most).contains(&number) => Ok(number.into()),
                _ => Err(format!("{} is a number from {least} to {most}", self.name)),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_out_of_range_count_as_not_set() {
        let section = serde_json::json!({
            "MaxFieldLength": 20000, "MaxRequestBytes": 32768, "UrlSegmentMaxCount": 99999, "DisableServerHeader": "2",
            "ErrorLoggingDir": "/logs", "PasswordFile": "/passwords", "Unknown": 1
        });
        let found = Parameters::of(section.as_object().unwrap());
        assert_eq!((found.max_field_length, found.max_request_bytes), (20000, 32768));
        assert_eq!((found.url_segment_max_count, found.disable_server_header), (255, 0));
        assert_eq!(
            (found.text("ErrorLoggingDir"), found.text("PasswordFile")),
            (Some("/logs"), Some("/passwords"))
        );
    }

    #[test]
    fn a_field_is_no_longer_than_its_head() {
        let section = serde_json::json!({ "MaxRequestBytes": 1000 });
        assert_eq!(Parameters::of(section.as_object().unwrap()).max_field_length, 1000);
    }

    #[test]
    fn every_default_is_in_its_range_and_read_by_name() {
        let defaults = Parameters::default();
        for parameter in PARAMETERS {
            assert_eq!(Parameter::by_name(&parameter.name.to_lowercase()).unwrap().name, parameter.name);
            if let Kind::Number(least, most) = parameter.kind {
                assert!((least..=most).contains(&parameter.default), "{}", parameter.name);
                assert_eq!(defaults.number(parameter.name), Some(parameter.default));
                assert!(parameter.read(&(most + 1).to_string()).is_err());
            }
        }
    }
}
