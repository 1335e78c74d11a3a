//! From the numbers of a call that begins to what the program gives.

use std::time::Duration;

use timeline::call::{Arg, Message};

use super::names::Names;
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
                    found.extend([symbol(names::FILE_COMMAND, own[0]), file_argument(own)]);
                }
                Part::DeviceCommand => {
                    found.push(symbol(names::DEVICE_COMMAND, own[0]));
                    found.push(self.device_argument(own));
                }
                Part::Messages => {
                    found.extend([self.messages(own), number(own[1])]);
                }
                Part::MessagesOut | Part::EpollOut => {
                    found.extend([wanted(own[0]), number(own[1])]);
                }
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
            (Part::SocketType, &[value]) => {
                flags_with_number(names::SOCKET_TYPE, 0xf, names::SOCKET_FLAGS, value)
            }
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
            (Part::Vectors, &[address, count]) => {
                let vectors = self.vectors(address, count);
                readable(address, vectors, |vectors| {
                    Arg::Bytes(self.gather(&vectors, u64::MAX))
                })
            }
            (Part::VectorsOut, &[address, count]) => self.room_of_vectors(address, count),
            (Part::Message, &[address]) => readable(address, self.message(address), |message| {
                Arg::Messages(vec![message])
            }),
            (Part::MessageOut, &[address]) => readable(address, self.header(address), |header| {
                self.room_of_vectors(header.vectors, header.vector_count)
            }),
            (Part::Poll, &[address, count]) => {
                readable(address, self.polled(address, count), |bytes| {
                    Arg::Watched(parse::polled(&bytes, false))
                })
            }
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
        readable(address, found.flatten(), Arg::Address)
    }

    fn room_of_vectors(&self, address: u64, count: u64) -> Arg {
        readable(address, self.vectors(address, count), |vectors| {
            let lengths = vectors.iter().map(|(_, length)| *length);
            Arg::Room(lengths.fold(0, u64::saturating_add))
        })
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
        let bytes = self.all(address, at_most(length, LONGEST_SETTING));
        let (level, option) = (i64::from(level as i32), i64::from(option as i32));
        readable(address, bytes, |bytes| {
            Arg::Setting(parse::setting(level, option, &bytes, length))
        })
    }

    fn set(&self, count: u64, address: u64) -> Arg {
        match address {
            0 => Arg::Null,
            _ => readable(address, self.set_at(count, address), Arg::Descriptors),
        }
    }

    fn timeout(&self, address: u64, nanoseconds_a_unit: u64) -> Arg {
        if address == 0 {
            return Arg::Timeout(None);
        }
        let time = parse::time(&self.memory.read(address, parse::PAIR), nanoseconds_a_unit);
        readable(address, time, |time| Arg::Timeout(Some(time)))
    }

    fn epoll_event(&self, address: u64) -> Arg {
        if address == 0 {
            return Arg::Null;
        }
        readable(address, self.all(address, parse::EPOLL_EVENT), |bytes| {
            Arg::Watched(parse::epoll_events(&bytes))
        })
    }

    fn device_argument(&self, own: &[u64]) -> Arg {
        match names::symbol(names::DEVICE_COMMAND, i64::from(own[0] as u32)).name {
            Some(name) if name == "FIONBIO" => {
                readable(own[1], self.number_at(own[1]), |on| number(on.into()))
            }
            _ => wanted(own[1]),
        }
    }
}

/// What was found at an address, if it could be read.
fn readable<T>(address: u64, found: Option<T>, arg: impl FnOnce(T) -> Arg) -> Arg {
    found.map_or(Arg::Unreadable(address), arg)
}

fn number(value: u64) -> Arg {
    Arg::Number(i64::from(value as i32))
}

fn symbol(names: Names, value: u64) -> Arg {
    Arg::Symbol(names::symbol(names, i64::from(value as i32)))
}

fn flags_with_number(numbers: Names, mask: u64, names: Names, value: u64) -> Arg {
    let bits = u64::from(value as u32);
    Arg::Flags(names::flags_with_number(numbers, mask, names, bits))
}

fn wanted(pointer: u64) -> Arg {
    if pointer == 0 { Arg::Null } else { Arg::Wanted }
}

fn option_names(own: &[u64]) -> [Arg; 2] {
    let options = names::options(i64::from(own[0] as i32));
    [symbol(names::LEVEL, own[0]), symbol(options, own[1])]
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
        flags_with_number(names::ACCESS, 3, names::FILE_FLAGS, own[1])
    } else {
        number(own[1])
    }
}
