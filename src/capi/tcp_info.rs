//! What the kernel measures of a connection, as Windows shows it. What Linux does not count is 0.

use crate::abi::base::{TCP_INFO_v0, TCP_INFO_v1};
use crate::net::tcp_facts::TcpFacts;

/// The first version of the structure.
pub(crate) fn tcp_info_v0(facts: &TcpFacts) -> TCP_INFO_v0 {
    TCP_INFO_v0 {
        State: facts.state,
        Mss: facts.mss,
        ConnectionTimeMs: facts.connection_time_ms,
        TimestampsEnabled: facts.timestamps_enabled.into(),
        RttUs: facts.rtt_us,
        MinRttUs: facts.min_rtt_us,
        BytesInFlight: facts.bytes_in_flight,
        Cwnd: facts.cwnd,
        SndWnd: facts.snd_wnd,
        RcvWnd: facts.rcv_wnd,
        RcvBuf: facts.rcv_buf,
        BytesOut: facts.bytes_out,
        BytesIn: facts.bytes_in,
        BytesReordered: facts.bytes_reordered,
        BytesRetrans: facts.bytes_retrans,
        FastRetrans: 0,
        DupAcksIn: facts.dup_acks_in,
        TimeoutEpisodes: facts.timeout_episodes,
        SynRetrans: 0,
    }
}

/// The second version, which adds what held up sending.
pub(crate) fn tcp_info_v1(facts: &TcpFacts) -> TCP_INFO_v1 {
    let TCP_INFO_v0 {
        State,
        Mss,
        ConnectionTimeMs,
        TimestampsEnabled,
        RttUs,
        MinRttUs,
        BytesInFlight,
        Cwnd,
        SndWnd,
        RcvWnd,
        RcvBuf,
        BytesOut,
        BytesIn,
        BytesReordered,
        BytesRetrans,
        FastRetrans,
        DupAcksIn,
        TimeoutEpisodes,
        SynRetrans,
    } = tcp_info_v0(facts);
    TCP_INFO_v1 {
        State,
        Mss,
        ConnectionTimeMs,
        TimestampsEnabled,
        RttUs,
        MinRttUs,
        BytesInFlight,
        Cwnd,
        SndWnd,
        RcvWnd,
        RcvBuf,
        BytesOut,
        BytesIn,
        BytesReordered,
        BytesRetrans,
        FastRetrans,
        DupAcksIn,
        TimeoutEpisodes,
        SynRetrans,
        SndLimTransRwin: 0,
        SndLimTimeRwin: facts.snd_lim_time_rwin,
        SndLimBytesRwin: 0,
        SndLimTransCwnd: 0,
        SndLimTimeCwnd: facts.snd_lim_time_cwnd,
        SndLimBytesCwnd: 0,
        SndLimTransSnd: 0,
        SndLimTimeSnd: facts.snd_lim_time_snd,
        SndLimBytesSnd: 0,
    }
}
