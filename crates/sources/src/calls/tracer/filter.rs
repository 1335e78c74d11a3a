//! The filter that lets the kernel stop a program at observed calls alone.

use kernel::trace::filter::Instruction;

use super::table::{MACHINE, ROWS};

// linux/bpf_common.h: load a word, jump if equal, return; linux/seccomp.h: what
// is returned, and where `struct seccomp_data` has its fields.
const LOAD: u16 = 0x20;
const JUMP_EQUAL: u16 = 0x15;
const RETURN: u16 = 0x06;
const ALLOW: u32 = 0x7fff_0000;
const TRACE: u32 = 0x7ff0_0000;
const NUMBER: u32 = 0;
const ARCH: u32 = 4;
const SECOND_ARGUMENT: u32 = 24;

fn plain(code: u16, value: u32) -> Instruction {
    Instruction {
        code,
        jump_true: 0,
        jump_false: 0,
        value,
    }
}

/// If the loaded word is `value`, goes on with the next instruction, else after it.
fn next_if(value: u32) -> Instruction {
    Instruction {
        jump_false: 1,
        ..plain(JUMP_EQUAL, value)
    }
}

/// The program: TRACE for each call of the table, ALLOW for all else, and for all
/// calls of programs for another machine, whose numbers mean something else.
pub(super) fn program() -> Vec<Instruction> {
    let mut program = vec![
        plain(LOAD, ARCH),
        Instruction {
            jump_true: 1,
            ..plain(JUMP_EQUAL, MACHINE)
        },
        plain(RETURN, ALLOW),
        plain(LOAD, NUMBER),
    ];
    for row in ROWS {
        if row.commands.is_empty() {
            program.extend([next_if(row.number as u32), plain(RETURN, TRACE)]);
            continue;
        }
        let commands = row.commands.iter();
        let tests = commands.flat_map(|&command| [next_if(command), plain(RETURN, TRACE)]);
        let mut block = vec![plain(LOAD, SECOND_ARGUMENT)];
        block.extend(tests);
        block.push(plain(RETURN, ALLOW));
        program.push(Instruction {
            jump_false: block.len() as u8,
            ..plain(JUMP_EQUAL, row.number as u32)
        });
        program.extend(block);
    }
    program.push(plain(RETURN, ALLOW));
    program
}
