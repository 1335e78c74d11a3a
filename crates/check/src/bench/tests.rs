use std::io::Read;
use std::net::{Shutdown, TcpStream};
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rstest::rstest;
use timeline::Ending;

use super::Bench;
use crate::fault::{Contrast, Fault, Verdict};
use crate::ground::Sight;
use crate::launch::{Launch, Tested};
use crate::setup::Setup;
use crate::story::Story;

/// A bench ends all programs that its process has started: one at a time.
static ONE: Mutex<()> = Mutex::new(());

/// Works with a bench whose server and client are this shell script.
fn with<T>(script: &str, work: impl FnOnce(&mut Bench) -> T) -> T {
    let _alone: MutexGuard<()> = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut bench = bench(script);
    let result = work(&mut bench);
    bench.story.dropped().keep();
    bench.end();
    result
}

fn bench(script: &str) -> Bench {
    let command = format!("sh -c {}", shell_words::quote(script));
    let setup = Setup {
        server: Some(command.clone()),
        client: Some(command),
        // No usual port: the system chooses.
        port: 0,
        private: false,
        observed: false,
        seed: 1,
        memory: 64 << 20,
        scratch: PathBuf::new(),
    };
    Bench::new(&setup, Story::new(Duration::from_secs(20)), "0/test").unwrap()
}

fn client(bench: &mut Bench) -> Tested {
    bench.client(&[]).unwrap()
}

/// What was expected and seen.
#[track_caller]
fn words<T: std::fmt::Debug>(verdict: Verdict<T>) -> (String, String) {
    match verdict {
        Err(Fault::Program(contrast)) => match *contrast {
            Contrast::Words { expected, seen, .. } => (expected, seen),
            other => panic!("{other:?}"),
        },
        other => panic!("{other:?}"),
    }
}

#[rstest]
#[case::stdout("echo here")]
#[case::stderr("echo here >&2")]
#[case::among_others("echo before; echo -n 'and here'")]
fn a_line_is_found_on_either_output(#[case] script: &str) {
    with(script, |bench| {
        let program = client(bench);
        assert!(bench.says(&program, "here").unwrap().ends_with("here"));
    });
}

#[test]
fn what_comes_while_it_is_looked_whether_the_programs_rest_is_not_missed() {
    with("exec sleep 60", |bench| {
        client(bench);
        bench.story = Story::new(Duration::ZERO);
        let mut looks = 0;
        let came = bench.until(Duration::ZERO, |_| {
            looks += 1;
            (looks == 2).then_some("it came")
        });
        assert_eq!(came, Some("it came"));
    });
}

#[test]
fn a_program_that_works_for_longer_than_the_time_and_ends_then_has_ended() {
    let work = "i=0; while [ $i -lt 3000 ]; do i=$((i+1)); done; echo done; exit 3";
    for _ in 0..10 {
        with(work, |bench| {
            let program = client(bench);
            let ending = bench.ends_within(&program, Duration::ZERO).unwrap();
            assert_eq!(ending, Ending::Status(3));
            assert_eq!(bench.stdout(&program), ["done"]);
        });
    }
}

#[test]
fn a_program_that_has_ended_does_not_run_any_more() {
    with("exit 0", |bench| {
        let program = client(bench);
        assert_eq!(bench.ends(&program).unwrap(), Ending::Status(0));
        let runs = bench.still_runs(&program);
        assert_eq!(words(runs).1, "it ended with status 0");
    });
}

#[rstest]
#[case::none("exit 1", "nothing on stderr")]
#[case::stdout("echo failed; exit 1", "nothing on stderr")]
#[case::empty("echo >&2; exit 1", "an empty line on stderr")]
#[case::two("echo a >&2; echo b >&2; exit 1", "2 lines, the last \"b\"")]
fn one_line_on_stderr_is_neither_none_nor_two(#[case] script: &str, #[case] seen: &str) {
    with(script, |bench| {
        let program = client(bench);
        assert_eq!(words(bench.ends_with_one_line(&program)).1, seen);
    });
}

#[test]
fn what_is_told_stands_in_the_command_and_in_the_environment() {
    with("echo \"{folder} $FOLDER {port} $PORT\"", |bench| {
        bench.tell("folder", "f");
        let program = client(bench);
        let port = program.told.port();
        bench.says(&program, &format!("f f {port} {port}")).unwrap();
    });
}

#[test]
fn our_server_hangs_up_when_the_client_has_and_is_waited_for() {
    with("exec sleep 60", |bench| {
        let ours = bench.listen().unwrap();
        let client = client(bench);
        let mut stream = TcpStream::connect(ours.address()).unwrap();
        let peer = bench.accept(&ours, &client).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let short = Duration::from_millis(50);
        assert!(bench.ends_within(&client, short).is_err());
        assert_eq!(stream.read(&mut [0]).unwrap(), 0);
        let last = bench.story.steps().pop().unwrap();
        assert!(last.ends_with("and hung up, too"), "{last}");
        drop(peer);
    });
}

#[test]
fn the_limit_of_open_files_holds_for_the_program() {
    with("ulimit -n", |bench| {
        let start = Launch::client().files(20).named("the small one");
        let program = bench.start(start).unwrap();
        bench.says(&program, "20").unwrap();
        assert_eq!(program.name, "the small one");
    });
}

#[test]
fn a_program_that_does_not_exist_is_no_fault_of_a_program() {
    with("true", |bench| {
        bench.setup.client = Some("/nonexistent/program".into());
        match bench.client(&[]) {
            Err(Fault::Checker(error)) => {
                let said = format!("{error:#}");
                assert!(said.contains("start /nonexistent/program"), "{said}");
            }
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn a_server_that_ends_and_leaves_a_process_is_told_so() {
    with("setsid sleep 60 &", |bench| {
        let seen = words(bench.server()).1;
        let left = "and a process that it started goes on without it";
        assert_eq!(seen, format!("your server ended with status 0, {left}"));
    });
}

#[test]
fn a_server_on_all_addresses_is_called_on_the_one_that_it_was_told() {
    with("echo listening on 0.0.0.0:9; exec sleep 60", |bench| {
        *bench.sight.borrow_mut() = Sight::blind();
        let server = bench.server().unwrap();
        assert_eq!(server.address(), "127.0.0.1:9".parse().unwrap());
        bench.says_where(&server, "listening on").unwrap();
    });
}

#[test]
fn what_a_program_leaves_behind_is_ended_with_it() {
    let _alone = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    let mut bench = bench("setsid sleep 60 & echo left $!");
    let program = client(&mut bench);
    let line = bench.says(&program, "left").unwrap();
    bench.ends(&program).unwrap();
    let orphan = format!("/proc/{}", line.rsplit(' ').next().unwrap());
    let orphan = std::path::Path::new(&orphan);
    assert!(orphan.exists());
    bench.end();
    assert!(!orphan.exists());
}

#[test]
fn what_is_being_started_when_all_is_ended_is_ended_too() {
    let _alone = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    for _ in 0..10 {
        let mut bench = bench("while :; do sleep 60 & echo one more; done");
        let program = client(&mut bench);
        bench.says(&program, "one more").unwrap();
        let start = std::time::Instant::now();
        bench.end();
        let took = start.elapsed();
        assert!(
            took < Duration::from_secs(10),
            "one was waited for: {took:?}"
        );
        assert!(!crate::ground::somebody_is_left());
    }
}
