//! From the numbers of a call that begins to what the program gives.

use std::time::Duration;

use timeline::call::{Arg, Message};

use super::outputs::{F_SETFL, LONGEST_SETTING, MOST_MESSAGES};
use super::reader::{Decoder, LONGEST_ADDRESS, at_most};
use super::table::{Part, Row};
use super::{names, parse};

impl Decoder<'_> {
    /// The arguments of a call that begins, and the room for an address or an
    /// option, which the kernel will overwrite with what it has put there.
    pub(super) fn arguments(&self, row: &Row, args: &[u64; 6]) -> (Vec<Arg>, u64) {
        let mut found = Vec::with_capacity(row.parts.len());
        let mut room = 0;
        for (part, own) in row.parts(args) {
            if let Some(more) = self.room(part, own) {
                room = more;
            }
            match part {
                Part::Setting => {
                    found.extend(option_names(own));
                    found.push(self.setting(own));
                }
                Part::SettingOut => {
                    found.extend(option_names(own));
                    found.push(wanted(own[2]));
                }
                Part::Sets => {
                    found.push(number(own[0]));
                    found.extend(own[1..].iter().map(|&set| self.set(own[0], set)));
                }
                Part::FileCommand => {
                    found.push(symbol(names::FILE_COMMAND, own[0]));
                    found.push(file_argument(own));
                }
                Part::DeviceCommand => {
                    found.push(symbol(names::DEVICE_COMMAND, own[0]));
                    found.push(self.device_argument(own));
                }
                Part::Messages => {
                    found.push(self.messages(own));
                    found.push(number(own[1]));
                }
                Part::MessagesOut => found.extend([wanted(own[0]), number(own[1])]),
                Part::EpollOut => found.extend([wanted(own[0]), number(own[1])]),
                Part::Protocol => found.push(protocol(args[0], own[0])),
                Part::Made => {}
                _ => found.push(self.argument(part, own)),
            }
        }
        (found, room)
    }

    /// The arguments that are one for the reader.
    fn argument(&self, part: Part, own: &[u64]) -> Arg {
        match (part, own) {
            (Part::Descriptor, &[value]) => Arg::Descriptor(value as i32),
            (Part::Symbol(names), &[value]) => symbol(names, value),
            (Part::Flags(names), &[value]) => {
                Arg::Flags(names::flags(names, u64::from(value as u32)))
            }
            (Part::SocketType, &[value]) => Arg::Flags(names::flags_with_number(
                names::SOCKET_TYPE,
                0xf,
                names::SOCKET_FLAGS,
                u64::from(value as u32),
            )),
            (Part::Count, &[value]) => Arg::Number(value as i64),
            (Part::Hidden | Part::PairOut, &[value]) => wanted(value),
            (Part::AddressOut, &[value, _]) => wanted(value),
            (Part::Milliseconds, &[value]) => {
                let wait = u64::try_from(value as i32).ok();
                Arg::Timeout(wait.map(Duration::from_millis))
            }
            (Part::Time(unit), &[value]) => self.timeout(value, unit),
            (Part::Address, &[address, length]) => self.address(address, length),
            (Part::Bytes, &[address, length]) => {
                Arg::Bytes(self.gather(&[(address, length)], u64::MAX))
            }
            (Part::BytesOut, &[_, length]) => Arg::Room(length),
            (Part::Vectors, &[address, count]) => match self.vectors(address, count) {
                Some(vectors) => Arg::Bytes(self.gather(&vectors, u64::MAX)),
                None => Arg::Unreadable(address),
            },
            (Part::VectorsOut, &[address, count]) => self.room_of_vectors(address, count),
            (Part::Message, &[address]) => match self.message(address) {
                Some(message) => Arg::Messages(vec![message]),
                None => Arg::Unreadable(address),
            },
            (Part::MessageOut, &[address]) => match self.header(address) {
                Some(header) => self.room_of_vectors(header.vectors, header.vector_count),
                None => Arg::Unreadable(address),
            },
            (Part::Poll, &[address, count]) => match self.polled(address, count) {
                Some(bytes) => Arg::Watched(parse::polled(&bytes, false)),
                None => Arg::Unreadable(address),
            },
            (Part::EpollEvent, &[address]) => self.epoll_event(address),
            (_, &[value, ..]) => number(value),
            (_, &[]) => Arg::Null,
        }
    }

    /// How much room the program gives for an address or an option.
    fn room(&self, part: Part, own: &[u64]) -> Option<u64> {
        let length = match part {
            Part::AddressOut => self.number_at(own[1]),
            Part::SettingOut => self.number_at(own[3]),
            Part::MessageOut => self.header(own[0]).map(|header| header.name_length),
            _ => None,
        };
        length.map(u64::from)
    }

    fn address(&self, address: u64, length: u64) -> Arg {
        if address == 0 {
            return Arg::Null;
        }
        // The kernel refuses what is longer; as a negative length is.
        let length = u64::from(length as u32);
        let found = (length <= LONGEST_ADDRESS).then(|| self.address_at(address, length));
        match found.flatten() {
            Some(found) => Arg::Address(found),
            None => Arg::Unreadable(address),
        }
    }

    fn room_of_vectors(&self, address: u64, count: u64) -> Arg {
        match self.vectors(address, count) {
            Some(vectors) => {
                let lengths = vectors.iter().map(|(_, length)| *length);
                Arg::Room(lengths.fold(0, u64::saturating_add))
            }
            None => Arg::Unreadable(address),
        }
    }

    fn messages(&self, own: &[u64]) -> Arg {
        let each = (0..u64::from(own[1] as u32).min(MOST_MESSAGES)).map_while(|index| {
            self.message(own[0].checked_add(index * parse::LONG_HEADER as u64)?)
        });
        let messages: Vec<Message> = each.collect();
        if messages.is_empty() && own[1] as u32 > 0 {
            return Arg::Unreadable(own[0]);
        }
        Arg::Messages(messages)
    }

    fn setting(&self, own: &[u64]) -> Arg {
        let [level, option, address, length] = [own[0], own[1], own[2], own[3]];
        if address == 0 {
            return Arg::Null;
        }
        let length = u64::from(length as u32);
        match self.all(address, at_most(length, LONGEST_SETTING)) {
            Some(bytes) => {
                let (level, option) = (i64::from(level as i32), i64::from(option as i32));
                Arg::Setting(parse::setting(level, option, &bytes, length))
            }
            None => Arg::Unreadable(address),
        }
    }

    fn set(&self, count: u64, address: u64) -> Arg {
        match self.set_at(count, address) {
            Some(set) => Arg::Descriptors(set),
            None if address == 0 => Arg::Null,
            None => Arg::Unreadable(address),
        }
    }

    fn timeout(&self, address: u64, nanoseconds_a_unit: u64) -> Arg {
        if address == 0 {
            return Arg::Timeout(None);
        }
        match parse::time(&self.memory.read(address, parse::PAIR), nanoseconds_a_unit) {
            Some(time) => Arg::Timeout(Some(time)),
            None => Arg::Unreadable(address),
        }
    }

    fn epoll_event(&self, address: u64) -> Arg {
        if address == 0 {
            return Arg::Null;
        }
        let event = self.all(address, parse::EPOLL_EVENT);
        event.map_or(Arg::Unreadable(address), |bytes| {
            Arg::Watched(parse::epoll_events(&bytes))
        })
    }

    fn device_argument(&self, own: &[u64]) -> Arg {
        match names::symbol(names::DEVICE_COMMAND, i64::from(own[0] as u32)).name {
            Some(name) if name == "FIONBIO" => match self.number_at(own[1]) {
                Some(on) => Arg::Number(i64::from(on as i32)),
                None => Arg::Unreadable(own[1]),
            },
            _ => wanted(own[1]),
        }
    }
}

fn number(value: u64) -> Arg {
    Arg::Number(i64::from(value as i32))
}

fn symbol(names: names::Names, value: u64) -> Arg {
    Arg::Symbol(names::symbol(names, i64::from(value as i32)))
}

fn wanted(pointer: u64) -> Arg {
    if pointer == 0 { Arg::Null } else { Arg::Wanted }
}

fn option_names(own: &[u64]) -> [Arg; 2] {
    let (level, option) = (i64::from(own[0] as i32), i64::from(own[1] as i32));
    let name = names::symbol(names::options(level), option);
    [
        Arg::Symbol(names::symbol(names::LEVEL, level)),
        Arg::Symbol(name),
    ]
}

fn protocol(family: u64, protocol: u64) -> Arg {
    let family = names::symbol(names::FAMILY, i64::from(family as i32));
    match family.name.as_deref() {
        Some("AF_INET" | "AF_INET6") => symbol(names::PROTOCOL, protocol),
        _ => number(protocol),
    }
}

fn file_argument(own: &[u64]) -> Arg {
    if own[0] as u32 == F_SETFL {
        let bits = u64::from(own[1] as u32);
        Arg::Flags(names::flags_with_number(
            names::ACCESS,
            3,
            names::FILE_FLAGS,
            bits,
        ))
    } else {
        number(own[1])
    }
}
