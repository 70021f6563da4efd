//! Limits on request heads that a session or group sets for itself: within the service's, and looked at when it is known
//! whose a request is. What is within them was read by the service's.

use crate::abi::error::{Error, Result};
use crate::config::{Kind, Parameter};
use crate::wire::refusal::Refusal;
use crate::wire::request::{Limits, RequestHead};

use super::policy::Policy;
use crate::server::service::HeadLimits;

/// Each limit with its name in the registry.
fn named(limits: &HeadLimits) -> [(&'static str, u32); 4] {
    [
        ("MaxFieldLength", limits.max_field_length),
        ("MaxRequestBytes", limits.max_request_bytes),
        ("UrlSegmentMaxLength", limits.url_segment_max_length),
        ("UrlSegmentMaxCount", limits.url_segment_max_count),
    ]
}

/// `INVALID_PARAMETER` for limits beyond the registry's ranges.
pub(crate) fn check(limits: &HeadLimits) -> Result<()> {
    let in_range = |(name, value): (&str, u32)| match Parameter::by_name(name).map(|parameter| parameter.kind)
    {
        Some(Kind::Number(least, most)) => value == 0 || (least..=most).contains(&value.into()),
        _ => false,
    };
    if named(limits).into_iter().all(in_range) { Ok(()) } else { Err(Error::INVALID_PARAMETER) }
}

/// What a group's limits and its session's come to; `None` if neither has any.
pub(crate) fn limits(group: Option<HeadLimits>, session: Option<HeadLimits>) -> Option<Box<Limits>> {
    if group.is_none() && session.is_none() {
        return None;
    }
    let (group, session) = (group.unwrap_or_default(), session.unwrap_or_default());
    let pick = |own: u32, parent: u32| if own == 0 { parent } else { own };
    let or_none = |value: u32| if value == 0 { usize::MAX } else { value as usize };
    let head = or_none(pick(group.max_request_bytes, session.max_request_bytes));
    Some(Box::new(Limits {
        field: or_none(pick(group.max_field_length, session.max_field_length)).min(head),
        head,
        // 0 stands for no limit here too.
        segment: pick(group.url_segment_max_length, session.url_segment_max_length) as usize,
        segments: pick(group.url_segment_max_count, session.url_segment_max_count) as usize,
        ..Limits::default()
    }))
}

impl Policy {
    /// Why a request is refused that the service's limits let through.
    #[inline]
    pub(crate) fn refuses(&self, head: &RequestHead) -> Option<Refusal> {
        self.limits.as_deref().and_then(|limits| head.exceeds(limits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_goes_before_its_session() {
        let session = HeadLimits { max_field_length: 100, url_segment_max_count: 3, ..HeadLimits::default() };
        let group = HeadLimits { max_field_length: 200, max_request_bytes: 300, ..HeadLimits::default() };
        assert_eq!(limits(None, None), None);
        let both = limits(Some(group), Some(session)).unwrap();
        assert_eq!((both.field, both.head, both.segment, both.segments), (200, 300, 0, 3));
        let of_session = limits(None, Some(session)).unwrap();
        assert_eq!((of_session.field, of_session.head), (100, usize::MAX));
    }

    #[test]
    fn limits_have_the_registrys_ranges() {
        let with = |max_field_length| HeadLimits { max_field_length, ..HeadLimits::default() };
        assert_eq!([0, 64, 65534].map(|n| check(&with(n))), [Ok(()); 3]);
        assert_eq!([1, 63, 65535].map(|n| check(&with(n))), [Err(Error::INVALID_PARAMETER); 3]);
    }
}
