//! The texts of WinHTTP's errors, which programs ask `winhttp.dll` for.

/// The text of an error, without line end.
pub(super) fn of(code: u32) -> Option<&'static str> {
    TEXTS.binary_search_by_key(&code, |(code, _)| *code).ok().map(|index| TEXTS[index].1)
}

/// In the order of the codes.
const TEXTS: &[(u32, &str)] = &[
    (12001, "No more WinHTTP handles can be allocated."),
    (12002, "The operation timed out."),
    (12004, "An internal error occurred in WinHTTP."),
    (12005, "The URL is invalid."),
    (12006, "The URL does not use a recognized protocol."),
    (12007, "The server name or address could not be resolved."),
    (12009, "The option is invalid."),
    (12011, "The option value cannot be set."),
    (12012, "WinHTTP support has been shut down."),
    (12015, "The login attempt failed."),
    (12017, "The operation has been canceled."),
    (12018, "The supplied handle is the wrong type for the requested operation."),
    (12019, "The handle is in the wrong state for the requested operation."),
    (12029, "A connection with the server could not be established."),
    (12030, "The connection with the server was terminated abnormally."),
    (12032, "The request must be resent."),
    (12037, "The date in the certificate is invalid or has expired."),
    (12038, "The host name in the certificate is invalid or does not match."),
    (12044, "A certificate is required to complete client authentication."),
    (12045, "The certificate authority is invalid or incorrect."),
    (12057, "The revocation status of the certificate could not be checked."),
    (12100, "The operation cannot be requested before the object is opened."),
    (12101, "The operation cannot be requested before the request is sent."),
    (12102, "The operation cannot be requested after the request is sent."),
    (12103, "The operation cannot be requested after the object is opened."),
    (12150, "The requested header was not found."),
    (12152, "The server returned an invalid or unrecognized response."),
    (12153, "The supplied HTTP header is invalid."),
    (12154, "The request for an HTTP header is invalid."),
    (12155, "The HTTP header already exists."),
    (12156, "The HTTP redirect request failed."),
    (12157, "An error occurred in the secure channel support."),
    (12166, "The proxy auto-configuration script could not be processed."),
    (12167, "The proxy auto-configuration script could not be downloaded."),
    (12169, "The supplied certificate is invalid."),
    (12170, "The supplied certificate has been revoked."),
    (12172, "WinHTTP has not been initialized."),
    (12175, "A security error occurred."),
    (12176, "The type of the proxy auto-configuration script is not supported."),
    (12177, "The proxy auto-configuration script failed when it ran."),
    (12178, "The proxy for the URL could not be determined."),
    (12179, "The certificate is not valid for the requested usage."),
    (12180, "No proxy auto-configuration script was found."),
    (12181, "The response has more headers than the limit allows."),
    (12182, "The headers of the response are larger than the limit allows."),
    (12183, "The size of a chunk in the response could not be read within the limit."),
    (12184, "The response is larger than the limit for draining it allows."),
    (12185, "The client certificate has no private key."),
    (12186, "The private key of the client certificate cannot be accessed."),
    (12187, "The proxy requires a certificate to complete client authentication."),
    (12188, "A security error occurred on the connection to the proxy."),
    (12190, "The server does not speak the required HTTP protocol."),
    (12191, "The global callback failed."),
    (12192, "The feature is disabled."),
    (12193, "Fast forwarding is not supported for this request."),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_texts_are_in_order_and_found() {
        assert!(TEXTS.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert_eq!(of(12002), Some("The operation timed out."));
        assert_eq!(of(12003), None);
    }

    #[test]
    fn every_error_of_the_header_has_a_text() {
        let table = include_str!("../../../abi/constants.tsv");
        let errors: Vec<(&str, u32)> = table
            .lines()
            .filter(|line| line.starts_with("ERROR_WINHTTP_") && !line.contains("RESERVED"))
            .filter_map(|line| {
                let mut columns = line.split('\t');
                Some((columns.next()?, columns.next()?.parse().ok()?))
            })
            .collect();
        assert!(errors.len() > 50, "{}", errors.len());
        for (name, code) in errors {
            assert!(of(code).is_some_and(|text| text.ends_with('.')), "{name} has no text");
        }
    }
}
