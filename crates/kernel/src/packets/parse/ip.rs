//! The header of IPv4 (RFC 791) and that of IPv6 (RFC 8200).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{beyond, first, half, needs};

// The extension headers of IPv6, by their protocol numbers.
const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const AUTHENTICATION: u8 = 51;
const DESTINATION: u8 = 60;

/// What the header says, and what stands behind it.
pub(super) struct Ip<'a> {
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    /// The protocol of the payload.
    pub(super) protocol: u8,
    /// Where the payload belongs in a packet that was cut, in bytes.
    pub(super) offset: u32,
    pub(super) payload: &'a [u8],
}

impl<'a> Ip<'a> {
    /// Its version stands in the first four bits.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, String> {
        match bytes.first().map(|byte| byte >> 4) {
            Some(4) => Self::v4(bytes),
            Some(6) => Self::v6(bytes),
            Some(version) => Err(format!("there is no IP version {version}")),
            None => Err(needs("an IP header", 20, bytes)),
        }
    }

    fn v4(bytes: &'a [u8]) -> Result<Self, String> {
        let header: &[u8; 20] = first("an IPv4 header", bytes)?;
        let (_, rest) = beyond("an IPv4 header", header.len(), header[0] & 0x0f, bytes)?;
        let address = |at: usize| [0, 1, 2, 3].map(|next| header[at + next]);
        // The kernel may have joined several packets, with a length that is none.
        let length = usize::from(half(header, 2));
        let length = length.checked_sub(bytes.len() - rest.len());
        Ok(Self {
            source: Ipv4Addr::from(address(12)).into(),
            destination: Ipv4Addr::from(address(16)).into(),
            protocol: header[9],
            offset: u32::from(half(header, 6) & 0x1fff) * 8,
            payload: length.and_then(|length| rest.get(..length)).unwrap_or(rest),
        })
    }

    fn v6(bytes: &'a [u8]) -> Result<Self, String> {
        let header: &[u8; 40] = first("an IPv6 header", bytes)?;
        let address = |at: usize| std::array::from_fn::<u8, 16, _>(|next| header[at + next]);
        let rest = &bytes[header.len()..];
        // RFC 2675: 0 stands for more than a header can say.
        let length = Some(usize::from(half(header, 4))).filter(|length| *length > 0);
        let mut ip = Self {
            source: Ipv6Addr::from(address(8)).into(),
            destination: Ipv6Addr::from(address(24)).into(),
            protocol: header[6],
            offset: 0,
            payload: length.and_then(|length| rest.get(..length)).unwrap_or(rest),
        };
        while ip.offset == 0 && ip.is_extended() {
            ip.skip_extension()?;
        }
        Ok(ip)
    }

    fn is_extended(&self) -> bool {
        let extensions = [HOP_BY_HOP, ROUTING, FRAGMENT, AUTHENTICATION, DESTINATION];
        extensions.contains(&self.protocol)
    }

    /// An extension header begins with the protocol of what follows it, and with
    /// its own length, each kind in units of its own.
    fn skip_extension(&mut self) -> Result<(), String> {
        let bytes = self.payload;
        let header: &[u8; 8] = first("an extension of IPv6", bytes)?;
        let length = match self.protocol {
            FRAGMENT => {
                self.offset = u32::from(half(header, 2) & !0b111);
                header.len()
            }
            AUTHENTICATION => usize::from(header[1]) * 4 + 8,
            _ => usize::from(header[1]) * 8 + 8,
        };
        self.protocol = header[0];
        let rest = bytes.get(length..);
        self.payload = rest.ok_or_else(|| needs("an extension of IPv6", length, bytes))?;
        Ok(())
    }
}
