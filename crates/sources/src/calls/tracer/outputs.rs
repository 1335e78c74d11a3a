//! From the numbers of a call that has ended to what the kernel has written.

use timeline::call::{Message, Output};

use super::reader::{Decoder, LONGEST_ADDRESS, MOST_POLLED, at_most};
use super::table::{Part, Row};
use super::{names, parse};

/// So many messages of one call are looked at.
pub(super) const MOST_MESSAGES: u64 = 64;
/// The value of a longer option is cut.
pub(super) const LONGEST_SETTING: u64 = 256;

/// The command of fcntl(2) that makes no descriptor.
pub(super) const F_SETFL: u32 = 4;

impl Decoder<'_> {
    /// What the kernel wrote in a call that returned `result`; nothing when it
    /// failed. `room` is what [`Decoder::arguments`] has found.
    pub(super) fn outputs(
        &self,
        row: &Row,
        args: &[u64; 6],
        room: u64,
        result: i64,
    ) -> Vec<Output> {
        let Ok(result) = u64::try_from(result) else {
            return Vec::new();
        };
        let mut found = Vec::new();
        for (part, own) in row.parts(args) {
            if let Part::Sets = part {
                let sets = own[1..].iter().filter(|&&set| set != 0);
                found.extend(sets.map(|&set| match self.set_at(own[0], set) {
                    Some(set) => Output::Descriptors(set),
                    None => Output::Unreadable(set),
                }));
            } else if let Some(output) = self.output(part, own, room, result) {
                found.push(output);
            }
        }
        found
    }

    fn output(&self, part: Part, own: &[u64], room: u64, result: u64) -> Option<Output> {
        let pointer = *own.first()?;
        let found = match part {
            Part::BytesOut => Output::Bytes(self.gather(&[(pointer, own[1])], result)),
            Part::VectorsOut => {
                let vectors = self.vectors(pointer, own[1]).unwrap_or_default();
                Output::Bytes(self.gather(&vectors, result))
            }
            Part::AddressOut if pointer != 0 => {
                let length = u64::from(self.number_at(own[1])?).min(room);
                // The sender of a stream, and an unnamed UNIX socket, have none.
                if length == 0 {
                    return None;
                }
                Output::Address(self.address_at(pointer, length)?)
            }
            Part::MessageOut => {
                let header = self.header(pointer)?;
                Output::Messages(vec![self.received_message(&header, room, result)])
            }
            Part::MessagesOut => Output::Messages(self.received_messages(pointer, result)),
            Part::SettingOut => {
                let length = u64::from(self.number_at(own[3])?).min(room);
                let bytes = self.all(own[2], at_most(length, LONGEST_SETTING))?;
                let (level, option) = (i64::from(own[0] as i32), i64::from(own[1] as i32));
                Output::Setting(parse::setting(level, option, &bytes, length))
            }
            Part::PairOut => {
                let bytes = self.all(pointer, 8)?;
                let pair = [parse::i32_at(&bytes, 0)?, parse::i32_at(&bytes, 4)?];
                Output::Descriptors(pair.to_vec())
            }
            Part::Poll => {
                let mut polled = parse::polled(&self.polled(pointer, own[1])?, true);
                polled.retain(|watch| watch.events.bits != 0);
                Output::Watched(polled)
            }
            Part::EpollOut => {
                let length = at_most(result, MOST_POLLED) * parse::EPOLL_EVENT;
                Output::Watched(parse::epoll_events(&self.memory.read(pointer, length)))
            }
            Part::DeviceCommand => {
                let name = names::symbol(names::DEVICE_COMMAND, i64::from(own[0] as u32)).name?;
                let count = (name == "FIONREAD")
                    .then(|| self.number_at(own[1]))
                    .flatten()?;
                Output::Number(i64::from(count as i32))
            }
            _ => return None,
        };
        Some(found)
    }

    fn received_message(&self, header: &parse::Header, room: u64, result: u64) -> Message {
        let name_length = u64::from(header.name_length).min(room);
        let mut message = self.message_of(header, name_length, result);
        message.flags = names::flags(names::MESSAGE_FLAGS, header.flags.into());
        message
    }

    fn received_messages(&self, pointer: u64, count: u64) -> Vec<Message> {
        let each = (0..count.min(MOST_MESSAGES)).map_while(|index| {
            let at = pointer.checked_add(index * parse::LONG_HEADER as u64)?;
            let bytes = self.all(at, parse::LONG_HEADER)?;
            let (header, length) = (
                parse::header(&bytes)?,
                parse::u32_at(&bytes, parse::HEADER)?,
            );
            Some(self.received_message(&header, LONGEST_ADDRESS, length.into()))
        });
        each.collect()
    }
}

/// The descriptors that a call has made or brought.
pub(super) fn made(row: &Row, args: &[u64; 6], result: i64, outputs: &[Output]) -> Vec<i32> {
    let mut made = Vec::new();
    for (part, own) in row.parts(args) {
        let duplicates = matches!(part, Part::FileCommand) && own[0] as u32 != F_SETFL;
        if duplicates || matches!(part, Part::Made) {
            made.extend(i32::try_from(result).ok().filter(|&number| number >= 0));
        }
    }
    for output in outputs {
        match output {
            Output::Descriptors(pair) if row.name == "socketpair" => made.extend(pair),
            Output::Messages(messages) => {
                let controls = messages.iter().flat_map(|message| &message.control);
                made.extend(controls.flat_map(|control| &control.descriptors));
            }
            _ => {}
        }
    }
    made
}
