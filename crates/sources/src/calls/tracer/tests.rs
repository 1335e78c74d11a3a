//! The parts that need no program: the filter, the table, and the reading of
//! memory, in which a program may have put anything.

use std::net::SocketAddr;
use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use rstest::rstest;
use timeline::call::{Address, Arg, Output, Setting};

use kernel::trace::filter::Instruction;

use super::outputs::made;
use super::reader::{Decoder, Memory, descriptors};
use super::table::{MACHINE, ROWS, Row, find};
use super::{filter, names, parse};

const ALLOW: u32 = 0x7fff_0000;
const TRACE: u32 = 0x7ff0_0000;
const KEEP: usize = 16;

/// What the kernel does with a filter, for the instructions that ours has.
fn judge(program: &[Instruction], number: u32, arch: u32, second: u64) -> u32 {
    let mut loaded = 0;
    let mut at = 0;
    loop {
        let step = program[at];
        at += 1;
        match step.code {
            0x20 => {
                loaded = match step.value {
                    0 => number,
                    4 => arch,
                    24 => second as u32,
                    other => panic!("a load from {other}"),
                }
            }
            0x15 if loaded == step.value => at += usize::from(step.jump_true),
            0x15 => at += usize::from(step.jump_false),
            0x06 => return step.value,
            other => panic!("an instruction {other:#x}"),
        }
    }
}

#[test]
fn the_filter_stops_each_call_of_the_table() {
    let program = filter::program();
    for row in ROWS {
        let any = [7];
        let seconds = if row.commands.is_empty() {
            &any
        } else {
            row.commands
        };
        for &second in seconds {
            let verdict = judge(&program, row.number as u32, MACHINE, second.into());
            assert_eq!(verdict, TRACE, "{}", row.name);
        }
    }
}

#[test]
fn the_filter_lets_a_command_pass_that_is_not_on_the_list() {
    const F_GETFL: u64 = 3;
    let program = filter::program();
    let fcntl = libc::SYS_fcntl as u32;
    assert_eq!(judge(&program, fcntl, MACHINE, F_GETFL), ALLOW);
}

#[test]
fn the_filter_lets_the_calls_of_other_machines_pass() {
    const AUDIT_ARCH_I386: u32 = 0x4000_0003;
    let program = filter::program();
    for row in ROWS {
        let second = row.commands.first().copied().unwrap_or_default();
        let verdict = judge(&program, row.number as u32, AUDIT_ARCH_I386, second.into());
        assert_eq!(verdict, ALLOW, "{}", row.name);
    }
}

proptest! {
    #[test]
    fn the_filter_lets_all_other_calls_pass(number: u16, second: u64) {
        prop_assume!(find(number.into()).is_none());
        prop_assert_eq!(judge(&filter::program(), number.into(), MACHINE, second), ALLOW);
    }
}

#[test]
fn no_call_has_more_than_six_arguments_or_two_rows() {
    for row in ROWS {
        let width: usize = row.parts.iter().map(|part| part.width()).sum();
        assert!(width <= 6, "{}", row.name);
        let found = find(row.number as u64).map(|found| found.name);
        assert_eq!(found, Some(row.name));
    }
}

#[rstest]
#[case::ipv4(&[2, 0, 0x1f, 0x91, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0], "127.0.0.1:8081")]
#[case::ipv6(
    &[10, 0, 0x1f, 0x91, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0],
    "[::1]:8081"
)]
fn an_internet_address_is_read(#[case] bytes: &[u8], #[case] expected: &str) {
    let expected: SocketAddr = expected.parse().expect("an address");
    assert_eq!(parse::address(bytes), Address::Ip(expected));
}

#[rstest]
#[case::path(b"\x01\x00/tmp/s\0rest", Address::Path(b"/tmp/s".to_vec()))]
#[case::path_without_end(b"\x01\x00/tmp/s", Address::Path(b"/tmp/s".to_vec()))]
#[case::not_in_the_file_system(b"\x01\x00\0name\0", Address::Abstract(b"name\0".to_vec()))]
#[case::no_name(b"\x01\x00", Address::Unnamed)]
#[case::half_an_address(b"\x02\x00\x1f\x91\x7f", Address::Other { family: Some(2), bytes: b"\x1f\x91\x7f".to_vec() })]
#[case::netlink(b"\x10\x00\0\0", Address::Other { family: Some(16), bytes: vec![0, 0] })]
#[case::half_a_family(b"\x02", Address::Other { family: None, bytes: vec![] })]
fn other_addresses_are_told_apart(#[case] bytes: &[u8], #[case] expected: Address) {
    assert_eq!(parse::address(bytes), expected);
}

#[test]
fn passed_descriptors_are_found_behind_other_control_data() {
    let mut bytes = Vec::new();
    // SCM_CREDENTIALS: 12 bytes and 4 to the next multiple of 8.
    bytes.extend(28_u64.to_ne_bytes());
    bytes.extend([1_i32, 2, 0, 0, 0, 0].map(i32::to_ne_bytes).concat());
    bytes.extend(24_u64.to_ne_bytes());
    bytes.extend([1_i32, 1, 5, 6].map(i32::to_ne_bytes).concat());
    let found = parse::control(&bytes);
    assert_eq!(found.len(), 2);
    assert_eq!(found[0].descriptors, []);
    assert_eq!(found[1].descriptors, [5, 6]);
    assert_eq!(found[1].kind.name.as_deref(), Some("SCM_RIGHTS"));
}

#[rstest]
#[case::number(1, 2, &1_i32.to_ne_bytes(), Setting::Number(1))]
#[case::linger(1, 13, &[1, 0, 0, 0, 5, 0, 0, 0], Setting::Linger(Some(Duration::from_secs(5))))]
#[case::no_linger(1, 13, &[0; 8], Setting::Linger(None))]
#[case::time(1, 20, &[[2, 0, 0, 0, 0, 0, 0, 0], 500_000_u64.to_ne_bytes()].concat(), Setting::Time(Duration::from_millis(2500)))]
#[case::text(6, 13, b"cubic\0\0\0", Setting::Text("cubic".into()))]
fn the_value_of_an_option_is_read_by_its_name(
    #[case] level: i64,
    #[case] option: i64,
    #[case] bytes: &[u8],
    #[case] expected: Setting,
) {
    let length = bytes.len() as u64;
    assert_eq!(parse::setting(level, option, bytes, length), expected);
}

#[test]
fn flags_are_named_and_the_rest_is_kept() {
    let flags = names::flags(names::MESSAGE_FLAGS, 0x4042 | 0x80_0000);
    assert_eq!(flags.names, ["MSG_PEEK", "MSG_DONTWAIT", "MSG_NOSIGNAL"]);
    assert_eq!(flags.unnamed, 0x80_0000);
}

#[rstest]
#[case(4, "EINTR")]
#[case(11, "EAGAIN")]
#[case(111, "ECONNREFUSED")]
#[case(512, "ERESTARTSYS")]
fn an_errno_has_its_name(#[case] number: i64, #[case] name: &str) {
    assert_eq!(names::errno(number).name.as_deref(), Some(name));
}

/// Some bytes at an address, and nothing anywhere else.
#[derive(Debug)]
struct Heap {
    base: u64,
    bytes: Vec<u8>,
}

impl Memory for Heap {
    fn read(&self, address: u64, length: usize) -> Vec<u8> {
        let start = address.checked_sub(self.base).map(|start| start as usize);
        let rest = start.and_then(|start| self.bytes.get(start..));
        rest.map_or(Vec::new(), |rest| rest[..length.min(rest.len())].to_vec())
    }
}

#[test]
fn an_address_is_read_as_far_as_the_program_has_room_for_it() {
    const BASE: u64 = 0x1000;
    let address = [2, 0, 0x1f, 0x91, 127, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0];
    let mut bytes = address.to_vec();
    // The kernel writes how long the address is, even if it has cut it.
    bytes.extend(16_u32.to_ne_bytes());
    let memory = Heap { base: BASE, bytes };
    let decoder = Decoder {
        memory: &memory,
        keep: KEEP,
    };
    let row = find(libc::SYS_getsockname as u64).expect("it is observed");
    let args = [3, BASE, BASE + 16, 0, 0, 0];
    let seen = |room| decoder.outputs(row, &args, room, 0);
    let whole = Address::Ip("127.0.0.1:8081".parse().expect("an address"));
    assert_eq!(seen(16), [Output::Address(whole)]);
    let cut = Address::Other {
        family: Some(2),
        bytes: vec![0x1f, 0x91],
    };
    assert_eq!(seen(4), [Output::Address(cut)]);
}

/// Memory whose words are often pointers into it, and arguments of all kinds.
fn wild() -> impl Strategy<Value = (Heap, [u64; 6], u64, i64)> {
    const BASE: u64 = 0x1000;
    const SIZE: u64 = 1024;
    let word = prop_oneof![
        BASE..BASE + SIZE,
        0..64_u64,
        any::<u64>(),
        Just(u64::MAX),
        Just(0),
    ];
    let words = vec(word.clone(), (SIZE / 8) as usize);
    let args = [(); 6].map(|()| word.clone());
    let result = prop_oneof![-200..200_i64, any::<i64>()];
    (words, args, word, result).prop_map(|(words, args, room, result)| {
        let bytes = words.into_iter().flat_map(u64::to_ne_bytes).collect();
        (Heap { base: BASE, bytes }, args, room, result)
    })
}

/// All data that was kept.
fn kept(row: &Row, args: &[Arg], outputs: &[Output]) -> usize {
    let given = args.iter().map(|arg| match arg {
        Arg::Bytes(bytes) => bytes.first.len(),
        Arg::Messages(messages) if row.name == "sendmsg" => messages[0].bytes.first.len(),
        _ => 0,
    });
    let written = outputs.iter().map(|output| match output {
        Output::Bytes(bytes) => bytes.first.len(),
        _ => 0,
    });
    given.chain(written).max().unwrap_or(0)
}

proptest! {
    #[test]
    fn no_bytes_are_too_wild_to_be_read(bytes in vec(any::<u8>(), 0..300), level in 0..300_i64, option in 0..70_i64) {
        parse::address(&bytes);
        parse::header(&bytes);
        parse::vectors(&bytes);
        parse::control(&bytes);
        parse::polled(&bytes, true);
        parse::epoll_events(&bytes);
        parse::set(&bytes);
        parse::time(&bytes, 1000);
        parse::setting(level, option, &bytes, bytes.len() as u64);
    }

    #[test]
    fn an_address_of_each_family_takes_any_bytes(family in prop_oneof![Just(1_u16), Just(2), Just(10)], rest in vec(any::<u8>(), 0..130)) {
        let bytes = [&family.to_ne_bytes()[..], &rest].concat();
        parse::address(&bytes);
    }

    #[test]
    fn no_program_is_too_wild_to_be_read((memory, args, room, result) in wild()) {
        let decoder = Decoder { memory: &memory, keep: KEEP };
        for row in ROWS {
            let (arguments, _) = decoder.arguments(row, &args);
            let outputs = decoder.outputs(row, &args, room, result);
            prop_assert!(kept(row, &arguments, &outputs) <= KEEP, "{}", row.name);
            made(row, &args, result, &outputs);
            descriptors(row, &args);
            decoder.watched(row, &args);
            decoder.handler(&args);
        }
    }
}
