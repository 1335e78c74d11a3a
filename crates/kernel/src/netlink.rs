//! netlink(7): how a question to the kernel is framed, and how its answers are
//! taken apart.

use std::io::{self, Read};

use libc::c_int;
use socket2::{Domain, Protocol, Socket, Type};

/// `struct nlmsghdr`: length, type, flags, sequence number, port.
pub(crate) const HEADER: usize = 16;

const NLMSG_ERROR: u16 = libc::NLMSG_ERROR as u16;
const NLMSG_DONE: u16 = libc::NLMSG_DONE as u16;

/// A way to the kernel. It belongs for ever to the network of the thread that has
/// opened it.
#[derive(Debug)]
pub(crate) struct Link(Socket);

impl Link {
    /// To one of the kernel's netlink families, such as NETLINK_ROUTE.
    pub(crate) fn open(family: c_int) -> io::Result<Self> {
        let netlink = Domain::from(libc::AF_NETLINK);
        Socket::new(netlink, Type::RAW, Some(Protocol::from(family))).map(Self)
    }

    /// Sends a question, and hands over the body of each answer. `buffer` is room
    /// for a datagram of them.
    pub(crate) fn ask(
        &self,
        question: &[u8],
        buffer: &mut [u8],
        mut answer: impl FnMut(&[u8]),
    ) -> io::Result<()> {
        self.0.send(question)?;
        while {
            let length = (&self.0).read(buffer)?;
            read(&buffer[..length], &mut answer)?
        } {}
        Ok(())
    }
}

/// The header of a question; its length is filled in by [`finish`].
pub(crate) fn question(kind: u16, flags: u16) -> Vec<u8> {
    let mut bytes = vec![0; HEADER];
    bytes[4..6].copy_from_slice(&kind.to_ne_bytes());
    bytes[6..8].copy_from_slice(&(flags | libc::NLM_F_REQUEST as u16).to_ne_bytes());
    bytes
}

/// The question is complete.
pub(crate) fn finish(mut question: Vec<u8>) -> Vec<u8> {
    let length = question.len() as u32;
    question[..4].copy_from_slice(&length.to_ne_bytes());
    question
}

/// Takes the answers out of one datagram; false when it was the last.
pub(crate) fn read(mut bytes: &[u8], answer: &mut impl FnMut(&[u8])) -> io::Result<bool> {
    if bytes.len() < HEADER {
        return Err(io::Error::other("netlink answered without an answer"));
    }
    while let Some(header) = bytes.first_chunk::<HEADER>() {
        let length = u32::from_ne_bytes([header[0], header[1], header[2], header[3]]) as usize;
        let kind = u16::from_ne_bytes([header[4], header[5]]);
        let Some(body) = bytes.get(HEADER..length) else {
            return Err(io::Error::other(format!(
                "netlink answered with the length {length}"
            )));
        };
        match kind {
            NLMSG_DONE => return Ok(false),
            NLMSG_ERROR => return error(body).map(|()| false),
            _ => answer(body),
        }
        // Each message begins at a multiple of 4.
        bytes = bytes.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Ok(true)
}

/// `struct nlmsgerr` begins with the errno, below zero; 0 is "done".
fn error(body: &[u8]) -> io::Result<()> {
    match body.first_chunk().map(|errno| i32::from_ne_bytes(*errno)) {
        Some(0) => Ok(()),
        Some(errno) => Err(io::Error::from_raw_os_error(errno.wrapping_neg())),
        None => Err(io::Error::other(
            "netlink answered with an error without a number",
        )),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_answer_can_do_harm(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = read(&bytes, &mut |_| {});
        }
    }

    #[test]
    fn a_length_that_is_too_short_to_go_on_is_an_error() {
        let mut bytes = [0; HEADER];
        bytes[0] = 4;
        assert!(read(&bytes, &mut |_| {}).is_err());
    }

    #[test]
    fn an_errno_of_0_says_that_it_is_done_and_another_one_why_not() {
        let answer = |errno: i32| {
            let mut bytes = question(NLMSG_ERROR, 0);
            bytes.extend(errno.to_ne_bytes());
            read(&finish(bytes), &mut |_| {})
        };
        assert!(!answer(0).unwrap());
        let refused = answer(-libc::EPERM).unwrap_err();
        assert_eq!(refused.raw_os_error(), Some(libc::EPERM));
    }
}
