//! Authentication-Info and Proxy-Authentication-Info (RFC 7615, RFC 7616 §3.5): a server that accepts an answer may
//! tell the nonce for the next (`nextnonce`), which saves a challenge. Looked for in heads only, not in trailers.

use crate::client::exchange::Exchange;
use crate::client::request::{Core, Request};
use crate::wire::challenge::parameters;
use crate::wire::response::ResponseHead;

use super::handshake::Tried;
use super::{Nonces, Target};

impl Core {
    /// Takes what the head just received says to a request that said who asks.
    pub(crate) fn hear_info(&self, exchange: &Exchange, nonces: &Nonces) {
        let [of_server, of_proxy] = &exchange.tried;
        if self.dress.authorization.is_some() {
            hear(nonces, Target::Server, &self.response, of_server);
        }
        if self.dress.proxy_authorization.is_some() {
            hear(nonces, Target::Proxy, &self.response, of_proxy);
        }
    }
}

impl Request {
    /// Takes what the head that answers a CONNECT with credentials says.
    pub(crate) fn hear_connect_info(&self, head: &ResponseHead, tried: &Tried) {
        hear(&self.connect.session.nonces, Target::Proxy, head, tried);
    }
}

/// A refusal says what to do next by its challenge.
fn hear(nonces: &Nonces, target: Target, head: &ResponseHead, tried: &Tried) {
    let (refusal, name) = match target {
        Target::Server => (401, "Authentication-Info"),
        Target::Proxy => (407, "Proxy-Authentication-Info"),
    };
    let Some(nonce) = tried.nonce().filter(|_| head.status != refusal) else { return };
    let named =
        head.fields.iter().filter(|field| head.text(field.name).eq_ignore_ascii_case(name.as_bytes()));
    for field in named {
        if let Some(next) = parameters(head.text(field.value)).parameter("nextnonce") {
            return nonces.renew(nonce, next);
        }
    }
}
