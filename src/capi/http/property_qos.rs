//! `HttpServerQosProperty`: bandwidth, flow rate and connections, behind one structure with a pointer (digest §6.8).
#![expect(unsafe_code, reason = "reads and writes the caller's buffers")]
#![expect(non_upper_case_globals, reason = "Windows spelling, as in the header")]

use crate::abi::base::ULONG;
use crate::abi::error::{Error, Result};
use crate::abi::http::*;
use crate::server::service::{FlowRate, Holder, Property, PropertyKind, Service};

use super::property_buffers::{Given, Wanted};
use super::property_values::{is_present, presence};

/// Reads `HTTP_QOS_SETTING_INFO` and the setting it points at.
///
/// # Safety
/// `given` is a buffer of the caller, valid for reads, and so is what its `QosSetting` points at.
pub(super) unsafe fn read_qos(given: Given) -> Result<Property> {
    // SAFETY: as promised by the caller, here and below.
    let info: HTTP_QOS_SETTING_INFO = unsafe { given.read()? };
    if info.QosSetting.is_null() {
        return Err(Error::INVALID_PARAMETER);
    }
    // SAFETY: see above.
    unsafe { read_setting(info.QosType, info.QosSetting.cast()) }
}

/// # Safety
/// `setting` points at a structure of this type, valid for reads.
pub(super) unsafe fn read_setting(kind: HTTP_QOS_SETTING_TYPE, setting: *const u8) -> Result<Property> {
    match kind {
        HttpQosSettingTypeBandwidth => {
            // SAFETY: as promised by the caller, here and below.
            let info: HTTP_BANDWIDTH_LIMIT_INFO =
                unsafe { setting.cast::<HTTP_BANDWIDTH_LIMIT_INFO>().read_unaligned() };
            let limit = limited(info.Flags, info.MaxBandwidth);
            check(limit)?;
            Ok(Property::Bandwidth(limit))
        }
        HttpQosSettingTypeConnectionLimit => {
            // SAFETY: see above.
            let info = unsafe { setting.cast::<HTTP_CONNECTION_LIMIT_INFO>().read_unaligned() };
            Ok(Property::Connections(limited(info.Flags, info.MaxConnections)))
        }
        HttpQosSettingTypeFlowRate => {
            // SAFETY: see above.
            let info = unsafe { setting.cast::<HTTP_FLOWRATE_INFO>().read_unaligned() };
            let bandwidth = limited(info.Flags, info.MaxBandwidth);
            check(bandwidth)?;
            Ok(Property::FlowRate(bandwidth.map(|bandwidth| FlowRate {
                bandwidth,
                peak: info.MaxPeakBandwidth,
                burst: info.BurstSize,
            })))
        }
        _ => Err(Error::INVALID_PARAMETER),
    }
}

/// The limit, unless the structure takes it back or says there is none.
fn limited(flags: HTTP_PROPERTY_FLAGS, value: ULONG) -> Option<ULONG> {
    (is_present(flags) && value != HTTP_LIMIT_INFINITE).then_some(value)
}

fn check(bandwidth: Option<ULONG>) -> Result<()> {
    match bandwidth {
        Some(rate) if rate < HTTP_MIN_ALLOWED_BANDWIDTH_THROTTLING_RATE => Err(Error::INVALID_PARAMETER),
        _ => Ok(()),
    }
}

/// The answer to a query: `QosSetting` points behind the structure, into the same buffer.
#[repr(C)]
#[derive(Clone, Copy)]
struct Told<T> {
    info: HTTP_QOS_SETTING_INFO,
    setting: T,
}

/// Writes the setting of the type the caller's structure names.
///
/// # Safety
/// `wanted` holds places of the caller, valid for writes, and its buffer for reads.
pub(super) unsafe fn query_qos(service: &dyn Service, holder: Holder, wanted: Wanted) -> Result<()> {
    if wanted.start.is_null() || wanted.len == 0 {
        // Without a structure to name the type: room for any.
        // SAFETY: as promised by the caller, here and below.
        return unsafe { wanted.probe(size_of::<Told<HTTP_FLOWRATE_INFO>>()) };
    }
    if (wanted.len as usize) < size_of::<HTTP_QOS_SETTING_TYPE>() {
        return Err(Error::INVALID_PARAMETER);
    }
    // SAFETY: see above; there are as many bytes.
    let kind = unsafe { wanted.start.cast::<HTTP_QOS_SETTING_TYPE>().read_unaligned() };
    let asked = match kind {
        HttpQosSettingTypeBandwidth => PropertyKind::Bandwidth,
        HttpQosSettingTypeConnectionLimit => PropertyKind::Connections,
        HttpQosSettingTypeFlowRate => PropertyKind::FlowRate,
        _ => return Err(Error::INVALID_PARAMETER),
    };
    // SAFETY: see above.
    unsafe {
        match service.property(holder, asked)? {
            Property::Bandwidth(limit) => tell(
                kind,
                wanted,
                HTTP_BANDWIDTH_LIMIT_INFO {
                    Flags: presence(limit.is_some()),
                    MaxBandwidth: limit.unwrap_or(HTTP_LIMIT_INFINITE),
                },
            ),
            Property::Connections(limit) => tell(
                kind,
                wanted,
                HTTP_CONNECTION_LIMIT_INFO {
                    Flags: presence(limit.is_some()),
                    MaxConnections: limit.unwrap_or(HTTP_LIMIT_INFINITE),
                },
            ),
            Property::FlowRate(rate) => tell(kind, wanted, flow_rate_info(rate)),
            _ => Err(Error::INTERNAL_ERROR),
        }
    }
}

fn flow_rate_info(rate: Option<FlowRate>) -> HTTP_FLOWRATE_INFO {
    HTTP_FLOWRATE_INFO {
        Flags: presence(rate.is_some()),
        MaxBandwidth: rate.map_or(HTTP_LIMIT_INFINITE, |rate| rate.bandwidth),
        MaxPeakBandwidth: rate.map_or(HTTP_LIMIT_INFINITE, |rate| rate.peak),
        BurstSize: rate.map_or(0, |rate| rate.burst),
    }
}

/// # Safety
/// As [`query_qos`].
unsafe fn tell<T: Copy>(kind: HTTP_QOS_SETTING_TYPE, wanted: Wanted, setting: T) -> Result<()> {
    let behind = wanted.start.cast::<u8>().wrapping_add(size_of::<HTTP_QOS_SETTING_INFO>());
    let info = HTTP_QOS_SETTING_INFO { QosType: kind, QosSetting: behind.cast() };
    // SAFETY: as promised by the caller.
    unsafe { wanted.write(Told { info, setting }) }
}
