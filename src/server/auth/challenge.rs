//! What authentication adds to responses (digest §5.1, §6.9): the rest of challenges that the application only names, and
//! Authentication-Info to a response the right user gets.

use crate::server::service::{AuthStatus, Identity, ResponseField, ResponseHead};
use crate::wire::field::UNKNOWN;

use super::{BASIC, DIGEST, Guard, KERBEROS, NEGOTIATE, NTLM, nonce};

/// The response field.
const WWW_AUTHENTICATE: u8 = 29;

/// What a guarded response becomes; `None` if it stays as it is.
pub(crate) fn dress(
    head: &ResponseHead,
    guard: Option<&Guard>,
    identity: Option<&Identity>,
    now_ms: u64,
) -> Option<Box<ResponseHead>> {
    match (head.status, guard, identity) {
        (401, Some(guard), _) => {
            let stale = identity.is_some_and(|identity| identity.stale);
            let named = head.fields.iter().any(|field| field.id == WWW_AUTHENTICATE);
            named.then(|| Box::new(challenged(head, guard, stale, now_ms)))
        }
        (200..300, _, Some(identity)) if identity.status == AuthStatus::Success => {
            let info = identity.mutual.as_ref().filter(|_| !identity.mutual_wanted)?;
            let mut head = head.clone();
            let name = push(&mut head, b"Authentication-Info");
            let value = push(&mut head, info.as_bytes());
            head.fields.push(ResponseField { id: UNKNOWN, name, value });
            Some(Box::new(head))
        }
        _ => None,
    }
}

/// The head with every challenge that is but a scheme's name made whole.
fn challenged(head: &ResponseHead, guard: &Guard, stale: bool, now_ms: u64) -> ResponseHead {
    let mut out = head.clone();
    out.fields.clear();
    for field in &head.fields {
        let (start, len) = field.value;
        let value = head.text.get(start as usize..(start + len) as usize).unwrap_or_default();
        match (field.id, whole(value.trim_ascii(), guard, stale, now_ms)) {
            (WWW_AUTHENTICATE, Some(lines)) => {
                for line in lines {
                    let value = push(&mut out, line.as_bytes());
                    out.fields.push(ResponseField { id: WWW_AUTHENTICATE, name: (0, 0), value });
                }
            }
            _ => out.fields.push(*field),
        }
    }
    out
}

fn push(head: &mut ResponseHead, text: &[u8]) -> (u32, u32) {
    let start = head.text.len() as u32;
    head.text.extend_from_slice(text);
    (start, text.len() as u32)
}

/// The challenges that the name of an enabled scheme stands for: several for Digest with several algorithms, none for a
/// scheme we do not speak. `None` when the text is to be sent as it is.
fn whole(name: &[u8], guard: &Guard, stale: bool, now_ms: u64) -> Option<Vec<String>> {
    let is = |scheme: u32, spelled: &str| {
        guard.schemes & scheme != 0 && name.eq_ignore_ascii_case(spelled.as_bytes())
    };
    if is(BASIC, "Basic") {
        return Some(vec![format!("Basic realm={}", quoted(&guard.basic_realm))]);
    }
    if is(DIGEST, "Digest") {
        return Some(digest(guard, stale, now_ms));
    }
    let unspoken = is(NTLM, "NTLM") || is(NEGOTIATE, "Negotiate") || is(KERBEROS, "Kerberos");
    unspoken.then(Vec::new)
}

/// A challenge for each algorithm, the stronger first (RFC 7616, section 3.7).
fn digest(guard: &Guard, stale: bool, now_ms: u64) -> Vec<String> {
    let algorithms = guard.algorithms(now_ms);
    let spelled = [("SHA-256", true), ("MD5", false)];
    let offered = spelled.iter().filter(|(_, sha256)| algorithms.offers(*sha256));
    offered
        .map(|(algorithm, _)| {
            let mut line = format!("Digest realm={}", quoted(&guard.digest_realm));
            if let Some(domain) = &guard.digest_domain {
                line += &format!(", domain={}", quoted(domain));
            }
            line += &format!(", nonce=\"{}\", qop=\"auth\", algorithm={algorithm}", nonce::make(now_ms));
            line += ", opaque=\"6e74687474700000\", charset=UTF-8";
            if stale {
                line += ", stale=true";
            }
            line
        })
        .collect()
}

/// A quoted string (RFC 9110, section 5.6.4).
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars().filter(|c| !c.is_control()) {
        if matches!(character, '"' | '\\') {
            out.push('\\');
        }
        out.push(character);
    }
    out.push('"');
    out
}
