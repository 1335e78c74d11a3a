//! Reads what the pointers of a call point to. Whatever is there, or is not,
//! there is an answer: a program may pass any number as a pointer.

use timeline::call::{Address, Bytes, Message};

use super::parse;
use super::table::{Part, Row};

/// A `sockaddr_storage`: no address is longer.
pub(super) const LONGEST_ADDRESS: u64 = 128;
/// `UIO_MAXIOV`: the kernel takes no more buffers in one call.
pub(super) const MOST_VECTORS: u64 = 1024;
/// So many polled descriptors or events of one call are looked at.
pub(super) const MOST_POLLED: u64 = 4096;
/// So much is looked at beside the data: descriptors and credentials fit.
const LONGEST_CONTROL: u64 = 4096;
/// A set has room for so many descriptors.
const LARGEST_SET: usize = 65_536;

/// The memory of a program.
pub(super) trait Memory {
    /// The bytes from the address on: so many, or as many as can be read.
    fn read(&self, address: u64, length: usize) -> Vec<u8>;
}

/// Reads the arguments (`arguments.rs`) and the results (`outputs.rs`) of calls.
pub(super) struct Decoder<'a> {
    pub(super) memory: &'a dyn Memory,
    /// How many bytes of data are kept.
    pub(super) keep: usize,
}

impl Decoder<'_> {
    pub(super) fn number_at(&self, address: u64) -> Option<u32> {
        parse::u32_at(&self.memory.read(address, 4), 0)
    }

    /// All of these bytes, or none.
    pub(super) fn all(&self, address: u64, length: usize) -> Option<Vec<u8>> {
        let bytes = self.memory.read(address, length);
        (bytes.len() == length).then_some(bytes)
    }

    pub(super) fn address_at(&self, address: u64, length: u64) -> Option<Address> {
        let bytes = self.all(address, at_most(length, LONGEST_ADDRESS))?;
        Some(parse::address(&bytes))
    }

    /// Data put together from buffers, at most `limit` bytes of it.
    pub(super) fn gather(&self, vectors: &[(u64, u64)], limit: u64) -> Bytes {
        let mut bytes = Bytes::default();
        let mut readable = true;
        for &(address, length) in vectors {
            let length = length.min(limit - bytes.length);
            bytes.length = bytes.length.saturating_add(length);
            let wanted = at_most(length, (self.keep - bytes.first.len()) as u64);
            if readable && wanted > 0 {
                let read = self.memory.read(address, wanted);
                readable = read.len() == wanted;
                bytes.first.extend(read);
            }
        }
        bytes
    }

    pub(super) fn vectors(&self, address: u64, count: u64) -> Option<Vec<(u64, u64)>> {
        let length = at_most(count, MOST_VECTORS) * parse::PAIR;
        Some(parse::vectors(&self.all(address, length)?))
    }

    pub(super) fn header(&self, address: u64) -> Option<parse::Header> {
        parse::header(&self.memory.read(address, parse::HEADER))
    }

    /// A message that is given.
    pub(super) fn message(&self, address: u64) -> Option<Message> {
        let header = self.header(address)?;
        Some(self.message_of(&header, header.name_length.into(), u64::MAX))
    }

    pub(super) fn message_of(
        &self,
        header: &parse::Header,
        name_length: u64,
        limit: u64,
    ) -> Message {
        let vectors = self.vectors(header.vectors, header.vector_count);
        let has_name = header.name != 0 && name_length > 0;
        let control_length = at_most(header.control_length, LONGEST_CONTROL);
        let control = if header.control == 0 {
            Vec::new()
        } else {
            self.memory.read(header.control, control_length)
        };
        Message {
            address: has_name
                .then(|| self.address_at(header.name, name_length))
                .flatten(),
            bytes: self.gather(&vectors.unwrap_or_default(), limit),
            control: parse::control(&control),
            flags: Default::default(),
        }
    }

    pub(super) fn set_at(&self, count: u64, address: u64) -> Option<Vec<i32>> {
        if address == 0 {
            return None;
        }
        // The kernel reads words of 64 bits; only the bits below `count` count.
        let count = usize::try_from(count as i32).unwrap_or(0).min(LARGEST_SET);
        let bytes = self.all(address, count.div_ceil(64) * 8)?;
        let mut set = parse::set(&bytes);
        set.retain(|&descriptor| (descriptor as usize) < count);
        Some(set)
    }

    pub(super) fn polled(&self, address: u64, count: u64) -> Option<Vec<u8>> {
        let count = at_most(u64::from(count as u32), MOST_POLLED);
        self.all(address, count * parse::POLL)
    }

    /// The descriptors that a call waits for; None when they cannot be read.
    pub(super) fn watched(&self, row: &Row, args: &[u64; 6]) -> Option<Vec<i32>> {
        let mut found = Vec::new();
        for (part, own) in row.parts(args) {
            match part {
                Part::Poll => {
                    let watches = parse::polled(&self.polled(own[0], own[1])?, false);
                    let numbers = watches.iter().map(|watch| watch.descriptor as i32);
                    found.extend(numbers.filter(|&descriptor| descriptor >= 0));
                }
                Part::Sets => {
                    for &set in own[1..].iter().filter(|&&set| set != 0) {
                        found.extend(self.set_at(own[0], set)?);
                    }
                }
                _ => {}
            }
        }
        Some(found)
    }

    /// The handler that `rt_sigaction` sets: the signal, the handler's address,
    /// the flags.
    pub(super) fn handler(&self, args: &[u64; 6]) -> Option<(i32, u64, u64)> {
        let action = self.all(args[1], 16)?;
        let (handler, flags) = (parse::u64_at(&action, 0)?, parse::u64_at(&action, 8)?);
        Some((args[0] as i32, handler, flags))
    }
}

/// The descriptors among the arguments.
pub(super) fn descriptors(row: &Row, args: &[u64; 6]) -> Vec<i32> {
    let parts = row.parts(args);
    let descriptors = parts.filter(|(part, _)| matches!(part, Part::Descriptor));
    descriptors.map(|(_, own)| own[0] as i32).collect()
}

pub(super) fn at_most(length: u64, most: u64) -> usize {
    // It fits: all our limits are small.
    length.min(most) as usize
}
