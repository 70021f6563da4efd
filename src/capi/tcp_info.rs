//! What the kernel measures of a connection, as Windows shows it. What Linux does not count is 0.

use crate::abi::base::{TCP_INFO_v0, TCP_INFO_v1, TCP_INFO_v2};
use crate::net::tcp_facts::TcpFacts;

/// One version of the structure: what all of them have, and what this one adds.
macro_rules! tcp_info {
    ($version:ident, $facts:ident, { $($added:ident: $value:expr),* $(,)? }) => {
        $version {
            State: $facts.state,
            Mss: $facts.mss,
            ConnectionTimeMs: $facts.connection_time_ms,
            TimestampsEnabled: $facts.timestamps_enabled.into(),
            RttUs: $facts.rtt_us,
            MinRttUs: $facts.min_rtt_us,
            BytesInFlight: $facts.bytes_in_flight,
            Cwnd: $facts.cwnd,
            SndWnd: $facts.snd_wnd,
            RcvWnd: $facts.rcv_wnd,
            RcvBuf: $facts.rcv_buf,
            BytesOut: $facts.bytes_out,
            BytesIn: $facts.bytes_in,
            BytesReordered: $facts.bytes_reordered,
            BytesRetrans: $facts.bytes_retrans,
            FastRetrans: 0,
            DupAcksIn: $facts.dup_acks_in,
            TimeoutEpisodes: $facts.timeout_episodes,
            SynRetrans: 0,
            $($added: $value,)*
        }
    };
}

/// The same from the second version on, which has what held up sending.
macro_rules! tcp_info_held_up {
    ($version:ident, $facts:ident, { $($added:ident: $value:expr),* $(,)? }) => {
        tcp_info!($version, $facts, {
            SndLimTransRwin: 0,
            SndLimTimeRwin: $facts.snd_lim_time_rwin,
            SndLimBytesRwin: 0,
            SndLimTransCwnd: 0,
            SndLimTimeCwnd: $facts.snd_lim_time_cwnd,
            SndLimBytesCwnd: 0,
            SndLimTransSnd: 0,
            SndLimTimeSnd: $facts.snd_lim_time_snd,
            SndLimBytesSnd: 0,
            $($added: $value,)*
        })
    };
}

/// The first version of the structure.
pub(crate) fn tcp_info_v0(facts: &TcpFacts) -> TCP_INFO_v0 {
    tcp_info!(TCP_INFO_v0, facts, {})
}

/// The second version, which adds what held up sending.
pub(crate) fn tcp_info_v1(facts: &TcpFacts) -> TCP_INFO_v1 {
    tcp_info_held_up!(TCP_INFO_v1, facts, {})
}

/// The third version, which adds what the network did to the packets.
pub(crate) fn tcp_info_v2(facts: &TcpFacts) -> TCP_INFO_v2 {
    tcp_info_held_up!(TCP_INFO_v2, facts, {
        OutOfOrderPktsIn: facts.out_of_order_pkts_in,
        EcnNegotiated: facts.ecn_negotiated.into(),
        EceAcksIn: facts.ece_acks_in,
        PtoEpisodes: 0,
    })
}
